"""Probes put right helpers in the place of a student's. Code that looks for them answers for no task of its own.

The thief looks everywhere: in the frames above it, in code that was sent and is kept there, and among all objects.
Another one keeps what it has met while another task was checked.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from grader.judging.job import Job
from grader.judging.judge_process import JudgeProcess
from grader.results import Report
from tests.support import sandboxes
from tests.support.courses import copied
from tests.support.quick import QUICK

ROOT = Path(__file__).parents[2]
SOLUTIONS = ROOT / "solutions" / "week7"

# What stands for each of a module's functions and classes.
THEFTS = {
    "resnet": {
        "ResidualBlock": """
            class ResidualBlock(nn.Module):
                def __init__(self, *args):
                    taken("begin", "begin_block")(self, *args)
                def forward(self, x):
                    return taken("run", "run_block")(self, x)
        """,
        "conv_flops": """
            def conv_flops(*args, **more):
                return taken("right_flops")(None)(*args, **more)
        """,
    },
    "recipe": {
        name: f"""
            def {name}(*args, **more):
                return taken("{right}")(None)(*args, **more)
        """
        for name, right in {
            "warmup_cosine": "right_factor", "smooth_labels": "right_labels", "soft_cross_entropy": "right_loss",
            "mixup": "right_mixup",
        }.items()
    },
}  # fmt: skip
STOLEN = {"7.1", "7.4", "7.6", "7.8", "7.9", "7.10"}
TAKEN = '''

found_before = {}

def taken(*names):
    """Look for a function of one of these names wherever it may be."""
    import gc, marshal, sys, types
    def code_in(code):
        for one in code.co_consts:
            if isinstance(one, types.CodeType):
                found_before.setdefault(one.co_name, one)
    frame = sys._getframe(1)
    while frame is not None:
        for name in names:
            if isinstance(frame.f_globals.get(name), types.FunctionType) and name not in globals():
                found_before[name] = frame.f_globals[name]
        kept = getattr(frame.f_locals.get("self"), "code", None)
        for raw in kept.values() if isinstance(kept, dict) else ():
            code_in(marshal.loads(raw))
        frame = frame.f_back
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__name__ in names and one.__module__ != __name__:
            found_before[one.__name__] = one
    for name in names:
        if name in found_before:
            one = found_before[name]
            return types.FunctionType(one, {}) if isinstance(one, types.CodeType) else one
    raise RuntimeError("nothing to take")
'''


def replaced(source: str, thefts: Mapping[str, str]) -> str:
    """Put thefts in the place of definitions."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        name = getattr(node, "name", "")
        if name in thefts:
            theft = [line[12:] for line in thefts[name].splitlines()]
            lines[node.lineno - 1 : node.end_lineno] = theft
    return "\n".join(lines) + TAKEN


def graded(helped_judge: JudgeProcess, thefts: Mapping[str, Mapping[str, str]]) -> Report:
    sources = {
        file.name: replaced(file.read_text(), thefts[file.stem]).encode() if file.stem in thefts else file.read_bytes()
        for file in SOLUTIONS.glob("*.py")
        if file.stem in ("resnet", "recipe", "gradcam")
    }
    return helped_judge.grade(Job("thief", "week7", sources, "digest", (), seed=7))


@pytest.fixture(scope="module")
def helped_judge() -> Iterator[JudgeProcess]:
    judge = JudgeProcess(ROOT, ["week7"], sandboxes.real())
    yield judge
    judge.close()


def test_no_helper_answers_for_the_task_that_it_helps_with(helped_judge: JudgeProcess) -> None:
    report = graded(helped_judge, THEFTS)
    own = [check for check in report.checks if check.task in STOLEN]
    assert {check.task for check in own} == STOLEN
    assert [(check.title, check.points) for check in own if check.points] == []
    assert not report.broken and report.score > 40  # what builds on the helpers has its points all the same


PROBES = """
def both(student):
    with student.instead("work", twice=right_twice):
        return student.work.both(3)

def right_twice(own):
    return lambda number: 2 * number

def twice(student):
    return student.work.twice(3)
"""
CHECKS = """
from grader.checks import expect, load_probes, task
probes = load_probes(__file__)

@task("1.1", points=40, title="Both")
def test_both(student):
    expect.equal(student.run(probes.both), 7, "both")

@task("1.2", points=20, title="Twice", needs=("1.1",))
def test_twice(student):
    expect.equal(student.run(probes.twice), 6, "twice")
"""
KEEPS = """
kept = []
def twice(number):
    return kept[0](number)
def both(number):
    kept.append(globals()["twice"])
    return twice(number) + 1
"""


def test_what_is_kept_of_a_check_with_helpers_meets_no_check_without(tmp_path: Path) -> None:
    """Code that has met a right helper would have it for good, in a process that both checks share."""
    root = copied("attacked", tmp_path / "course")
    week = root / "assignments" / "week1"
    (week / "probes.py").write_text(PROBES)
    (week / "test_week1.py").write_text(CHECKS)
    judge = JudgeProcess(root, ["week1"], sandboxes.real(), shortcuts=QUICK)
    with contextlib.closing(judge):
        report = judge.grade(Job("keeper", "week1", {"work.py": KEEPS.encode()}, "digest", (), seed=7))
    assert {check.title: check.points for check in report.checks if not check.hidden} == {"Both": 40, "Twice": 0}
