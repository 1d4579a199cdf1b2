"""The class at a glance: figures that add up, a table that sorts and filters, final numbers in grades.csv."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from grader.course.protected import CHANGED
from grader.gradebook import Problem
from grader.people.person import Person
from grader.pytest_plugin.verdict import exception_end
from grader.reports.class_page import class_page_html, flags, write_class_page
from grader.reports.drawing import columns
from grader.reports.failures import HiddenFinding, commonest_failures, hidden_findings, slowest_checks
from grader.reports.figures import Row, class_rows, class_weeks, week_figures, write_grades
from grader.reports.pages import report_html
from grader.results import Outcome, Report
from tests.support.reports import Page, check, full_report, sample_report, source_of

UNREAD = Problem("petra", "week5", "week5.zip: not a zip file")
UNKNOWN = Problem("quentin", None, "holds no week's modules <b>")


def half_report(student: str, week: str = "week5") -> Report:
    """The first task passed, the second wrong: 60 of 100."""
    first, second = full_report().checks
    lost = replace(second, points=0, outcome=Outcome.FAILED)
    return replace(full_report(student, week), checks=(first, lost))


CLASS = [
    full_report("ana"),
    half_report("ana", "week10"),
    half_report("ben"),
    replace(sample_report("zoë"), week="week5"),
]


HOUSED = [Person(name, folder=f"{name} #1") for name in ("ana", "ben", "petra", "zoë", "zoë.müller")]


def dashboard(reports: list[Report], problems: list[Problem] | None = None) -> str:
    return class_page_html(reports, problems or [], HOUSED)


def grades(
    folder: Path, reports: list[Report], problems: list[Problem] | None = None, people: list[Person] | None = None
) -> list[dict[str, str]]:
    path = folder / "grades.csv"
    write_grades(reports, problems or [], path, people or [])
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_grades_have_a_column_a_week_and_a_total(tmp_path: Path) -> None:
    rows = grades(tmp_path, CLASS, [UNREAD, UNKNOWN])
    assert [{name: row[name] for name in ("student", "week5", "week10", "total")} for row in rows] == [
        {"student": "ana", "week5": "100", "week10": "60", "total": "160"},
        {"student": "ben", "week5": "60", "week10": "", "total": "60"},
        {"student": "petra", "week5": "", "week10": "", "total": ""},
        {"student": "quentin", "week5": "", "week10": "", "total": ""},
        {"student": "zoë", "week5": "", "week10": "", "total": ""},  # provisional
    ]
    who = ["student", "id", "email", "section", "group"]
    assert list(rows[0]) == [*who, "week5", "week10", "total", "week5 state", "week10 state"]


def test_a_problem_since_the_last_attempt_empties_the_cell_and_the_total(tmp_path: Path) -> None:
    (row,) = grades(tmp_path, CLASS[:2], [Problem("ana", "week5", "no sandbox")])
    assert (row["week5"], row["week10"], row["total"]) == ("", "60", "")
    assert (row["week5 state"], row["week10 state"]) == ("not gradable", "graded")


def test_grades_are_utf_8_without_a_byte_order_mark(tmp_path: Path) -> None:
    grades(tmp_path, [full_report("ana")])
    head = b"student,id,email,section,group,week5,total,week5 state\n"
    assert (tmp_path / "grades.csv").read_bytes() == head + b"ana,,,,,100,100,graded\n"
    grades(tmp_path, [full_report("zoë")])
    assert (tmp_path / "grades.csv").read_bytes() == head + b"zo\xc3\xab,,,,,100,100,graded\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_names_in_grades_start_no_formula(tmp_path: Path, name: str) -> None:
    (row,) = grades(tmp_path, [full_report(name)])
    assert row["student"].startswith("'")


def test_figures_count_final_scores_and_leave_out_what_was_our_fault() -> None:
    rows = class_rows(CLASS, [])
    assert class_weeks(rows) == ["week5", "week10"]
    figures = week_figures(rows, "week5")
    assert (figures.scores, figures.mean, figures.median, figures.max_score) == ((60, 100), 80.0, 80.0, 100)
    by_task = {task.task: task for task in figures.tasks}
    assert (by_task["5.1"].done, by_task["5.1"].students, by_task["5.1"].share) == (3, 3, 1.0)
    assert (by_task["5.2"].done, by_task["5.2"].students, by_task["5.2"].share) == (1, 3, 0.5)
    assert list(by_task) == [f"5.{n}" for n in range(1, 11)]


def test_a_week_without_final_scores_has_no_mean() -> None:
    figures = week_figures(class_rows([sample_report()], []), "week5")
    assert (figures.mean, figures.median, sum(figures.bins())) == (None, None, 0)


@pytest.mark.parametrize(
    ("score", "label"), [(0, "0 to 9 %"), (9, "0 to 9 %"), (10, "10 to 19 %"), (100, "90 to 100 %")]
)
def test_every_score_falls_into_its_tenth(score: int, label: str) -> None:
    won, lost = check("5.1", "won", Outcome.PASSED, score), check("5.1", "lost", Outcome.TODO, 100 - score)
    report = replace(full_report(), checks=(won, lost))
    figures = week_figures(class_rows([report], []), "week5")
    assert [(column.label, column.height) for column in columns(figures) if column.count] == [(label, 100.0)]


def test_flags_say_what_stands_out() -> None:
    (row,) = class_rows([sample_report()], [replace(UNREAD, student="zoë.müller", week="week4")])
    assert flags(row) == [
        "Week 4 not graded",
        "Week 5: provisional",
        "Week 5: timeout",
        "Week 5: out of memory",
        "Week 5: killed",
    ]
    untouched = (check("5.1", "a", Outcome.TODO, 9), check("5.2", "b", Outcome.SKIPPED, 1))
    skeleton = replace(full_report(), checks=untouched)
    assert flags(Row("ana", {"week5": skeleton}, ())) == ["Week 5: not started"]
    twice = replace(full_report(), checks=(check("5.1", "a", Outcome.TIMEOUT, 9),) * 2)
    assert flags(Row("ana", {"week5": twice}, ())) == ["Week 5: timeout ×2"]


def test_the_page_links_to_every_report_by_its_folder(tmp_path: Path) -> None:
    write_class_page(CLASS, [UNREAD], tmp_path, HOUSED)
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    paths = [link.partition("#")[0] for link in links if not link.startswith("#")]
    assert {unquote(path) for path in paths} == {
        f"students/{report.student} #1/{report.week}/report.html" for report in CLASS
    }
    assert not [path for path in paths if " " in path]


def test_links_within_the_page_lead_somewhere() -> None:
    page = Page(dashboard(CLASS, [UNREAD, UNKNOWN]))
    places = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    inside = [link[1:] for link in links if link.startswith("#") and "=" not in link]
    assert inside and set(inside) <= places


def test_teachers_pages_are_linked_where_they_exist_beside_it(tmp_path: Path) -> None:
    wrong = replace(check("5.1", "adds up", Outcome.FAILED, 9, "the sum: wrong"), hidden=True)
    reports = [replace(full_report(name), checks=(wrong,)) for name in ("ana", "ben")]
    for path in ("teacher/ana #1/week5.html", "teacher/index.html"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("a page")
    write_class_page(reports, [], tmp_path, HOUSED)
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    assert {link for link in links if link.startswith("teacher/")} == {
        "teacher/ana%20%231/week5.html", "teacher/index.html",
    }  # fmt: skip
    assert "teacher/" not in dashboard(reports)


def test_who_lacks_modules_is_flagged_and_named() -> None:
    described = {
        "outcome": "error", "type": "MissingModule", "frames": [],
        "message": "lenet.py is missing from the submission, which has main.py",
    }  # fmt: skip
    end = exception_end(described)
    lost = check("5.1", "size", end.outcome, 9, f"{end.summary}: {end.says}\n  called with  x")
    lacks = replace(full_report("ana"), checks=(lost, *full_report().checks))
    assert flags(Row("ana", {"week5": lacks}, ())) == ["Week 5: lacks lenet.py"]
    assert "ana (Week 5): lacks lenet.py" in Page(dashboard([lacks, full_report("ben")])).text


def test_what_is_not_final_is_named_once_for_all_it_concerns() -> None:
    other = sample_report("yves")
    text = Page(dashboard([*CLASS, other], [UNREAD, UNKNOWN])).text
    look = text.partition("Needs a look")[2].partition("graded mean")[0]
    assert "yves, zoë (Week 5): provisional, test_hidden.py::test_figures_of_a_single_entry" in look
    assert "KeyError: 'axes'" in look
    assert "petra (Week 5): not graded, week5.zip: not a zip file" in look
    assert "quentin: not graded, holds no week's modules <b>" in look
    assert "Needs a look" not in Page(dashboard([full_report()])).text


def test_the_policy_allows_its_own_script_and_style_alone() -> None:
    page = Page(dashboard(CLASS, [UNKNOWN]))
    policy = page.policy()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == source_of(page.raw["script"])
    assert policy["style-src"] == source_of(page.raw["style"])
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name == "style"]
    assert "b" not in {tag for tag, _ in page.tags}


def test_the_same_class_gives_the_same_bytes_in_any_order() -> None:
    assert dashboard(CLASS, [UNREAD, UNKNOWN]) == dashboard(CLASS[::-1], [UNKNOWN, UNREAD])


def test_an_empty_class_is_said_to_be_empty() -> None:
    assert "Nothing is graded yet." in Page(dashboard([])).text


def test_the_commonest_failures_are_grouped_with_who_they_concern() -> None:
    flipped = "the filtered images: wrong values; a flipped kernel\n  got          tensor"
    wrong = check("5.1", "slides", Outcome.FAILED, 9, flipped)
    other = check("5.1", "slides", Outcome.FAILED, 9, flipped.replace("flipped kernel", "stride of 2"))
    todo, passed = check("5.2", "pools", Outcome.TODO, 9), replace(wrong, outcome=Outcome.PASSED)
    reports = [
        replace(full_report(name), checks=(one, todo))
        for name, one in (
            ("zoë", wrong),
            ("ana", wrong),
            ("ben", other),
            ("cy", passed),
        )
    ]
    first, second = commonest_failures(reports)
    assert (first.reason, first.students) == ("the filtered images: wrong values; a flipped kernel", ("ana", "zoë"))
    assert first.points == 18
    assert (second.reason, second.students) == ("the filtered images: wrong values; a stride of 2", ("ben",))
    assert commonest_failures(reports, most=1) == [first]
    text = Page(dashboard(reports)).text
    assert "5.1 the filtered images: wrong values; a flipped kernel 18 points lostana, zoë" in text


def test_the_page_alone_shows_all_that_a_hidden_check_says() -> None:
    message = "the sum: wrong values\n  called with  x=tensor 7×3\n  got          <b>41</b>"
    wrong = replace(check("5.1", "adds up", Outcome.FAILED, 9, message), hidden=True)
    broken, passed = replace(wrong, outcome=Outcome.BROKEN, message="a bug"), replace(wrong, outcome=Outcome.PASSED)
    public = check("5.2", "seen by all", Outcome.FAILED, 9, "public words\n  got          12")
    ends = {"zoë": wrong, "ana": wrong, "ben": broken, "cy": passed}
    reports = [replace(full_report(name), checks=(end, public)) for name, end in ends.items()]
    (finding,) = hidden_findings(reports)
    assert finding == HiddenFinding("5.1", "adds up", ((message, ("ana", "zoë")), ("a bug", ("ben",))))
    page = dashboard(reports)
    assert "5.1 adds up" in Page(page).text
    assert "x=tensor 7×3" in page
    assert "&lt;b&gt;41&lt;/b&gt;" in page
    assert "got          12" not in page
    assert "7×3" not in report_html(reports[0])  # the student's own


@pytest.mark.parametrize(
    ("outcome", "message", "reason"),
    [
        (Outcome.FAILED, "train: the loss: wrong value; expected 2.5, got 7.25", "train: the loss: wrong value"),
        (
            Outcome.FAILED,
            "train: the loss: wrong value; it is a sum\n  got  7.25",
            "train: the loss: wrong value; it is a sum",
        ),
        (Outcome.ERROR, "your code raised KeyError: 'ana' (lenet.py:3), in f(7)", "your code raised KeyError"),
    ],
)
def test_a_reason_holds_no_value_of_a_student(outcome: Outcome, message: str, reason: str) -> None:
    (failure,) = commonest_failures([replace(full_report(), checks=(check("5.1", "a", outcome, 9, message),))])
    assert failure.reason == reason


def test_the_slowest_checks_come_first_by_their_mean() -> None:
    quick, slow = check("5.1", "a", Outcome.PASSED, 1), check("5.2", "b", Outcome.PASSED, 1)
    reports = [
        replace(full_report(name), checks=(replace(quick, seconds=0.5), replace(slow, seconds=seconds)))
        for name, seconds in (("ana", 2.0), ("ben", 4.0))
    ]
    assert [(one.task, one.seconds) for one in slowest_checks(reports)] == [("5.2", 3.0), ("5.1", 0.5)]


def test_who_handed_in_nothing_is_named_and_has_a_row(tmp_path: Path) -> None:
    roster = [
        Person(name, section=section, listed=True) for name, section in (("ana", "A"), ("nina", "B"), ("ben", ""))
    ]
    page = Page(class_page_html(CLASS, [], roster))
    assert "Nothing handed in 1: nina" in page.text
    assert "ninaSection Bmissingmissing–nothing handed in" in page.text
    write_grades(CLASS, [], tmp_path / "grades.csv", roster)
    assert "nina,,,B,,,,,nothing handed in,nothing handed in\n" in (tmp_path / "grades.csv").read_text()
    assert "Not on the roster 1: zoë" in page.text


def test_each_week_has_a_state_that_tells_nothing_from_zero(tmp_path: Path) -> None:
    zero = replace(full_report("nil"), checks=(check("5.1", "a", Outcome.FAILED, 9),))
    listed = [Person("nina", listed=True, marks=[("id", "=7"), ("email", "n@x")], section="B", group="G")]
    rows = {row["student"]: row for row in grades(tmp_path, [*CLASS, zero], [UNREAD, UNKNOWN], listed)}
    assert {name: (row["week5"], row["week5 state"]) for name, row in rows.items()} == {
        "ana": ("100", "graded"),
        "ben": ("60", "graded"),
        "nil": ("0", "graded"),
        "nina": ("", "nothing handed in"),
        "petra": ("", "not gradable"),
        "quentin": ("", "not gradable"),
        "zoë": ("", "provisional"),
    }
    assert [rows["nina"][column] for column in ("id", "email", "section", "group")] == ["'=7", "n@x", "B", "G"]


def test_who_may_have_handed_in_is_not_called_missing() -> None:
    entry = Person("Ana Silva", key=1, marks=[("name", "Ana Silva")], handed=frozenset({"week5"}))
    lines = [
        Person(f"Ana Silva ({n})", "Ana Silva", 1 + n, listed=True, marks=[("id", str(n)), ("name", "Ana Silva")])
        for n in (1, 2)
    ]
    page = Page(class_page_html([full_report("Ana Silva")], [], [entry, *lines]))
    assert "Nothing handed in" not in page.text
    assert (
        "Not clear who Ana Silva may be Ana Silva (1) or Ana Silva (2) Say who it is: python -m grader people merge"
        in page.text
    )
    assert "Not on the roster" not in page.text and "2 students in" in page.text


def test_who_is_gone_is_named_alone() -> None:
    gone = Person("old", key=1, gone=frozenset({"week5"}))
    page = Page(class_page_html(CLASS, [], [gone]))
    assert "No longer in the class folder 1, left out of all figures: old" in page.text


def test_edited_protected_files_are_a_flag() -> None:
    edited = replace(full_report(), notes=(f"{CHANGED} (assignments/week5/test_week5.py): ours were used",))
    assert flags(Row("ana", {"week5": edited}, ())) == ["Week 5: edited protected files"]


TABLE = """
    const shown = '#students tbody tr:not([hidden]) > th';
    const names = () => [...page.querySelectorAll(shown)].map((cell) => cell.textContent);
    const heads = [...page.querySelectorAll('#students thead button')];
"""


@pytest.fixture
def browse(asked_of: Callable[..., Any]) -> Callable[[str], object]:
    page = dashboard(CLASS, [UNREAD, UNKNOWN])
    return lambda script: asked_of(page, TABLE + script, 390)


def test_columns_sort_both_ways_with_the_ungraded_last(browse: Callable[[str], object]) -> None:
    presses = "[1, 1, 3, 0, 0].map((i) => { heads[i].click(); return names(); })"
    assert browse(f"return {presses}") == [
        ["zoë", "ben", "ana", "petra", "quentin"],  # week 5: 9, 60, 100
        ["ana", "ben", "zoë", "petra", "quentin"],
        ["ben", "ana", "petra", "quentin", "zoë"],  # total: 60, 160
        ["ana", "ben", "petra", "quentin", "zoë"],
        ["zoë", "quentin", "petra", "ben", "ana"],
    ]


def test_the_sorted_column_is_announced(browse: Callable[[str], object]) -> None:
    states = "heads.map((head) => head.closest('th').getAttribute('aria-sort'))"
    assert browse(f"heads[1].click(); heads[2].click(); heads[2].click(); return {states}") == [
        None,
        None,
        "descending",
        None,
        None,
    ]


def test_the_filter_keeps_rows_that_hold_every_word(browse: Callable[[str], object]) -> None:
    script = """
        const filter = page.querySelector('#filter'), count = page.querySelector('#count');
        const visible = filter.getBoundingClientRect().height > 0;
        const found = ['GRADED', 'graded pet', 'nobody', ''].map((words) => {
            filter.value = words;
            filter.dispatchEvent(new Event('input'));
            return [names(), count.textContent];
        });
        return [visible, found];
    """
    everyone = ["ana", "ben", "petra", "quentin", "zoë"]
    assert browse(script) == [
        True,
        [
            [["petra", "quentin"], "2 of 5 students"],
            [["petra"], "1 of 5 students"],
            [[], "0 of 5 students"],
            [everyone, ""],
        ],
    ]


def test_what_is_shown_is_saved_in_its_order(asked_of: Callable[..., Any]) -> None:
    reports = [replace(report, student=name) for report, name in zip(CLASS, ("=1+1", '"q', "-2", "x"), strict=True)]
    script = """
        let saved;
        page.defaultView.Blob = class { constructor(parts) { saved = parts.join(''); } };
        page.defaultView.URL.createObjectURL = () => '#';
        const filter = page.querySelector('#filter');
        filter.value = '';
        filter.dispatchEvent(new Event('input'));
        heads[0].click(); heads[0].click();
        page.querySelector('#save').click();
        return saved;
    """
    saved = asked_of(dashboard(reports), TABLE + script, 1200)
    rows = list(csv.reader(saved.removeprefix("\ufeff").splitlines()))
    who, weeks = ["Student", "Id", "E-mail", "Section", "Group"], ["Week 5", "Week 10"]
    assert rows[0] == [*who, *weeks, "Total", "Week 5 state", "Week 10 state", "Flags"]
    assert {(row[0], *row[5:10]) for row in rows[1:]} == {
        ("'=1+1", "100", "", "100", "graded", "nothing handed in"),
        ('"q', "", "60", "60", "nothing handed in", "graded"),
        ("'-2", "60", "", "60", "graded", "nothing handed in"),
        ("x", "9", "", "", "provisional", "nothing handed in"),
    }
    assert saved.endswith("\r\n")


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_but_the_table_scrolls_sideways(width: int, asked_of: Callable[..., Any]) -> None:
    page = dashboard([full_report("x" * 200), sample_report("several names " * 20)], [UNREAD])
    script = (
        "const wide = [...page.body.querySelectorAll('*')].filter((e) => !e.closest('.scroll, .unseen, svg')"
        " && e.getBoundingClientRect().right > page.documentElement.clientWidth + 1);"
        "return [page.documentElement.scrollWidth, wide.map((e) => e.outerHTML.slice(0, 80))];"
    )
    scrolled, wide = asked_of(page, script, width)
    assert (scrolled <= width, wide) == (True, [])
