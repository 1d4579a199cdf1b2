"""The sample class, graded once by the real batch: every field against what EXPECTED.toml says of each student.

By default it is the students who hand in or misbehave in an odd way; mistakes and correct solutions of all weeks are
in tests/weeks/test_trials.py. With GRADER_ALL=1 it is the whole class, judged in processes that start as the kit's do;
otherwise that start is left to tests/test_wheel.py, where a course grades that has installed the wheel.
"""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from rich.console import Console

from grader.batch.backend import LocalBackend
from grader.batch.run import BatchOptions, BatchResult, grade_class
from grader.course import Course
from grader.gradebook import Gradebook
from grader.judging.shortcuts import NONE, Shortcuts
from grader.reports.progress import Progress
from grader.results import Report, TaskScore
from grader.sandbox import choose
from tests.support import amount, warm
from tests.support.reports import timeless

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "fixtures" / "submissions"
EXPECTED: dict[str, Any] = tomllib.loads((CLASS / "EXPECTED.toml").read_text(encoding="utf-8"))
WEEK = "week5"
# A module that loads a file which is not there, a zip in a folder, a killed process, forgeries, the half and the whole
# skeleton, a notebook, and megabytes of prints.
ODD = ["Fatima Zahra El Amrani", "Ibrahim Hassan", "Kim Minseo", "Max Gruber", "Nguyễn Thị Lan", "Sofía Hernández",
       "Zeynep Yılmaz", "王小明"]  # fmt: skip
CHOSEN: list[str] = amount.of(ODD, list(EXPECTED))
REPORTS = ("report.html", "report.json", "report.md")


class Watch(Progress):
    """A quiet display that remembers which processes ran while the class was graded."""

    def __init__(self) -> None:
        super().__init__(Console(file=io.StringIO()))
        self.before = set(psutil.Process().children(recursive=True))
        self.processes: set[psutil.Process] = set()

    def graded(self, report: Report) -> None:
        self.processes |= set(psutil.Process().children(recursive=True)) - self.before
        super().graded(report)


@dataclass
class Graded:
    """A graded class: where it was handed in, what batch returned, where its files are, and the processes it had."""

    submissions: Path
    out: Path
    desk: Path
    temporary: Path
    result: BatchResult
    processes: set[psutil.Process]

    @cached_property
    def whole(self) -> dict[str, Report]:
        """The teacher's reports, by student."""
        with Gradebook(self.out / "gradebook.sqlite") as book:
            return {report.student: report for report in book.current()}

    def report(self, student: str) -> Report:
        """The student's own report."""
        return Report.load(self.folder(student) / "report.json")

    def folder(self, student: str) -> Path:
        return self.out / "students" / student / WEEK


def copied_class(folder: Path) -> Path:
    """Copy what the chosen students handed in."""
    for entry in CLASS.iterdir():
        if entry.stem in CHOSEN:
            (shutil.copytree if entry.is_dir() else shutil.copy)(entry, folder / entry.name)
    return folder


def grade(submissions: Path, out: Path, progress: Progress, shortcuts: Shortcuts | None = None) -> BatchResult:
    backend = LocalBackend(ROOT, choose("auto"), shortcuts=shortcuts)
    return grade_class(Course(ROOT), BatchOptions(submissions, out, weeks=[WEEK], seed=0), backend, progress)


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    """The class graded once; the run has a working and a temporary folder of its own, which it must leave empty."""
    out, desk, temporary = (tmp_path_factory.mktemp(name) for name in ("out", "desk", "temporary"))
    submissions = copied_class(tmp_path_factory.mktemp("class"))
    if not amount.ALL:  # what is warm for other tests as well is not this class's
        first = LocalBackend(ROOT, choose("auto"))
        first.prepare([WEEK], 1)
        first.close()
    watch = Watch()
    with pytest.MonkeyPatch.context() as patch, warm.cold() if amount.ALL else contextlib.nullcontext():
        patch.chdir(desk)
        patch.setenv("TMPDIR", str(temporary))
        result = grade(submissions, out, watch)
        yield Graded(submissions, out, desk, temporary, result, watch.processes)


def expected_tasks(entry: dict[str, Any], scores: list[TaskScore]) -> dict[str, Any]:
    """Spell out for every task what EXPECTED.toml says of a student: its points, and how each check ends."""
    told = entry.get("tasks", {})
    unknown = set(told) - {score.task for score in scores}
    assert not unknown, f"EXPECTED.toml names tasks that week 5 does not have: {unknown}"
    return {score.task: expected_task(told.get(score.task), score) for score in scores}


def expected_task(told: Any, score: TaskScore) -> dict[str, Any]:
    names = [check_name(check.id, check.hidden) for check in score.checks]
    if told is None:
        return {"points": score.max_points, **dict.fromkeys(names, "passed")}
    if isinstance(told, str):
        return {"points": 0, **dict.fromkeys(names, told)}
    ends = {f"{part} {name}": end for part in ("public", "hidden") for name, end in told.get(part, {}).items()}
    return {"points": told["points"], **dict.fromkeys(names, "passed"), **ends}


def actual_task(score: TaskScore) -> dict[str, Any]:
    ends = {check_name(check.id, check.hidden): str(check.outcome) for check in score.checks}
    return {"points": score.points, **ends}


def check_name(check: str, hidden: bool) -> str:
    return f"{'hidden' if hidden else 'public'} {check.partition('::')[2]}"


def test_every_submission_was_graded(graded_class: Graded) -> None:
    students = {path.stem if path.is_file() else path.name for path in CLASS.iterdir()} - {"README", "EXPECTED"}
    assert students == set(EXPECTED)
    assert (graded_class.result.graded, graded_class.result.kept, graded_class.result.left) == (len(CHOSEN), 0, 0)
    assert graded_class.result.trouble == []


@pytest.mark.parametrize("student", CHOSEN)
def test_each_check_ends_as_the_rules_say(graded_class: Graded, student: str) -> None:
    scores = graded_class.whole[student].tasks()
    assert {score.task: actual_task(score) for score in scores} == expected_tasks(EXPECTED[student], scores)


@pytest.mark.parametrize("student", CHOSEN)
def test_the_score_is_the_same_wherever_it_is_written(graded_class: Graded, student: str) -> None:
    score = EXPECTED[student]["score"]
    report = graded_class.report(student)
    assert (report.student, report.week, report.score, report.max_score) == (student, WEEK, score, 100)
    with (graded_class.out / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    known = {name: text for name, text in rows[student].items() if text}
    assert known == {"student": student, WEEK: str(score), "total": str(score), f"{WEEK} state": "graded"}
    for name in ("report.md", "report.html"):
        assert f"{score} of 100 points" in (graded_class.folder(student) / name).read_text(encoding="utf-8")


def test_the_gradebook_holds_one_attempt_each(graded_class: Graded) -> None:
    with sqlite3.connect(graded_class.out / "gradebook.sqlite") as book:
        rows = book.execute("SELECT student, week, score, max_score, broken FROM current ORDER BY student").fetchall()
        assert book.execute("SELECT * FROM problems").fetchall() == []
        assert book.execute("SELECT count(*) FROM attempts").fetchone() == (len(CHOSEN),)
    assert rows == sorted((student, WEEK, EXPECTED[student]["score"], 100, 0) for student in CHOSEN)


def test_every_check_that_lost_points_says_why(graded_class: Graded) -> None:
    checks = [check for student in CHOSEN for check in graded_class.report(student).checks]
    assert {check.points == check.max_points for check in checks} == {True, False}
    assert [check.id for check in checks if not check.points and not check.message] == []


def test_the_class_page_links_to_every_report(graded_class: Graded) -> None:
    page = (graded_class.out / "index.html").read_text(encoding="utf-8")
    links = {student: f"students/{quote(student)}/{WEEK}/report.html" for student in CHOSEN}
    assert [student for student, link in links.items() if f'href="{link}"' not in page] == []


def test_nothing_but_the_graders_own_files_is_left(graded_class: Graded) -> None:
    """The forger writes report.json and results.json wherever a process of his was, at import and at exit."""
    files = {path.relative_to(graded_class.out).as_posix() for path in graded_class.out.rglob("*") if path.is_file()}
    reports = {f"students/{student}/{WEEK}/{name}" for student in CHOSEN for name in REPORTS}
    assert files == {"gradebook.sqlite", "grades.csv", "index.html"} | reports
    assert {path.name for path in graded_class.desk.iterdir()} <= {".hypothesis"}
    caches = ("grader-matplotlib", "torchinductor_")  # matplotlib's and torch's own, for all runs of a user
    assert [path.name for path in graded_class.temporary.iterdir() if not path.name.startswith(caches)] == []


def test_no_process_is_left(graded_class: Graded) -> None:
    assert graded_class.processes, "no judge was seen at work"
    _, left = psutil.wait_procs(graded_class.processes, timeout=20)  # one that was killed may still be at its memory
    assert [process for process in left if is_alive(process)] == []


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; a dead one may wait for its parent, perhaps the machine's first process."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_second_run_keeps_everything(graded_class: Graded) -> None:
    before = {path: path.read_bytes() for path in graded_class.out.rglob("report.*")}
    again = grade(graded_class.submissions, graded_class.out, Progress(Console(file=io.StringIO())))
    assert (again.graded, again.kept, again.left, again.trouble) == (0, len(CHOSEN), 0, [])
    assert {path: path.read_bytes() for path in graded_class.out.rglob("report.*")} == before


@amount.in_full("tests/judging/test_outcomes.py judges a small course without shortcuts")
def test_judging_without_shortcuts_gives_the_same_reports_field_by_field(graded_class: Graded, tmp_path: Path) -> None:
    result = grade(graded_class.submissions, tmp_path / "out", Progress(Console(file=io.StringIO())), NONE)
    assert (result.graded, result.trouble) == (len(CHOSEN), [])
    with Gradebook(tmp_path / "out" / "gradebook.sqlite") as book:
        for slow in book.current():
            assert timeless(slow) == timeless(graded_class.whole[slow.student]), slow.student


@pytest.mark.parametrize("module", ["lenet", "training", "inspection"])
def test_the_untouched_skeleton_is_the_one_that_students_get(module: str) -> None:
    own = CLASS / "Sofía Hernández" / WEEK / f"{module}.py"
    assert own.read_bytes() == (ROOT / "assignments" / WEEK / f"{module}.py").read_bytes()
