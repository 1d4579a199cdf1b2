"""A course in German: reports speak German to students; grades, gradebook and report.json do not change."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from grader.cli.main import main
from grader.exports import gradescope
from grader.exports.feedback.moodle import comment
from grader.kernel import shown
from grader.language import VARIABLE, chosen, retold, speaking, spoken, tr
from grader.reports.pages import report_html, report_markdown
from grader.reports.terminal import desk_lines, summary_lines, trouble_lines
from grader.results import Adjustment, CheckResult, Delivery, Outcome, Report
from tests.support.courses import copied
from tests.support.makers import put
from tests.support.runs import batch_unjudged, grades

HOW = {
    Outcome.PASSED: "",
    Outcome.FAILED: "double: wrong value; expected 4, got 6\n"
    "  called as    double(2)\n  expected     4\n  got          6",
    Outcome.TODO: "TODO 1.3: Größe",
    Outcome.ERROR: "your code raised ZeroDivisionError: 1 // 0 (work.py:2), in double(2)\n"
    "  work.py:2 in double\n      1 // 0",
    Outcome.TIMEOUT: "timeout after 1 s: an endless loop, or far too slow (work.py:1), in double(2)",
    Outcome.MEMORY: "killed: memory limit 4 GiB",
    Outcome.KILLED: "killed by SIGSEGV",
    Outcome.SKIPPED: "needs task 1.3, which is still to do",
    Outcome.INVALID: "what came back is not of a type that can be judged: the result is of type set, not plain data "
    "(a number, string, list, tuple, dict, array or tensor)",
    Outcome.BROKEN: "the check itself crashed: KeyError: 'x' (test_week1.py:9)",
}
CHECKS = tuple(
    CheckResult(f"t::{how}{hidden}", f"1.{number}", "Größe", hidden, 5 * (how == "passed"), 5, how, text, "Schau!")
    for number, (how, text) in enumerate(HOW.items(), 1)
    for hidden in (False, True)
)
NOTES = ("notebook a.ipynb converted: 2 definitions; left out: 1 plot", "a.zip left out: its name is too long")
GERMAN = Report(
    "Ada", "week1", 3, "1.0.0+abc", "f00", "ba5", CHECKS, NOTES, (Adjustment("Late by 2 days", -3, "costs 10 %"),),
    delivery=Delivery(("work.py",), 2, "1. Mai", "", "3 days more", "", ()), language="de", contact="hilfe@uni.example",
)  # fmt: skip
ENGLISH = re.compile(
    r"\b(?:the|is|are|has|of|and|not|your?|which|with|from|this|that|what|points?|task|check|checks|passes|"
    r"expected|got|wrong|raised|after|hidden|next|every|mend|seed|grader|late|day|days)\b",
    re.IGNORECASE,
)


def words(page: str) -> list[str]:
    """What of a page is English, but for its style, its markup and what is code."""
    text = re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]*>", " ", page, flags=re.DOTALL)
    return ENGLISH.findall(re.sub(r"pytest assignments/\S+ --task|KeyError|[\w.]+\.(?:py|zip|ipynb)", " ", text))


@pytest.mark.parametrize("show", [report_html, report_markdown, comment])
def test_no_english_word_is_in_what_a_student_reads(show: object) -> None:
    assert callable(show)
    assert words(show(GERMAN)) == []
    assert len(words(show(Report.from_dict({**GERMAN.to_dict(), "language": "en"})))) > 20


def test_the_score_table_and_a_hosts_page_are_german() -> None:
    with speaking("de"):
        assert words("\n".join(summary_lines(CHECKS, "pytest assignments/week1"))) == []
        result = gradescope.results(GERMAN)
    for text in (result["output"], *(test["output"] for test in result["tests"])):
        assert words(text) == []


def test_a_report_says_whom_to_tell_and_keeps_its_texts_in_english() -> None:
    assert "Melde es an hilfe" in report_markdown(GERMAN)
    assert "hilfe@uni.example" in report_html(GERMAN)
    assert GERMAN.to_dict()["checks"][2]["message"].startswith("double: wrong value")
    assert Report.from_dict(json.loads(GERMAN.to_json())) == GERMAN


def test_whoever_is_told_of_a_broken_check_is_told_whom_to_tell() -> None:
    broken = [check for check in CHECKS if check.is_broken and not check.hidden]
    assert "A check of ours broke: tell ta@uni.example." in desk_lines(
        broken, "pytest", 80, False, contact="ta@uni.example"
    )
    assert "ta@uni.example" in shown.checks(broken, "ta@uni.example").html
    assert trouble_lines([GERMAN], [])[-1] == "whom to tell of broken checks: hilfe@uni.example"
    assert not any("tell" in line for line in desk_lines(CHECKS[:4], "pytest", 80, False, contact="ta@uni.example"))
    assert "ta@uni.example: no memory" in gradescope.failed("no memory", "ta@uni.example")["output"]
    assert "your instructor: no memory" in gradescope.failed("no memory")["output"]


def test_a_course_in_german_has_the_same_grades_and_a_change_grades_nobody_again(tmp_path: Path) -> None:
    course = copied("one_check", tmp_path)
    put(course / "submissions/Ada/week1/lenet.py", b"def double(n):\n    return 2 * n\n")
    settings = course / "course.toml"
    told = {}
    for language in ("en", "de", "en"):
        settings.write_text(f'title = "Kurs"\nlanguage = "{language}"\ncontact = "ta@uni.example"\n', encoding="utf-8")
        status, said = batch_unjudged(course)
        assert status == 0, said
        assert "1 unchanged since the last run" in said or not told
        (report,) = (course / "reports").rglob("report.html")
        page = report.read_text(encoding="utf-8")
        assert f'<html lang="{language}">' in page and "ta@uni.example" in page
        told[language] = report.with_name("report.json").read_text(encoding="utf-8").replace('"language": "de",', "")
        assert list(grades(course).values()) == ["100"]
    assert json.loads(told["en"]) == json.loads(told["de"])


def test_what_a_student_asks_for_goes_before_the_environment_and_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (chosen(None), chosen(None, "de"), chosen("en", "de")) == ("en", "de", "en")
    for locale in ("de", "de_AT.UTF-8", "DE-ch"):
        monkeypatch.setenv(VARIABLE, locale)
        assert (chosen(None), chosen("en")) == ("de", "en")
    monkeypatch.setenv(VARIABLE, "fr_FR")
    assert chosen(None, "de") == "de"


def test_a_language_is_spoken_within_its_block_alone() -> None:
    with speaking("de"):
        assert (spoken(), tr("Task {task}", task="1.1")) == ("de", "Aufgabe 1.1")
    assert (spoken(), tr("Task {task}", task="1.1")) == ("en", "Task 1.1")


def test_students_commands_speak_the_courses_language_or_the_one_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    course = copied("one_check", tmp_path)
    (course / "course.toml").write_text('title = "Kurs"\nlanguage = "de"\n', encoding="utf-8")
    monkeypatch.chdir(course)
    assert main(["progress"]) == 0
    assert "week1: noch kein Lauf" in capsys.readouterr().out
    assert main(["progress", "--language", "en"]) == 0
    assert "week1: no run yet" in capsys.readouterr().out
    assert main(["progress", "--language", "xx"]) == 2
    assert spoken() == "en"


def test_measures_have_a_decimal_comma_in_german_and_values_stay_as_python_writes_them() -> None:
    message = "the accuracy on test digits is too low\n  expected     at least 50.0 %\n  got          12.25 %"
    with speaking("de"):
        assert "50,0 %" in retold(message) and "12,25 %" in retold(message)
        assert "1,5 s" in retold("timeout after 1.5 s: an endless loop, or far too slow")
        for value in ("[0.5, 1.2]", "0.3333333", "f(0.5)", "5.3 stays", "3.11.7 s"):
            line = f"  got          {value}"
            assert value in retold(f"mean: wrong value\n{line}")
    assert retold(message) == message
