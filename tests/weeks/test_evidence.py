"""No check crashes, even if anything else replaces a part of the right evidence."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grader.checks import load_beside
from grader.course import Course
from grader.inside import codec
from grader.inside.modules import close_modules, open_modules
from grader.inside.probing import call
from tests.support.odd import replaced

ROOT = Path(__file__).parents[2]
WEEKS = Course(ROOT).assignments()
# Those that train for a second or more, or move a VGG's weights.
SLOW = {"test_accuracy", "test_weights", "test_transfer", "test_vgg_logits", "test_vgg"}
ROUNDS = int(os.environ.get("GRADER_FORGERIES", "25"))  # runs of each check


def checks() -> Iterator[tuple[str, Callable[..., None]]]:
    """Every check of every week but the slow ones."""
    for week, path in ((week, path) for week, assignment in WEEKS.items() for path in assignment.check_files):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hypothesis, "given", noted)
            module = load_beside(str(path), path.stem)
        for name, check in vars(module).items():
            if name.startswith("test_") and (name not in SLOW or f"{week}::{name}" == "week6::test_accuracy"):
                yield f"{week}::{path.stem}::{name}", check


def noted(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis's decorator for a check; the check keeps what it draws from."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        drawing = given(**strategies)(check)
        drawing.strategies = strategies  # type: ignore[attr-defined]
        return drawing

    return decorate


CHECKS = dict(checks())


class Forger:
    """A student whose evidence is right but for a part of it, in some of the probes' runs."""

    called_with = ""

    def __init__(self, modules: Any, draw: random.Random) -> None:
        self.modules = modules
        self.draw = draw

    def run(self, probe: Any, *args: Any, **kwargs: Any) -> Any:
        evidence = codec.decode(codec.encode(call(probe, self.modules, 0, args, kwargs)))
        forged = replaced(self.draw, evidence) if self.draw.random() < 0.7 else evidence
        return codec.decode(codec.encode(forged))

    run_fresh = run


@pytest.fixture(scope="module")
def references() -> Iterator[Callable[[str], Any]]:
    """The reference's modules of a week; one week is open at a time."""
    opened: dict[str, Any] = {}

    def of(week: str) -> Any:
        if week not in opened:
            close()
            opened[week] = open_modules(ROOT / "solutions" / week, week)
        return opened[week]

    def close() -> None:
        while opened:
            close_modules(opened.popitem()[1])

    yield of
    close()


@pytest.mark.parametrize("name", CHECKS)
def test_odd_evidence_never_crashes_a_check(name: str, references: Callable[[str], Any]) -> None:
    check, reference = CHECKS[name], references(name.partition("::")[0])
    handle = getattr(check, "hypothesis", None)
    drawn = check.strategies if handle else {"rng": st.integers(0, 99).map(torch.Generator().manual_seed)}
    judge = handle.inner_test if handle else check
    wanted = judge.__code__.co_varnames[: judge.__code__.co_argcount]
    # Not drawn by Hypothesis: it takes constants from the modules that happen to be loaded, so its draws vary.
    seeds = iter(range(ROUNDS))

    @settings(max_examples=ROUNDS, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.fixed_dictionaries({key: value for key, value in drawn.items() if key in wanted}))
    def judged(inputs: dict[str, Any]) -> None:
        seed = next(seeds, 0)
        try:
            judge(student=Forger(reference, random.Random(f"{name} {seed}")), **inputs)
        except AssertionError:
            pass  # the student's loss, as it should be
        except Exception as error:
            error.add_note(f"with forgery {seed}")
            raise

    judged()
