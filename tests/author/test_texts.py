"""What a week's translations lack is named before anything is graded, and a command writes where it belongs."""

from __future__ import annotations

import pytest

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
