"""Several share a gradebook: nothing is lost, nothing is overwritten unseen, and what was done can be undone."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import GraderError
from grader.escape import plain
from grader.gradebook import Gradebook, copied_book, open_book
from grader.gradebook.together.actions import Outdated
from grader.gradebook.together.claim import Claim, is_taken
from grader.people.register import Register
from grader.reports.pages import report_html, report_markdown
from grader.results import Override
from tests.support.reports import HOSTILE, full_report


@pytest.fixture
def team_folder(tmp_path: Path) -> Path:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for student in ("ana", "ben"):
            book.record(full_report(student))
    return tmp_path


def comment(person: int = 1, **changes: Any) -> dict[str, Any]:
    line = {
        "person": person, "week": "week5", "about": "line", "target": "lenet.py", "line": 3, "quote": "x = 1",
        "submission": "1" * 64, "text": "why one?", "who": "tina", "at": "2026-11-29T10:00:00Z",
    }  # fmt: skip
    return {**line, **changes}


def points(student: str, points: int | None) -> Override:
    return Override(student, "week5", "5.1", points, "seen", "tina", "2026-11-29T10:00:00Z")


def test_the_desk_and_a_run_write_at_the_same_time_and_each_sees_what_the_other_wrote(team_folder: Path) -> None:
    with (
        open_book(team_folder, shared=True) as desk,
        open_book(team_folder, shared=True) as other,
        open_book(team_folder) as run,
    ):
        before = desk.changes
        run.record(full_report("cleo"))
        assert desk.changes != before
        with desk.changing("tina") as change:
            change.put("comments", comment())
        assert {one.student for one in other.current()} == {"ana", "ben", "cleo"}
        assert run.comments()["ana", "week5"] == other.comments()["ana", "week5"] != []
    assert [file.name for file in team_folder.iterdir() if file.is_file()] == ["gradebook.sqlite"]


def test_a_reader_does_not_wait_for_a_writer_nor_see_half_of_what_it_writes(team_folder: Path) -> None:
    with open_book(team_folder, shared=True) as desk, open_book(team_folder, shared=True) as other:
        with desk.changing("tina") as change:
            change.put("comments", comment())
            assert other.comments() == {}
        assert other.comments() != {}


def test_a_run_keeps_out_a_second_run_and_not_the_desk(team_folder: Path) -> None:
    with open_book(team_folder):
        assert is_taken(team_folder)
        with open_book(team_folder, shared=True):
            pass
        with pytest.raises(GraderError, match="in use by another run"):
            open_book(team_folder)
    assert not is_taken(team_folder)


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    program = "import os, sys, pathlib; from grader.gradebook.together.claim import Claim\n"
    program += f"Claim(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), {int(signal.SIGKILL)})"
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)]).returncode == -signal.SIGKILL
    Claim(tmp_path, patience=0).let_go()


def test_what_the_desk_has_written_is_in_a_copy_that_others_look_at(team_folder: Path) -> None:
    with open_book(team_folder, shared=True) as desk:
        with desk.changing("tina") as change:
            change.put("comments", comment())
        with copied_book(team_folder) as copy:
            assert copy is not None
            assert copy.comments() == desk.comments() != {}


def test_what_was_acknowledged_survives_a_kill_of_the_desk(team_folder: Path) -> None:
    program = f"""
import os, sys, pathlib
from grader.gradebook import open_book
book = open_book(pathlib.Path(sys.argv[1]), shared=True)
for number in range(100):
    with book.changing("tina") as change:
        change.put("comments", {comment()!r} | {{"text": str(number)}})
    print(number, flush=True)
    if number == 57:
        os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    done = subprocess.run([sys.executable, "-c", program, str(team_folder)], capture_output=True, text=True)
    acknowledged = done.stdout.split()
    assert (done.returncode, len(acknowledged)) == (-signal.SIGKILL, 58)
    with open_book(team_folder) as book:
        assert [one.text for one in book.comments()["ana", "week5"]] == acknowledged
    assert [file.name for file in team_folder.iterdir() if file.is_file()] == ["gradebook.sqlite"]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "lenet.py, line 3"),
        ({"about": "check", "target": "test_week5.py::test_size", "line": 0, "quote": ""}, "Task 5.1: size"),
        ({"about": "check", "target": "no such check", "line": 0, "quote": ""}, "no such check"),
        ({"about": "task", "target": "5.2", "line": 0, "quote": ""}, "Task 5.2"),
        ({"about": "week", "target": "", "line": 0, "quote": ""}, "The whole week"),
    ],
)
def test_comments_reach_what_the_student_gets(team_folder: Path, changes: dict[str, Any], title: str) -> None:
    with open_book(team_folder, shared=True) as desk:
        with desk.changing("tina") as change:
            change.put("comments", comment(text="look here", **changes))
        report = next(one for one in desk.current() if one.student == "ana")
        assert desk.stale() == [("ana", "week5")]
    for text in (report_html(report), report_markdown(report)):
        assert f"{title} " in text
        assert "look here" in text
        assert "tina, 2026-11-29" in text
    assert report.score == full_report().score


def test_a_comment_and_the_line_that_it_quotes_are_text(team_folder: Path) -> None:
    with open_book(team_folder, shared=True) as desk:
        with desk.changing("tina") as change:
            change.put("comments", comment(text=HOSTILE, quote=HOSTILE, target=f"{HOSTILE}.py"))
        (report, _) = desk.current()
    assert "<script>alert" not in report_html(report)
    assert report_markdown(report).count(f"````text\n{plain(HOSTILE)}\n````") == 2


def test_an_action_is_logged_and_undone_and_done_again(team_folder: Path) -> None:
    with open_book(team_folder, shared=True) as desk:
        with desk.changing("tina") as change:
            change.decide(1, points("ana", 7))
            change.put("comments", comment())
            change.put("assigned", {"person": 1, "week": "week5", "who": "tina"})
            change.note("5.1 set to 7", 1, "week5")
        done = state(desk)
        assert done == (7, 1, {(1, "week5"): "tina"})
        for expected in ((None, 0, {}), done):
            with desk.changing("uwe") as change:
                change.undo(desk.actions()[0].id)
            assert state(desk) == expected
        assert [(one.who, one.what, bool(one.undone)) for one in desk.actions()] == [
            ("uwe", "took back: took back: 5.1 set to 7", False),
            ("uwe", "took back: 5.1 set to 7", True),
            ("tina", "5.1 set to 7", True),
        ]


def state(book: Gradebook) -> tuple[int | None, int, dict[tuple[int, str], str]]:
    held = [one.points for own in book.decisions("ana", "week5").values() for one in own]
    return held[0] if held else None, len(book.comments().get(("ana", "week5"), ())), book.assigned()


@pytest.mark.parametrize("what", ["decision", "comment", "assigned"])
def test_what_somebody_has_changed_since_is_not_undone(team_folder: Path, what: str) -> None:
    def act(book: Gradebook, number: int) -> None:
        with book.changing("tina") as change:
            if what == "decision":
                change.decide(1, points("ana", number))
            elif what == "comment":
                change.put("comments", comment(id=1, text=str(number), edition=number))
            else:
                change.put("assigned", {"person": 1, "week": "week5", "who": f"ta{number}"})
            change.note(f"act {number}")

    with open_book(team_folder, shared=True) as desk:
        act(desk, 1)
        act(desk, 2)
        before = state(desk)
        first = desk.actions()[-1]
        with pytest.raises(Outdated), desk.changing("tina") as change:
            change.undo(first.id)
        assert state(desk) == before
        assert [one.undone for one in desk.actions()] == ["", ""]


@pytest.mark.parametrize("what", ["decision", "comment"])
def test_several_actions_on_the_same_are_undone_one_after_the_other_and_done_again(
    team_folder: Path, what: str
) -> None:
    with open_book(team_folder, shared=True) as desk:
        numbers = []
        for place in range(3):
            with desk.changing("tina") as change:
                if what == "decision":
                    change.decide(1, points("ana", place))
                else:
                    change.put("comments", comment(id=1, text=str(place)))
                change.note(f"act {place}")
            numbers.append(desk.actions()[0].id)
        before = state(desk)
        for number in reversed(numbers):
            with desk.changing("tina") as change:
                change.undo(number)
        assert state(desk)[:2] == (None, 0)
        for one in [one for one in reversed(desk.actions()) if one.what.startswith("took back")][::-1]:
            with desk.changing("tina") as change:
                change.undo(one.id)
        assert state(desk) == before


def test_no_row_ever_has_an_edition_again_that_somebody_may_have_seen(team_folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    with open_book(team_folder, shared=True) as desk:

        def act(row: dict[str, Any] | None) -> None:
            with desk.changing("tina") as change:
                if row:
                    change.put("comments", row)
                    change.note("commented")
                else:
                    change.undo(next(one.id for one in desk.actions() if one.what == "commented" and one.can_undo))
            seen.extend((one.id, one.edition) for own in desk.comments().values() for one in own)

        for row in (comment(), comment(id=1, text="b"), None, comment(id=1, text="c"), None, None, comment(text="new")):
            act(row)
    assert len(seen) == len(set(seen)) == 6


def test_an_action_that_fails_leaves_nothing(team_folder: Path) -> None:
    with open_book(team_folder, shared=True) as desk:
        with pytest.raises(ZeroDivisionError), desk.changing("tina") as change:
            change.put("comments", comment())
            raise ZeroDivisionError
        assert (desk.comments(), desk.actions(), desk.stale()) == ({}, [], [])


def test_comments_and_what_tas_do_go_with_people_who_become_one_and_leave_with_who_is_forgotten(
    team_folder: Path,
) -> None:
    with open_book(team_folder) as book:
        with book.changing("tina") as change:
            change.put("comments", comment(2))
            change.put("assigned", {"person": 2, "week": "week5", "who": "tina"})
            change.note("commented", 2, "week5")
        register = Register(book.people())
        ana, ben = (next(one for one in register.people if one.name == name) for name in ("ana", "ben"))
        register.absorb(ben, ana)
        book.save_people(register.people, register.merged)
        assert [one.student for own in book.comments().values() for one in own] == ["ana"]
        back = book.split(ana)
        assert [one.person for own in book.comments().values() for one in own] == [back] == [2]
        book.forget(replace(ben, key=back))
        assert (book.comments(), book.assigned(), book.actions()) == ({}, {}, [])


def test_phrases_come_with_those_of_the_task_first(team_folder: Path) -> None:
    with open_book(team_folder, shared=True) as desk, desk.changing("tina") as change:
        for week, task, text in (("week4", "", "a"), ("week5", "5.2", "b"), ("week5", "5.1", "c"), ("week4", "", "a")):
            change.use_phrase(week, task, text)
        assert [(one.text, one.uses) for one in desk.phrases("week5", "5.1")] == [("c", 1), ("b", 1), ("a", 2)]


def test_a_gradebook_of_an_earlier_version_is_brought_up_to_date_by_the_desk(team_folder: Path) -> None:
    from grader.gradebook import schema

    old = sqlite3.connect(team_folder / "old.sqlite")
    old.create_function("safe_name", 1, str)
    for script in (schema.FIRST, *schema.MIGRATIONS[:-1]):
        old.executescript(script)
    old.close()
    (team_folder / "old.sqlite").replace(team_folder / "gradebook.sqlite")
    with open_book(team_folder, shared=True) as desk:
        assert desk.requests() == []
