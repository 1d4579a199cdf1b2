"""Marks checks with `@task`, and finds their probes with `load_probes`.

from grader.checks import expect, load_probes, task

probes = load_probes(__file__)

@task("5.1", points=3, title="output size of a convolution", hint="Which way does // round?")
@given(size=st.integers(1, 64))
def test_conv_output_size(student, size):
    got = student.run(probes.conv_output_size, size, 1)
    expect.integer(got, size, "conv_output_size")
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

from grader.errors import CourseError

Check = TypeVar("Check", bound=Callable[..., None])

DEFAULT_SECONDS = 10.0
DEFAULT_EXAMPLES = 20


@dataclass(frozen=True)
class TaskMark:
    """Holds what `@task` says about a check. `seconds` is what all its probe runs together may compute."""

    task: str
    points: int
    title: str
    hint: str = ""
    needs: tuple[str, ...] = ()
    seconds: float = DEFAULT_SECONDS


def task(
    number: str,
    *,
    points: int,
    title: str,
    hint: str = "",
    needs: tuple[str, ...] = (),
    seconds: float = DEFAULT_SECONDS,
    examples: int = DEFAULT_EXAMPLES,
) -> Callable[[Check], Check]:
    """Mark a check with its task, whole points, a title and a hint for whoever fails it.

    `needs` names tasks that this check cannot succeed without: if it fails while one of them is not passed, it is
    reported as skipped because of that task. `examples` is how many inputs Hypothesis draws.
    """
    if not isinstance(points, int) or isinstance(points, bool) or points < 0:
        raise CourseError(f"task {number}: points must be a whole number, not {points!r}")
    mark = TaskMark(number, points, title, hint, tuple(needs), seconds)

    def decorate(check: Check) -> Check:
        if is_hypothesis_test(check):
            check = _tame_hypothesis(check, examples)
        # Keyword arguments, so that `pytest -m 'task(number="5.3")'` selects a task as well.
        marked: Check = pytest.mark.task(mark=mark, number=number)(check)
        return marked

    return decorate


def _tame_hypothesis(check: Check, examples: int) -> Check:
    # No database and no deadline: a verdict may depend on the seed alone, not on earlier runs or on speed.
    tamed = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    return tamed(check)


def load_probes(check_file: str) -> ModuleType:
    """Load the probes beside a check file: `probes.py` for `test_weekN.py`, `probes_hidden.py` for `test_hidden.py`.

    A week's checks may be split into parts: `probes_data.py` is for `test_weekN_data.py`, `probes_hidden_data.py`
    for `test_hidden_data.py`.
    """
    kind, _, part = Path(check_file).stem.removeprefix("test_").partition("_")
    parts = ["probes", "hidden" if kind == "hidden" else "", part]
    return load_beside(check_file, "_".join(filter(None, parts)))


def load_beside(check_file: str, name: str) -> ModuleType:
    """Load the module `name.py` from the folder of a check file; weeks and courses may use the same names."""
    file = Path(check_file)
    path = file.with_name(f"{name}.py").absolute()
    full_name = f"grader_checks.{file.parent.parent.name}.{file.parent.name}.{name}"
    loaded = sys.modules.get(full_name)
    if loaded is not None and loaded.__file__ == str(path):  # else it is that of another course in this process
        return loaded
    spec = importlib.util.spec_from_file_location(full_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CourseError(f"{file}: there is no {path.name} beside it; the checks need it there")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module
    spec.loader.exec_module(module)
    return module


def task_mark(item: Any) -> TaskMark | None:
    """Return the `TaskMark` of a collected pytest item, or None for an ordinary test."""
    marker = item.get_closest_marker("task")
    return marker.kwargs.get("mark") if marker else None
