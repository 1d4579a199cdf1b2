"""A class is read once, as long as it fits into the bound on memory; and one state of each file counts."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.batch import run
from grader.batch.run import BatchOptions, BatchResult, find_class, grade_class
from grader.course import Course
from grader.intake import load
from grader.intake.reading.budget import TooCostly
from grader.intake.reading.desk import DESK
from grader.judging.job import Job
from grader.reports.progress import Progress
from tests.intake.reading.here import HereProcess, read_here
from tests.support.backends import Passing
from tests.support.makers import notebook, put, zipped

LENET = b"class LeNet:\n    width = 2\n"
MLP = b"class MLP:\n    width = 3\n"


@pytest.fixture
def opened_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each file of the class was opened."""
    read_here(monkeypatch)
    counts: Counter[str] = Counter()
    real, inbox = os.open, str(tmp_path / "class")

    def counted(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).startswith(inbox):
            counts[str(path).removeprefix(f"{inbox}/")] += 1
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", counted)
    return counts


def hand_in(inbox: Path) -> set[str]:
    """A class of all forms; the files that have to be opened to grade it."""
    both = {"week4/mlp.py": MLP, "week5/lenet.py": LENET, "week5/means.csv": b"1,2"}
    files = {
        "ana/lenet.py": LENET,
        "bo/week5/lenet.py": b"import helper\n" + LENET,
        "bo/week5/means.csv": b"0.5",
        "bo/helper.py": b"",
        "cy.zip": zipped(*(("hw/" + name, raw) for name, raw in both.items())),
        "dee.ipynb": notebook(LENET.decode()),
        "eli_lenet.py": LENET,
        **{f"flo/{name}": raw for name, raw in both.items()},
        "gus/hw.zip": zipped(("lenet.py", LENET), ("data/weights.bin", b"12")),
    }
    for name, raw in files.items():
        put(inbox / name, raw)
    put(inbox / "bo" / "data" / "images.bin", b"not below the week's folder")
    return set(files)


def grade(course: Course, folder: Path, **options: Any) -> tuple[BatchResult, list[Job]]:
    backend = Passing(course)
    asked = BatchOptions(folder / "class", folder / "reports", **options)
    result = grade_class(course, asked, backend, Progress(Console(file=io.StringIO())))
    return result, sorted(backend.jobs, key=lambda job: (job.student, job.week))


def test_a_first_run_opens_each_file_once(two_weeks_course: Course, tmp_path: Path, opened_files: Counter[str]) -> None:
    files = hand_in(tmp_path / "class")
    result, jobs = grade(two_weeks_course, tmp_path)
    assert (result.graded, result.problems) == (9, [])
    assert opened_files == dict.fromkeys(files, 1)
    by_student = {job.student: set(job.files) for job in jobs if job.week == "week5"}
    assert by_student["bo"] == {"lenet.py", "helper.py", "means.csv"}
    assert by_student["gus"] == {"lenet.py", "data/weights.bin"}


def test_a_class_in_folders_of_weeks_is_opened_once(
    two_weeks_course: Course, tmp_path: Path, opened_files: Counter[str]
) -> None:
    """This holds although two students' entries are looked into to recognise a class folder."""
    for week, module, work in (("week4", "mlp", MLP), ("week5", "lenet", LENET)):
        for student in ("ana", "bo", "cy"):
            put(tmp_path / "class" / week / student / f"{module}.py", work)
    result, _ = grade(two_weeks_course, tmp_path)
    assert result.graded == 6
    assert set(opened_files.values()) == {1}
    assert len(opened_files) == 6


def test_a_group_shares_one_reading(two_weeks_course: Course, tmp_path: Path, opened_files: Counter[str]) -> None:
    put(tmp_path / "class" / "ana" / "lenet.py", LENET)
    roster = put(tmp_path / "roster.csv", b"name,group\nana,Team\nbo,Team\ncy,Team\n")
    _, jobs = grade(two_weeks_course, tmp_path, roster=roster)
    assert [job.student for job in jobs] == ["ana", "bo", "cy"]
    assert opened_files == {"ana/lenet.py": 1}


def test_past_the_bound_the_rest_is_read_again_with_the_same_results(
    two_weeks_course: Course, tmp_path: Path, opened_files: Counter[str]
) -> None:
    files = hand_in(tmp_path / "class")
    _, wanted = grade(two_weeks_course, tmp_path, regrade=True)
    opened_files.clear()
    for bound in (0, 3 * len(LENET)):
        _, jobs = grade(two_weeks_course, tmp_path, most_carried=bound, regrade=True)
        assert jobs == wanted
        assert set(opened_files) == files
        assert max(opened_files.values()) > 1
        opened_files.clear()


def test_where_nothing_is_to_grade_a_second_run_opens_each_file_once_past_the_bound_too(
    two_weeks_course: Course, tmp_path: Path, opened_files: Counter[str]
) -> None:
    files = hand_in(tmp_path / "class")
    grade(two_weeks_course, tmp_path)
    opened_files.clear()
    result, jobs = grade(two_weeks_course, tmp_path, most_carried=0)
    assert (result.kept, jobs) == (9, [])
    assert opened_files == dict.fromkeys(files, 1)


@pytest.mark.parametrize(("bound", "counts"), [(1000, LENET), (0, b"class LeNet: later = True\n")])
def test_what_changes_after_the_survey_is_graded_in_one_state_with_its_own_digest(
    two_weeks_course: Course, tmp_path: Path, bound: int, counts: bytes
) -> None:
    """Within the bound the state of the survey, else the one that was read again."""
    later = b"class LeNet: later = True\n"
    inbox = tmp_path / "class"
    put(inbox / "ana" / "lenet.py", LENET)
    put(inbox / "bo" / "lenet.py", later)
    options = BatchOptions(inbox, tmp_path / "reports", most_carried=bound)
    ana, bo = find_class(two_weeks_course, options)[0].candidates
    put(inbox / "ana" / "lenet.py", later)
    found = load(ana)
    assert found.files == {"lenet.py": counts}
    assert (found.digest == load(bo).digest) == (counts == later)


def test_what_cannot_be_read_is_said_once_and_costs_the_others_nothing(
    two_weeks_course: Course, tmp_path: Path, opened_files: Counter[str]
) -> None:
    put(tmp_path / "class" / "ana" / "lenet.py", LENET)
    put(tmp_path / "class" / "zoe.ipynb", b"{")
    put(tmp_path / "class" / "yan.zip", b"PK no zip")
    result, jobs = grade(two_weeks_course, tmp_path, weeks=["week5"])
    assert [job.student for job in jobs] == ["ana"]
    problems = {problem.student: problem.message for problem in result.problems}
    assert problems["zoe"].startswith("notebook zoe.ipynb is damaged")
    assert problems["yan"].startswith("yan.zip is damaged")
    assert set(opened_files.values()) == {1}


def test_what_took_more_than_the_budget_is_refused_at_once_by_the_next_run(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Costly(HereProcess):
        asked = 0

        def ask(self, request: Mapping[str, Any], name: str) -> list[Any]:
            if name != "eve.zip":
                return super().ask(request, name)
            Costly.asked += 1
            raise TooCostly("reading eve.zip took more than 10 s of computing")

    monkeypatch.setattr(DESK, "process", Costly())
    for name in ("ana.zip", "eve.zip"):
        put(tmp_path / "class" / name, zipped(("week5/lenet.py", LENET)))

    def problems(**options: Any) -> list[str]:
        return [problem.message for problem in grade(two_weeks_course, tmp_path, **options)[0].problems]

    first = problems()
    assert first == ["reading eve.zip took more than 10 s of computing"]
    cost, Costly.asked = Costly.asked, 0
    assert problems() == first
    assert Costly.asked == 0
    assert problems(regrade=True) == first
    assert Costly.asked == cost
    put(tmp_path / "class" / "eve.zip", zipped(("week5/lenet.py", LENET), ("week5/more.py", b"")))
    assert problems() == first
    assert Costly.asked == 2 * cost
    monkeypatch.setattr(run, "READER", "another version")
    assert problems() == first
    assert Costly.asked == 3 * cost
