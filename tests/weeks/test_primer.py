"""The primer's checks tell right from wrong, and no command takes it for a week; tests/lessons runs its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.author.release.tree import is_of_another_week
from grader.checks.task_mark import load_beside
from grader.course import Course
from grader.course.assignment import defined_names
from grader.errors import UsageError
from grader.intake.notebook.cells import read_notebook
from grader.intake.notebook.pieces import defined_in
from grader.kernel.session import run_checks
from grader.pytest_plugin.local import LocalStudents
from grader.results import Outcome

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
PRIMER = COURSE.part("primer")
README = (PRIMER.folder / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "solutions" / "primer" / "exercises.py").read_text(encoding="utf-8")


def outcomes(folder: Path) -> dict[str, Outcome]:
    return {check.task: check.outcome for check in run_checks(PRIMER, LocalStudents(folder, 0))}


def test_the_skeleton_is_to_do_and_the_reference_passes() -> None:
    assert set(outcomes(PRIMER.folder).values()) == {Outcome.TODO}
    done = outcomes(ROOT / "solutions" / "primer")
    assert set(done.values()) == {Outcome.PASSED}
    assert list(done) == re.findall(r"^### (0\.\d+) ", README, re.MULTILINE)


MISTAKES = [
    ("0.1", "rows[:, [0, -1]].flatten()", "rows[:, [-1, 0]].flatten()"),
    ("0.1", "image[[0, -1]]", "image[[0, 1]]"),
    ("0.2", "mean(dim=0)", "mean(dim=1, keepdim=True)"),
    ("0.2", "mean(dim=0)", "mean()"),
    ("0.3", ".float() / 255", ".float()"),
    ("0.3", "torch.from_numpy(pixels).float() / 255", "torch.from_numpy(pixels).double() / 255"),
    ("0.3", "return torch.from_numpy(pixels)", "pixels //= 2; return 2 * torch.from_numpy(pixels)"),
    ("0.5", "return point.grad.item()", "return point.item()"),
    ("0.5", "- 4 * point", "+ 4 * point"),
    ("0.6", "self.a = nn.Parameter(torch.zeros(1))", "self.a = torch.zeros(1)"),
    ("0.6", "+ self.c", ""),
    ("0.6", "self.b = nn.Parameter(torch.zeros(1))", "self.b = nn.Parameter(torch.ones(1))"),
    ("0.7", "return self.length", "return self.length + 1"),
    ("0.7", "torch.tensor([float(index**2)])", "torch.tensor([index**2])"),
    ("0.8", "    optimizer.zero_grad()\n", ""),
    ("0.8", "    optimizer.step()\n", ""),
    ("0.8", "return loss.item()", "return nn.functional.mse_loss(model(x), y).item()"),
]


def programs() -> list[list[tuple[str, str, str]]]:
    """Share the mistakes out to few programs: each has some that are in tasks of their own, and no two neighbours."""
    found: list[list[tuple[str, str, str]]] = []
    for mistake in MISTAKES:
        near = {mistake[0], f"0.{int(mistake[0][2:]) - 1}"}
        free = [program for program in found if not near & {task for task, *_ in program}]
        free[0].append(mistake) if free else found.append([mistake])
    return found


@pytest.mark.parametrize("mistakes", programs())
def test_mistakes_cost_their_own_checks(mistakes: list[tuple[str, str, str]], tmp_path: Path) -> None:
    source = REFERENCE
    for _, right, wrong in mistakes:
        assert right in source
        source = source.replace(right, wrong)
    (tmp_path / "exercises.py").write_text(source, encoding="utf-8")
    lost = {number for number, outcome in outcomes(tmp_path).items() if outcome is not Outcome.PASSED}
    assert lost == {task for task, *_ in mistakes}


def test_no_check_gives_a_grade_and_each_has_a_hint() -> None:
    module = load_beside(str(PRIMER.folder / "test_primer.py"), "test_primer")
    marks = [v.pytestmark[0].kwargs["mark"] for n, v in vars(module).items() if n.startswith("test_")]
    assert all(mark.points == 1 and mark.hint for mark in marks)
    assert "Nothing here is graded" in README


def test_the_primer_is_no_week_and_its_names_are_those_of_none() -> None:
    assert "primer" not in COURSE.assignments() and "primer" in COURSE.chapters()
    with pytest.raises(UsageError, match="there is no week 'primer'"):
        COURSE.assignment("primer")
    with pytest.raises(UsageError, match="and, ungraded: primer"):
        COURSE.part("week99")
    cells = read_notebook(PRIMER.workbook, "primer.ipynb", ["exercises"]).cells
    names = {*defined_in(cell.tree for cell in cells), *defined_names(REFERENCE.encode())}
    for assignment in COURSE.assignments().values():
        assert names & assignment.all_names == set()


def test_every_release_has_it() -> None:
    parts = ("week5", *COURSE.chapters())
    assert not is_of_another_week("assignments/primer/README.md", parts)
    assert is_of_another_week("assignments/week4/README.md", parts)
