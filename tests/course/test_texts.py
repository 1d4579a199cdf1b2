"""A week's titles and hints are said in another language by a file beside its checks, wherever students read them."""

from __future__ import annotations

import json
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.texts import texts_in
from grader.cli.main import main
from grader.course import Course
from grader.exports.feedback.github import issue
from grader.exports.feedback.moodle import comment
from grader.kernel.session import run_checks
from grader.language import VARIABLE, speaking
from grader.language.catalogue import MESSAGE
from grader.language.texts import key_of, messages_of, readable_texts, texts_of
from grader.pytest_plugin.local import LocalStudents
from grader.reports.pages import live_html, report_html, report_markdown
from grader.results import Outcome, Report
from grader.watching.once import check_once
from grader.watching.page import Page
from tests.support import german, warm
from tests.support.courses import copied
from tests.support.makers import put
from tests.support.reports import check
from tests.support.runs import batch_unjudged, grades

ROOT = Path(__file__).parents[2]
BATCH = """msgid ""
msgstr "Language: de\\n"

msgid "Double"
msgstr "Das Doppelte"
"""


def test_a_student_reads_titles_and_hints_in_the_language_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(copied("one_check", tmp_path, {"assignments/week1/de.po": german.TITLES}))
    put(tmp_path / "work/work.py", b"def double(n):\n    return n + 1\n")
    for language, title, hint in (
        ("de", "Das Doppelte einer Zahl", "Sieh dir den Operator an."),
        ("en", "Twice a number", "Look at the operator."),
    ):
        monkeypatch.setenv(VARIABLE, language)
        (check,) = run_checks(course.assignment("week1"), LocalStudents(tmp_path / "work", 0))
        assert (check.title, check.hint) == (title, hint)


@pytest.fixture
def german_course(tmp_path: Path) -> Course:
    return german.course(tmp_path)


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_sentences_of_checks_are_said_on_the_terminal_also_where_workers_run_them(
    german_course: Course, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    command = [sys.executable, "-m", "pytest", "assignments/week1", "-p", "no:cacheprovider", *options]
    told = warm.run(command, cwd=german_course.root).stdout
    assert (
        german.OFF in told
        and "erwartet     das Doppelte von 21" in told
        and german.NOTHING in told
        and "= Ergebnis =" in told
    )
    assert "twice is asked for" not in told and "double of" not in told
    english = warm.run([*command, "--language", "en"], cwd=german_course.root).stdout
    assert "the number is off by 20: twice is asked for" in english and "daneben" not in english


def test_sentences_of_checks_are_said_in_all_that_a_report_becomes(german_course: Course) -> None:
    english = "the number is off by 20: twice is asked for\n  expected     the double of 21"
    lost = check("1.1", "Twice a number", Outcome.FAILED, 50, english)
    plain = Report("Ada", "week1", 0, "", "", "", (lost,), language="de")
    told = plain.said_in(texts_of(german_course.assignment("week1").folders, "de"))
    for made in (report_html(told), live_html(told), report_markdown(told), issue(told)):
        assert german.OFF in made and "Das Doppelte einer Zahl" in made and "twice is asked for" not in made
    assert german.OFF in comment(told)
    assert told.to_dict()["checks"][0]["message"] == english and "texts" not in told.to_dict()
    assert replace(told, texts={}) == told


def test_a_page_of_watch_and_processes_that_check_once_speak_as_the_student_asks(
    german_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = german_course.assignment("week1")
    monkeypatch.delenv(VARIABLE, raising=False)
    texts = readable_texts(week.folders, "de")
    with speaking("de", texts):
        first, _ = check_once(week, {"work.py": german.WRONG})
        page = Page("week1", texts=texts)
        page.show([first])
        with urllib.request.urlopen(page.address, timeout=10) as answer:
            assert german.OFF in answer.read().decode()
        page.close()
    assert first.title == "Das Doppelte einer Zahl"
    with speaking("en"):
        assert check_once(week, {"work.py": german.WRONG})[0].title == "Twice a number"


@pytest.mark.parametrize(("asked", "told"), [("de", german.OFF), ("en", "the number is off by 20: twice is asked for")])
@pytest.mark.parametrize("name", ["run", "submit-check"])
def test_commands_say_sentences_of_checks_in_the_language_asked_for(
    german_course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, asked: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(german_course.root)
    monkeypatch.setattr(f"grader.cli.student.{'run' if name == 'run' else 'submit'}.HAS_JUDGES", False)
    work = german.WRONG if name == "run" else b"def double(n):\n    raise ValueError('x')\n"
    put(german_course.root / "assignments/week1/work.py", work)
    main([name, "week1", "--language", asked])
    said = capsys.readouterr().out
    title = "Das Doppelte einer Zahl" if asked == "de" else "Twice a number"
    assert title in said and (name == "submit-check" or told.partition(":")[0] in said)


def test_a_translation_that_nobody_can_read_stops_no_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(copied("one_check", tmp_path))
    put(course.root / "assignments/week1/de.po", german.TITLES.replace("Zahl", "Größe").encode("latin-1"))
    put(tmp_path / "work/work.py", b"def double(n):\n    return n + 1\n")
    monkeypatch.setenv(VARIABLE, "de")
    (check,) = run_checks(course.assignment("week1"), LocalStudents(tmp_path / "work", 0))
    assert (check.title, check.points) == ("Twice a number", 0)


def test_reports_of_a_class_have_them_and_a_new_translation_grades_nobody_again(tmp_path: Path) -> None:
    root = copied("one_check", tmp_path)
    put(root / "submissions/Ada/week1/work.py", b"def double(n):\n    return 2 * n\n")
    (root / "course.toml").write_text('title = "Kurs"\nlanguage = "de"\n', encoding="utf-8")
    told = []
    for content in ("", BATCH, BATCH.replace("Das Doppelte", "Zweimal")):
        put(root / "assignments/week1/de.po", content.encode())
        status, said = batch_unjudged(root)
        assert status == 0 and ("1 unchanged since the last run" in said or not told)
        (report,) = (root / "reports").rglob("report.json")
        told.append(json.loads(report.read_text(encoding="utf-8"))["checks"][0]["title"])
        assert told[-1] in report.with_name("report.html").read_text(encoding="utf-8")
        assert list(grades(root).values()) == ["100"]
    assert told[1:] == ["Das Doppelte", "Zweimal"]


def test_week_5_is_all_german() -> None:
    assignment = Course(ROOT).assignment("week5")
    for folder in assignment.folders:
        known = texts_of([folder], "de")
        assert [text for text in texts_in(assignment, folder, ROOT, "de") if text not in known] == []
    messages = messages_of(texts_of([assignment.folder], "de"))
    assert len(messages) == sum(key.startswith(key_of("", MESSAGE)) for key in texts_of([assignment.folder], "de")) > 60
