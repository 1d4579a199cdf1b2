"""Gradebooks of every earlier version keep every grade; people are renamed, joined and forgotten as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.gradebook import Gradebook, schema
from grader.gradebook.deliveries import Route
from grader.people.naming import safe_name
from grader.people.person import Person
from grader.people.register import Register
from grader.results import CheckResult, Delivery, Late, Outcome, Override, Report, adjust

CHECK = CheckResult("test_week5.py::form", "5.3", "Form", False, 0, 4, Outcome.FAILED, "wrong shape")
NAMES = ["ana", "Ana", "müllerann (4711)", "John Smith", "John Smith (2003)", "../evil", "a; b", "Zoë 李"]


def report(student: str, week: str = "week5", submission: str = "a") -> Report:
    return Report(student, week, 3, "0.1.0", submission * 64, "b" * 64, (CHECK,))


def made_by(version: int, path: Path) -> None:
    """Make a gradebook as that version of the schema left it, by the released scripts, with something in each table."""
    old = sqlite3.connect(path)
    for script in (schema.FIRST, *schema.MIGRATIONS[: version - 1]):
        old.executescript(script)
    with old:
        for place, name in enumerate(NAMES):
            for attempt in ("a", "c"):
                one = report(name, submission=attempt)
                values = (name, "week5", one.submission, one.assignment, "0.1.0", "3", 0, 4, 0, one.to_json())
                old.execute("INSERT INTO attempts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            old.execute("INSERT INTO problems VALUES (?, ?, ?)", (name, "week6", f"lost {place}"))
            if version > 1:
                row = (name, "week5", "5.3", place % 5, "why", "who", "2026-01-01T00:00:00Z")
                old.execute("INSERT INTO overrides VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)
                old.execute("INSERT INTO late VALUES (?, ?, ?, ?)", (name, "week5", 1, 50))
            if version > 2:
                old.execute("INSERT INTO roster VALUES (?, ?)", (name, f"S{place}"))
        if version > 2:
            old.execute("INSERT INTO roster VALUES ('only listed', 'S')")
            old.execute("INSERT INTO digests VALUES ('b', 'c', 'd')")
        if version > 3:
            old.execute("INSERT INTO runs VALUES ('week5', '7')")
        if version > 4:
            old.execute("INSERT INTO refusals VALUES ('x', 'y', 'z')")
    old.close()


@pytest.mark.parametrize("version", range(1, 6))
def test_a_gradebook_of_every_earlier_version_keeps_all_that_it_holds(version: int, tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    made_by(version, path)
    for _ in range(2):  # the second time it is opened as it is
        with Gradebook(path) as book:
            current = {one.student: one for one in book.current()}
            assert sorted(current) == sorted(NAMES)
            for place, name in enumerate(NAMES):
                late = Late(1, 50) if version > 1 else None
                scored = [Override(name, "week5", "5.3", place % 5, "why", "who", "2026-01-01T00:00:00Z")]
                assert current[name] == adjust(report(name, submission="c"), scored if version > 1 else [], late)
                assert [one.submission[0] for one in book.history(name, "week5")] == ["a", "c"]
                assert book.folder_of(name) == safe_name(name)
            assert {one.student: one.message for one in book.problems()} == {
                n: f"lost {p}" for p, n in enumerate(NAMES)
            }
            listed = {name: f"S{place}" for place, name in enumerate(NAMES)} | {"only listed": "S"}
            assert book.roster() == (listed if version > 2 else {})
            assert book.digests("b") == ({"c": "d"} if version > 2 else {})
            assert book.refusals() == ({("x", "y"): "z"} if version > 4 else {})
    database = sqlite3.connect(path)
    assert database.execute("SELECT count(*) FROM checks").fetchone() == (2 * len(NAMES),)
    assert database.execute("SELECT student FROM current ORDER BY student").fetchall() == [(n,) for n in sorted(NAMES)]
    database.close()


@pytest.fixture
def open_book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        yield book


def people(book: Gradebook) -> dict[str, Person]:
    return {person.name: person for person in book.people()}


def test_names_may_change_places_and_grades_go_with_their_people(open_book: Gradebook) -> None:
    for name in ("ana", "ben"):
        open_book.record(report(name, submission=name[0]))
        open_book.override(Override(name, "week5", "5.3", 4 if name == "ana" else 1, "x", "y", "z"))
    found = people(open_book)
    found["ana"].name, found["ben"].name = "ben", "ana"
    open_book.save_people(found.values())
    assert {one.student: one.score for one in open_book.current()} == {"ben": 4, "ana": 1}
    assert open_book.folder_of("ben") == "ana"


@pytest.mark.parametrize("gone", ["ana", "ben"])
def test_of_two_who_become_one_the_class_folders_work_is_current(open_book: Gradebook, gone: str) -> None:
    open_book.record(report("ana", submission="1"))
    open_book.record(report("ben", submission="2"))
    open_book.record(report("ben", "week4", submission="3"))
    open_book.override(Override("ben", "week5", "5.3", 3, "x", "y", "z"))
    for name in ("ana", "ben"):
        open_book.record_entries("here", [(name, "week5")])
        open_book.record_late(name, "week5", Late(1, 0 if name == gone else 50))
        open_book.record_deliveries({(name, "week5"): Route("plain", (name,), Delivery())})
    open_book.mark_gone({people(open_book)[gone].key: ["week5"]})
    register = Register(open_book.people())
    ana, ben = (next(one for one in register.people if one.name == name) for name in ("ana", "ben"))
    register.absorb(ben, ana)
    open_book.save_people(register.people, register.merged)
    week4, week5 = open_book.current()
    assert (week4.student, week5.student, week5.submission[0]) == ("ana", "ana", "2" if gone == "ana" else "1")
    assert len(open_book.history("ana", "week5")) == 2
    assert week5.score == 2  # the override of 3, less half for lateness, in the student's favour
    assert list(people(open_book)) == ["ana"]
    assert {key: route.entries for key, route in open_book.deliveries().items()} == {
        ("ana", "week5"): ("ben" if gone == "ana" else "ana",)
    }


def test_forgetting_leaves_nothing_of_a_person_and_all_of_the_others(open_book: Gradebook) -> None:
    for name in ("ana", "ben"):
        open_book.record(report(name))
        open_book.override(Override(name, "week5", "5.3", 3, "x", "y", "z"))
        open_book.record_late(name, "week5", Late(1, 0))
        open_book.record_problem(name, None, "lost")
        open_book.record_entries("here", [(name, "week5")])
        open_book.record_deliveries({(name, "week5"): Route("plain", (name,), Delivery())})
    open_book.record_sources(open_book.current()[0].submission, {"a.py": b"pass"})
    open_book.forget(people(open_book)["ana"])
    tables = ("attempts", "overrides", "late", "problems", "entries", "deliveries", "people")
    assert [open_book.rows(f"SELECT count(*) FROM {table}") for table in tables] == [[(1,)]] * len(tables)
    assert [one.student for one in open_book.current()] == ["ben"]
    open_book.record(report("ana"))
    assert [one.raw_score == one.score for one in open_book.current() if one.student == "ana"] == [True]
