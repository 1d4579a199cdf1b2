"""Two people who were made one come apart as they were, whatever either had."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.gradebook import Gradebook
from grader.gradebook.deliveries import Route
from grader.people.person import Person
from grader.people.register import Register
from grader.results import Delivery, Late, Override, Report

NAMES = ("Ann Lee", "Bo Li", "Cy Xu")
WEEKS = ("week4", "week5")
TABLES = ("people", "marks", "overrides", "late", "entries", "deliveries", "zeros", "stale", "granted", "problems")

PIECES = st.lists(
    st.tuples(
        st.sampled_from(["attempt", "override", "late", "entry", "gone", "delivery", "zero", "problem", "granted"]),
        st.sampled_from(NAMES),
        st.sampled_from(WEEKS),
    ),
    max_size=24,
)


def add(book: Gradebook, number: int, piece: str, name: str, week: str) -> None:
    key = next(person.key for person in book.people() if person.name == name)
    match piece:
        case "attempt":
            book.record(Report(name, week, number, "g", f"work {number}", "a", ()))
        case "override":
            book.decide([Override(name, week, "week", number, "why", "who", "2026-01-01T00:00:00Z")])
        case "late":
            book.record_late(name, week, Late(number, 10))
        case "entry" | "gone":
            book.record_entries(f"folder {number}", [(name, week)])
            book.mark_gone({key: [week]} if piece == "gone" else {})
        case "delivery":
            book.record_deliveries({(name, week): Route("plain", (f"entry {number}",), Delivery(version=number))})
        case "zero":
            book.record_zeros([(name, week)])
        case "problem":
            book.record_problem(name, week if number % 2 else None, f"problem {number}")
        case "granted":
            book.record_granted(book.granted() | {(key, week): (f"+{number}d", "")})


def filled(folder: str, pieces: list[tuple[str, str, str]]) -> Gradebook:
    book = Gradebook(Path(folder) / "gradebook.sqlite")
    marks = [[("name", name), ("entry", name), ("id", str(number))] for number, name in enumerate(NAMES)]
    people = [Person(name, folder=name, marks=own) for name, own in zip(NAMES, marks, strict=True)]
    book.save_people(people)
    for number, piece in enumerate(pieces, 1):
        add(book, number, *piece)
    return book


def dump(book: Gradebook) -> dict[str, Any]:
    """Return all that the gradebook holds of people; only the order of attempts counts, and not their numbers."""
    found: dict[str, Any] = {table: sorted(map(repr, _rows(book, table))) for table in TABLES}
    query = "SELECT person, week, submission FROM attempts ORDER BY person, week, id"
    return found | {
        "attempts": book.rows(query),
        "people": sorted(row[2:] for row in book.rows("SELECT * FROM people")),
    }


def _rows(book: Gradebook, table: str) -> list[tuple[Any, ...]]:
    rows = book.rows(f"SELECT * FROM {table}")
    return [row[1:] for row in rows] if table in ("marks", "overrides") else rows


def merge(book: Gradebook, who: str, into: str) -> None:
    register = Register(book.people())
    by_name = {person.name: person for person in register.people}
    register.absorb(by_name[who], by_name[into])
    register.name_all()
    book.save_people(register.people, register.merged)


def split(book: Gradebook, who: str) -> None:
    (person,) = [one for one in book.people() if one.name == who]
    assert book.split(person)
    register = Register(book.people())
    register.name_all()
    book.save_people(register.people)


@settings(max_examples=25, deadline=None)
@given(PIECES)
def test_who_is_split_is_as_before_the_merge(pieces: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as folder, filled(folder, pieces) as book:
        before = dump(book)
        merge(book, "Ann Lee", "Bo Li")
        assert "Ann Lee" not in {person.name for person in book.people()}
        split(book, "Bo Li")
        assert dump(book) == before


@settings(max_examples=25, deadline=None)
@given(PIECES)
def test_merges_are_undone_one_by_one_the_last_first(pieces: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as folder, filled(folder, pieces) as book:
        before = dump(book)
        merge(book, "Ann Lee", "Bo Li")
        between = dump(book)
        merge(book, "Bo Li", "Cy Xu")
        split(book, "Cy Xu")
        assert dump(book) == between
        split(book, "Bo Li")
        assert dump(book) == before


def test_what_came_since_stays_and_who_was_never_merged_cannot_be_split(tmp_path: Path) -> None:
    with filled(str(tmp_path), [("attempt", "Ann Lee", "week4"), ("attempt", "Bo Li", "week5")]) as book:
        merge(book, "Ann Lee", "Bo Li")
        book.record(Report("Bo Li", "week6", 1, "g", "since", "a", ()))
        split(book, "Bo Li")
        assert {(one.student, one.week) for one in book.current()} == {
            ("Ann Lee", "week4"), ("Bo Li", "week5"), ("Bo Li", "week6")
        }  # fmt: skip
        (bo,) = [one for one in book.people() if one.name == "Bo Li"]
        assert book.split(bo) == 0
