"""The gradebook keeps the modules of works as they are, and no longer than somebody's work is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import GraderError
from grader.gradebook import Gradebook
from grader.gradebook.deliveries import MOST_SOURCE
from grader.people.person import Person
from grader.people.register import Register
from tests.support.reports import full_report


def test_modules_come_back_and_data_and_what_is_too_large_do_not(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.record_sources("1", {"a/b.py": "ä\r\n".encode(), "broken.py": b"\xff", "data.bin": b"x"})
        assert book.sources("1") == {"a/b.py": "ä\r\n", "broken.py": "\ufffd"}
        book.record_sources("2", {"a.py": b"x" * (MOST_SOURCE + 1)})
        assert book.sources("2") == book.sources("3") == {}
        assert book.kept_sources() == {"1"}


def test_who_is_forgotten_leaves_no_code(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        report = full_report("ana")
        book.record(report)
        book.record_sources(report.submission, {"a.py": b"pass"})
        person: Person = next(one for one in book.people() if one.name == "ana")
        book.forget(person)
        assert book.kept_sources() == set()


def test_answers_are_kept_as_long_as_they_are_somebodys(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.record(full_report("ana"))
        book.record_answers("ana", "week5", "1", b"one")
        book.record_answers("ben", "week5", "1", b"one")
        assert (book.answered(), book.answers("1")) == ({("ana", "week5"): "1", ("ben", "week5"): "1"}, b"one")
        book.record_answers("ana", "week5", "2", b"two")
        book.record_answers("ben", "week5", "", b"")
        assert (book.answered(), book.answers("2")) == ({("ana", "week5"): "2"}, b"two")
        book.drop_old_sources()
        assert book.answers("1") == b""
        book.forget(next(one for one in book.people() if one.name == "ana"))
        assert (book.answered(), book.answers("2")) == ({}, b"")


def test_who_was_done_with_a_week_is_not_once_its_answers_change(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for digest, done in (("1", False), ("1", True), ("2", False)):
            book.record_answers("ana", "week5", digest, b"x")
            assert bool(book.looked()) is done
            with book.changing("tina") as change:
                change.put("looked", {"person": 1, "week": "week5", "who": "tina", "at": change.at, "attempt": 0})


def test_whoever_was_done_stays_so_where_only_the_course_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, other = "a" * 32, "b" * 32
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for at, digest, done, since in (
            (1, work + work, False, 1), (2, work + other, True, 1), (3, other + other, False, 3),
        ):  # fmt: skip
            monkeypatch.setattr("grader.gradebook.deliveries.now", lambda at=at: str(at))
            book.record_answers("ana", "week5", digest, digest.encode())
            assert bool(book.looked()) is done
            assert book.rows("SELECT digest, at FROM answered") == [(digest, str(since))]
            assert book.answers(digest) == digest.encode()
            with book.changing("tina") as change:
                change.put("looked", {"person": 1, "week": "week5", "who": "tina", "at": change.at, "attempt": 0})


def test_answers_move_with_their_person_and_back(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for place, name in enumerate(("ana", "ana s.")):
            book.record(full_report(name))
            book.record_answers(name, "week5", str(place), b"x")
        register = Register(book.people())
        ana, other = register.people
        register.absorb(other, ana)
        book.save_people(register.people, register.merged)
        assert book.answered() == {("ana", "week5"): "0"}  # what the class folder holds of whom is not known here
        back = book.split(ana)
        rows = book.rows("SELECT person, digest FROM answered ORDER BY digest")
        assert rows == [(ana.key, "0"), (back, "1")]


def test_damaged_modules_are_one_clear_error(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        with book.transaction() as database:
            database.execute("INSERT INTO sources VALUES ('1', 'no zlib')")
        with pytest.raises(GraderError, match="the modules of 1 are damaged; grade again"):
            book.sources("1")
