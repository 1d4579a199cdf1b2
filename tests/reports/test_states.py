"""What became of a week is told apart in every outlet: a table of states, and of what each outlet makes of them."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.batch.pages import write_class, write_missing_reports
from grader.cli.main import main
from grader.gradebook import Gradebook, Problem
from grader.people.person import Person
from grader.reports import terminal
from grader.reports.figures import class_rows, week_figures
from grader.reports.pages import report_html, report_markdown
from grader.results import CheckResult, Kind, ManualPart, Outcome, Override, Report
from tests.support.reports import Page


@dataclass(frozen=True)
class Said:
    """What outlets make of one state; None where there is nothing of the student."""

    grade: str  # in grades.csv
    state: str
    page: str  # the cell on the class page
    report: str | None  # how the report's heading ends
    counts: bool  # whether figures count the score
    canvas: str  # the cell
    moodle: str
    why: str = ""  # why an export leaves it out
    feedback: str = ""  # why there is no feedback


_NOT, _DAMAGED = "nothing handed in", "not gradable: damaged"
# Passing week 5's check is worth 60 points, and a part that people grade 40.
STATES = {
    "Gil": Said("60", "graded", "60", "60 of 100 points", True, "60", "60"),
    "Zoe": Said("0", "graded", "0", "0 of 100 points", True, "0", "0"),
    "Ona": Said("77", "graded", "77", "77 of 100 points", True, "77", "77"),
    "Pia": Said("", "provisional", "60 not final?", "60 of 100 points", False, "", "", "not graded for good yet"),
    "Eve": Said("", "excused", "excused", "excused", False, "EX", "", "excused"),
    "Bea": Said("", "excused", "excused", "excused", False, "EX", "", "excused"),
    "Nan": Said("", "nothing handed in", "missing", None, False, "", "", _NOT, "handed in nothing for week5"),
    "Noe": Said("0", "nothing handed in", "0 missing", "0 of 100 points", False, "0", "0"),
    "Dan": Said("", "not gradable", "not graded", None, False, "", "", _DAMAGED, _DAMAGED),
}  # fmt: skip
HEAD, MOODLE = (
    "Student,ID,SIS Login ID,Section,Week 5 (4711)\n",
    "Identifier,Full name,Email address,Grade,Maximum Grade",
)


@pytest.fixture
def states_folder(tmp_path: Path) -> Path:
    """A class with a student in each state; Bea is excused and handed in nothing, Eve did well."""
    with Gradebook(tmp_path / "gradebook.sqlite", copies=False) as book:
        book.save_people([
            Person(name, folder=name, listed=True, marks=[("id", str(place)), ("email", f"{name}@x.edu")])
            for place, name in enumerate(STATES)
        ])  # fmt: skip
        book.record_weeks({"week5": [ManualPart("style", "Code style", 40)]})
        for name in ("Gil", "Zoe", "Ona", "Pia", "Eve"):
            points = 60 * (name != "Zoe")
            outcome = Outcome.PASSED if points else Outcome.FAILED
            check = CheckResult("t::x", "5.1", "a filter", False, points, 60, outcome)
            book.record(Report(name, "week5", 1, "grader", name, "week 5", (check,)))
            if name not in ("Pia", "Eve"):
                book.override(decision(name, "style", 0))
        book.override(decision("Ona", "week", 77))
        for name in ("Eve", "Bea"):
            book.override(decision(name, "week", 0, Kind.EXCUSED))
        book.record_problem("Dan", "week5", "damaged")
        book.record_zeros([("Noe", "week5")])
        write_class(book, tmp_path)
        write_missing_reports(book, tmp_path, list(STATES))
    return tmp_path


def decision(student: str, task: str, points: int, kind: Kind = Kind.POINTS) -> Override:
    return Override(student, "week5", task, points, "as discussed", "Tea", "2100-01-01T00:00:00Z", kind)


def contents(folder: Path) -> tuple[dict[str, Report], list[Problem], list[Person]]:
    with Gradebook(folder / "gradebook.sqlite", copies=False) as book:
        return {report.student: report for report in book.current()}, book.problems(), book.people()


def exported(folder: Path, form: str, *options: str) -> tuple[Path, dict[str, str]]:
    """Export; return the file, and why each student was left out."""
    said, target = io.StringIO(), folder / f"out-{form}"
    with redirect_stdout(said):
        assert main(["export", str(folder), "--to", form, "--week", "week5", "--write", str(target), *options]) == 0
    lines = [line.removeprefix("left out: ") for line in said.getvalue().splitlines() if line.startswith("left out")]
    return target, dict(line.split(": ", 1) for line in lines)


def test_grades_csv(states_folder: Path) -> None:
    with (states_folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: (row["week5"], row["week5 state"]) for row in csv.DictReader(file)}
    assert rows == {name: (said.grade, said.state) for name, said in STATES.items()}


def test_the_class_page(states_folder: Path) -> None:
    page = (states_folder / "index.html").read_text("utf-8").partition('<table id="students"')[2]
    for name, said in STATES.items():
        row = page.partition(f">{name}</a>")[2].partition("</tr>")[0]
        cell = row.partition('data-label="Week 5"')[2].partition("</td>")[0]
        assert f'data-state="{said.state}"' in cell, name
        assert Page(f"<td{cell}").text == said.page, name


def test_the_students_report(states_folder: Path) -> None:
    reports, _, _ = contents(states_folder)
    assert {name for name, said in STATES.items() if said.report} == set(reports)
    for name, report in reports.items():
        heading = Page(report_html(report)).text.partition("Week 5: ")[2].partition("What to do next")[0]
        markdown = report_markdown(report).partition("\n")[0]
        assert markdown == f"# Week 5: {STATES[name].report}"
        said = str(STATES[name].report)
        assert said in heading and ("This score is provisional" in heading) == (name == "Pia"), name
        assert ("This week is excused" in heading) == (said == "excused")
        if said == "excused":
            assert "points" not in heading.replace("whatever the points", "") and "Score: 60" not in report_markdown(
                report
            )


def test_the_end_of_a_run(states_folder: Path) -> None:
    reports, problems, people = contents(states_folder)
    console = terminal.plain_console(file := io.StringIO(), 120)
    terminal.print_class(list(reports.values()), problems, console, people)
    head, week, *_ = file.getvalue().splitlines()
    assert head.split() == (
        ["Week", "graded", "provisional", "excused", "not", "graded", "missing", "mean", "median", "lowest", "highest"]
    )
    assert week.split() == ["week5", "3", "1", "2", "1", "2", "45.7", "60.0", "0", "77"]
    assert terminal.trouble_lines(list(reports.values()), problems) == ["not graded: Dan week5: damaged"]
    assert terminal.waiting_lines(list(reports.values())) == [
        "provisional until a person grades it: week5 Code style: 1 student"
    ]


def test_figures_count_no_excused_work_and_nothing_that_was_not_handed_in(states_folder: Path) -> None:
    reports, problems, people = contents(states_folder)
    figures = week_figures(class_rows(reports.values(), problems, people), "week5")
    assert sorted(map(str, figures.scores)) == sorted(said.grade for said in STATES.values() if said.counts)
    handed_in = {row.student for row in class_rows(reports.values(), problems, people) if row.handed_in("week5")}
    assert handed_in == {"Gil", "Zoe", "Ona", "Pia", "Eve", "Dan"}  # Bea's excuse is no work
    (task,) = figures.tasks
    assert (task.done, task.students) == (3, 4)  # Gil, Ona and Pia of those with Zoe


@pytest.fixture
def templates(states_folder: Path) -> tuple[Path, Path]:
    canvas, moodle = states_folder / "canvas.csv", states_folder / "moodle.csv"
    canvas.write_text(HEAD + "".join(f"{name},{place},,A,\n" for place, name in enumerate(STATES)), "utf-8")
    lines = [f"Participant {place},{name},{name}@x.edu,,100.00\n" for place, name in enumerate(STATES)]
    moodle.write_text(f"{MOODLE}\n{''.join(lines)}", "utf-8")
    return canvas, moodle


def test_the_worksheets(states_folder: Path, templates: tuple[Path, Path]) -> None:
    for form, template, column in zip(("canvas", "moodle"), templates, (4, 3), strict=True):
        target, left_out = exported(states_folder, form, "--template", str(template))
        cells = {row[form == "moodle"]: row[column] for row in csv.reader(target.read_text("utf-8").splitlines()[1:])}
        assert cells == {name: getattr(said, form) for name, said in STATES.items()}
        expected = {name: said.why for name, said in STATES.items() if not getattr(said, form)}
        assert {name: why.partition(";")[0] for name, why in left_out.items()} == expected, form


def test_what_hosts_of_checks_get(states_folder: Path) -> None:
    for form in ("gradescope", "github"):
        target, left_out = exported(states_folder, form)
        assert left_out == {"Bea": "excused", "Eve": "excused"}
        assert {path.name for path in target.iterdir()} == {"Gil", "Zoe", "Ona", "Pia", "Noe"}
    results = json.loads((states_folder / "out-gradescope" / "Pia" / "week5" / "results.json").read_text())
    assert "This score is provisional" in results["output"]
    junit = exported(states_folder, "junit")[0].read_text("utf-8")
    assert [junit.count(f'name="state" value="{state}"') for state in ("excused", "provisional")] == [2, 1]


def test_the_table_of_checks(states_folder: Path) -> None:
    with exported(states_folder, "csv")[0].open(encoding="utf-8", newline="") as file:
        states = {row["student"]: row["outcome"] for row in csv.DictReader(file) if row["task"] == "week"}
    assert states == {"Ona": "override", "Pia": "provisional", "Eve": "excused", "Bea": "excused", "Noe": "missing"}


def test_feedback(states_folder: Path) -> None:
    _, left_out = exported(states_folder, "feedback", "--as", "mail")
    assert left_out == {name: said.feedback or said.why for name, said in STATES.items() if said.feedback or said.why}


def test_classroom_50(states_folder: Path) -> None:
    with Gradebook(states_folder / "gradebook.sqlite", copies=False) as book:
        people = book.people()
        for person in people:
            person.marks.append(("login", person.name.lower()))
        book.save_people(people)
    target, left_out = exported(states_folder, "classroom50", "--classroom", "dl")
    entries = json.loads(target.read_text())["assignments"]["week5"]["entries"]
    scores = {entry["owner"]: str(entry["submissions"][0]["score"]) for entry in entries}
    assert scores == {name.lower(): said.moodle for name, said in STATES.items() if said.moodle}
    assert left_out == {name: said.why for name, said in STATES.items() if said.why}


def test_people(states_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "forget", "Eve", "--force", "--out", str(states_folder)]) == 0
    assert "forgot Eve: week5, excused" in capsys.readouterr().out
