"""Asks checks as a judge does, in this process, of students that answer whatever a test needs.

The reference is asked once for each question; others answer with what is made of its evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grader.checks import load_beside
from grader.checks.task_mark import TaskMark
from grader.course import Course
from grader.inside import codec
from grader.inside.modules import open_modules
from grader.inside.probing import call

ROOT = Path(__file__).parents[2]
WEEKS = Course(ROOT).assignments()
# Those that train for a second or more, or move a VGG's weights: one input does for them, and a quarter of the runs.
SLOW = {"test_accuracy", "test_weights", "test_transfer", "test_vgg_logits", "test_vgg"}
INPUTS = 4  # drawn for each check


def checks() -> Iterator[tuple[str, Callable[..., None]]]:
    """Every check of every week."""
    for week, path in ((week, path) for week, assignment in WEEKS.items() for path in assignment.check_files):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hypothesis, "given", noted)
            module = load_beside(str(path), path.stem)
        for name, check in vars(module).items():
            if name.startswith("test_"):
                yield f"{week}::{path.stem}::{name}", check


def noted(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis's decorator for a check; the check keeps what it draws from."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        drawing = given(**strategies)(check)
        drawing.strategies = strategies  # type: ignore[attr-defined]
        return drawing

    return decorate


CHECKS = dict(checks())


def name_of(probe: Any) -> str:
    """A probe's name, with its week and module."""
    return f"{probe.__module__.removeprefix('grader_checks.')} {probe.__qualname__}"


class Run(NamedTuple):
    """One run of a probe in a check, and the reference's evidence, encoded."""

    probe: str
    evidence: bytes


class Reference:
    """A week's reference. What it gave honestly is kept by what it was asked; forgeries may lead to other questions.

    Who opens a week again may pass on what was `kept`.
    """

    def __init__(self, week: str, kept: dict[bytes, bytes] | None = None) -> None:
        self.modules = open_modules(ROOT / "solutions" / week, week)
        self.kept = {} if kept is None else kept

    def answer(self, probe: Any, args: Any, kwargs: Any, *, keep: bool) -> bytes:
        key = hashlib.sha256(codec.encode([name_of(probe), list(args), kwargs])).digest()
        if key in self.kept:
            return self.kept[key]
        evidence = codec.encode(call(probe, self.modules, 0, args, kwargs))
        if keep:
            self.kept[key] = evidence
        return evidence


class Honest:
    """The reference as a student, with a note of every run."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.runs: list[Run] = []

    def run(self, probe: Any, *args: Any, **kwargs: Any) -> Any:
        evidence = self.reference.answer(probe, args, kwargs, keep=True)
        self.runs.append(Run(name_of(probe), evidence))
        return codec.decode(evidence)

    run_fresh = run


def is_slow(name: str) -> bool:
    return name.rpartition("::")[2] in SLOW


@cache
def judge_of(name: str) -> tuple[Callable[..., None], list[dict[str, Any]]]:
    """The check's own function, and inputs for it, the simplest first. An `rng` is given as its seed."""
    check = CHECKS[name]
    handle = getattr(check, "hypothesis", None)
    judge = handle.inner_test if handle else check
    drawn = check.strategies if handle else {"rng": st.integers(0, 99)}  # type: ignore[attr-defined]
    wanted = judge.__code__.co_varnames[: judge.__code__.co_argcount]
    inputs: list[dict[str, Any]] = []

    @settings(max_examples=INPUTS, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.fixed_dictionaries({key: value for key, value in drawn.items() if key in wanted}))
    def collect(one: dict[str, Any]) -> None:
        inputs.append(one)

    collect()
    return judge, inputs


def passes(name: str, student: Any, inputs: dict[str, Any]) -> bool:
    """Whether a check passes; anything but an AssertionError means that it is broken."""
    judge, _ = judge_of(name)
    rng = {"rng": torch.Generator().manual_seed(inputs["rng"])} if "rng" in inputs else {}
    try:
        judge(**{"student": student, **inputs, **rng})
    except AssertionError:
        return False
    return True


def points_of(name: str) -> int:
    """The points of a check."""
    marks = [mark for mark in vars(CHECKS[name])["pytestmark"] if mark.name == "task"]
    mark: TaskMark = marks[0].kwargs["mark"]
    return mark.points
