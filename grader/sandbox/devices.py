"""Chooses the device on which checks train networks (`--device`): the CPU, or the GPUs that work here.

Each card is tried before anything is graded, in the sandbox and in the way that a check goes: whatever could fail in
the middle of a class (a driver, a filter, a missing file) fails here, and everything is graded on the CPU. A judge
gets a card of its own, so that two submissions are never on one together.

What a result is kept under does not name the device. Checks that compare values run on the CPU whatever `--device`
says; those that train a network compare with thresholds that hold on both. So the grade is the same, and a report says
in its last line where it was made. `batch --regrade --device cuda` makes it anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from grader.errors import DeviceError
from grader.sandbox import gpus
from grader.sandbox.choice import Sandbox, choose
from grader.sandbox.gpus import Gpu


@dataclass(frozen=True)
class Choice:
    """The sandbox with the cards that it is to show, and what whoever asked for one must know."""

    sandbox: Sandbox
    says: str = ""


def equip(kind: str, sandbox: Sandbox) -> Choice:
    """The sandbox with all cards that work in it for `cuda`; where there are none, as it is, and `says` why."""
    if kind == "cpu":
        return Choice(sandbox)
    working, troubles = _working(sandbox)
    if not working:
        return Choice(sandbox, f"NO GPU: networks are trained on the CPU, to the same grades ({troubles[0]})")
    names = ", ".join(gpu.name for gpu in working)
    says = "; ".join([f"device: {names}, one submission at a time on each", *(f"left out: {t}" for t in troubles)])
    return Choice(replace(sandbox, gpus=working), says)


def _working(sandbox: Sandbox) -> tuple[tuple[Gpu, ...], list[str]]:
    """The cards that work in the sandbox, and what is wrong with others, or with all."""
    working: list[Gpu] = []
    troubles: list[str] = []
    try:
        found = gpus.look()
    except DeviceError as error:
        return (), [str(error)]
    from grader.sandbox.gpu_test import try_out  # noqa: PLC0415 - it imports torch

    for gpu in found:
        try:
            working.append(replace(gpu, name=try_out(replace(sandbox, gpus=(gpu,)))))
        except DeviceError as error:
            troubles.append(str(error))
    return tuple(working), troubles


def shares(sandbox: Sandbox, judges: int) -> list[Sandbox]:
    """A sandbox for each of so many judges, or for fewer: with cards, each has one, and no other judge has it."""
    if not sandbox.gpus:
        return [sandbox] * judges
    return [replace(sandbox, gpus=(gpu,)) for gpu in sandbox.gpus[:judges]]


def packed(sandbox: Sandbox) -> str:
    """One word for a judge's command line, from which `unpacked` makes the sandbox again."""
    return json.dumps([sandbox.name, *(asdict(gpu) for gpu in sandbox.gpus)])


def unpacked(word: str) -> Sandbox:
    """What `packed` packed, tested anew. `SandboxError` where it does not work."""
    return with_cards(choose(json.loads(word)[0]), word)


def with_cards(sandbox: Sandbox, word: str) -> Sandbox:
    """The sandbox with the cards of one that was packed."""
    _, *cards = json.loads(word)
    return replace(sandbox, gpus=tuple(Gpu(**card) for card in cards))


def where(sandbox: Sandbox) -> str:
    """The device, for the line of a report that says what was graded with."""
    return f"{sandbox.gpus[0].name} (CUDA {gpus.torch_cuda()})" if sandbox.gpus else "CPU"


DEVICES = ("cpu", "cuda")
