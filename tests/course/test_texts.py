"""A week's titles and hints are said in another language by a file beside its checks, wherever students read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.author.texts import texts_in
from grader.course import Course
from grader.kernel.session import run_checks
from grader.language import VARIABLE
from grader.language.texts import texts_of
from grader.pytest_plugin.local import LocalStudents
from tests.support.courses import copied
from tests.support.makers import put
from tests.support.runs import batch_unjudged, grades

ROOT = Path(__file__).parents[2]
GERMAN = """msgid ""
msgstr "Language: de\\n"

msgid "Twice a number"
msgstr "Das Doppelte einer Zahl"

msgid "Look at the operator."
msgstr "Sieh dir den Operator an."
"""
BATCH = """msgid ""
msgstr "Language: de\\n"

msgid "Double"
msgstr "Das Doppelte"
"""


def test_a_student_reads_titles_and_hints_in_the_language_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(copied("one_check", tmp_path, {"assignments/week1/de.po": GERMAN}))
    put(tmp_path / "work/work.py", b"def double(n):\n    return n + 1\n")
    for language, title, hint in (
        ("de", "Das Doppelte einer Zahl", "Sieh dir den Operator an."),
        ("en", "Twice a number", "Look at the operator."),
    ):
        monkeypatch.setenv(VARIABLE, language)
        (check,) = run_checks(course.assignment("week1"), LocalStudents(tmp_path / "work", 0))
        assert (check.title, check.hint) == (title, hint)


def test_a_translation_that_nobody_can_read_stops_no_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(copied("one_check", tmp_path))
    put(course.root / "assignments/week1/de.po", GERMAN.replace("Zahl", "Größe").encode("latin-1"))
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
        assert [text for text in texts_in(assignment, folder, ROOT) if text not in known] == []
