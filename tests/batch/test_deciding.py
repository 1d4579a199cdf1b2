"""People decide by words or by a table: whom it reaches, what is refused, and that a table changes nothing twice."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.batch import pages
from grader.batch.deciding.desk import Change
from grader.batch.deciding.words import Meant, Scale, read_decision, written
from grader.cli.main import main
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.people.person import Person
from grader.results import CheckResult, Kind, Late, ManualPart, Outcome, Report, RubricItem
from grader.results.points import total
from tests.support.reports import full_report

TASKS = {"5.1": 4, "5.3": 6, "5.10": 10}
ITEMS = (RubricItem("names", "Clear names", 3, "x1 says *nothing*"), RubricItem("plots", "Labelled plots", 2))
STYLE = ManualPart("style", "Code quality", 5, ITEMS)
LOOK = ManualPart(
    "look", "The look of 5.11", 4, (RubricItem("axes", "No axes", -1), RubricItem("title", "No title", -2))
)
WEEK_POINTS = 20 + 9
PEOPLE = (
    ("Ana Silva", "00042", "ana@x.edu", "Team 1"),
    ("Ben Wu", "00043", "ben@x.edu", "Team 1"),
    ("=Cy", "1234567890123456", "", "Team 1"),
    ("Dora", "9", "dora@x.edu", ""),
    ("Emil", "", "emil@x.edu", ""),
    ("Émile Ek", "77", "", ""),
)


def report(student: str, digest: str = "a") -> Report:
    checks = tuple(
        CheckResult(f"t.py::{task}", task, f"Title {task}", False, 0, most, Outcome.FAILED, "wrong")
        for task, most in TASKS.items()
    )
    return Report(student, "week5", 0, "0.1.0", digest * 64, "b" * 64, checks)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Ana and Ben share their work, Cy of their group has other work, Dora's was damaged, Emil handed in nothing."""
    people = [
        Person(name, marks=[("id", id)] * bool(id) + [("email", email)] * bool(email), folder=name.strip("="),
               group=group, listed=True)
        for name, id, email, group in PEOPLE
    ]  # fmt: skip
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.save_people(people)
        book.record_weeks({"week5": [STYLE, LOOK], "week6": []})
        for name, digest in (("Ana Silva", "a"), ("Ben Wu", "a"), ("=Cy", "c"), ("Émile Ek", "d")):
            book.record(report(name, digest))
        book.record_problem("Dora", "week5", "week5.zip: damaged")
        book.record_late("Émile Ek", "week5", Late(1, 50))
    return tmp_path


def decide(out: Path, *words: str, why: str = "because") -> int:
    return main(["override", *words, "--why", why, "--who", "Tom", "--out", str(out)])


def scores(out: Path) -> dict[str, tuple[int | None, str]]:
    with Gradebook(out / "gradebook.sqlite") as book:
        return {one.student: (one.final, one.excused) for one in book.current()}


def row(out: Path, student: str) -> dict[str, str]:
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {one["student"]: one for one in csv.DictReader(file)}[student]


def page(out: Path, folder: str, name: str = "report.md") -> str:
    return (out / "students" / folder / "week5" / name).read_text(encoding="utf-8")


def test_points_for_a_week_that_could_not_be_graded_settle_it(out: Path) -> None:
    assert decide(out, "dora@x.edu", "week5", "week", "21", why="ran at my desk") == 0
    assert (row(out, "Dora")["week5"], row(out, "Dora")["week5 state"], row(out, "Dora")["total"]) == (
        "21", "graded", "21"
    )  # fmt: skip
    with Gradebook(out / "gradebook.sqlite") as book:
        assert book.problems() == []
    text = page(out, "Dora")
    assert "21 of 29 points" in text and "ran at my desk (Tom, 20" in text and "week5.zip: damaged" in text
    assert decide(out, "Dora", "week5", "week", "back") == 0
    assert (row(out, "Dora")["week5"], row(out, "Dora")["week5 state"]) == ("", "not gradable")
    assert not (out / "students" / "Dora").exists()


def test_what_could_not_be_graded_is_scored_task_by_task_and_final_when_all_are(out: Path) -> None:
    for task, points in {**TASKS, "style": 5, "look": 4}.items():
        assert row_or_empty(out, "Dora") == ""
        assert decide(out, "Dora", "week5", task, str(points)) == 0
    assert row(out, "Dora")["week5"] == str(WEEK_POINTS)
    assert row(out, "Dora")["week5 state"] == "graded"


def row_or_empty(out: Path, student: str) -> str:
    return row(out, student)["week5"] if (out / "grades.csv").exists() else ""


def test_an_excused_week_counts_nothing_and_says_so(out: Path) -> None:
    for student in ("Emil", "Dora", "Ana Silva"):
        assert decide(out, student, "week5", "week", "excused", why="ill") == 0
        found = row(out, student)
        assert (found["week5"], found["total"], found["week5 state"]) == ("", "", "excused")
    assert row(out, "Ben Wu")["week5 state"] == "provisional"  # an excuse is about a person, not about the work
    assert "**This week is excused.** It counts nothing, whatever the points: ill (Tom" in page(out, "Emil")
    with Gradebook(out / "gradebook.sqlite") as book:
        assert book.problems() == []
    assert decide(out, "Emil", "week5", "week", "back") == 0
    assert row(out, "Emil")["week5 state"] == "nothing handed in"


def test_a_manual_part_keeps_scores_provisional_until_it_is_graded_by_items_or_points(out: Path) -> None:
    assert decide(out, "=Cy", "week5", "Clear names", "5") == 2  # an item is no part
    assert decide(out, "=Cy", "week5", "STYLE", "names; plots", why="") == 0
    assert row(out, "'=Cy")["week5 state"] == "provisional"
    assert "A person has yet to grade: The look of 5.11." in page(out, "Cy")
    assert decide(out, "=Cy", "week5", "The look of 5.11", "title", why="") == 0
    assert row(out, "'=Cy")["week5"] == "7"  # 3 + 2, and 4 less 2
    text = page(out, "Cy")
    assert "Clear names: +3 – x1 says \\*nothing\\*" in text and "No title: -2" in text and "No axes" not in text
    assert "Code quality: 5" in text
    assert "x1 says" not in page(out, "Cy", "report.html").partition("What a person says")[0]
    assert decide(out, "=Cy", "week5", "look", "none", why="") == 0
    assert row(out, "'=Cy")["week5"] == "9"
    assert decide(out, "=Cy", "week5", "look", "3", why="") == 0
    assert row(out, "'=Cy")["week5"] == "8"


def test_bonus_penalty_and_waived_lateness_change_the_whole_week_within_its_points(out: Path) -> None:
    who = "émile ek"
    for task, points in (("5.10", "10"), ("style", "5"), ("look", "4")):
        assert decide(out, who, "week5", task, points) == 0
    seen = []
    for words in (
        ("lateness", "waived"), ("bonus", "5"), ("bonus", "29"), ("penalty", "29"), ("bonus", "back"),
        ("penalty", "4"), ("lateness", "back"), ("week", "17"), ("week", "back"),
    ):  # fmt: skip
        assert decide(out, who, "week5", *words) == 0
        seen.append(int(row(out, "Émile Ek")["week5"]))
    assert seen == [19, 24, 29, 0, 0, 15, 6, 17, 6]


def test_a_comment_changes_no_points_and_each_task_has_its_own(out: Path) -> None:
    assert decide(out, "Ana Silva", "week5", "5.3", "comment", why="read <b>the</b> docs") == 0
    assert decide(out, "Ana Silva", "week5", "week", "comment", why="well done") == 0
    text = page(out, "Ana Silva", "report.html")
    assert "read &lt;b&gt;the&lt;/b&gt; docs" in text and "well done" in text and "Tom, 20" in text
    assert decide(out, "Ana Silva", "week5", "5.3", "uncomment", why="x") == 0
    assert "docs" not in page(out, "Ana Silva") and "well done" in page(out, "Ana Silva")
    with Gradebook(out / "gradebook.sqlite") as book:
        assert all(not one.adjustments for one in book.current() if one.student == "Ana Silva")


def test_what_is_decided_for_one_reaches_all_who_share_the_work(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert decide(out, "Ana Silva", "week5", "5.3", "6") == 0
    assert capsys.readouterr().out == (
        "Ana Silva week5: 0 → 6 of 29, provisional\nBen Wu week5: 0 → 6 of 29, provisional\n"
    )
    assert decide(out, "team 1", "week5", "5.1", "4") == 0
    assert "=Cy week5: 0 → 4 of 29, provisional" in capsys.readouterr().out  # by the group's name, all of them
    assert decide(out, "00043", "week5", "5.10", "10", "--alone") == 0
    assert capsys.readouterr().out == "Ben Wu week5: 10 → 20 of 29, provisional\n"


def test_after_full_marks_by_hand_nothing_is_left_to_do(out: Path) -> None:
    for number, (task, points) in enumerate({**TASKS, "style": 5, "look": 4}.items(), 1):
        assert decide(out, "Ana Silva", "week5", task, str(points)) == 0
        todo = page(out, "Ana Silva").partition("## Score by task")[0]
        assert (f"Task {task}," in todo) is False
        assert ("Nothing. What checks took off, a person has given back." in todo) is (number >= len(TASKS))
    assert "Run again" not in page(out, "Ana Silva", "report.html")
    assert decide(out, "=Cy", "week5", "week", str(WEEK_POINTS)) == 0
    assert "Nothing. What checks" in page(out, "Cy")


def test_a_decision_is_in_the_gradebook_before_a_report_is_touched_and_the_next_command_catches_up(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decide(out, "Ana Silva", "week5", "5.3", "1") == 0
    before = page(out, "Ana Silva")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pages, "outdate", killed)
        assert decide(out, "Ana Silva", "week5", "5.3", "2") == 130
    assert page(out, "Ana Silva") == before
    with Gradebook(out / "gradebook.sqlite") as book:
        assert {one.score for one in book.current() if one.student == "Ana Silva"} == {2}
    assert decide(out, "Emil", "week5", "week", "1") == 0
    assert "set to 2 of 6" in page(out, "Ana Silva") and "set to 2 of 6" in page(out, "Ben Wu")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Ana Silva", "week5", "5.4", "1"), "no task '5.4'; its tasks: 5.1, 5.3, 5.10, style, look"),
        (("Ana Silva", "week5", "week", "30"), "at most two decimal places from 0 to 29"),
        (("Ana Silva", "week5", "week", "20/100"), "worth 29 points, not 100"),
        (("Ana Silva", "week5", "bonus", "excused"), "points for 'bonus': a number with at most two decimal places"),
        (("Ana Silva", "week5", "bonus", "-5"), "No such option"),
        (("Ana Silva", "week5", "bonus", "comment"), "a comment is on a task"),
        (("Ana Silva", "week5", "lateness", "3"), "lateness: `waived` or `back`"),
        (("Ana Silva", "week5", "5.3", "excused"), "at most two decimal places from 0 to 6"),
        (("Ana Silva", "week5", "style", "6"), "from 0 to 5, items of its rubric (names, plots)"),
        (("Ana Silva", "week5", "style", "names; axes"), "items of its rubric (names, plots)"),
        (("Ana Silva", "week6", "week", "5"), "nobody has a result of week6 yet"),
        (("Ana Silva", "week7", "week", "5"), "no result for 'week7'; there is: week5"),
        (("Team 2", "week5", "week", "5"), "no student 'Team 2'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    out: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (out / "gradebook.sqlite").read_bytes()
    assert decide(out, *words) == 2
    assert message in capsys.readouterr().err
    assert (out / "gradebook.sqlite").read_bytes() == before


def test_a_week_nobody_was_graded_in_takes_points_with_what_it_is_worth(out: Path) -> None:
    assert decide(out, "Emil", "week6", "week", "70/100") == 0
    assert (row(out, "Emil")["week6"], row(out, "Emil")["total"]) == ("70", "70")
    assert "70 of 100 points" in (out / "students" / "Emil" / "week6" / "report.md").read_text()


# Tables

KEYS = ("student", "id", "email", "week", "task", "points", "why", "who", "at")


def sheet(out: Path) -> list[dict[str, str]]:
    assert main(["adjustments", "sheet", str(out / "sheet.csv"), "--out", str(out)]) == 0
    with (out / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def apply(out: Path, rows: list[dict[str, str]], mangle: Callable[[str], bytes] = str.encode) -> int:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    (out / "in.csv").write_bytes(mangle(text.getvalue()))
    return main(["adjustments", "apply", str(out / "in.csv"), "--who", "Ute", "--out", str(out)])


def some_of_each(out: Path) -> None:
    for words in (
        ("Ana Silva", "week5", "5.10", "7"), ("=Cy", "week5", "style", "names"), ("Ben Wu", "week5", "bonus", "2"),
        ("Dora", "week5", "week", "20"), ("Emil", "week5", "week", "excused"), ("Emil", "week6", "week", "7/10"),
        ("Émile Ek", "week5", "lateness", "waived"), ("Émile Ek", "week5", "5.3", "comment"),
        ("Ben Wu", "week5", "penalty", "1", "--alone"), ("=Cy", "week5", "look", "3"),
    ):  # fmt: skip
        assert decide(out, *words, why="=SUM(A1)\nsecond line") == 0


def decisions(out: Path) -> list[tuple[object, ...]]:
    with Gradebook(out / "gradebook.sqlite") as book:
        return [(one.student, one.week, one.task, one.points, one.kind, one.why, one.who, one.at, one.items)
                for one in book.all_decisions()]  # fmt: skip


def divided_by(delimiter: str, text: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(csv.reader(io.StringIO(text)))
    return out.getvalue()


SPREADSHEETS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "with a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "with semicolons": lambda text: b"\xef\xbb\xbf" + divided_by(";", text).encode(),
    "with sep=": lambda text: b"\xef\xbb\xbfsep=,\r\n" + text.encode(),
    "with tabs in UTF-16": lambda text: divided_by("\t", text).encode("utf-16"),
    "with blank lines and columns": lambda text: text.replace("\r\n", ",,\r\n,,,\r\n\r\n").encode(),
}


@pytest.mark.parametrize("mangle", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_a_table_that_nobody_has_edited_changes_nothing_however_a_spreadsheet_saves_it(
    out: Path, mangle: Callable[[str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    some_of_each(out)
    before, rows = decisions(out), sheet(out)
    numbers = [{**row, "id": row["id"].lstrip("0").replace("1234567890123456", "1,23457E+15")} for row in rows]
    swapped = [{name: row[name] for name in reversed(KEYS)} for row in rows]
    capsys.readouterr()
    for table in (rows, numbers, swapped):
        assert apply(out, table, mangle) == 0, capsys.readouterr().err
        assert "students' weeks that changed: 0" in capsys.readouterr().out
    assert decisions(out) == before


def test_an_edited_table_is_applied_once_in_the_name_of_who_applies_it(out: Path) -> None:
    some_of_each(out)
    rows = sheet(out)
    waiting = [row for row in rows if not row["points"]]
    assert {(row["student"], row["task"]) for row in waiting} == {
        (name, part) for name in ("Ana Silva", "Ben Wu", "Émile Ek") for part in ("style", "look")
    }
    for row in rows:
        if row["task"] == "Task 5.10" and row["student"] == "Ana Silva":
            row["points"] = "9.0"
        if row["task"] == "style" and not row["points"]:
            row["points"] = "plots"
        if row["student"] == "Emil" and row["week"] == "week5":
            row["points"] = "back"
    assert apply(out, rows) == 0
    after = decisions(out)
    new = [(one[0], one[2], one[3], one[6]) for one in after if one[6] == "Ute"]
    assert sorted(map(str, new)) == sorted(
        str(one)
        for one in [
            ("Ana Silva", "5.10", 9, "Ute"), ("Ben Wu", "style", 2, "Ute"), ("Ana Silva", "style", 2, "Ute"),
            ("Émile Ek", "style", 2, "Ute"), ("Emil", "week", None, "Ute"),
        ]
    )  # fmt: skip
    kept = [row for row in rows if row["points"] != "back"]
    assert apply(out, kept) == 0
    assert decisions(out) == after


def test_a_new_line_of_a_table_reaches_the_team_unless_it_says_alone_or_they_have_their_own(out: Path) -> None:
    line = {"student": "Ana Silva", "week": "week5", "task": "5.3", "points": "6", "why": "fine", "alone": ""}
    assert apply(out, [line]) == 0
    assert {one[0] for one in decisions(out)} == {"Ana Silva", "Ben Wu"}
    assert apply(out, [{**line, "task": "Task 5.1", "points": "3", "alone": "yes"}]) == 0
    style = {**line, "task": "style", "points": "3"}
    assert apply(out, [style, {**style, "student": "Ben Wu", "points": "1"}]) == 0
    with Gradebook(out / "gradebook.sqlite") as book:
        held = {(one.student, one.task): one.points for own in book.decisions().values() for one in own}
    assert held == {
        ("Ana Silva", "5.3"): 6, ("Ben Wu", "5.3"): 6, ("Ana Silva", "5.1"): 3,
        ("Ana Silva", "style"): 3, ("Ben Wu", "style"): 1,
    }  # fmt: skip
    copy = out / "copy"
    with Gradebook(copy / "gradebook.sqlite") as book:
        book.save_people([replace_key(one) for one in people_of(out)])
        book.record_weeks({"week5": [STYLE, LOOK]})
        for name in ("Ana Silva", "Ben Wu"):
            book.record(report(name))
    rows = [row for row in sheet(out) if row["points"]]
    assert apply(copy, rows) == 0
    with Gradebook(copy / "gradebook.sqlite") as book:
        moved = [(one.student, one.task, one.points, one.who) for one in book.all_decisions()]
    with Gradebook(out / "gradebook.sqlite") as book:
        assert sorted(moved) == sorted((one.student, one.task, one.points, one.who) for one in book.all_decisions())


def people_of(out: Path) -> list[Person]:
    with Gradebook(out / "gradebook.sqlite") as book:
        return book.people()


def replace_key(person: Person) -> Person:
    return replace(person, key=0)


GOOD = {"student": "Dora", "id": "9", "email": "", "week": "week5", "task": "week", "points": "5", "why": "x", "at": ""}
WRONG = [
    ({"student": "Nobody", "id": ""}, "no student 'Nobody'"),
    ({"id": "8"}, "nobody has the id '8'"),
    ({"id": "42"}, "'Dora' is Dora, and another cell of the line means Ana Silva"),
    ({"student": "", "id": ""}, "names no student"),
    ({"week": "week9"}, "no result for 'week9'"),
    ({"week": ""}, "the cell under `week` is empty"),
    ({"task": "5.9"}, "no task '5.9'"),
    ({"task": "5.1"}, "write `Task 5.1` or `Task 5.10`"),
    ({"points": "99"}, "at most two decimal places from 0 to 29"),
    ({"points": "4,125"}, "not '4,125'"),
    ({"points": "=1+1"}, "not '=1+1'"),
    ({"points": ""}, "a reason without points"),
    ({"why": ""}, "give a reason"),
    ({"points": "6"}, "says otherwise"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_one_wrong_line_is_named_with_its_word_and_nothing_is_applied(
    out: Path, change: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = decisions(out)
    assert apply(out, [GOOD, {**GOOD, **change}]) == 2
    error = capsys.readouterr().err
    assert "in.csv:3: " in error and message in error and "nothing was applied" in error
    assert decisions(out) == before


def test_every_wrong_line_is_named_at_once(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply(out, [{**GOOD, **change} for change, _ in WRONG]) == 2
    error = capsys.readouterr().err
    assert [f":{line}:" in error for line in range(2, len(WRONG) + 1)] == [True] * (len(WRONG) - 1)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("student,week,task,point", "'points' may be meant"),
        ("week,task,points", "no column 'student'"),
        ("student,week,points,Points", "two columns are called 'Points'"),
        ("student,week,task", "no column 'points'"),
    ],
)
def test_a_table_without_its_columns_is_refused(
    out: Path, header: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "in.csv").write_text(f"{header}\n{','.join('abcd'[: header.count(',') + 1])}\n")
    assert main(["adjustments", "apply", str(out / "in.csv"), "--out", str(out)]) == 2
    assert message in capsys.readouterr().err


def test_a_line_of_an_old_table_does_not_undo_what_was_decided_since(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decide(out, "Dora", "week5", "week", "5") == 0
    rows = [{**row, "at": "2020-01-01T00:00:00Z"} for row in sheet(out) if row["student"] == "Dora"]
    with Gradebook(out / "gradebook.sqlite") as book, book.transaction() as database:
        database.execute("UPDATE overrides SET at = '2020-01-01T00:00:00Z'")
    assert decide(out, "Dora", "week5", "week", "9") == 0
    assert apply(out, rows) == 2
    assert "since then 9 holds" in capsys.readouterr().err
    assert apply(out, [{**row, "at": ""} for row in rows]) == 0
    assert scores(out)["Dora"] == (5, "")


def test_the_log_tells_all_that_was_ever_decided(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adjustments", "--out", str(out)]) == 0
    assert capsys.readouterr().out == "nobody has decided anything\n"
    some_of_each(out)
    assert decide(out, "Ana Silva", "week5", "5.10", "back", why="mended") == 0
    capsys.readouterr()
    assert main(["adjustments", "log", "--out", str(out)]) == 0
    log = capsys.readouterr().out.splitlines()
    assert len(log) == len(decisions(out))
    assert log[0].endswith("Tom: Ana Silva week5 5.10 7: =SUM(A1) second line [no longer holds]")
    assert log[-1].endswith("Tom: Ben Wu week5 5.10 taken back: mended")
    assert main(["adjustments", "--out", str(out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(log) - 4


def test_people_give_hundredths_and_no_file_shows_more(out: Path) -> None:
    given = [("5.1", "2.5"), ("5.3", "0,1"), ("5.10", "0.2"), ("style", "0.1"), ("look", "axes"), ("bonus", "0.25")]
    for task, points in given:
        assert decide(out, "Émile Ek", "week5", task, points) == 0
    assert decide(out, "Dora", "week5", "week", "7.50") == 0
    # 2.5 + 0.1 + 0.2 + 0.1 + 3 are 5.9, of which half is lost as far as whole points go, and 0.25 are added
    assert scores(out)["Émile Ek"] == (4.15, "") and scores(out)["Dora"] == (7.5, "")
    assert row(out, "Émile Ek")["week5"] == "4.15" and row(out, "Dora")["week5"] == "7.5"
    for file in [*out.glob("students/*/week5/report.*"), out / "grades.csv", out / "index.html"]:
        assert not re.search(r"\.\d*(0000|9999)\d", file.read_text("utf-8")), file
    sheet = out / "decisions.csv"
    assert main(["adjustments", "sheet", str(sheet), "--out", str(out)]) == 0
    assert sheet.read_text("utf-8-sig").count(",0.1,") == 2
    before = decisions(out)
    assert main(["adjustments", "apply", str(sheet), "--out", str(out)]) == 0
    sheet.write_text(sheet.read_text("utf-8-sig").replace("0.25", '"0,250"'), "utf-8")
    assert main(["adjustments", "apply", str(sheet), "--out", str(out)]) == 0
    assert decisions(out) == before


def test_halves_are_written_by_each_platforms_rules(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert decide(out, "Dora", "week5", "week", "28.5") == 0
    canvas, moodle, scores50 = out / "canvas.csv", out / "moodle.csv", out / "scores.json"
    canvas.write_text("Student,ID,Section,Week 5 (1)\n    Points Possible,,,29\nDora,9,A,\n", "utf-8")
    moodle.write_text("Identifier,Full name,Grade,Maximum Grade\nParticipant 1,Dora,,29.00\n", "utf-8")
    for file in (canvas, moodle):
        words = [
            "export",
            str(out),
            "--to",
            file.stem,
            "--template",
            str(file),
            "--week",
            "week5",
            "--write",
            str(file),
        ]
        assert main(words) == 0
        assert ",28.5" in file.read_text("utf-8")
    with Gradebook(out / "gradebook.sqlite") as book:
        (dora,) = [one for one in book.people() if one.name == "Dora"]
        dora.marks.append(("login", "dora"))
        book.save_people([dora])
    capsys.readouterr()
    assert main(["export", str(out), "--to", "classroom50", "--classroom", "dl", "--write", str(scores50)]) == 0
    assert "rounded to whole points: Dora: 28.5 of 29 → 29 of 29" in capsys.readouterr().out
    assert '"score": 29,' in scores50.read_text("utf-8")


def test_a_large_class_s_page_says_what_it_lacks_until_it_is_written(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = out / "index.html"
    assert decide(out, "Ana Silva", "week5", "5.1", "1") == 0  # a small class's page is written at once
    assert main(["adjustments", "pages", "--out", str(out)]) == 0
    assert "shows all that was decided" in capsys.readouterr().out
    assert 'id="outdated" role="status" hidden' in page.read_text("utf-8")
    monkeypatch.setattr(pages, "LARGE", 1)
    before, table = page.read_text("utf-8"), (out / "grades.csv").read_text("utf-8")
    for student, points in (("Émile Ek", "12.5"), ("Ana Silva", "7"), ("Dora", "3")):
        assert decide(out, student, "week5", "week", points) == 0
        assert "class page of so large a class does after `adjustments pages`" in capsys.readouterr().out
        assert row(out, student)["week5"] == points
    said = page.read_text("utf-8")
    assert "what was decided since, last about Dora." in said and 'id="outdated" role="status">' in said
    assert said[said.index("<main>") :] == before[before.index("<main>") :]
    kept = {line for line in table.splitlines() if line.startswith(("Emil", "'=Cy"))}
    assert kept < set((out / "grades.csv").read_text("utf-8").splitlines())
    patched = (out / "grades.csv").read_text("utf-8")
    assert main(["adjustments", "pages", "--out", str(out)]) == 0
    assert "12.5" in page.read_text("utf-8") and "last about" not in page.read_text("utf-8")
    assert (out / "grades.csv").read_text("utf-8") == patched
    # Where grades.csv has no column for the week, all of it is written.
    assert decide(out, "Emil", "week6", "week", "5/10") == 0
    assert row(out, "Emil")["week6"] == "5" and "last about" not in page.read_text("utf-8")


SCALE = Scale("week5", TASKS, {"style": STYLE, "look": LOOK}, WEEK_POINTS)
MEANT = st.one_of(
    st.sampled_from([*TASKS, "week", "bonus", "penalty", "style", "look", "lateness"]).map(
        lambda task: Meant(task, None, Kind.WAIVED if task == "lateness" else Kind.POINTS)
    ),
    st.builds(
        Meant,
        st.sampled_from([*TASKS, "week", "bonus", "penalty", "style", "look"]),
        st.integers(0, 400).map(lambda hundredths: total([hundredths / 100])),
    ),
    st.sampled_from([Meant("week", 0, Kind.EXCUSED), Meant("lateness", 0, Kind.WAIVED)]),
    st.builds(Meant, st.sampled_from([*TASKS, "week", "style"]), st.sampled_from([0, None]), st.just(Kind.COMMENT)),
    st.sampled_from([(STYLE, ITEMS[:1]), (STYLE, ITEMS), (LOOK, LOOK.items[1:])]).map(
        lambda pair: Meant(pair[0].name, pair[0].points_for(pair[1]), items=pair[1])
    ),
)


@given(MEANT)
def test_every_decision_is_written_so_that_it_is_read_again(meant: Meant) -> None:
    assert read_decision(SCALE, meant.task, written(meant.points, meant.kind, meant.items, meant.most)) == meant


@given(st.sampled_from([*TASKS, "Task 5.1", "style", "week", "lateness", "5", "", "bonus"]), st.text(max_size=12))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_words_are_a_decision_within_the_points_or_refused(task: str, words: str) -> None:
    try:
        meant = read_decision(SCALE, task, words)
    except UsageError:
        return
    most = {**TASKS, "style": 5, "look": 4}.get(meant.task, WEEK_POINTS)
    assert meant.points is None or 0 <= meant.points <= most


def test_a_decision_that_leaves_the_score_says_so() -> None:
    report = full_report("Ana")
    assert str(Change("Ana", "week5", report, report)).endswith("; the score stays as it was")
    assert "stays" not in str(Change("Ana", "week5", None, report))
