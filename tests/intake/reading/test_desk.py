"""Whatever a student hands in, it is read or refused by one line of their own, and all others are read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.course import Course
from grader.errors import SubmissionError
from grader.intake import load, load_folder, survey
from grader.intake.collect import LONGEST_NOTE, Collected, digest_of
from grader.intake.places import Place
from grader.intake.reading import refusals
from grader.intake.reading.budget import Budget, BudgetedProcess, TooCostly
from grader.intake.reading.desk import DESK, Desk
from grader.intake.reading.plain import Found, from_plain, to_plain
from grader.intake.reading.refusals import Refusals
from tests.intake.reading import slow
from tests.support.makers import put

LENET = b"class LeNet:\n    pass\n"
# Each differs, so that none stands for the others: together they take many seconds on any machine.
SURVEYED = slow.zip_of(*((f"part{number}.py", b"%c;" % (97 + number) * (slow.MIB // 2 - 1)) for number in range(12)))
FAST, SLOW = slow.deep_notebooks(100)["cell of definitions"], slow.deep_notebooks(250_000)["cell of imports"]
TOO_LONG = "took more than 1 s of computing; hand in the week's own files alone"


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    process = BudgetedProcess("grader.intake.reading.service", Budget(seconds=1, mib=512))
    monkeypatch.setattr(DESK, "process", process)
    yield
    process.close()


def outcomes(folder: Path, course: Course, known: Refusals | None = None) -> dict[str, str]:
    """What became of each student: the files that are graded, or the line that says why there are none."""
    found = {}
    for candidate in survey(folder, course, ["week5"], "plain", refusals=known).candidates:
        assert candidate.week == "week5"
        try:
            found[candidate.student] = " ".join(load(candidate).files)
        except SubmissionError as error:
            found[candidate.student] = f"not gradable: {error}"
    return found


def hand_in(folder: Path, works: Mapping[str, bytes], ending: str) -> Path:
    """A class in which two students handed in ordinary work, and the others these files."""
    for name, work in works.items():
        put(folder / f"{name}{ending}", work)
    for honest in ("000", "zzz"):
        put(folder / honest / "lenet.py", LENET)
    return folder


def assert_all_are_read_or_refused(found: Mapping[str, str], students: int) -> None:
    assert len(found) == students + 2
    assert found["000"] == found["zzz"] == "lenet.py"
    for text in found.values():
        assert text
        assert "\n" not in text
        assert "Traceback" not in text
        assert "mistake of its own" not in text
        assert len(text) <= LONGEST_NOTE + len("not gradable: ")


@pytest.mark.parametrize("file", ["lenet.py", "other.py"])
def test_every_hostile_source_is_read_or_refused(two_weeks_course: Course, tmp_path: Path, file: str) -> None:
    """By its name a file is taken as it is. Where no name tells, all that look like Python are parsed."""
    sources = slow.hostile_sources(60_000)
    found = outcomes(hand_in(tmp_path / "class", sources, f"/{file}"), two_weeks_course)
    assert_all_are_read_or_refused(found, len(sources))
    if file == "lenet.py":  # what cannot be parsed is graded, and its checks fail
        refused = {student for student, text in found.items() if text != "lenet.py"}
        assert refused == {"punycode"}


def test_every_hostile_notebook_is_read_or_refused(two_weeks_course: Course, tmp_path: Path) -> None:
    notebooks = slow.deep_notebooks(20_000)
    found = outcomes(hand_in(tmp_path / "class", notebooks, "/hw.ipynb"), two_weeks_course)
    assert_all_are_read_or_refused(found, len(notebooks))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_every_hostile_archive_is_read_or_refused(two_weeks_course: Course, tmp_path: Path) -> None:
    archives = slow.archives(500)
    found = outcomes(hand_in(tmp_path / "class", archives, ".zip"), two_weeks_course)
    assert_all_are_read_or_refused(found, len(archives))


def test_a_small_zip_that_takes_minutes_to_parse_is_refused_by_name(two_weeks_course: Course, tmp_path: Path) -> None:
    assert len(SURVEYED) < 20_000
    found = outcomes(hand_in(tmp_path / "class", {"eve": SURVEYED}, ".zip"), two_weeks_course)
    assert found == {"000": "lenet.py", "eve": f"not gradable: reading eve.zip {TOO_LONG}", "zzz": "lenet.py"}


def test_a_single_submission_has_the_same_budget(two_weeks_course: Course, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=TOO_LONG):
        load_folder(put(tmp_path / "eve.zip", SURVEYED), two_weeks_course.assignment("week5"))


def test_what_takes_too_much_memory_is_refused_by_name(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = BudgetedProcess("grader.intake.reading.service", Budget(mib=64))
    monkeypatch.setattr(DESK, "process", process)
    lines = b"\n" * (slow.MIB * 9)
    large = slow.zip_of(*((f"{number}.ipynb", b"{" + lines + b"}") for number in range(12)))
    for number in range(20):
        put(tmp_path / "class" / "eve" / f"{number}.zip", large)
    put(tmp_path / "class" / "ana" / "lenet.py", LENET)
    found = outcomes(tmp_path / "class", two_weeks_course)
    process.close()
    assert found["ana"] == "lenet.py"
    assert (
        found["eve"] == "not gradable: reading eve took more than 64 MiB of memory; hand in the week's own files alone"
    )


class Counting:
    """Passes on to a process, and keeps what was asked. Of slow ones it says at once what the process says late."""

    def __init__(self, process: BudgetedProcess, *slow_ones: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self.slow_ones = slow_ones
        self._process = process

    def ask(self, request: Mapping[str, Any], name: str) -> list[Any]:
        self.asked.append((request["do"], name))
        if name in self.slow_ones:
            raise TooCostly(f"reading {name} {TOO_LONG}")
        return self._process.ask(request, name)


def test_an_entry_that_was_looked_into_does_not_cost_its_budget_twice(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(DESK.process, "eve.zip")
    monkeypatch.setattr(DESK, "process", counting)
    for student in ("ana", "zoe"):
        put(tmp_path / "class" / "week5" / student / "lenet.py", LENET)
    put(tmp_path / "class" / "week5" / "eve.zip", slow.zip_of(("lenet.py", LENET)))
    found = outcomes(tmp_path / "class", two_weeks_course)
    assert found == {"ana": "lenet.py", "eve": f"not gradable: reading eve.zip {TOO_LONG}", "zoe": "lenet.py"}
    assert [what for what, name in counting.asked if name == "eve.zip"] == ["look"]
    again = outcomes(tmp_path / "class", two_weeks_course)  # a new run looks anew, since the entry may have been mended
    assert again == found
    assert [what for what, name in counting.asked if name == "eve.zip"] == ["look", "look"]


def test_a_refusal_is_remembered_for_the_same_bytes_and_the_same_grader(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(DESK.process, "eve.zip", "ida")
    monkeypatch.setattr(DESK, "process", counting)
    inner = slow.zip_of(("lenet.py", LENET))
    folder = hand_in(tmp_path / "class", {"eve": inner}, ".zip")
    put(folder / "ida" / "week5" / "inner.zip", inner)
    first = Refusals("this one")
    before = outcomes(folder, two_weeks_course, first)
    assert before["eve"] == f"not gradable: reading eve.zip {TOO_LONG}"
    assert sorted(name for name, _ in first.new) == ["eve.zip", "ida"]

    counting.asked.clear()
    again = Refusals("this one", first.new)
    assert outcomes(folder, two_weeks_course, again) == before
    assert not {name for _, name in counting.asked} & {"eve.zip", "ida"}
    assert not again.new

    assert outcomes(folder, two_weeks_course, Refusals("another one", first.new)) == before
    assert {name for _, name in counting.asked} >= {"eve.zip", "ida"}
    counting.slow_ones = ()
    assert outcomes(folder, two_weeks_course, Refusals("this one", first.new)) == before
    mended = slow.zip_of(("lenet.py", LENET + b"# mended\n"))
    put(folder / "eve.zip", mended)
    put(folder / "ida" / "week5" / "inner.zip", mended)
    assert set(outcomes(folder, two_weeks_course, Refusals("this one", first.new)).values()) == {"lenet.py"}


@pytest.mark.parametrize("what", ["a pipe", "a link", "too large", "too many"])
def test_what_cannot_be_digested_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Whether an entry is the same again is never guessed, and finding that out takes bounded time."""
    put(tmp_path / "eve" / "lenet.py")
    monkeypatch.setattr(refusals, "MOST_BYTES", 1000)
    monkeypatch.setattr(refusals, "MOST_FILES", 3)
    if what == "a pipe":
        os.mkfifo(tmp_path / "eve" / "pipe")
    elif what == "a link":
        (tmp_path / "eve" / "zero").symlink_to("/dev/zero")
    else:
        for number in range(5):
            put(tmp_path / "eve" / f"{number}.py", b"a" * (900 if what == "too large" else 1))
    known = Refusals()
    known.note(tmp_path / "eve", (), "look", "why")
    assert (known.find(tmp_path / "eve", (), "look") == "why") is (what in ("a pipe", "a link"))
    assert known.find(tmp_path / "eve", (), "read") is None


def test_what_is_read_again_has_a_budget_too(two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "class" / "ana" / "lenet.py", LENET)
    files = [put(tmp_path / "class" / "eve" / f"part{number}.ipynb", FAST) for number in range(3)]
    ana, eve = survey(tmp_path / "class", two_weeks_course, ["week5"], most_carried=0).candidates
    for file in files:
        file.write_bytes(SLOW)
    with pytest.raises(SubmissionError, match=TOO_LONG):
        load(eve)
    assert load(ana).files == {"lenet.py": LENET}


PLACE = Place("week5", "a/", {"lenet": "a/lenet.py"}, ("hw.ipynb",), ("a note",))
FILES = {"lenet.py": LENET}
GOOD = Found("week5", place=PLACE, collected=Collected(FILES, ("a note",), digest_of(FILES)))


def test_what_is_found_comes_back_as_it_was() -> None:
    assert from_plain(to_plain(GOOD)) == GOOD
    assert from_plain(to_plain(Found(None, "nothing found"))) == Found(None, "nothing found")
    refused = from_plain(to_plain(Found("week5", place=PLACE, collected=SubmissionError("too large"))))
    assert str(refused.collected) == "too large"


@pytest.mark.parametrize(
    "change",
    [
        {"week": 5},
        {"place": []},
        {"place": {"week": "week5"}},
        {"files": {"lenet.py": "text"}},
        {"files": {b"lenet.py": b""}},
        {"files": [b""]},
        {"files": {str(number): b"" for number in range(300)}},
        {"files": {"lenet.py": bytes(21 * slow.MIB)}},
        {"notes": [1]},
        {"notes": ["a note"] * 100},
        {"files": None, "error": b""},
    ],
)
def test_what_comes_from_the_process_is_not_trusted(change: dict[str, Any]) -> None:
    with pytest.raises(SubmissionError, match="no answer that can be understood"):
        from_plain({**to_plain(GOOD), **change})


@pytest.mark.parametrize("data", [None, 1, "text", [], {}, {"week": "week5"}])
def test_anything_else_is_refused_as_well(data: Any) -> None:
    with pytest.raises(SubmissionError, match="no answer that can be understood"):
        from_plain(data)


def test_no_process_is_left_once_a_class_or_a_submission_is_read(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the process of all, which rests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DESK, "rest", lambda: Desk.rest(DESK))
        before = psutil.Process().children()
        hand_in(tmp_path / "class", {}, "")
        assert set(outcomes(tmp_path / "class", two_weeks_course)) == {"000", "zzz"}
        assert load_folder(tmp_path / "class" / "000", two_weeks_course.assignment("week5")).files == {
            "lenet.py": LENET
        }
        assert psutil.Process().children() == before
