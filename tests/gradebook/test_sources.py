"""The gradebook keeps the modules of works as they are, and no longer than somebody's work is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import GraderError
from grader.gradebook import Gradebook
from grader.gradebook.deliveries import MOST_SOURCE
from grader.people.person import Person
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


def test_damaged_modules_are_one_clear_error(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        with book.transaction() as database:
            database.execute("INSERT INTO sources VALUES ('1', 'no zlib')")
        with pytest.raises(GraderError, match="the modules of 1 are damaged; grade again"):
            book.sources("1")
