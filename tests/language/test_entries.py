"""A `.po` file is read as translators' tools and editors write it, and what is wrong in it is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import CourseError
from grader.language.catalogue import Entry, entries
from grader.language.texts import texts_of

HEAD = 'msgid ""\nmsgstr "Language: de\\n"\n\n'


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "de.po"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    "content",
    [
        HEAD + 'msgid "a"\nmsgstr "A"\n\nmsgid "b"\nmsgstr "B"\n',
        HEAD + 'msgid "a"\nmsgstr "A"\nmsgid "b"\nmsgstr "B"',  # no blank line between them
        HEAD + 'msgid "a"\nmsgstr "A"\n \t\n# a remark\nmsgid ""\n"b"\nmsgstr ""\n"B"\n',  # a line of blanks
        HEAD + '#, fuzzy\nmsgid "c"\nmsgstr "?"\n\nmsgid "a"\nmsgstr "A"\n\nmsgid "b"\nmsgstr "B"\n#~ msgid "d"\n',
        "\ufeff" + HEAD.replace("\n", "\r\n") + 'msgid "a"\r\nmsgstr "A"\r\nmsgid "b"\r\nmsgstr "B"\r\n',
    ],
)
def test_whatever_lies_between_entries_each_is_one_of_its_own(tmp_path: Path, content: str) -> None:
    assert list(entries(written(tmp_path, content))) == [Entry("", "a", "A"), Entry("", "b", "B")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ((HEAD + 'msgid "a"\nmsgstr "Ä"\n').encode("latin-1"), "de.po cannot be read .*; save it as UTF-8"),
        ((HEAD + 'msgid "a"\nmsgstr "A"\n').encode("utf-16"), "de.po cannot be read .*; save it as UTF-8"),
        (HEAD + 'msgid "a"\nmsgstr "the "inner" quotes"\n', "de.po:5: this is no line of a .po file"),
        (HEAD + 'msgid "a"\nmsgstr A\n', "de.po:5: this is no line of a .po file"),
        (HEAD + 'msgid "a"\nmsgstr "never ends\n', "de.po:5: this is no line of a .po file"),
        (HEAD + 'msgid "a"\nmsgstr "\\x"\n', "de.po:5: no text that a .po file may hold"),
        ('"belongs to nothing"\n', "de.po:1: this is no line of a .po file"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        list(entries(written(tmp_path, content)))


def test_a_translation_is_never_blank_and_breaks_no_line_that_the_text_does_not_break(tmp_path: Path) -> None:
    broken = 'msgid "a"\nmsgstr " \\n"\n\nmsgid "b"\nmsgstr "eine\\nZeile "\n\nmsgid "c\\nd"\nmsgstr "C\\nD"\n'
    written(tmp_path, HEAD + broken)
    assert texts_of([tmp_path], "de") == {"b": "eine Zeile", "c\nd": "C\nD"}


def test_a_translation_is_no_template_and_no_page(tmp_path: Path) -> None:
    text = "{broken} %s {0} <b> $x"
    written(tmp_path, HEAD + f'msgid "a"\nmsgstr "{text}"\n')
    assert texts_of([tmp_path], "de") == {"a": text}
