"""Finds this machine's GPUs, and shows a sandbox what CUDA needs to work on them.

Nothing here starts CUDA or imports torch: whether a card really works is tried in the sandbox itself
(`grader.sandbox.devices`). What has to be shown follows what containers show: the driver's device nodes, `/sys` as far
as it describes devices, and the driver's library where it does not lie among the system's.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import DeviceError
from grader.sandbox import views

DEV = Path("/dev")
PROC = Path("/proc/driver/nvidia/gpus")
HOST_MEMORY = 2 << 30  # bytes of the machine's own memory that CUDA takes in each process, beside the student's
LIBRARY = "libcuda.so.1"

_NEEDED = ("nvidiactl", "nvidia-uvm")
_MORE = ("nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps/*")
_SYS = ("/sys/bus", "/sys/class", "/sys/dev", "/sys/devices", "/sys/module")
FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64")
_INSTALL = "install NVIDIA's driver; in a container, start it with its GPUs, as `docker run --gpus all` does"


@dataclass(frozen=True)
class Gpu:
    """One card: the number of its device node, and its place in CUDA's order, the order of PCI addresses."""

    node: int
    place: int
    uuid: str = ""
    name: str = "an NVIDIA GPU"


def look() -> tuple[Gpu, ...]:
    """Find the cards that this user may use and that `CUDA_VISIBLE_DEVICES` does not leave out.

    Raises `DeviceError` where there is none: it names the first thing that is missing.
    """
    cards = [node for node in DEV.glob("nvidia*") if re.fullmatch(r"nvidia\d+", node.name)]
    if not cards:
        raise DeviceError(f"there is no {DEV / 'nvidia0'}; {_INSTALL}")
    for name in _NEEDED:
        if not (DEV / name).exists():
            raise DeviceError(f"there is no {DEV / name}, which CUDA needs; run: nvidia-modprobe -u -c=0")
    closed = [node for node in (*cards, *(DEV / name for name in _NEEDED)) if not os.access(node, os.R_OK | os.W_OK)]
    if closed:
        raise DeviceError(f"{closed[0]} cannot be opened by this user; ask for the group that may (ls -l {closed[0]})")
    if torch_cuda() is None:
        raise DeviceError("torch is built without CUDA; install a build of torch with it")
    if library() is None:
        raise DeviceError(f"the driver's library {LIBRARY} is in no folder of libraries; {_INSTALL}")
    return _wanted(_in_order(cards), os.environ)


def torch_cuda() -> str | None:
    """Read which version of CUDA the installed torch is built for, without importing it; None for a build without."""
    spec = importlib.util.find_spec("torch")
    file = Path(spec.origin).with_name("version.py") if spec and spec.origin else Path(os.devnull)
    found = re.search(r"^cuda\b.*=\s*'([\d.]+)'", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else None


def library() -> Path | None:
    """Find the folder that holds the driver's library."""
    given = [Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    known = [folder for pattern in FOLDERS for folder in sorted(Path("/").glob(pattern.lstrip("/")))]
    return next((folder for folder in (*given, *known) if (folder / LIBRARY).exists()), None)


def arguments(gpus: Iterable[Gpu]) -> list[str]:
    """Return bubblewrap's arguments that show those cards, and no other one; none for no card."""
    nodes = list(_nodes(gpus))
    if not nodes:
        return []
    words = views.parents([Path("/dev", node) for node in nodes] + [Path(folder) for folder in _SYS])
    for node in nodes:
        words += ["--dev-bind", str(DEV / node), f"/dev/{node}"]
    for folder in _SYS:
        words += ["--ro-bind-try", folder, folder]
    hidden = _library_out_of_view()
    return words + (["--ro-bind", str(hidden), str(hidden)] if hidden else [])


def environment(gpus: tuple[Gpu, ...], confined: bool) -> dict[str, str]:
    """Return variables for processes that use the first of these cards; none for no card.

    In a sandbox the one card that is shown is CUDA's first; without a sandbox it is one among all.
    """
    if not gpus:
        return {}
    hidden = _library_out_of_view()
    return {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": "0" if confined else str(gpus[0].place),
        "CUDA_CACHE_DISABLE": "1",  # a cache would be a place for one check to leave something for the next
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # so that sums come out the same each time
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # asking whether there is a GPU must not start CUDA before a fork
        **({"LD_LIBRARY_PATH": str(hidden)} if hidden else {}),
    }


def _nodes(gpus: Iterable[Gpu]) -> Iterator[str]:
    cards = [f"nvidia{gpu.node}" for gpu in gpus]
    if cards:
        yield from (*cards, *_NEEDED)
        yield from (str(node.relative_to(DEV)) for pattern in _MORE for node in sorted(DEV.glob(pattern)))


def _library_out_of_view() -> Path | None:
    folder = library()
    return None if folder is None or views.shows(folder) else folder


def _in_order(cards: Iterable[Path]) -> list[Gpu]:
    """Return the cards in CUDA's order; what the driver does not tell about one stays at its default."""
    told = {int(about["Device Minor"]): about for about in _informations() if about.get("Device Minor", "").isdigit()}
    numbers = sorted(int(card.name.removeprefix("nvidia")) for card in cards)
    order = sorted(numbers, key=lambda number: told.get(number, {}).get("at", ""))
    return [_gpu(number, place, told.get(number, {})) for place, number in enumerate(order)]


def _gpu(number: int, place: int, about: Mapping[str, str]) -> Gpu:
    return Gpu(number, place, about.get("GPU UUID", ""), about.get("Model", Gpu.name))


def _informations() -> Iterator[dict[str, str]]:
    """Yield what the driver tells about each card, and its PCI address as `at`."""
    for file in sorted(PROC.glob("*/information")):
        pairs = (line.partition(":") for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
        yield {name.strip(): value.strip() for name, _, value in pairs} | {"at": file.parent.name}


def _wanted(gpus: list[Gpu], variables: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Pick the cards that `CUDA_VISIBLE_DEVICES` names, by number or UUID, up to the first unknown one, as in CUDA."""
    given = variables.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return tuple(gpus)
    chosen: list[Gpu] = []
    for word in map(str.strip, given.split(",")):
        found = [gpu for gpu in gpus if word == str(gpu.place) or (word[:4] == "GPU-" and gpu.uuid.startswith(word))]
        if not found:
            break
        chosen += [gpu for gpu in found[:1] if gpu not in chosen]
    if not chosen:
        raise DeviceError(f"CUDA_VISIBLE_DEVICES={given!r} leaves no GPU of {len(gpus)}; unset it, or name one of them")
    return tuple(chosen)
