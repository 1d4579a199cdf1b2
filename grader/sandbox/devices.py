"""Chooses the device on which checks train networks (`--device`): the CPU, or the GPUs that work here.

Each card is tried in the sandbox before anything is graded, in the way that a check uses it. What could fail in the
middle of a class (a driver, a filter, a missing file) fails here, and then everything is graded on the CPU. A judge
gets a card of its own, so that no two submissions ever share one.

The key of a stored result does not name the device. Checks that compare values run on the CPU whatever `--device` says;
those that train a network compare with thresholds that hold on both. So the grade is the same, and the last line of a
report says on which device it was made. `batch --regrade --device cuda` makes it anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from grader.errors import DeviceError
from grader.sandbox import gpus
from grader.sandbox.choice import Sandbox, choose
from grader.sandbox.gpus import Gpu
from grader.scratch import held


@dataclass(frozen=True)
class Choice:
    """The sandbox with the cards that it is to show, and a line for the person who asked for one."""

    sandbox: Sandbox
    says: str = ""


def equip(kind: str, sandbox: Sandbox) -> Choice:
    """Give the sandbox all cards that work in it, for `cuda`; where none does, leave it as it is: `says` tells why."""
    if kind == "cpu":
        return Choice(sandbox)
    working, troubles = _working(sandbox)
    if not working:
        return Choice(sandbox, f"NO GPU: networks are trained on the CPU, to the same grades ({troubles[0]})")
    names = ", ".join(gpu.name for gpu in working)
    says = "; ".join([f"device: {names}, one submission at a time on each", *(f"left out: {t}" for t in troubles)])
    return Choice(replace(sandbox, gpus=working), says)


def _working(sandbox: Sandbox) -> tuple[tuple[Gpu, ...], list[str]]:
    """Return the cards that work in the sandbox, and what is wrong with others, or with all."""
    working: list[Gpu] = []
    troubles: list[str] = []
    try:
        found = gpus.look()
    except DeviceError as error:
        return (), [str(error)]
    from grader.sandbox.gpu_tryout import try_out  # noqa: PLC0415 - it imports torch

    for gpu in found:
        try:
            with held():
                working.append(replace(gpu, name=try_out(replace(sandbox, gpus=(gpu,)))))
        except DeviceError as error:
            troubles.append(str(error))
    return tuple(working), troubles


def shares(sandbox: Sandbox, judges: int) -> list[Sandbox]:
    """Return a sandbox for each judge. With cards each judge has one of its own, so there may be fewer judges."""
    if not sandbox.gpus:
        return [sandbox] * judges
    return [replace(sandbox, gpus=(gpu,)) for gpu in sandbox.gpus[:judges]]


def packed(sandbox: Sandbox) -> str:
    """Pack a sandbox into one word of a judge's command line, from which `unpacked` makes it again."""
    return json.dumps([sandbox.name, *(asdict(gpu) for gpu in sandbox.gpus)])


def unpacked(word: str) -> Sandbox:
    """Unpack what `packed` packed, and test it anew. `SandboxError` where it does not work."""
    return with_cards(choose(json.loads(word)[0]), word)


def with_cards(sandbox: Sandbox, word: str) -> Sandbox:
    """Return the sandbox with the cards of one that was packed."""
    _, *cards = json.loads(word)
    return replace(sandbox, gpus=tuple(Gpu(**card) for card in cards))


def where(sandbox: Sandbox) -> str:
    """Name the device, for the line of a report that says what was graded with."""
    return f"{sandbox.gpus[0].name} (CUDA {gpus.torch_cuda()})" if sandbox.gpus else "CPU"
