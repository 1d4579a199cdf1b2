"""What a week's translations lack is named before anything is graded, and a command writes where it belongs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.author import lines
from grader.author.proof.static.week import faults_of
from grader.author.texts import main, texts_in
from grader.course import Course
from grader.language.texts import texts_of


def test_what_has_no_translation_is_named_and_written_where_it_belongs(
    new_course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assignment = new_course.assignment("week7")
    assert faults_of(new_course, "week7") == []
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    assert main() == 0
    texts = {folder: texts_in(assignment, folder, new_course.root) for folder in assignment.folders}
    faults = faults_of(new_course, "week7")
    assert len(faults) >= len({text for found in texts.values() for text in found})
    assert all(place.rpartition(":")[2].isdigit() and "de.po has no translation of" in text for place, text in faults)
    for folder, found in texts.items():
        file = folder / "de.po"
        file.write_text(file.read_text(encoding="utf-8").replace('msgstr ""', 'msgstr "auf Deutsch"'), encoding="utf-8")
        assert set(texts_of([folder], "de").values()) == {"auf Deutsch"} and len(texts_of([folder], "de")) == len(found)
    assert main() == 0 and faults_of(new_course, "week7") == []


def test_parts_that_people_grade_are_translated_too_and_a_language_that_nobody_reads_is_named(
    new_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_course.assignment("week7").folder
    toml = folder / "assignment.toml"
    part = '[[manual]]\ntitle = "Style"\npoints = 2\n[[manual.items]]\ntitle = "Names"\npoints = 2\n'
    toml.write_text(f"{toml.read_text(encoding='utf-8')}\n{part}", encoding="utf-8")
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    assert main() == 0
    for file in new_course.root.rglob("de.po"):
        filled = file.read_text(encoding="utf-8").replace('msgstr ""', 'msgstr "auf Deutsch"')
        file.write_text(filled.replace('"Names"\nmsgstr "auf Deutsch"', '"Names"\nmsgstr " "'), encoding="utf-8")
    (folder / "german.po").touch()
    said = [f"{place}: {text}" for place, text in faults_of(new_course, "week7")]
    assert len(said) == 2
    assert any("assignment.toml: style: de.po has no translation of 'Names'" in one for one in said)
    assert "assignments/week7/german.po: nobody reads 'german'; there is en, de" in said


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        (main, ["week99", "de"], "there is no week 'week99'"),
        (main, ["week7", "german"], "invalid choice: 'german'"),
        (main, ["week7"], "required: language"),
        (lines.main, ["week99"], "there is no week 'week99'"),
    ],
)
def test_a_command_says_in_a_line_what_it_cannot_do(
    new_course: Course,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: Callable[[], object],
    given: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["command", *given])
    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_translation_that_cannot_be_read_is_not_written_over(
    new_course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = new_course.assignment("week7").folders[-1] / "de.po"
    file.write_bytes(broken := 'msgid "a"\nmsgstr "Ä"\n'.encode("latin-1"))
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    with pytest.raises(SystemExit):
        main()
    assert "save it as UTF-8" in capsys.readouterr().err and file.read_bytes() == broken
    assert [one.name for one in new_course.root.rglob("*.po")] == ["de.po"]
