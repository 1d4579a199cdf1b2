"""Decisions hold as a simple table would keep them, through every order of deciding, grading and opening anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from grader.errors import GraderError
from grader.gradebook import Gradebook, copied_book, copies, schema
from grader.gradebook.by_hand import NOT_GRADABLE, NOTHING
from grader.people.register import Register
from grader.results import CheckResult, Kind, Late, ManualPart, Outcome, Override, Report, RubricItem

NAMES = ("ana", "ben", "cy")
WEEKS = ("week4", "week5")
TASKS = {"5.1": 4, "5.10": 6}
ITEMS = (RubricItem("names", "Names", 3, "x1 says nothing"), RubricItem("plots", "Plots", 2))
STYLE = ManualPart("style", "Code quality", 5, ITEMS)
MOST = sum(TASKS.values())


def report(student: str, week: str, passed: frozenset[str] = frozenset(), digest: str = "a") -> Report:
    checks = tuple(
        CheckResult(f"t.py::{task}", task, task, False, most if task in passed else 0, most,
                    Outcome.PASSED if task in passed else Outcome.FAILED)
        for task, most in TASKS.items()
    )  # fmt: skip
    return Report(student, week, 0, "0.1.0", digest * 64, "b" * 64, checks)


def decision(student: str, week: str, task: str, points: int | None, kind: Kind = Kind.POINTS) -> Override:
    return Override(student, week, task, points, "why", "tom", "2026-10-05T10:00:00Z", kind)


class Model(RuleBasedStateMachine):
    """The gradebook beside dictionaries: attempts, lateness, and what holds, by student, week and what it is about."""

    @initialize()
    def begin(self) -> None:
        self.place = TemporaryDirectory()
        self.path = Path(self.place.name) / "gradebook.sqlite"
        self.book = Gradebook(self.path)
        self.book.record_weeks({"week5": [STYLE], "week4": []})
        self.passed: dict[tuple[str, str], frozenset[str]] = {}
        self.late: dict[tuple[str, str], Late] = {}
        self.held: dict[tuple[str, str, str], Override] = {}
        self.remarks: dict[tuple[str, str, str], Override] = {}
        self.zeros: set[tuple[str, str]] = set()
        self.lost: set[tuple[str, str]] = set()
        self.was_graded: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.book.close()
            self.place.cleanup()

    students, weeks = st.sampled_from(NAMES), st.sampled_from(WEEKS)

    @rule(student=students, week=weeks, passed=st.frozensets(st.sampled_from(sorted(TASKS))))
    def grade(self, student: str, week: str, passed: frozenset[str]) -> None:
        self.book.record(report(student, week, passed))
        self.passed[student, week] = passed
        self.lost.discard((student, week))
        self.was_graded.add(week)

    @rule(student=students, week=weeks)
    def fail_to_grade(self, student: str, week: str) -> None:
        self.book.record_problem(student, week, "damaged")
        self.lost.add((student, week))

    @rule(student=students, week=weeks, days=st.integers(0, 2))
    def be_late(self, student: str, week: str, days: int) -> None:
        late = Late(days, 50) if days else None
        self.book.record_late(student, week, late)
        self.late.pop((student, week), None)
        if late:
            self.late[student, week] = late

    @rule(
        student=students,
        week=weeks,
        task=st.sampled_from([*TASKS, "style", "week", "bonus", "penalty", "lateness"]),
        points=st.integers(0, 6),
        excused=st.booleans(),
    )
    def decide(self, student: str, week: str, task: str, points: int, excused: bool) -> None:
        kind = Kind.WAIVED if task == "lateness" else Kind.EXCUSED if task == "week" and excused else Kind.POINTS
        one = decision(student, week, task, min(points, {**TASKS, "style": 5}.get(task, 6)), kind)
        if task == "week" and not excused and week not in self.was_graded:
            one = replace(one, most=MOST + 5)
        self.book.decide([one])
        self.held[student, week, task] = one

    @rule(student=students, week=weeks, task=st.sampled_from([*TASKS, "week"]), holds=st.booleans())
    def comment(self, student: str, week: str, task: str, holds: bool) -> None:
        one = decision(student, week, task, 0 if holds else None, Kind.COMMENT)
        self.book.decide([one])
        self.remarks.pop((student, week, task), None)
        if holds:
            self.remarks[student, week, task] = one

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        if self.held:
            key = data.draw(st.sampled_from(sorted(self.held)))
            self.book.decide([decision(*key, None)])
            del self.held[key]

    @rule(zeros=st.sets(st.tuples(students, weeks)))
    def count_as_zero(self, zeros: set[tuple[str, str]]) -> None:
        self.book.record_zeros(zeros)
        self.zeros = zeros

    @rule()
    def open_anew(self) -> None:
        self.book.close()
        self.book = Gradebook(self.path)

    @invariant()
    def scores_are_those_of_the_table(self) -> None:
        if not hasattr(self, "book"):
            return
        found = {(one.student, one.week): one for one in self.book.current()}
        keys = {(s, w) for s, w, _ in [*self.held, *self.remarks]} | (self.zeros - self.lost) | set(self.passed)
        assert set(found) == keys
        for key, one in found.items():
            assert (one.final, bool(one.excused), one.provisional) == self.expected(key), (key, one)
            assert one.score == sum(line.points for line in one.adjustments) + one.raw_score + sum(
                part.points or 0 for part in one.manual
            )
            assert len(one.remarks) == sum(remark[:2] == key for remark in self.remarks)
            by_hand = "" if key in self.passed else NOT_GRADABLE if key in self.lost else NOTHING
            assert one.by_hand == by_hand

    @invariant()
    def problems_are_those_that_nobody_has_settled(self) -> None:
        if hasattr(self, "book"):
            left = {(one.student, one.week) for one in self.book.problems()}
            assert left == {key for key in self.lost if not self.is_settled(key)}

    def is_settled(self, key: tuple[str, str]) -> bool:
        own = {task for student, week, task in self.held if (student, week) == key}
        tasks = set(TASKS) if key[1] in self.was_graded else {"week"}
        return "week" in own or tasks | self.parts(key) <= own

    def parts(self, key: tuple[str, str]) -> set[str]:
        return {"style"} if key[1] == "week5" else set()

    def expected(self, key: tuple[str, str]) -> tuple[int | None, bool, bool]:
        own = {task: one for (student, week, task), one in self.held.items() if (student, week) == key}
        known = key[1] in self.was_graded
        parts = self.parts(key)
        whole = own.get("week")
        most = (MOST if known else 0) + (5 if parts else 0)
        if whole and whole.most and not known:
            most = max(whole.most, most)
        excused = whole is not None and whole.kind is Kind.EXCUSED
        points = {task: TASKS[task] if task in self.passed.get(key, ()) else 0 for task in TASKS}
        points |= {task: one.points or 0 for task, one in own.items() if task in {*TASKS, *parts}}
        score = sum(given for task, given in points.items() if known or task in parts)
        if key in self.late and "lateness" not in own:
            score -= score * self.late[key].percent // 100
        score = min(most, score + ((own["bonus"].points or 0) if "bonus" in own else 0))
        score = max(0, score - ((own["penalty"].points or 0) if "penalty" in own else 0))
        if whole and not excused:
            score = min(most, whole.points or 0)
        zero = key in self.zeros - self.lost and key not in self.passed and not whole
        scored = zero or (whole is not None and not excused)
        missing = parts - set(own) or (key not in self.passed and (set(TASKS) if known else {"week"}) - set(own))
        provisional = bool(missing) and not scored and not excused
        return (None if provisional or excused else score), excused, provisional


Model.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestModel = Model.TestCase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.sqlite"


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def test_a_gradebook_is_copied_once_a_day_before_its_first_change(path: Path) -> None:
    backups = path.parent / copies.FOLDER
    with Gradebook(path) as book:
        book.record(report("ana", "week5"))
    with Gradebook(path) as book:
        book.current()
    assert names_in(backups) == []  # new, then only read
    for score in (1, 2):
        with Gradebook(path) as book:
            book.override(decision("ana", "week5", "5.1", score))
    (name,) = names_in(backups)
    assert date.today().isoformat() in name
    assert (backups / name).stat().st_mode & 0o077 == 0
    with Gradebook(backups / name) as book:
        assert [one.score for one in book.current()] == [0]


def test_a_bounded_number_of_copies_is_kept_and_nothing_else_is_removed(path: Path) -> None:
    backups = path.parent / copies.FOLDER
    with Gradebook(path) as book:
        book.record(report("ana", "week5"))
    backups.mkdir()
    days = [f"gradebook-2020-01-{day:02}.sqlite" for day in range(1, 10)]
    others = ["gradebook-before-exam.sqlite", "notes.txt", "gradebook-schema7-2020-01-01.sqlite"]
    for name in (*days, *others):
        (backups / name).write_text("")
    with Gradebook(path) as book:
        book.override(decision("ana", "week5", "5.1", 1))
    left = names_in(backups)
    assert set(others) < set(left)
    assert [name for name in left if name in days] == days[-copies.MOST_DAYS + 1 :]
    assert len(left) == copies.MOST_DAYS + len(others)


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_a_gradebook_is_copied_before_it_is_brought_up_to_date(path: Path, version: int) -> None:
    old = sqlite3.connect(path)
    old.create_function("safe_name", 1, str)
    for script in (schema.FIRST, *schema.MIGRATIONS[: version - 1]):
        old.executescript(script)
    old.close()
    for _ in range(2):
        Gradebook(path).close()
    (name,) = names_in(path.parent / copies.FOLDER)
    copy = sqlite3.connect(path.parent / copies.FOLDER / name)
    assert copy.execute("PRAGMA user_version").fetchone() == (version,)
    copy.close()


def test_no_gradebook_is_changed_that_cannot_be_copied_before(path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(schema.FIRST)
    old.close()
    (path.parent / copies.FOLDER).write_text("in the way")
    with pytest.raises(GraderError):
        Gradebook(path)
    old = sqlite3.connect(path)
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    old.close()


def test_looking_at_a_copy_makes_no_further_copies(path: Path) -> None:
    with Gradebook(path) as book:
        book.record(report("ana", "week5"))
    with copied_book(path.parent) as book:
        assert book is not None
        book.override(decision("ana", "week5", "5.1", 1))
    assert names_in(path.parent) == ["gradebook.sqlite"]


def test_decisions_go_with_people_who_become_one_and_nothing_is_left_of_who_is_forgotten(path: Path) -> None:
    with Gradebook(path) as book:
        book.record(report("zoe", "week5"))
        book.override(decision("ana", "week5", "week", 3))
        book.record_zeros({("ben", "week5")})
        register = Register(book.people())
        ana, ben = (next(one for one in register.people if one.name == name) for name in ("ana", "ben"))
        register.absorb(ben, ana)
        book.save_people(register.people, register.merged)
        assert {one.student: one.final for one in book.current()} == {"ana": 3, "zoe": 0}
        book.forget(next(one for one in book.people() if one.name == "ana"))
        tables = ("overrides", "zeros", "stale")
        assert [book.rows(f"SELECT count(*) FROM {table}") for table in tables] == [[(0,)]] * len(tables)


@pytest.mark.parametrize(
    "change",
    [
        lambda book: book.override(decision("ana", "week5", "5.1", 1)),
        lambda book: book.record_weeks({"week5": [STYLE]}),
        lambda book: book.record_zeros({("ana", "week5")}),
    ],
)
def test_what_changes_a_report_marks_it_in_the_same_step(path: Path, change: Callable[[Gradebook], None]) -> None:
    with Gradebook(path) as book:
        book.record(report("ana", "week5"))
        assert book.stale() == []
        change(book)
    with Gradebook(path) as book:
        assert book.stale() == [("ana", "week5")]
        book.forget_stale("ana", "week5")
        change(book)
        assert book.stale() in ([], [("ana", "week5")])
