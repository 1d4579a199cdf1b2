"""Exports are accepted by the readers of other systems, and hold the points of the report."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from grader.cli.main import main
from grader.errors import UsageError
from grader.exports import classroom50, github, gradescope, junit, table
from grader.exports.worksheets import canvas, moodle
from grader.gradebook import Gradebook
from grader.intake import worksheet
from grader.people.person import Person
from grader.results import CheckResult, Late, Outcome, Override, Report, adjust
from tests.exports.schemas import CLASSROOM50, GRADESCOPE, REPORTER, validate

EVIL = '=HYPERLINK("x") <script>alert(1)</script> \x1b[31m [a](javascript:b) \u202e ]]> &\x00'
HOST = {"CLASSROOM": "dl", "ASSIGNMENT": "week5", "SUBMISSION_TAG": "submit/1", "OWNER": "ana", "COMMIT_URL": "c"}
WHEN = datetime(2026, 10, 5, 23, 59, tzinfo=timezone(timedelta(hours=2)))


def check(number: int, task: str, points: int, most: int, outcome: Outcome, **more: Any) -> CheckResult:
    return CheckResult(f"test_week5.py::c{number}", task, f"check {number}", False, points, most, outcome, **more)


def report(student: str = "ana", **changes: Any) -> Report:
    checks = (
        check(1, "5.1", 4, 4, Outcome.PASSED, seconds=0.25),
        check(2, "5.1", 0, 4, Outcome.FAILED, message=EVIL, hint="look"),
        check(3, "5.1", 0, 2, Outcome.TODO),
        check(4, "5.10", 0, 5, Outcome.ERROR, message=EVIL),
        replace(check(5, "5.10", 5, 5, Outcome.PASSED), hidden=True),
        check(6, "5.11", 0, 80, Outcome.SKIPPED, message="needs task 5.1"),
    )
    return replace(Report(student, "week5", 0, "0.1.0", "a" * 64, "b" * 64, checks, (EVIL,)), **changes)


def adjusted() -> Report:
    override = Override("ana", "week5", "5.11", 80, "spoken to", "tom", "2026-10-05T10:00:00Z")
    return adjust(report(), [override], Late(1, 10))


# Classroom 50


@pytest.mark.parametrize("made", [report(), adjusted()])
def test_classroom50_gets_what_its_schema_asks_for(made: Report) -> None:
    result = classroom50.result(made, HOST, WHEN, datetime(2026, 11, 1, tzinfo=UTC))
    validate(result, CLASSROOM50)
    assert all(line["score"] <= line["max-score"] for line in (result, *result["tests"]))
    assert (result["score"], result["max-score"]) == (made.score, 100)
    assert result["datetime"] == "2026-10-05T21:59:00Z"
    assert result["review"] == "c"
    assert sum(test["score"] for test in result["tests"]) == made.raw_score


@pytest.mark.parametrize("kind", ["individual", "group", "team"])
@pytest.mark.parametrize(
    ("number", "read"), [("583231", 583231), ("", None), ("x", None), ("٣", None), (" 7 ", 7)], ids=repr
)
def test_classroom50_learns_who_pushed_for_whom(kind: str, number: str, read: int | None) -> None:
    told = {**HOST, "ASSIGNMENT_TYPE": kind, "OWNER": "group-3", "GITHUB_ACTOR": "mona", "GITHUB_ACTOR_ID": number}
    result = classroom50.result(report(), told, WHEN, WHEN)
    validate(result, CLASSROOM50)
    assert (result["assignment_type"], result["owner"]) == (kind, "group-3")
    assert result["submitted_by"] == {"username": "mona", "id": read}
    assert "submitted_by" not in classroom50.result(report(), {**told, "GITHUB_ACTOR": ""}, WHEN, WHEN)


def test_classroom50_outputs_are_lines_with_a_status() -> None:
    assert classroom50.outputs(report()) == {"status": "failure", "summary": "week5: 9 of 100 points"}
    full = report(checks=(check(1, "5.1", 4, 4, Outcome.PASSED),))
    assert classroom50.outputs(full)["status"] == "success"
    broken = report(checks=(check(1, "5.1", 0, 4, Outcome.BROKEN),))
    assert classroom50.outputs(broken)["status"] == "error"


def test_outside_of_classroom50_one_line_names_what_is_missing() -> None:
    with pytest.raises(UsageError, match="ASSIGNMENT, SUBMISSION_TAG not set"):
        classroom50.result(report(), {"CLASSROOM": "dl"}, WHEN, WHEN)


# GitHub Classroom's reporter


def decoded(variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {name: json.loads(base64.b64decode(text)) for name, text in variables.items()}


def test_the_reporters_table_and_notice_agree_with_the_report() -> None:
    found = decoded(github.variables(report()))
    assert list(found) == [
        "WEEK5TASK1WORTH4_RESULTS", "WEEK5TASK1WORTH2_RESULTS", "WEEK5TASK10_RESULTS", "WEEK5TASK11_RESULTS",
    ]  # fmt: skip
    runners = found.values()
    table_points = 0.0
    for runner in runners:
        passed = sum(test["status"] == "pass" for test in runner["tests"])
        table_points += passed / len(runner["tests"]) * runner["max_score"]
    notice_points = sum(test["score"] for runner in runners for test in runner["tests"])
    assert table_points == notice_points == report().score
    assert sum(runner["max_score"] for runner in runners) == report().max_score


def test_the_reporter_finds_every_field_in_every_test() -> None:
    for runner in github.runners(report()).values():
        assert runner["status"] in ("pass", "fail", "error") and runner["version"] == 1
        for test in runner["tests"]:
            assert set(test) == {
                "name", "status", "score", "message", "test_code", "filename", "line_no", "duration",
            }  # fmt: skip
            assert type(test["score"]) is int and type(test["line_no"]) is int
    assert github.runners(report())["Week5Task10"]["status"] == "error"
    assert "look" in github.runners(report())["Week5Task1Worth4"]["tests"][1]["test_code"]


def test_no_variable_is_too_long_for_an_environment() -> None:
    long = tuple(check(n, "5.1", 0, 1, Outcome.ERROR, message="\N{GRINNING FACE}" * 5000) for n in range(60))
    for text in github.variables(report(checks=long)).values():
        assert len(text) <= github.LARGEST
        assert len(json.loads(base64.b64decode(text))["tests"]) == 60


# Gradescope


@pytest.mark.parametrize("made", [report(), adjusted()])
def test_gradescope_shows_the_reports_total(made: Report) -> None:
    found = gradescope.results(made)
    known = {
        "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
        "stdout_visibility", "extra_data", "tests", "leaderboard",
    }  # fmt: skip
    assert set(found) == known
    assert found["score"] == made.score and type(found["score"]) is int
    for test in found["tests"]:
        assert test["status"] in ("passed", "failed") and test["visibility"] == "visible"
        assert 0 <= test["score"] <= test["max_score"]
    assert "\x1b" not in json.dumps(found) and "\\u001b" not in json.dumps(found)


def test_gradescope_students_read_nothing_of_how_a_hidden_check_broke() -> None:
    broken = replace(check(1, "5.1", 0, 4, Outcome.BROKEN, message="KeyError: 'secret'"), hidden=True)
    assert "secret" not in json.dumps(gradescope.results(report(checks=(broken,))))
    assert "provisional" in gradescope.results(report(checks=(broken,)))["output"]


def test_gradescope_students_read_no_time_of_a_hidden_check() -> None:
    """Their code chose it, and has seen the check's inputs."""
    public, hidden = (
        check(1, "5.1", 4, 4, Outcome.PASSED, seconds=3.0),
        check(2, "5.1", 4, 4, Outcome.PASSED, seconds=41.0),
    )
    made = report(checks=(public, replace(hidden, hidden=True)))
    assert gradescope.results(made)["execution_time"] == 3


# JUnit, CSV, JSON


def test_junit_is_xml_with_the_counts_of_its_cases() -> None:
    root = ElementTree.fromstring(junit.document([report(), report("ben")]).encode())
    assert [suite.get("name") for suite in root] == ["ana week5", "ben week5"]
    suite = root[0]
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests", "")) == 6
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert sum(case.find(kind) is not None for case in cases) == int(suite.get(attribute, ""))
    assert "<script>" in (cases[1].find("failure").text or "")  # type: ignore[union-attr]
    assert suite.find("properties/property[@name='score']").get("value") == "9"  # type: ignore[union-attr]


def test_a_spreadsheet_reads_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(table.checks_csv([replace(adjusted(), student="=cmd()")]))))
    assert {row["student"] for row in rows} == {"'=cmd()"}
    assert sum(int(row["points"]) for row in rows) == adjusted().score
    assert [row["outcome"] for row in rows[-2:]] == ["override", "late"]


def test_json_holds_reports_as_they_are() -> None:
    assert [Report.from_dict(data) for data in json.loads(table.everything_json([adjusted()]))] == [adjusted()]


# Canvas and Moodle

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Week 4 (11),Week 5 (12),Week 50 (13)\r\n"
    "    Points Possible,,,,,100,100,100\r\n"
    '"Müller, Anna",101,s1,anna,A,1,2,3\r\n'
    '"Lee, Kim",102,s2,kim1,A,,,\r\n'
    '"Lee, Kim",103,s3,kim2,B,,,\r\n'
    '"Excused, Eva",104,s4,eva,B,,EX,\r\n'
    '"=Evil, Bob",105,s5,bob,B,,,\r\n'
    '"Student, Test",106,,test,B,,,\r\n'
)


def write(folder: Path, text: str) -> Path:
    file = folder / "export.csv"
    file.write_bytes(text.encode())
    return file


def test_canvas_changes_one_column_and_nothing_else(tmp_path: Path) -> None:
    scores = {"Anna Müller": 87, "kim2": 70, "Kim Lee": 5, "105": 60, "Eva Excused": 9, "nobody": 1, "test": None}
    filled = canvas.filled(write(tmp_path, CANVAS), "week5", scores, 100, None)
    was = list(csv.reader(io.StringIO(CANVAS)))
    now = list(csv.reader(io.StringIO(filled.text)))
    assert [row[6] for row in now] == ["Week 5 (12)", "100", "87", "", "70", "EX", "60", ""]
    assert [row[:6] + row[7:] for row in now] == [row[:6] + row[7:] for row in was]
    assert filled.text.startswith("\ufeff") and filled.text.count("\r\n") == CANVAS.count("\r\n")
    assert filled.count == 3
    assert filled.left_out == [
        "Kim Lee: 2 people in export.csv are called that; enter this grade by hand",
        "Eva Excused: excused there",
        "nobody: nobody in export.csv is called that",
        "test: not graded for good yet",
    ]


def test_two_students_for_one_row_are_both_left_out(tmp_path: Path) -> None:
    filled = canvas.filled(write(tmp_path, CANVAS), "week5", {"Anna Müller": 87, "anna": 12}, 100, None)
    assert filled.count == 0 and len(filled.left_out) == 2
    assert filled.text == CANVAS


def lee(number: int, *marks: tuple[str, str]) -> Person:
    return Person(f"Kim Lee ({number})", "Kim Lee", number, marks=[("name", "Kim Lee"), *marks])


KIMS = [lee(1, ("canvas", "103")), lee(2, ("login", "KIM1")), lee(3, ("email", "k@x.edu"))]


def test_two_of_one_name_get_their_own_grades_or_none(tmp_path: Path) -> None:
    people = {person.name: person for person in KIMS}
    scores = {name: 10 * place for place, name in enumerate(people, 1)}
    filled = canvas.filled(write(tmp_path, CANVAS), "week5", dict(scores), 100, None, people)
    now = list(csv.reader(io.StringIO(filled.text)))
    assert [(row[1], row[6]) for row in now if row[0] == "Lee, Kim"] == [("102", "20"), ("103", "10")]
    assert [line.partition(":")[0] for line in filled.left_out] == ["Kim Lee (3)"]
    assert "others are called that, too" in filled.left_out[0]


def test_a_row_with_another_address_is_somebody_elses(tmp_path: Path) -> None:
    person = Person("Anna Müller", marks=[("email", "anna.m@y.edu")])
    filled = moodle.filled(write(tmp_path, MOODLE), {"Anna Müller": 87}, 100, None, {person.name: person})
    assert (filled.count, len(filled.left_out)) == (0, 1)
    person.learn([("email", "ANNA@x.edu")])
    assert moodle.filled(write(tmp_path, MOODLE), {"Anna Müller": 87}, 100, None, {person.name: person}).count == 1


def test_tables_say_who_it_is(tmp_path: Path) -> None:
    people = {"ana": Person("ana", marks=[("id", "=7"), ("email", "a@x"), ("login", "hub")], section="B")}
    rows = list(csv.DictReader(io.StringIO(table.checks_csv([adjusted()], people))))
    assert {(row["id"], row["email"]) for row in rows} == {("'=7", "a@x")}
    (data,) = json.loads(table.everything_json([report()], people))
    assert data["person"] == {"id": "=7", "email": "a@x", "login": "hub", "section": "B"}


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a,b\n1,2\n", None, "not a Canvas gradebook export"),
        (CANVAS.replace("Week 5 (12)", "Lab (12)"), None, "no assignment 'week5'; choose one with --column: Week 4"),
        (CANVAS, "Lab", "no assignment 'Lab'"),
        (CANVAS.replace("100,100,100", "100,10,100"), None, "is out of 10 points, the week out of 100"),
        (CANVAS.replace("101,s1,", "101,"), None, "row 3 has 7 cells, the header 8"),
        ("Student,ID\n", None, "holds no table"),
    ],
)
def test_a_canvas_file_that_does_not_fit_is_one_clear_error(
    tmp_path: Path, text: str, column: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        canvas.filled(write(tmp_path, text), "week5", {}, 100, column)


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 7,Anna Müller,anna@x.edu,Submitted,,100.00,Yes,"Monday, 5 October 2026, 1:00 PM",-,\n'
    "Participant 8,Bob Stone,bob@x.edu,Submitted,,100.00,Yes,-,-,\n"
)


@pytest.mark.parametrize("student", ["Anna Müller", "anna@x.edu", "7", "Participant 7", "MÜLLER Anna"])
def test_moodle_finds_a_student_by_name_number_or_address(tmp_path: Path, student: str) -> None:
    filled = moodle.filled(write(tmp_path, MOODLE), {student: 87}, 100, None)
    assert (filled.count, filled.left_out) == (1, [])
    rows = list(csv.DictReader(io.StringIO(filled.text)))
    assert [row["Grade"] for row in rows] == ["87", ""]
    assert rows[0]["Last modified (submission)"] == "Monday, 5 October 2026, 1:00 PM"


def test_a_translated_worksheet_is_filled_where_the_column_is_found_or_named(tmp_path: Path) -> None:
    text = MOODLE.replace("Participant", "Teilnehmer/in").replace(",Grade,Maximum Grade", ",Bewertung,Bestwertung")
    assert moodle.filled(write(tmp_path, text), {"Bob Stone": 5}, 100, None).count == 1
    file = write(tmp_path, text.replace("100.00", ""))
    with pytest.raises(UsageError, match=r"no column 'Grade'.*Bewertung"):
        moodle.filled(file, {"Bob Stone": 5}, 100, None)
    assert moodle.filled(file, {"Bob Stone": 5}, 100, "Bewertung").count == 1


def test_a_worksheet_out_of_other_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"maximum grade is 10\.00, the week's 100"):
        moodle.filled(write(tmp_path, MOODLE.replace("100.00", "10.00")), {}, 100, None)
    with pytest.raises(UsageError, match="not a Moodle grading worksheet"):
        moodle.filled(write(tmp_path, CANVAS), {}, 100, None)


@pytest.mark.parametrize(
    ("raw", "message"),
    [(b"\xff\xfe,a\n1,2\n", "neither UTF-8, UTF-16"), (b'a,b\n"1,2\n', r"x.csv:2: not a row of a table")],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, raw: bytes, message: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(raw)
    with pytest.raises(UsageError, match=message):
        worksheet.read(file)
    with pytest.raises(UsageError, match="cannot be read"):
        worksheet.read(tmp_path / "absent.csv")


# The command


@pytest.fixture
def exported_reports(tmp_path: Path) -> Path:
    with Gradebook(tmp_path / "reports" / "gradebook.sqlite") as book:
        book.record(report("Anna Müller"))
        book.record(report("../evil"))
        book.record_late("Anna Müller", "week5", Late(1, 50))
    return tmp_path / "reports"


@pytest.mark.parametrize("form", ["csv", "json", "junit"])
def test_export_writes_one_file(exported_reports: Path, tmp_path: Path, form: str) -> None:
    assert main(["export", str(exported_reports), "--to", form, "--write", str(tmp_path / "made" / "x")]) == 0
    assert "Anna Müller" in (tmp_path / "made" / "x").read_text()


@pytest.mark.parametrize(
    ("form", "name", "schema"),
    [
        ("gradescope", "results.json", GRADESCOPE),
        ("github", "runners.json", {"type": "object", "additionalProperties": REPORTER, "minProperties": 3}),
    ],
)
def test_export_writes_a_file_for_each_student(
    exported_reports: Path, tmp_path: Path, form: str, name: str, schema: dict[str, Any]
) -> None:
    assert (
        main(["export", str(exported_reports), "--to", form, "--classroom", "dl", "--write", str(tmp_path / "made")])
        == 0
    )
    files = sorted((tmp_path / "made").rglob("*.json"))
    assert [file.name for file in files] == [name, name] and len({file.parents[1] for file in files}) == 2
    assert not list(tmp_path.glob("evil"))
    for file in files:
        validate(json.loads(file.read_text()), schema)


def test_export_fills_the_grade_after_lateness(
    exported_reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = write(tmp_path, CANVAS)
    words = [
        "export",
        str(exported_reports),
        "--to",
        "canvas",
        "--template",
        str(template),
        "--write",
        str(tmp_path / "filled.csv"),
    ]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "0 grades filled in, 2 left out" in told
    assert "left out: Anna Müller: has a grade there, 2, and not 5; --overwrite replaces it" in told
    assert (tmp_path / "filled.csv").read_text("utf-8") == CANVAS.replace("\r\n", "\n")
    assert main([*words, "--overwrite"]) == 0
    told = capsys.readouterr().out
    assert "1 grades filled in, 1 of them in place of others, 1 left out" in told
    assert "replaced: Anna Müller: 2 → 5" in told
    assert '"Müller, Anna",101,s1,anna,A,1,5,3' in (tmp_path / "filled.csv").read_text()


def test_export_says_what_it_needs(exported_reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "x")
    assert main(["export", str(exported_reports), "--to", "canvas", "--write", target]) == 2
    assert "--template: give the file that you downloaded from Canvas" in capsys.readouterr().err
    assert main(["export", str(exported_reports), "--to", "csv", "--week", "week9", "--write", target]) == 2
    assert "there are no results of week9" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
