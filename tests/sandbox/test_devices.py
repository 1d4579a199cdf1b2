"""`--device` finds cards, tries them in the sandbox and shares them out; without one it takes the CPU and says why.

No GPU is needed: device nodes are files in a temporary folder. What only a real one can show is at the end, and skips.
"""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from fixtures import digits, transfer
from grader import choices
from grader.author.proof.calibration import program
from grader.checks import load_beside
from grader.cli import batch, console, single
from grader.cli.student import run
from grader.course import Course
from grader.errors import CourseError, DeviceError, SandboxError
from grader.inside import codec, probing, seccomp
from grader.inside import gpu as inside_gpu
from grader.inside.generators import generators_kept
from grader.inside.modules import close_modules, open_modules
from grader.judging import pool
from grader.judging.remote_student import RemoteStudent
from grader.judging.submission_session import Session
from grader.pytest_plugin.student import ProbeEnded
from grader.sandbox import Bubblewrap, Process, Sandbox, choose, devices, doctor, gpu_tryout, gpus
from grader.sandbox.bubblewrap import ENVIRONMENT
from grader.sandbox.gpus import Gpu
from grader.sandbox.worker_client import Worker
from tests.support import sandboxes
from tests.support.courses import with_settings
from tests.support.quick import quick
from tests.support.stand_ins import StandIn

MIB = 1 << 20
GIB = 1 << 30
ROOT = Path(__file__).parents[2]
INFORMATION = "Model: \t\t {model}\nIRQ:   \t\t 57\nGPU UUID: \t {uuid}\nDevice Minor: \t {node}\n"
PROBES = """
def act(student, *args):
    return student.attack.act(*args)

def where(student):
    return str(student.device)
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A machine with cards, all in one folder: `machine(0, 1)` makes nodes, and more by name; it returns the folder.

    The card of node 0 has the higher PCI address, so CUDA counts it last.
    """
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "DEV", tmp_path / "dev")
    monkeypatch.setattr(gpus, "PROC", tmp_path / "proc")
    monkeypatch.setattr(gpus, "FOLDERS", (str(tmp_path / "lib"),))
    monkeypatch.setattr(gpus, "torch_cuda", lambda: "13.0")
    monkeypatch.setenv("LD_LIBRARY_PATH", "")

    def make(*cards: int, names: tuple[str, ...] = ("nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1")) -> Path:
        for name in (*names, *(f"nvidia{card}" for card in cards)):
            put(tmp_path / "dev" / name, "")
        for card in cards:
            text = INFORMATION.format(model=f"Card {card}", uuid=f"GPU-{card}{card}-x", node=card)
            put(tmp_path / "proc" / f"0000:{90 - card}:00.0" / "information", text)
        put(tmp_path / "lib" / gpus.LIBRARY, "")
        return tmp_path

    return make


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o666)
    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o755)


def nodes(found: tuple[Gpu, ...]) -> list[int]:
    return [gpu.node for gpu in found]


# What is there


def test_cards_are_numbered_as_cuda_does_by_their_addresses(machine: Callable[..., Path]) -> None:
    machine(0, 1)
    assert gpus.look() == (Gpu(1, 0, "GPU-11-x", "Card 1"), Gpu(0, 1, "GPU-00-x", "Card 0"))


def test_a_driver_that_tells_nothing_leaves_the_order_of_the_nodes(machine: Callable[..., Path]) -> None:
    folder = machine(0, 10, 2)
    for file in folder.glob("proc/*/information"):
        file.unlink()
    assert nodes(gpus.look()) == [0, 2, 10]


@pytest.mark.parametrize(
    ("given", "found"),
    [("0", [1]), ("1", [0]), ("1,0", [0, 1]), ("GPU-00", [0]), ("1, 1", [0]), ("0,7,1", [1]), ("GPU-11-x,0", [1])],
)
def test_the_users_choice_of_cards_holds(
    machine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, given: str, found: list[int]
) -> None:
    machine(0, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert nodes(gpus.look()) == found


@pytest.mark.parametrize("given", ["", "-1", "7", "GPU-99", "G"])
def test_a_choice_that_leaves_no_card_is_named(
    machine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    machine(0, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    with pytest.raises(DeviceError, match=f"CUDA_VISIBLE_DEVICES={given!r} leaves no GPU of 2; unset it"):
        gpus.look()


def test_each_thing_that_may_be_missing_is_named_with_what_to_do(
    machine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(names=("nvidiactl",))
    with pytest.raises(DeviceError, match=r"there is no .*nvidia0; install NVIDIA's driver; in a container, .*--gpus"):
        gpus.look()
    machine(0, names=())
    with pytest.raises(DeviceError, match=r"there is no .*nvidia-uvm, which CUDA needs; run: nvidia-modprobe"):
        gpus.look()
    machine(0)
    monkeypatch.setattr("os.access", lambda path, mode: not str(path).endswith("nvidia0"))
    with pytest.raises(DeviceError, match=r"nvidia0 cannot be opened by this user; ask for the group"):
        gpus.look()
    monkeypatch.undo()


def test_a_torch_without_cuda_or_a_driver_without_library_is_named(
    machine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machine(0)
    (folder / "lib" / gpus.LIBRARY).unlink()
    with pytest.raises(DeviceError, match=r"libcuda\.so\.1 is in no folder of libraries; install"):
        gpus.look()
    monkeypatch.setattr(gpus, "torch_cuda", lambda: None)
    with pytest.raises(DeviceError, match="torch is built without CUDA; install a build of torch with it"):
        gpus.look()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", "13.0"),
        ("cuda = '12.1'\n", "12.1"),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '6.2'\n", None),
    ],
)
def test_the_build_of_torch_is_read_and_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: str | None
) -> None:
    put(tmp_path / "torch" / "version.py", text)
    put(tmp_path / "torch" / "__init__.py", "raise RuntimeError('imported')\n")
    file = tmp_path / "torch" / "__init__.py"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.util.spec_from_file_location(name, file))
    assert gpus.torch_cuda() == version


def test_the_installed_torch_tells_its_build() -> None:
    assert gpus.torch_cuda() == torch.version.cuda


# What the sandbox shows


def test_a_sandbox_shows_its_own_card_and_no_other(machine: Callable[..., Path]) -> None:
    folder = machine(0, 1)
    words = Bubblewrap("bwrap", gpus=(gpus.look()[0],)).command(3).arguments
    shown = {words[i + 2] for i, word in enumerate(words) if word == "--dev-bind"}
    assert shown == {"/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps/nvidia-cap1"}
    (last,) = (i for i in range(len(words)) if words[i : i + 2] == ["--remount-ro", "/dev"])
    assert words.index("--dev-bind") < last
    variable = words.index("CUDA_VISIBLE_DEVICES")
    assert words[variable + 1] == "0"  # inside it is the only one
    library = str(folder / "lib")
    assert words[words.index("LD_LIBRARY_PATH") + 1] == library
    assert ["--ro-bind", library, library] in [words[i : i + 3] for i in range(len(words))]


def test_a_library_among_the_systems_needs_nothing_more(
    machine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(0)
    monkeypatch.setattr(gpus, "library", lambda: Path("/usr/lib/x86_64-linux-gnu"))
    assert "LD_LIBRARY_PATH" not in Bubblewrap("bwrap", gpus=gpus.look()).command(3).arguments


def test_without_a_card_nothing_more_is_shown() -> None:
    words = Bubblewrap("bwrap").command(3).arguments
    assert not [word for word in words if "nvidia" in word or "CUDA" in word or word.startswith("/sys")]
    assert "CAP_SYS_ADMIN" not in words and "gpu" not in words


def test_without_a_sandbox_a_judge_still_keeps_to_its_own_card(machine: Callable[..., Path]) -> None:
    machine(0, 1)
    second = Process(gpus=gpus.look()[1:]).command(3).environment
    assert (second["CUDA_VISIBLE_DEVICES"], second["CUDA_DEVICE_ORDER"]) == ("1", "PCI_BUS_ID")
    assert "CUDA_VISIBLE_DEVICES" not in Process().command(3).environment
    assert "CUDA_VISIBLE_DEVICES" not in ENVIRONMENT


@pytest.mark.parametrize("machine_name", ["x86_64", "aarch64"])
def test_the_filter_lets_the_driver_make_its_files_lock_and_share_memory_and_nothing_else(machine_name: str) -> None:
    usual, eased = seccomp.refused(machine_name), seccomp.refused(machine_name, gpu=True)
    pages = {"getrusage", "mbind", "migrate_pages", "move_pages"}
    assert set(usual) - set(eased) == {"flock", "memfd_create"} | pages
    assert not set(eased) - set(usual)
    # Two instructions less for each of these, six for mmap, twelve for words of fcntl, twelve for ioctl, and seven for
    # each of wait4 and waitid.
    instructions = 2 * 6 + 6 + 12 + 12 + 2 * 7
    usual_length, eased_length = (len(seccomp.assemble(machine_name, gpu)) for gpu in (False, True))
    assert usual_length - eased_length == 8 * instructions


# Choosing


def test_the_cpu_is_the_default_and_looks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "look", lambda: pytest.fail("looked"))
    assert devices.equip("cpu", Process()) == devices.Choice(Process())
    for command in (batch.batch, run.run, single.ci):
        (option,) = (option for option in command.params if option.name == "device")
        assert (option.default, option.type.choices) == ("cpu", choices.DEVICES)


def test_without_a_gpu_it_is_the_cpu_with_one_line_of_reason(machine: Callable[..., Path]) -> None:
    machine(names=())
    choice = devices.equip("cuda", Process())
    assert choice.sandbox == Process()
    assert choice.says.startswith("NO GPU: networks are trained on the CPU, to the same grades (there is no ")
    assert "\n" not in choice.says


@pytest.mark.parametrize("kind", sandboxes.BOTH)
def test_a_card_that_cuda_does_not_start_on_is_found_out_before_grading(
    machine: Callable[..., Path], kind: str
) -> None:
    """The nodes are plain files: all goes its real way, in the sandbox with its card, up to CUDA itself."""
    machine(0)
    sandbox = quick(sandboxes.named(kind))
    choice = devices.equip("cuda", sandbox)
    assert choice.sandbox == sandbox
    assert "nvidia0 is there, but CUDA does not work in a check: " in choice.says
    missing = "Found no NVIDIA driver" if torch.version.cuda else "not compiled with CUDA"
    assert missing in choice.says


def trial_gives(monkeypatch: pytest.MonkeyPatch, give: Callable[[Gpu], str]) -> None:
    monkeypatch.setattr("grader.sandbox.gpu_tryout.try_out", lambda sandbox: give(sandbox.gpus[0]))


def test_cards_that_work_are_named_and_others_left_out(
    machine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give(gpu: Gpu) -> str:
        if gpu.node == 1:
            raise DeviceError("/dev/nvidia1 is broken")
        return f"Real {gpu.node}"

    machine(0, 1, 2)
    trial_gives(monkeypatch, give)
    choice = devices.equip("cuda", Process())
    assert nodes(choice.sandbox.gpus) == [2, 0]
    assert choice.says == ("device: Real 2, Real 0, one submission at a time on each; left out: /dev/nvidia1 is broken")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: b"R" + codec.encode({"message": "CUDA error 304"}), "CUDA error 304"),
        (lambda: b"I" + codec.encode("the result is odd"), "the result is odd"),
        (lambda: b"garbage", "malformed|too short|too long"),
        (lambda: (_ for _ in ()).throw(TimeoutError("timed out")), "timed out"),
        (lambda: (_ for _ in ()).throw(SandboxError("the worker ended")), "the worker ended"),
    ],
)
def test_however_a_trial_ends_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[], bytes], said: str
) -> None:
    monkeypatch.setattr(gpu_tryout, "trial", lambda worker: end())
    with pytest.raises(DeviceError, match=said):
        gpu_tryout.try_out(Process(gpus=(Gpu(0, 0),)))


def test_judges_never_share_a_card() -> None:
    three = tuple(Gpu(node, node) for node in range(3))
    for judges, cards in ((1, 1), (2, 2), (3, 3), (8, 3)):
        own = devices.shares(Process(gpus=three), judges)
        assert [nodes(sandbox.gpus) for sandbox in own] == [[node] for node in range(cards)]
    assert devices.shares(Process(), 8) == [Process()] * 8


def test_a_pool_has_no_more_judges_than_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judges: list[list[int]] = []
    monkeypatch.setattr(pool, "JudgeProcess", lambda root, weeks, own, *rest: judges.append(nodes(own.gpus)))
    pool.Pool(tmp_path, ["week1"], 8, Process(gpus=(Gpu(0, 0), Gpu(3, 1))))
    assert judges == [[0], [3]]


@pytest.mark.parametrize("kind", ["process", "bwrap"])
def test_a_judge_gets_the_sandbox_with_its_card(kind: str) -> None:
    sandbox: Sandbox = replace(sandboxes.named(kind), gpus=(Gpu(2, 1, "GPU-22", 'Card "2", große'),))
    assert devices.unpacked(devices.packed(sandbox)) == sandbox
    assert devices.unpacked(devices.packed(choose(kind))) == choose(kind)


def test_a_report_says_where_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "torch_cuda", lambda: "13.0")
    assert devices.where(Process()) == "CPU"
    assert devices.where(Process(gpus=(Gpu(0, 0, name="Card 0"),))) == "Card 0 (CUDA 13.0)"


def test_the_command_line_says_once_what_became_of_the_wish(
    machine: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    machine(names=())
    assert console.make_sandbox("process", "cuda") == Process()
    assert capsys.readouterr().err.count("NO GPU") == 1
    assert console.make_sandbox("process", "cpu") == Process()
    assert capsys.readouterr().err == ""


def test_the_doctor_names_the_cards_or_what_is_missing(machine: Callable[..., Path]) -> None:
    machine(names=())
    found = next(finding for finding in doctor.examine() if finding.what == "GPU")
    assert found.good and "there is no" in found.says
    machine(0, 1)
    found = next(finding for finding in doctor.examine() if finding.what == "GPU")
    assert found.good and found.says.startswith("Card 1, Card 0; batch --device cuda")


def test_the_limit_of_a_gpus_memory_stands_in_the_assignment(one_check_course: Course) -> None:
    with_settings(one_check_course.root, "[limits]\ngpu_memory_mb = 512")
    assert one_check_course.assignment("week1").limits.gpu_memory_mb == 512


def test_a_limit_of_no_memory_at_all_is_refused(one_check_course: Course) -> None:
    with_settings(one_check_course.root, "[limits]\ngpu_memory_mb = 0")
    with pytest.raises(CourseError, match="gpu_memory_mb"):
        one_check_course.assignment("week1")


# Inside


def test_no_import_of_the_zygote_asks_cuda_for_anything() -> None:
    """CUDA does not survive a fork, and asking for the number of GPUs starts it."""
    code = """
        import sys, torch
        for name in ("_cuda_getDeviceCount", "_cuda_init", "_cuda_isDriverSufficient"):
            setattr(torch._C, name, lambda name=name, *_: sys.exit(f"{name} was called"))
        sys.argv = ["worker"]
        sys.path.insert(0, FOLDER)
        import importlib.util
        spec = importlib.util.spec_from_file_location("grader_inside", FOLDER + "/__init__.py",
                                                      submodule_search_locations=[FOLDER])
        sys.modules["grader_inside"] = package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
        from grader_inside import worker, gpu, probing
        worker.warm_up()
        gpu.prepare(1 << 30)
        probing.call(lambda student: None, None, 5, (), {})
        assert not torch.cuda.is_initialized()
        print("untouched")
    """.replace("FOLDER", repr(str(ROOT / "grader" / "inside")))
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert run.stdout == "untouched\n", run.stderr


def test_the_cap_waits_for_cuda_and_is_a_share_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[Callable[[], None]] = []
    capped: list[tuple[float, int]] = []
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.setattr(torch.cuda, "_lazy_call", waiting.append)
    card = type("Properties", (), {"total_memory": 8 * GIB})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda *given: capped.append(given))
    for memory in (2 * GIB, 80 * GIB):
        inside_gpu.prepare(memory)
    assert torch.backends.cudnn.deterministic and capped == []
    for call in waiting:
        call()
    assert capped == [(0.25, 0), (1.0, 0)]


def test_a_full_gpu_is_an_outcome_of_memory() -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
    assert probing.outcome_of(error) == "memory"
    assert probing.outcome_of(RuntimeError("CUDA error: out of memory")) == "memory"
    assert probing.outcome_of(RuntimeError("CUDA error: device-side assert triggered")) == "error"


class FakeCuda:
    """torch's generators on a GPU: one number that draws move on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, started: bool) -> None:
        self.started, self.state = started, torch.tensor([7])
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: self.started)
        monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [self.state.clone()])
        monkeypatch.setattr(torch.cuda, "set_rng_state_all", self.restore)
        monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: self.restore([torch.tensor([seed])]))

    def restore(self, states: list[torch.Tensor]) -> None:
        self.state = states[0]


def test_what_an_import_draws_on_a_gpu_changes_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    cuda = FakeCuda(monkeypatch, started=True)
    with generators_kept():
        cuda.state += 1
    assert cuda.state.item() == 7
    cuda = FakeCuda(monkeypatch, started=False)
    with generators_kept():
        cuda.started = True
        cuda.state += 1
        random.random()
    assert cuda.state.item() == 5  # the seed from which all generators started


def test_probes_find_the_device_beside_the_students_modules(tmp_path: Path) -> None:
    for given, found in (("cpu", "cpu"), ("cuda", "cuda")):
        modules = open_modules(tmp_path, "week5", device=given)
        assert modules.device == torch.device(found)
        close_modules(modules)


@pytest.fixture(scope="module")
def device_probes(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    path = tmp_path_factory.mktemp("course") / "probes.py"
    path.write_text(PROBES)
    return load_beside(str(path), path.stem)


def act(worker: Worker, probe: Callable[..., Any], code: str, gpu_memory: int = 2 * GIB) -> Any:
    """Return what the code's `act` gives in a check of a submission of its own, or how it ended."""
    source = textwrap.dedent(code).encode()
    submission = Session(worker, "week1", {"attack.py": source}, ["attack"], 2 * GIB, 300, gpu_memory)
    student = RemoteStudent(submission, 1, 120.0)
    try:
        return student.run(probe)
    except ProbeEnded as end:
        return f"{end.outcome}: {end.summary} {end.says}"
    finally:
        student.close()
        submission.close()


@pytest.fixture
def faked(machine: Callable[..., Path]) -> Iterator[Worker]:
    """A worker in the real sandbox with a card that is a plain file."""
    machine(0)
    warm = Worker(replace(quick(sandboxes.real()), gpus=gpus.look()))
    yield warm
    warm.close()


def test_what_cuda_needs_of_the_sandbox_is_there(faked: Worker, device_probes: ModuleType) -> None:
    """Device nodes, `/sys`, threads that it can name in a `/proc` of its own, files in memory, addresses."""
    code = """
        import ctypes, mmap, os, resource, threading
        def name_a_thread():
            begun, done, ids = threading.Event(), threading.Event(), []
            def body():
                ids.append(threading.get_native_id())
                begun.set()
                done.wait()
            other = threading.Thread(target=body)
            other.start()
            begun.wait()
            with open(f"/proc/self/task/{ids[0]}/comm", "w") as file:
                file.write("cuda-EvtHandlr")
            name = open(f"/proc/{os.getpid()}/task/{ids[0]}/comm").read().strip()
            done.set()
            return name
        def act():
            reserved = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=0)
            return {
                "nodes": [os.access(f"/dev/{n}", os.R_OK | os.W_OK) for n in ("nvidia0", "nvidiactl", "nvidia-uvm")],
                "sys": os.path.isdir("/sys/devices"),
                "writable": os.access("/sys/devices", os.W_OK),
                "thread": name_a_thread(),
                "processes": sorted(n for n in os.listdir("/proc") if n.isdigit()) == sorted({"1", str(os.getpid())}),
                "keeper": os.access("/proc/1/environ", os.R_OK) or os.access("/proc/1/root/tmp", os.R_OK),
                "memfd": os.memfd_create("x") > 0,
                "reserved": len(reserved) == 1 << 40,
                "data": resource.getrlimit(resource.RLIMIT_DATA)[0] < 1 << 40,
                "powers": [l.split()[1] for l in open("/proc/self/status") if l[:6] in ("CapEff", "CapPrm", "CapAmb")],
            }
    """
    assert act(faked, device_probes.act, code) == {
        "nodes": [True] * 3,
        "sys": True,
        "writable": False,
        "thread": "cuda-EvtHandlr",
        "processes": True,
        "keeper": False,
        "memfd": True,
        "reserved": True,
        "data": True,
        "powers": ["0" * 16] * 3,
    }


def test_a_probe_is_told_of_the_card_by_the_sandbox_alone(faked: Worker, device_probes: ModuleType) -> None:
    assert act(faked, device_probes.where, "") == "cuda"
    warm = Worker(quick(sandboxes.real()))
    assert act(warm, device_probes.where, "") == "cpu"
    warm.close()


def test_at_a_students_desk_there_is_one_line_about_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        probes="def where(student):\n    return str(student.device)\n",
        test_week1="""
            from grader.checks import load_probes, task
            probes = load_probes(__file__)

            @task("1.1", points=1, title="Where")
            def test_where(student):
                assert student.run(probes.where) in ("cpu", "cuda")
        """,
    )
    for device, count in (("cpu", 0), ("cuda", 1)):
        run = pytester.runpytest_inprocess("--device", device, "-p", "no:cacheprovider")
        run.assert_outcomes(passed=1)
        assert sum("NO GPU: " in line or "device: " in line for line in run.outlines) == count


# Where the accuracy checks train


class Elsewhere:
    """A device that is none: networks stay where they are, and tensors cannot be moved to it."""

    type = "cuda"


ELSEWHERE, CPU = Elsewhere(), torch.device("cpu")
RUNS = {
    "4.11": ("assignments/week4", "probes", "trained_weights", ("fcnn", "training"), "fit"),
    "5.12": ("assignments/week5", "probes", "trained_weights", ("lenet", "training"), "train"),
    "5.12, hidden": ("solutions/week5", "probes_hidden", "trained_weights", ("lenet", "training"), "train"),
    "6.17": ("assignments/week6", "probes_transfer", "fine_tuned", ("transfer", "training"), "fit"),
    "7.14": ("assignments/week7", "probes_recipe", "trained_weights", ("resnet", "recipe"), "train_epoch"),
}


@dataclass
class Training:
    """A short run of an accuracy check's probe with the reference; `given` are the devices that its loop was given."""

    probe: Callable[..., Any]
    arguments: tuple[Any, ...]
    student: StandIn
    module: Any
    loop: str
    given: list[Any] = field(default_factory=list)

    def on(self, device: Any, works: bool = True) -> Any:
        """The evidence, where a loop that `works` trains on the CPU, whatever device it was given."""
        self.student.device = device
        plain = getattr(self.module, self.loop)

        def loop(*arguments: Any, **options: Any) -> Any:
            (place,) = [i for i, value in enumerate(arguments) if value is device or value == CPU]
            self.given.append(arguments[place])
            return plain(*arguments[:place], CPU if works else arguments[place], *arguments[place + 1 :], **options)

        torch.manual_seed(0)
        setattr(self.module, self.loop, loop)
        try:
            return codec.decode(codec.encode(self.probe(self.student, *self.arguments)))
        finally:
            setattr(self.module, self.loop, plain)


@pytest.fixture(params=RUNS)
def training(request: pytest.FixtureRequest) -> Training:
    folder, name, probe, modules, loop = RUNS[request.param]
    draws = torch.Generator().manual_seed(0)
    if "week6" in folder:
        images = transfer.draw(draws)
        part = images.train_images[:32], images.train_labels[:32]
        arguments: tuple[Any, ...] = (transfer.load_backbone(), part, part, 0.001, 1)
    elif "week7" in folder:
        labels = digits.draw(draws, 96).train_labels
        arguments = (torch.rand(96, 1, 7, 7, generator=draws), labels, 1, 0.001, 1)
    else:
        known = digits.draw(draws, 96)
        more = {"probes": (), "probes_hidden": (known.test_images[:5],)}[name]
        arguments = (known.train_images, known.train_labels, *more)
        arguments += (0, 0.1, 0.3, 0.01, 1) if "week4" in folder else (0.001, 1)
    week = ROOT / "solutions" / folder[-5:]
    student = StandIn(**{module: program(week, module, None) for module in modules})
    found = getattr(load_beside(str(ROOT / folder / "x.py"), name), probe)
    return Training(found, arguments, student, getattr(student, modules[-1]), loop)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The devices to which networks are moved; to one that is none they only seem to be."""
    places: list[Any] = []
    plain = torch.nn.Module.to

    def to(module: torch.nn.Module, device: Any) -> torch.nn.Module:
        places.append(device)
        return module if device is ELSEWHERE else plain(module, device)

    monkeypatch.setattr(torch.nn.Module, "to", to)
    return places


def test_accuracy_checks_train_on_the_students_device(training: Training, moved: list[Any]) -> None:
    evidence = training.on(CPU)
    assert training.given == moved == [CPU]
    assert codec.encode(training.on(ELSEWHERE)) == codec.encode(evidence)
    assert training.given == moved == [CPU, ELSEWHERE]


def test_code_that_only_works_on_the_cpu_loses_nothing_by_a_gpu(training: Training, moved: list[Any]) -> None:
    evidence = training.on(ELSEWHERE, works=False)
    assert training.given == moved == [ELSEWHERE, CPU]
    assert evidence.keys() == training.on(CPU).keys()


def test_a_network_that_no_longer_fits_on_the_gpu_is_trained_on_the_cpu(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = torch.nn.Module.to

    def to(module: torch.nn.Module, device: Any) -> torch.nn.Module:
        if device is ELSEWHERE:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(module, device)

    monkeypatch.setattr(torch.nn.Module, "to", to)
    evidence = training.on(ELSEWHERE)
    assert training.given == [CPU]
    assert evidence.keys() == training.on(CPU).keys()


def test_code_that_does_not_work_at_all_is_told_what_is_wrong_on_the_cpu(training: Training, moved: list[Any]) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise ValueError(f"not on {[value for value in arguments if value in (CPU, ELSEWHERE)]}")

    training.module.__dict__[training.loop] = broken
    for device in (CPU, ELSEWHERE):
        with pytest.raises(ValueError, match=r"not on \[device\(type='cpu'\)\]"):
            training.on(device)


# What only a real GPU shows


@pytest.fixture(scope="module", params=["process", "bwrap"])
def gpu_worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """A worker with this machine's GPU."""
    choice = devices.equip("cuda", sandboxes.named(request.param))
    if not choice.sandbox.gpus:
        pytest.skip(f"no GPU: {choice.says.partition(': ')[2]}")
    warm = Worker(devices.shares(choice.sandbox, 1)[0])
    yield warm
    warm.close()


def test_cuda_is_there_in_a_check_and_the_zygote_never_started_it(
    gpu_worker: Worker, device_probes: ModuleType
) -> None:
    code = """
        import torch
        def act():
            before = torch.cuda.is_initialized()
            there = torch.cuda.is_available(), torch.cuda.device_count()
            return [before, *there, torch.ones(3, device="cuda").sum()]
    """
    before, available, count, total = act(gpu_worker, device_probes.act, code)
    assert (before, available, count) == (False, True, 1)
    assert total.device.type == "cpu" and total.item() == 3  # the codec brings evidence to the CPU


def test_a_lenet_learns_on_it_and_equal_seeds_give_equal_runs(gpu_worker: Worker, device_probes: ModuleType) -> None:
    code = """
        import torch
        from torch import nn
        def act():
            torch.manual_seed(3)
            net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2),
                                nn.ReLU(), nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Dropout(0.1),
                                nn.Linear(120, 10)).cuda()
            images = torch.rand(64, 1, 28, 28, device="cuda")
            labels = torch.randint(0, 10, (64,), device="cuda")
            adam = torch.optim.Adam(net.parameters(), lr=3e-3)
            losses = []
            for _ in range(30):
                loss = nn.functional.cross_entropy(net(images), labels)
                adam.zero_grad(); loss.backward(); adam.step()
                losses.append(loss.item())
            return losses
    """
    first = act(gpu_worker, device_probes.act, code)  # two submissions, one after the other
    second = act(gpu_worker, device_probes.act, code)
    assert isinstance(first, list) and first[-1] < first[0]
    assert first == second


def test_a_submission_that_takes_too_much_of_it_runs_out_of_memory_alone(
    gpu_worker: Worker, device_probes: ModuleType
) -> None:
    code = "import torch\ndef act():\n    return torch.empty(MANY << 20, dtype=torch.uint8, device='cuda').numel()\n"
    end = act(gpu_worker, device_probes.act, code.replace("MANY", "900"), gpu_memory=512 * MIB)
    assert isinstance(end, str) and end.startswith("memory: memory ran out OutOfMemoryError: CUDA out of memory")
    assert act(gpu_worker, device_probes.act, code.replace("MANY", "100"), gpu_memory=512 * MIB) == 100 * MIB
