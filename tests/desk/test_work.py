"""What is done at the desk is in the gradebook, in the log, and in what students get; and nobody overwrites unseen."""

from __future__ import annotations

import base64
import csv
import html
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.batch.override import override_task
from grader.desk.model.masking import STUDENT, masked
from grader.desk.pages.manual_view import alias
from grader.exports.feedback.parcels import gather
from grader.gradebook import Gradebook, open_book
from grader.gradebook.adjustments import TEXTS
from grader.intake.answers.answers import Answers, Cell, Form, Kind, Piece, packed
from grader.people.person import Person
from grader.people.register import Register
from tests.support.desks import CODE, Page, Visitor, again, make_book, opened
from tests.support.pictures import png

WORK, VALUES = "/work/1/week5", "test_week5.py::test_values_of_LeNet"
HIDDEN = "test_hidden.py::test_gradients"


@pytest.fixture
def desk_folder(tmp_path: Path) -> Path:
    return make_book(tmp_path)


@pytest.fixture
def tina(desk_folder: Path) -> Iterator[Visitor]:
    with opened(desk_folder) as (visitor, _):
        yield visitor


def score(tina: Visitor, path: str = WORK) -> str:
    return tina.get(path).text.partition('<strong class="score">')[2].partition("<")[0]


def task_53(page: Page, **fields: str) -> dict[str, str]:
    return page.form("points-2") | {"points": "5", "why": "nearly right"} | fields


# Pages


def test_the_class_page_finds_students_by_the_address(tina: Visitor) -> None:
    everybody = tina.get("/").words
    assert all(name in everybody for name in ("Ana Silva", "Ben O'Brien", "Cleo Groß", "Dora Łukasz"))
    for query, found in (
        ("q=gross", {"Cleo"}), ("q=2001", {"Ben"}), ("section=B", {"Ben", "Dora"}), ("state=graded", set()),
        ("q=lukasz&section=A", set()), ("work=done", set()), ("ta=-&week=week5&q=ana", {"Ana"}),
        ("state=provisional", {"Ana", "Ben", "Cleo", "Dora"}),
    ):  # fmt: skip
        words = tina.get(f"/?{query}").words
        assert {name for name in ("Ana", "Ben", "Cleo", "Dora") if f"{name} " in words} == found, query


def test_newer_work_that_would_score_more_than_a_decision_is_marked_and_found(
    tina: Visitor, desk_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tina.post("/do/points", task_53(tina.get(WORK), points="2"))
    assert "newer work" not in tina.get(WORK).words
    monkeypatch.setattr("grader.gradebook.attempts.now", lambda: "2100-01-01T00:00:00Z")
    again(desk_folder, "Ana Silva", submission="b" * 64)
    assert "newer work would score more: task 5.3: 2, and would be 8" in tina.get(WORK).words
    found = tina.get("/?state=newer+work+would+score+more")
    assert "Ana Silva" in found.words and "Cleo" not in found.words
    assert found.text.count('title="newer work would score more"') == 1


def test_the_work_page_shows_the_code_beside_the_check_that_names_its_line(tina: Visitor) -> None:
    page = tina.get(WORK)
    assert 'id="f0-11"' in page.text
    assert 'href="#f0-11"' in page.text
    assert page.text.count('class="line here"') == 1
    assert "hidden was detached" in page.words
    assert "gradients" in page.words  # what students do not get to read
    assert "printed <i>this</i>" in page.words
    assert 'class="confusion"' in page.text  # a check's pictures


def test_students_follow_each_other_in_the_order_of_the_class_page(tina: Visitor) -> None:
    page = tina.get("/work/2/week5?section=B&sort=-week5")
    assert "1 of 2" in page.words
    assert 'href="/work/4/week5?section=B&amp;sort=-week5" data-key="n"' in page.text


def test_a_check_page_groups_who_lost_it_with_their_lines(tina: Visitor) -> None:
    page = tina.get(f"/check/week5?id={VALUES}")
    assert "lost by 3 of 4" in page.words
    assert page.text.count('name="member"') == 3
    assert page.text.count("return hidden.detach()") == 3


def test_attempts_show_what_changed_in_code_and_verdicts(desk_folder: Path, tina: Visitor) -> None:
    with Gradebook(desk_folder / "gradebook.sqlite", copies=False) as book:
        book.record_sources("e" * 64, {"lenet.py": CODE.replace(".detach()", "").encode()})
    again(desk_folder, "Ana Silva", submission="e" * 64)
    page = tina.get("/attempts/1/week5")
    assert '<div class="line removed"' in page.text
    assert "values of LeNet: ✕ wrong → ✓ done" in page.words
    fixes = tina.get("/figures/week5").words
    assert "5.3 values of LeNet 1 of 1" in fixes


def test_the_instructors_view_names_hard_checks_and_how_checks_do_by_day(tmp_path: Path) -> None:
    folder = make_book(tmp_path, tuple(f"Student {number}" for number in range(6)))
    with sqlite3.connect(folder / "gradebook.sqlite") as database:
        database.execute("UPDATE attempts SET at = '2026-10-0' || (1 + person % 2) || 'T09:00:00Z'")
    database.close()
    with opened(folder) as (tina, _):
        page = tina.get("/figures/week5").words
    assert "Look at these first 5.3 gradients too hard: 0 of 6 pass it" in page
    assert "By day of grading Day Works Mean share 2026-10-01 3" in page
    assert "Check 10-01 10-02 5.1 output size 67 % 67 % 5.3 values of LeNet 33 % 33 % 5.3 gradients 0 % 0 %" in page


def test_pages_say_what_their_words_mean(tina: Visitor) -> None:
    home = tina.get("/").words
    assert "A work needs a look where a part of it waits for a person" in home
    assert "mean of 27, 0 final" in home
    assert "of those that are final" in tina.get("/figures/week5").words
    tina.send(tina.get("/requests"), "ask", "/do/ask", student="2001", week="week5", text="why?")
    assert "the student does not get it" in tina.get("/requests").words


def test_a_week_without_a_check_leads_to_the_list_of_all(tina: Visitor) -> None:
    assert tina.get("/check/week5").path == "/figures/week5"


# Decisions


def test_points_need_a_reason_change_the_score_and_reach_the_report(desk_folder: Path, tina: Visitor) -> None:
    page = tina.get(WORK)
    refused = tina.post("/do/points", task_53(page, why=""))
    assert (refused.status, "give a reason" in refused.words) == (400, True)
    done = tina.post("/do/points", task_53(page))
    assert "5.3 set to 5" in done.words
    assert score(tina) == "5"
    preview = tina.get("/report/1/week5/report.html")
    assert "Task 5.3 set to 5 of 8" in preview.words
    assert "nearly right (tina," in preview.words


@pytest.mark.parametrize("points", ["9", "-1", "x", "5.555", "", "1e3"])
def test_points_that_make_no_sense_are_refused_and_change_nothing(tina: Visitor, points: str) -> None:
    assert tina.post("/do/points", task_53(tina.get(WORK), points=points)).status == 400
    assert score(tina) == "0"


@pytest.mark.parametrize(
    ("form", "points", "expected"),
    [("whole-week", "17", "17"), ("whole-week", "excused", "excused"), ("whole-bonus", "3", "3")],
)
def test_a_week_is_scored_excused_and_given_a_bonus(tina: Visitor, form: str, points: str, expected: str) -> None:
    tina.post("/do/points", tina.get(WORK).form(form) | {"points": points, "why": "talked about it"})
    assert score(tina) == expected
    taken = tina.post("/do/points", tina.get(WORK).form(form) | {"points": "back"})
    assert (taken.status, score(tina)) == (200, "0")


def test_a_decision_reaches_all_who_share_the_work(desk_folder: Path) -> None:
    with open_book(desk_folder) as book:
        register = Register(book.people())
        for person in register.people[:2]:
            person.group = "Team 1"
        book.save_people(register.people)
    again(desk_folder, "Ana Silva", submission="7" * 64)
    again(desk_folder, "Ben O'Brien", submission="7" * 64)
    with opened(desk_folder) as (tina, _):
        page = tina.get(WORK)
        tina.post("/do/points", task_53(page))
        tina.post("/do/comment", page.form("task-comment-2") | {"text": "see me"})
        assert score(tina) == score(tina, "/work/2/week5") == "9"
        assert 'class="said">see me' in tina.get("/work/2/week5").text
        tina.post("/do/undo", tina.get(WORK).form("/do/undo"))
        assert 'class="said">see me' not in tina.get("/work/2/week5").text


def test_a_page_says_whom_a_decision_reaches_and_one_can_be_meant_alone(desk_folder: Path) -> None:
    with open_book(desk_folder) as book:
        people = book.people()
        for person in people[:2]:
            person.group = "Team 1"
        book.save_people(people)
    for name in ("Ana Silva", "Ben O'Brien"):
        again(desk_folder, name, submission="7" * 64)
    with opened(desk_folder) as (tina, _):
        page = tina.get(WORK)
        assert "for this student alone, not for Ben O'Brien" in page.words
        before = score(tina, "/work/2/week5")
        tina.post("/do/points", task_53(page, alone="yes"))
        tina.post("/do/comment", tina.get(WORK).form("task-comment-2") | {"text": "only you", "alone": "yes"})
        assert (score(tina), score(tina, "/work/2/week5")) == ("9", before)
        assert 'class="said">only you' in tina.get(WORK).text
        assert 'class="said">only you' not in tina.get("/work/2/week5").text
        assert "alone" not in tina.get("/work/3/week5").words
        excused = tina.post("/do/points", tina.get(WORK).form("whole-week") | {"points": "excused", "why": "ill"})
        assert (excused.status, score(tina), score(tina, "/work/2/week5")) == (200, "excused", before)


# Two at once


def quicker_points(tina: Visitor, desk_folder: Path) -> None:
    tina.post("/do/points", task_53(tina.get(WORK), points="7", why="theirs"))


def quicker_override(tina: Visitor, desk_folder: Path) -> None:
    override_task(desk_folder, "Ana Silva", "week5", "5.3", "7", "theirs", "uwe")


def quicker_run(tina: Visitor, desk_folder: Path) -> None:
    again(desk_folder, "Ana Silva", submission="7" * 64)


@pytest.mark.parametrize("quicker", [quicker_points, quicker_override, quicker_run])
def test_a_stale_form_is_refused_with_both_versions_and_can_be_sent_again(
    desk_folder: Path, tina: Visitor, quicker: Callable[[Visitor, Path], None]
) -> None:
    stale = task_53(tina.get(WORK))
    quicker(tina, desk_folder)
    before = score(tina)
    refused = tina.post("/do/points", stale)
    assert refused.status == 409
    assert "5: nearly right" in refused.words
    assert ("theirs" in refused.words) != ("graded again since" in refused.words)
    assert score(tina) == before
    tina.post("/do/points", refused.form("/do/points"))
    assert "Set to 5" in tina.get(WORK).words


def test_two_who_decide_about_different_tasks_are_not_in_each_others_way(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, uwe, _):
        page, other = tina.get(WORK), uwe.get(WORK)
        assert uwe.post("/do/points", other.form("points-1") | {"points": "2", "why": "b"}).status == 200
        assert tina.post("/do/points", task_53(page)).status == 200
        assert score(tina) == "7"


def test_a_comment_that_somebody_changed_is_not_overwritten(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, uwe, _):
        tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": "first"})
        stale = tina.get(WORK)
        uwe.post(
            "/do/comment", stale.form("edit-week-1") | {"csrf": uwe.get("/").form("/do/undo")["csrf"], "text": "second"}
        )
        refused = tina.post("/do/comment", stale.form("edit-week-1") | {"text": "third"})
        assert (refused.status, "second (uwe" in refused.words, "third" in refused.words) == (409, True, True)
        assert "second" in tina.get(WORK).words
        tina.post("/do/comment", refused.form("/do/comment"))
        assert "third" in tina.get(WORK).words


def test_a_desk_sees_what_a_run_and_other_commands_wrote(desk_folder: Path, tina: Visitor) -> None:
    again(desk_folder, "Ana Silva", submission="7" * 64)
    override_task(desk_folder, "Ana Silva", "week5", "5.1", "1", "elsewhere", "uwe")
    words = tina.get(WORK).words
    assert "Set to 1: elsewhere (uwe" in words
    assert "2 attempts" in words


# Comments


@pytest.mark.parametrize(
    ("form", "fields", "title"),
    [
        ("line-comment", {"target": "lenet.py", "line": "11"}, "lenet.py, line 11"),
        ("check-comment-2-1", {}, "Task 5.3: values of LeNet"),
        ("task-comment-2", {}, "Task 5.3"),
        ("week-comment", {}, "The whole week"),
    ],
)
def test_comments_on_everything_reach_what_students_get(
    desk_folder: Path, form: str, fields: dict[str, str], title: str
) -> None:
    with opened(desk_folder) as (tina, _):
        page = tina.post("/do/comment", tina.get(WORK).form(form) | fields | {"text": "why  <b>so</b>?\nsay"})
        assert "why <b>so</b>? say" in page.words
        for kind in ("html", "md"):
            text = tina.get(f"/report/1/week5/report.{kind}").text
            assert f"{title} " in text
            assert "tina, 20" in text
    written = (desk_folder / "students" / "s0" / "week5" / "report.html").read_text()
    assert "why  &lt;b&gt;so&lt;/b&gt;?" in written
    if fields:
        assert "hidden = self.conv1(x)" in written


@pytest.mark.parametrize(
    "fields",
    [{"about": "line", "target": "lenet.py", "line": "999"}, {"about": "line", "target": "../x", "line": "1"},
     {"about": "check", "target": "none"}, {"about": "task", "target": "9.9"}, {"about": "else", "target": ""},
     {"text": "  "}, {"person": "99"}, {"week": "week9"}],
)  # fmt: skip
def test_a_comment_on_nothing_is_refused(tina: Visitor, fields: dict[str, str]) -> None:
    refused = tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": "hm"} | fields)
    assert refused.status == 400
    assert "Nothing was changed" in refused.words


def test_a_form_of_an_edition_that_was_undone_and_made_again_is_refused(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, uwe, _):
        tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": "first"})
        tina.post("/do/comment", tina.get(WORK).form("edit-week-1") | {"text": "second"})
        stale = uwe.get(WORK)
        tina.post("/do/undo", tina.get("/").form("/do/undo"))
        tina.post("/do/comment", tina.get(WORK).form("edit-week-1") | {"text": "third"})
        assert uwe.post("/do/comment", stale.form("edit-week-1") | {"text": "mine"}).status == 409


def test_a_comment_that_is_sent_twice_is_there_once(tina: Visitor) -> None:
    page = tina.get(WORK)
    for said in ("commented on the week", "it is there already"):
        assert said in tina.post("/do/comment", page.form("week-comment") | {"text": "see me"}).words
    assert tina.get(WORK).text.count('class="said">see me') == 1


def test_of_equal_comments_of_one_second_one_alone_is_removed(tina: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.gradebook.together.actions.now", lambda: "2026-11-29T10:00:00Z")
    for text in ("see me", "and me"):
        tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": text})
    tina.post("/do/comment", tina.get(WORK).form("edit-week-2") | {"text": "see me"})
    tina.post("/do/comment", tina.get(WORK).form("edit-week-1") | {"text": ""})
    assert tina.get(WORK).text.count('class="said">see me') == 1


def test_points_that_were_decided_several_times_are_undone_one_after_the_other(tina: Visitor) -> None:
    for points in ("2", "3"):
        tina.post("/do/points", task_53(tina.get(WORK), points=points))
    for expected in ("2", "0"):
        assert tina.post("/do/undo", tina.get("/").form("/do/undo")).status == 200
        assert score(tina) == expected


def test_comments_are_kept_for_reuse(tina: Visitor) -> None:
    tina.post("/do/comment", tina.get(WORK).form("task-comment-2") | {"text": "use a name"})
    assert 'data-phrase="use a name"' in tina.get("/work/2/week5").text


def test_a_saved_comment_is_removed_or_given_a_digit_and_both_are_undone(tina: Visitor) -> None:
    for text in ("use a name", "see the lecture"):
        tina.post("/do/comment", tina.get(WORK).form("task-comment-2") | {"text": text})
    page = tina.get("/phrases")
    assert "use a name" in page.words
    pinned = tina.post("/do/phrase", page.form("pin-1") | {"digit": "7"})
    assert "Alt+7 writes: use a name" in pinned.words
    assert 'data-phrase="use a name" data-digit="7"' in tina.get("/work/2/week5").text
    assert 'data-phrase="see the lecture" data-digit="1"' in tina.get("/work/2/week5").text
    tina.post("/do/phrase", page.form("pin-2") | {"digit": "7"})  # one digit writes one text
    assert 'data-phrase="see the lecture" data-digit="7"' in tina.get("/work/2/week5").text
    for digit in ("7", "1"):  # what was pinned first has its digit again, then none
        tina.post("/do/undo", tina.get("/").form("/do/undo"))
        assert 'data-phrase="see the lecture" data-digit="1"' in tina.get("/work/2/week5").text
        assert (
            f'data-phrase="use a name" data-digit="{digit if digit == "7" else "2"}"' in tina.get("/work/2/week5").text
        )
    removed = tina.post("/do/phrase", tina.get("/phrases").form("pin-1") | {"remove": "yes"})
    assert "no longer offered: use a name" in removed.words
    assert "use a name" not in tina.get("/work/2/week5").text
    assert "use a name" in tina.get(WORK).text  # where it was written it stays
    tina.post("/do/undo", removed.form("/do/undo"))
    assert 'data-phrase="use a name"' in tina.get("/work/2/week5").text


@pytest.mark.parametrize("fields", [{"digit": "0"}, {"digit": "x"}, {"digit": "12"}, {"id": "99"}])
def test_a_digit_that_is_none_is_refused(tina: Visitor, fields: dict[str, str]) -> None:
    tina.post("/do/comment", tina.get(WORK).form("task-comment-2") | {"text": "use a name"})
    assert tina.post("/do/phrase", tina.get("/phrases").form("pin-1") | fields).status == 400


def test_what_nobody_wrote_or_somebody_undid_is_not_offered(tina: Visitor) -> None:
    page = tina.get(f"/check/week5?id={VALUES}")
    tina.post("/do/group", page.form("group-form-1") | {"give": "back", "member": ticked(page)})
    tina.post("/do/comment", tina.get(WORK).form("task-comment-2") | {"text": "rings\x07"})
    tina.post("/do/comment", tina.get(WORK).form("task-comment-2") | {"text": "use a name"})
    tina.post("/do/undo", tina.get("/").form("/do/undo"))
    assert "data-phrase" not in tina.get("/work/2/week5").text


def test_one_comment_and_one_correction_reach_a_whole_group(desk_folder: Path, tina: Visitor) -> None:
    page = tina.get(f"/check/week5?id={VALUES}")
    fields: dict[str, Any] = page.form("group-form-1") | {"text": "our check was too strict", "give": "back"}
    members = [one for one in ticked(page) if one[0] in "14"]
    done = tina.post("/do/group", fields | {"member": members})
    assert "2 students, comment and points" in done.words
    assert (score(tina), score(tina, "/work/2/week5")) == ("4", "4")
    assert "our check was too strict" in tina.get("/report/4/week5/report.html").words
    tina.post("/do/undo", tina.get("/").form("/do/undo"))
    assert score(tina) == "0"
    members = ticked(tina.get(f"/check/week5?id={VALUES}"))
    again(desk_folder, "Dora Łukasz", submission="7" * 64)
    refused = tina.post("/do/group", fields | {"member": members})
    assert (refused.status, score(tina)) == (409, "0")


def ticked(page: Page) -> list[str]:
    """Return how a page of a check names those who lost it."""
    return re.findall(r'name="member" value="([^"]+)"', page.text)


def test_the_points_of_a_check_are_given_back_once(tina: Visitor) -> None:
    path = f"/check/week5?id={HIDDEN}"
    for _ in range(2):
        page = tina.get(path)
        done = tina.post("/do/group", page.form("group-form-1") | {"give": "back", "member": ticked(page)})
        assert score(tina) == "4"
    assert (done.status, "given back already to Ana Silva" in done.words) == (400, True)
    assert "Task 5.3 set to 4 of 8" in tina.get(path).words
    other = tina.get(f"/check/week5?id={VALUES}")
    tina.post("/do/group", other.form("group-form-1") | {"give": "back", "member": ticked(other)})
    assert score(tina) == "8"
    again_lost = tina.get(path)
    tina.post("/do/group", again_lost.form("group-form-1") | {"give": "back", "member": ticked(again_lost)})
    assert score(tina) == "8"


def test_those_who_have_points_back_already_are_left_out_and_named_and_get_them_again_once_they_are_taken_back(
    tina: Visitor,
) -> None:
    path = f"/check/week5?id={HIDDEN}"
    page = tina.get(path)
    give = page.form("group-form-1") | {"give": "back"}
    tina.post("/do/group", give | {"member": ticked(page)[:1]})
    done = tina.post("/do/group", give | {"member": ticked(tina.get(path))})
    assert "left out, as they have these points back already: Ana Silva" in done.words
    assert score(tina) == "4"
    tina.post("/do/points", task_53(tina.get(WORK), points="back"))
    tina.post("/do/group", give | {"member": ticked(tina.get(path))[:1]})
    assert score(tina) == "4"


def test_a_group_form_does_not_overwrite_what_somebody_has_decided_since(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, uwe, _):
        page = tina.get(f"/check/week5?id={VALUES}")
        uwe.post("/do/points", task_53(uwe.get(WORK), points="1", why="talked to her"))
        sent = page.form("group-form-1") | {"member": ticked(page), "give": "set", "points": "5"}
        refused = tina.post("/do/group", sent)
        assert (refused.status, "talked to her" in refused.words) == (409, True)
        assert (score(tina), score(tina, "/work/4/week5")) == ("1", "0")


@pytest.mark.parametrize(
    "fields", [{"give": "", "points": "5"}, {"give": "back", "points": "5"}, {"give": "set"}, {"give": "half"}]
)
def test_points_of_a_group_form_are_chosen_and_typed_or_nothing_is_done(tina: Visitor, fields: dict[str, str]) -> None:
    page = tina.get(f"/check/week5?id={VALUES}")
    sent = page.form("group-form-1") | {"member": ticked(page), "text": "our check was too strict"}
    assert tina.post("/do/group", sent | fields).status == 400
    assert "too strict" not in tina.get(WORK).words


# Parts that people grade


def test_parts_are_graded_one_after_the_other_by_the_rubric(tina: Visitor) -> None:
    page = tina.get("/manual/week5/style")
    for place in range(4):
        assert f"{place + 1} of 4" in page.words
        page = tina.post("/do/points", page.form("rubric") | {"item": "names", "why": "good names"})
        assert page.status == 200
    assert "Nobody waits" in page.words
    assert "4 graded" in tina.get("/").words
    assert "short names hide much" in tina.get("/report/1/week5/report.html").words


def test_a_part_waits_though_its_report_says_it_in_another_language(tmp_path: Path) -> None:
    folder = make_book(tmp_path)
    with open_book(folder) as book:
        book.set(TEXTS, json.dumps({"week5": {"Code style": "Stil", "Names": "Namen"}}))
    with opened(folder) as (tina, _):
        assert "Stil" in tina.get(WORK).words
        page = tina.get("/manual/week5/style")
        assert "1 of 4" in page.words and "Stil: " in page.words and "Namen" in page.words
        assert "Code style: " not in page.words and "Names" not in page.words
        assert tina.post("/do/points", page.form("rubric") | {"item": "names"}).status == 200
        assert "Namen" in tina.get("/report/1/week5/report.html").words


def test_a_rubric_of_which_nothing_applies_and_plain_points_count_as_well(tina: Visitor) -> None:
    page = tina.get("/manual/week5/style?student=1")
    refused = tina.post("/do/points", page.form("rubric"))
    assert (refused.status, "tick what applies" in refused.words) == (400, True)
    assert "0 of 10 points" not in tina.get("/report/1/week5/report.html").words
    tina.post("/do/points", page.form("rubric") | {"points": "0"})
    assert "0 of 10 points" in tina.get("/report/1/week5/report.html").words
    tina.post("/do/points", tina.get("/manual/week5/plots?student=1").form("rubric") | {"points": "3"})
    assert "3 of 5 points" in tina.get("/report/1/week5/report.html").words
    assert "provisional" not in tina.get("/report/1/week5/report.html").words


def test_grading_without_names_shows_none(tina: Visitor) -> None:
    page = tina.get("/manual/week5/style?anonymous=yes")
    assert "Ana" not in page.text
    assert "2000" not in page.words
    following = tina.post("/do/points", page.form("rubric") | {"item": "names"})
    assert not any(name in following.text for name in ("Ana", "Ben", "Cleo", "Dora"))


def test_no_two_works_of_a_week_go_by_one_name() -> None:
    names = {alias((number, "week5")) for number in range(1, 2_001)}
    assert len(names) == 2_000 and all(re.fullmatch(r"Student \d{4}", name) for name in names)
    assert alias((1, "week5")) != alias((1, "week6"))


def test_nothing_that_is_said_on_pages_without_names_names_a_student(tina: Visitor) -> None:
    path = "/manual/week5/style?student=1&anonymous=yes"
    stale = tina.get(path)
    line = stale.form("line-comment") | {"target": "lenet.py", "line": "11", "text": "see here"}
    pages = [tina.post("/do/comment", line), tina.post("/do/undo", tina.get(path).form("/do/undo"))]
    tina.post("/do/points", tina.get("/manual/week5/style?student=1").form("rubric") | {"points": "3"})
    stale_rubric = stale.form("rubric")
    pages += [tina.post("/do/points", stale_rubric | {"points": "4"}), tina.post("/do/comment", line | {"text": ""})]
    assert [page.status for page in pages] == [200, 200, 409, 400]
    assert not any(name in page.words for page in pages for name in ("Ana", "Silva"))


def answers(*cells: Cell) -> tuple[str, bytes]:
    raw, digest = packed(Answers(("style", "plots"), cells))
    return digest, raw


def answered(folder: Path, student: str, *cells: Cell) -> None:
    with open_book(folder, shared=True) as book:
        book.record_answers(student, "week5", *answers(*cells))


PICTURE = base64.b64encode(png(more=b"\0" * 20_000)).decode()
MARK = "<script>alert(1)</script>"


def test_a_part_shows_the_answer_in_the_notebook_as_text_and_its_plots_as_pictures(
    desk_folder: Path, tina: Visitor
) -> None:
    answered(
        desk_folder, "Ana Silva",
        Cell(f"{MARK}.ipynb", 3, Kind.MARKDOWN, f"## Plots\nIt falls. {MARK}", parts=("plots",)),
        Cell(f"{MARK}.ipynb", 4, Kind.CODE, f"draw()  # {MARK}", (
            Piece(Form.TEXT, f"printed {MARK}"), Piece(Form.ERROR, f"failed {MARK}"),
            Piece(Form.LACKING, f"lacks {MARK}"), Piece(Form.PNG, PICTURE),
        ), ("plots",)),
        Cell("b.ipynb", 1, Kind.MARKDOWN, "of nothing", is_given=True),
        Cell("b.ipynb", 2, Kind.MARKDOWN, "\n".join(f"line {number}" for number in range(999))),
    )  # fmt: skip
    page = tina.get("/manual/week5/plots?student=1")
    for said in ("It falls.", "draw()", "printed", "failed", "Not shown: lacks"):
        assert said in page.words
    assert f'<img src="data:image/png;base64,{PICTURE}"' in page.text
    assert MARK not in page.text and page.words.count(MARK) >= 6
    assert "of nothing" not in page.words
    whole = tina.get("/manual/week5/style?student=1").words
    assert "No heading names “Code style”, so this is all that the student wrote." in whole
    assert "line 998" in whole
    assert "Answer" not in tina.get("/manual/week5/plots?student=2").words


def test_an_answer_that_changes_is_told_from_the_one_that_was_graded(
    desk_folder: Path, tina: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/manual/week5/plots?student=1"
    answered(desk_folder, "Ana Silva", Cell("a.ipynb", 1, Kind.MARKDOWN, "one", parts=("plots",)))
    page = tina.get(path)
    answered(desk_folder, "Ana Silva", Cell("a.ipynb", 1, Kind.MARKDOWN, "two", parts=("plots",)))
    stale = tina.send(page, "rubric", "/do/points", points="4")
    assert stale.status == 409 and "or has another answer" in stale.words
    tina.send(tina.get(path), "rubric", "/do/points", points="4")
    assert "after this part was graded" not in tina.get(path).words
    monkeypatch.setattr("grader.gradebook.deliveries.now", lambda: "2099-01-01T00:00:00Z")
    answered(desk_folder, "Ana Silva", Cell("a.ipynb", 1, Kind.MARKDOWN, "three", parts=("plots",)))
    assert "It was handed in after this part was graded." in tina.get(path).words


def test_grading_without_names_takes_them_out_of_what_students_wrote(desk_folder: Path, tina: Visitor) -> None:
    said = "# by Ana Silva, or silva_ana; not Anastasia, nor 2000"
    answered(
        desk_folder, "Ana Silva", Cell("Silva-Ana.ipynb", 1, Kind.CODE, said, (Piece(Form.TEXT, said),), ("plots",))
    )
    again(desk_folder, "Ana Silva", submission="e" * 64, notes=("ana silva.py taken as lenet.py",))
    with open_book(desk_folder, shared=True) as book:
        book.record_sources("e" * 64, {"lenet.py": said.encode()})
    page = tina.get("/manual/week5/plots?student=1")
    assert page.words.count("Ana Silva, or silva_ana") == 3
    hidden = tina.get("/manual/week5/plots?student=1&anonymous=yes").text
    assert hidden.count("# by (the student), or (the student); not Anastasia, nor 2000") == 3
    assert "(the student).ipynb" in hidden and "(the student).py taken" in hidden
    assert re.search("ana.?silva|silva.?ana", hidden, re.IGNORECASE) is None


def test_whoever_answers_again_is_shown_once_nobody_waits_any_more(
    desk_folder: Path, tina: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("1", "2", "3", "4"):
        tina.post("/do/points", tina.get(f"/manual/week5/plots?student={student}").form("rubric") | {"points": "3"})
    assert tina.get("/manual/week5/plots").path == "/manual/week5/plots"
    assert "Points" not in tina.get("/manual/week5/plots").words
    monkeypatch.setattr("grader.gradebook.deliveries.now", lambda: "2099-01-01T00:00:00Z")
    answered(desk_folder, "Cleo Groß", Cell("a.ipynb", 1, Kind.MARKDOWN, "new", parts=("plots",)))
    page = tina.get("/manual/week5/plots")
    assert "Plots: Cleo Groß" in page.words and "1 answered again since it was graded" in page.words
    assert "It was handed in after this part was graded." in page.words
    monkeypatch.setattr("grader.gradebook.together.actions.now", lambda: "2100-01-01T00:00:00Z")
    done = tina.post("/do/points", page.form("rubric") | {"points": "3"})
    assert "answered again" not in done.words and "Plots: Cleo" not in done.words


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("Amélie Fontaine", ["amelie fontaine", "FONTAINE Amélie", "Ame\u0301lie Fontaine\u0301"]),
        ("Amelie Fontaine", ["Amélie Fontaine", "amélie.fontaine"]),
        ("Björn Sæþórsson", ["Bjoern Saethorsson", "björn_sæþórsson"]),
        ("Cleo Groß", ["CLEO GROSS", "cleo-groß"]),
        ("Fatima Zahra El Amrani", ["Fatima El Amrani", "El Amrani, Fatima Zahra", "Fatima Zahra"]),
        ("Sofía Hernández García", ["sofia hernandez", "Sofía García"]),
        ("Zeynep Yılmaz", ["ZEYNEP YILMAZ", "Zeynep Yilmaz"]),
    ],
)
def test_names_are_taken_out_however_they_are_written(name: str, spellings: list[str]) -> None:
    for spelling in spellings:
        assert masked([Person(name)])(f"# by {spelling}!") == f"# by {STUDENT}!"


def test_names_in_scripts_without_blanks_are_taken_out_and_like_words_stay() -> None:
    assert masked([Person("王小明")])("我是王小明，好") == f"我是{STUDENT}，好"
    assert masked([Person("김민서")])("저는 김민서입니다") == f"저는 {STUDENT}입니다"
    for name, said in (
        ("Ana Silva", "Anastasia, banana silva, Größe é"),
        ("Max Gruber", "max, Max(x)"),
        ("Ana", "Ana"),
    ):
        assert masked([Person(name)])(said) == said


def test_damaged_answers_leave_the_page_as_it_is(desk_folder: Path, tina: Visitor) -> None:
    with open_book(desk_folder, shared=True) as book:
        book.record_answers("Ana Silva", "week5", "e", b"no zlib")
    assert tina.get("/manual/week5/plots?student=1").status == 200


def test_the_undo_beside_a_message_undoes_what_the_message_says(tina: Visitor) -> None:
    first = tina.post("/do/points", task_53(tina.get(WORK)))
    tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": "see me"})
    undo = first.form("/do/undo")
    assert "undone: Ana Silva, week5: 5.3 set to 5" in tina.post("/do/undo", undo).words
    assert (score(tina), "see me" in tina.get(WORK).words) == ("0", True)
    assert "id" not in tina.get("/next").form("/do/undo")


# Who does what


def test_work_is_shared_out_marked_as_done_and_next_is_ones_own(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, uwe, _):
        shared = tina.send(tina.get("/sharing"), "spread", "/do/assign", week="week5", ta="tina\nuwe", how="evenly")
        assert "tina 2, uwe 2" in shared.words
        mine = tina.get("/next")
        assert 'value="tina"' in mine.text
        following = tina.send(mine, "done", "/do/done", then="next")
        assert following.path != mine.path
        assert 'value="tina"' in following.text
        last = tina.send(following, "done", "/do/done", then="next")
        assert "done" in last.words
        assert "nothing of yours is left" in tina.get("/next").words
        assert tina.get("/?work=done").text.count('class="tick"') == 2
        assert uwe.get("/next").path not in (mine.path, following.path)


def test_what_is_left_is_handed_over_and_what_is_done_stays(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, *_):
        for person, ta in ((1, "tina"), (2, "tina"), (3, "uwe")):
            page = tina.get(f"/work/{person}/week5")
            tina.post("/do/assign", page.form("assign") | {"ta": ta})
        tina.send(tina.get("/work/2/week5"), "done", "/do/done")
        spread = {"week": "week5", "how": "evenly"}
        assert "1 work is nobody's yet" in tina.get("/sharing").words
        free = tina.send(tina.get("/sharing"), "spread", "/do/assign", **spread, of="-", ta="uwe")
        assert "week5: uwe 1" in free.words
        handed = tina.send(tina.get("/sharing"), "spread", "/do/assign", **spread, of="tina", ta="uwe")
        assert "week5: uwe 1" in handed.words
        assert [f'value="{ta}" maxlength' in tina.get(f"/work/{person}/week5").text
                for person, ta in ((1, "uwe"), (2, "tina"), (3, "uwe"), (4, "uwe"))] == [True] * 4  # fmt: skip


@pytest.mark.parametrize("fields", [{"week": "week77"}, {"person": "99"}])
def test_nobody_looks_after_what_there_is_not(tina: Visitor, fields: dict[str, str]) -> None:
    assert tina.post("/do/assign", tina.get(WORK).form("assign") | {"ta": "tina"} | fields).status == 400


def test_done_goes_on_to_the_next_that_the_filter_shows(tina: Visitor) -> None:
    following = tina.send(tina.get("/work/2/week5?section=B&work=open"), "done", "/do/done", then="next")
    assert following.path == "/work/4/week5"
    assert str(following.response.url).endswith("?section=B&work=open")


def test_damaged_modules_of_one_student_leave_the_pages_of_all_others(desk_folder: Path) -> None:
    with sqlite3.connect(desk_folder / "gradebook.sqlite") as database:
        database.execute("UPDATE sources SET files = x'00' WHERE submission LIKE '0%'")
    database.close()
    with opened(desk_folder) as (tina, _):
        page = tina.get(f"/check/week5?id={VALUES}")
        assert (page.status, page.text.count('name="member"')) == (200, 3)
        assert tina.get(WORK).status == 200


def test_what_goes_wrong_names_a_cause_once_with_all_checks_that_it_makes_fail(tina: Visitor) -> None:
    page = tina.get("/")
    troubles = page.text.partition('<ol class="troubles">')[2].partition("</ol>")[0]
    assert troubles.count("<li>") == 1  # the same message in two checks, one of them of two tasks
    assert 'title="4 students"' in troubles
    assert "test_values_of_LeNet" in troubles
    assert "test_gradients" in troubles


def test_a_work_that_is_very_large_is_shown_in_part(desk_folder: Path) -> None:
    with Gradebook(desk_folder / "gradebook.sqlite", copies=False) as book:
        lines = {f"m{number}.py": b"x = 1\n" * 8_000 for number in range(5)}
        book.record_sources("9" * 64, lines | {"long.py": b"y" * 100_000, "lenet.py": CODE.encode()})
    again(desk_folder, "Ana Silva", submission="9" * 64)
    with opened(desk_folder) as (tina, _):
        page = tina.get(WORK)
        assert (page.status, len(page.text) < 2_000_000) == (200, True)
        assert "The rest is not shown" in page.words
        assert "hidden = self.conv1(x)" in page.words
        assert tina.get("/attempts/1/week5").status == 200


def test_done_and_next_go_on_among_those_that_the_address_chooses(tina: Visitor) -> None:
    for query in ("?week=week5&work=open&sort=-total", "?section=B", "?q=dora"):
        page = tina.get(f"/work/2/week5{query}")
        following = tina.send(page, "done", "/do/done", then="next")
        assert following.response.url.query.decode() == query[1:]
        assert following.path != page.path


def test_the_next_of_ones_own_is_another_one_than_this(tina: Visitor) -> None:
    page, seen = tina.get("/"), []
    for _ in range(4):
        page = tina.get(html.unescape(re.findall(r'href="(/next[^"]*)"', page.text)[0]))
        seen.append(page.path)
    assert len(set(seen)) == 4


def test_the_next_of_ones_own_is_among_those_that_the_address_chooses(tina: Visitor) -> None:
    page, seen = tina.get("/?section=B"), []
    for _ in range(3):
        page = tina.get(html.unescape(re.findall(r'href="(/next[^"]*)"', page.text)[0]))
        seen.append((page.path, page.response.url.query.decode()))
    assert seen == [("/work/2/week5", "section=B"), ("/work/4/week5", "section=B"), ("/work/2/week5", "section=B")]
    for person in (2, 4):
        tina.send(tina.get(f"/work/{person}/week5"), "done", "/do/done")
    left = tina.get("/next?section=B")
    assert "nothing of yours is left to look at among these" in left.words
    assert left.response.url.query.decode() == "section=B"


def test_whole_sections_go_to_one_person(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, *_):
        tina.send(tina.get("/sharing"), "spread", "/do/assign", week="week5", ta="tina\nuwe", how="by section")
        looked_after = [tina.get(f"/?section=A&ta={name}").text.count("data-primary") for name in ("tina", "uwe")]
        assert sorted(looked_after) == [0, 2]


def test_what_is_done_is_open_again_once_it_is_graded_anew(desk_folder: Path, tina: Visitor) -> None:
    tina.send(tina.get(WORK), "done", "/do/done")
    assert "✓ tina" in tina.get(WORK).words
    again(desk_folder, "Ana Silva", submission="7" * 64)
    assert "✓ tina" not in tina.get(WORK).words


def test_the_log_says_who_did_what_and_takes_it_back(desk_folder: Path) -> None:
    with opened(desk_folder, "tina", "uwe") as (tina, uwe, _):
        tina.post("/do/points", task_53(tina.get(WORK)))
        nothing = uwe.post("/do/undo", uwe.get("/").form("/do/undo"))
        assert (nothing.status, "nothing of yours to undo" in nothing.words) == (400, True)
        log = uwe.get("/log")
        assert "tina Ana Silva, week5: 5.3 set to 5" in log.words
        number = log.text.partition('name="id" value="')[2].partition('"')[0]
        uwe.post("/do/undo", log.form("/do/undo") | {"id": number})
        assert score(tina) == "0"
        assert "uwe took back: Ana Silva, week5: 5.3 set to 5" in tina.get("/log").words


EVERYTHING = {
    "points": lambda tina: tina.post("/do/points", task_53(tina.get(WORK))),
    "excused": lambda tina: tina.post("/do/points", tina.get(WORK).form("whole-week")
                                      | {"points": "excused", "why": "ill"}),
    "comment": lambda tina: tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": "new"}),
    "comment changed": lambda tina: tina.post("/do/comment", tina.get(WORK).form("edit-week-1") | {"text": "other"}),
    "comment removed": lambda tina: tina.post("/do/comment", tina.get(WORK).form("edit-week-1") | {"text": ""}),
    "group": lambda tina: tina.post("/do/group", (page := tina.get(f"/check/week5?id={VALUES}")).form("group-form-1")
                                    | {"member": ticked(page), "give": "back", "text": "sorry"}),
    "assigned": lambda tina: tina.post("/do/assign", tina.get(WORK).form("assign") | {"ta": "uwe"}),
    "shared out": lambda tina: tina.send(tina.get("/sharing"), "spread", "/do/assign", week="week5", ta="a\nb"),
    "done": lambda tina: tina.send(tina.get(WORK), "done", "/do/done"),
    "asked": lambda tina: tina.send(tina.get("/requests"), "ask", "/do/ask", student="2001", week="week5", text="why?"),
    "answered": lambda tina: tina.post("/do/answer", tina.get("/requests").form("answer-1")
                                       | {"state": "kept", "text": "no"}),
    "part": lambda tina: tina.post("/do/points", tina.get("/manual/week5/style?student=1").form("rubric")
                                   | {"item": "names"}),
    "phrase removed": lambda tina: tina.post("/do/phrase", tina.get("/phrases").form("pin-1") | {"remove": "yes"}),
}  # fmt: skip
# What undo leaves as it was: `overrides`, `actions` and `stale` only grow.
_UNDONE = ("assigned", "looked", "phrases", "comments", "requests")


@pytest.mark.parametrize("name", EVERYTHING)
def test_whatever_is_done_is_logged_with_a_name_undone_and_done_again(
    desk_folder: Path, tina: Visitor, name: str
) -> None:
    tina.post("/do/comment", tina.get(WORK).form("week-comment") | {"text": "first"})
    tina.send(tina.get("/requests"), "ask", "/do/ask", student="2000", week="week5", text="look")
    states = [_state(desk_folder)]
    assert EVERYTHING[name](tina).status == 200
    states.append(_state(desk_folder))
    for _ in range(2):
        log = tina.get("/log")
        assert tina.post("/do/undo", log.form("/do/undo") | {"id": _newest(log)}).status == 200
        states.append(_state(desk_folder))
    assert states[0] == states[2] != states[1]
    assert states[3] == states[1]
    with open_book(desk_folder, shared=True) as book:
        assert {one.who for one in book.actions()} == {"tina"}
        assert all(one.what for one in book.actions())


def _newest(log: Page) -> str:
    """Return the number of the action that a log names first."""
    return (
        log.text.partition('<button class="small" data-item-key="c">')[0]
        .rpartition('name="id" value="')[2]
        .split('"')[0]
    )


def _state(folder: Path) -> object:
    """Return what the gradebook says, whatever it remembers of how it came to that."""
    with open_book(folder, shared=True) as book:
        tables: dict[str, list[Any]] = {}
        for table in _UNDONE:
            kept = [
                name
                for (_, name, *_) in book.rows(f"PRAGMA table_info({table})")
                if name not in ("id", "edition", "at")
            ]
            where = " WHERE NOT gone" if table == "comments" else ""
            tables[table] = sorted(map(repr, book.rows(f"SELECT {', '.join(kept)} FROM {table}{where}")))
        return tables, sorted((one.student, one.score, one.excused) for one in book.current())


# Requests


def test_requests_are_entered_imported_and_answered(tina: Visitor) -> None:
    page = tina.get("/requests")
    tina.send(page, "ask", "/do/ask", student="2001", week="week5", task="5.3", text="I think it is right")
    table = "Email;Student;Week;Task;Question\n;Cleo Groß;week5;;please look\n;Ana Silva;week5;style;why?\n"
    files = {"table": ("r.csv", table.encode())}
    for said in ("2 requests imported", "0 requests imported, 2 were there already"):
        sent = tina.client.post(
            "/do/import", data=page.form("import"), files=files, headers={"origin": "http://127.0.0.1:8000"}
        )
        assert said in Page(sent).words
    page = tina.get("/requests")
    assert "Requests 3" in page.words
    assert "I think it is right" in tina.get("/work/2/week5").words
    stale = page.form("answer-1")
    tina.post("/do/answer", stale | {"state": "kept", "text": "it is not: see line 3"})
    refused = tina.post("/do/answer", stale | {"state": "changed", "text": "oh"})
    assert (refused.status, "kept: it is not: see line 3" in refused.words) == (409, True)
    assert "Requests 2" in tina.get("/requests").words


# What lies in the desk_folder


def test_the_preview_is_to_the_letter_what_a_student_gets_by_any_way(desk_folder: Path) -> None:
    with opened(desk_folder) as (tina, _):
        tina.post("/do/points", task_53(tina.get(WORK)))
        line = tina.get(WORK).form("line-comment") | {"target": "lenet.py", "line": "11", "text": "see here"}
        tina.post("/do/comment", line)
        tina.post("/do/points", tina.get(WORK).form("whole-bonus") | {"points": "2", "why": "a fine idea"})
        for part, points in (("style", "7"), ("plots", "5")):
            tina.post("/do/points", tina.get(f"/manual/week5/{part}?student=1").form("rubric") | {"points": points})
        previews = {kind: tina.get(f"/report/1/week5/report.{kind}").text for kind in ("html", "md")}
    for kind, text in previews.items():
        written = (desk_folder / "students" / "s0" / "week5" / f"report.{kind}").read_text(encoding="utf-8")
        assert text == written
        assert all(words in text for words in ("nearly right", "see here", "a fine idea"))
    (parcel,) = [one for one in gather(desk_folder, "week5").ready if one.name == "Ana Silva"]
    assert parcel.page.decode() == previews["html"]


def test_reports_and_tables_are_written_at_the_end_and_static_pages_stay(desk_folder: Path) -> None:
    with opened(desk_folder) as (tina, _):
        tina.post("/do/points", task_53(tina.get(WORK)))
        for part, points in (("style", "7"), ("plots", "5")):
            tina.post("/do/points", tina.get(f"/manual/week5/{part}?student=1").form("rubric") | {"points": points})
    with (desk_folder / "grades.csv").open(encoding="utf-8") as file:
        assert {row["student"]: row["week5"] for row in csv.DictReader(file)}["Ana Silva"] == "17"
    assert "Task 5.3 set to 5" in (desk_folder / "students" / "s0" / "week5" / "report.md").read_text()
    assert (desk_folder / "index.html").is_file()
    with open_book(desk_folder) as book:
        assert book.stale() == []
