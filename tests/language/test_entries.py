"""A `.po` file is read as translators' tools and editors write it, and what is wrong in it is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import CourseError
from grader.language.catalogue import MESSAGE
from grader.language.po_file import Entry, all_entries, entries, obsolete_entries
from grader.language.texts import key_of, messages_of, parts_of, texts_of

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


def test_a_title_and_a_message_of_the_same_words_are_two_texts(tmp_path: Path) -> None:
    written(tmp_path, HEAD + 'msgid "a b"\nmsgstr "T"\n\nmsgctxt "message"\nmsgid "a b"\nmsgstr "M"\n')
    texts = texts_of([tmp_path], "de")
    assert texts == {"a b": "T", key_of("a b", MESSAGE): "M"}
    assert messages_of(texts) == {("a b", "M")}
    assert [parts_of(key) for key in texts] == [("a b", ""), ("a b", MESSAGE)]


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        ("it has {count} parts", "es hat {zahl} Teile"),
        ("it has {count} parts", "es hat Teile"),
        ("it has {count} parts", "es hat {count Teile"),
        ("it has {count} parts", "es hat {count.real} Teile"),
        ("it has {count} parts", "es hat {count[0]} Teile"),
        ("it has {count} parts", "es hat {} Teile"),
        ("it has {count parts", "es hat {count Teile"),
        ("{a}: {b} x", "{a}: {b} y"),  # too few words to be found by
    ],
)
def test_a_message_whose_translation_has_other_places_for_values_stays_as_it_is(text: str, translation: str) -> None:
    """A report is written all the same; `validate` names the translation."""
    assert messages_of({key_of(text, MESSAGE): translation}) == frozenset()


def test_what_waits_for_a_person_and_what_is_gone_is_read_apart(tmp_path: Path) -> None:
    fuzzy, gone = (
        '#, fuzzy\nmsgid "a"\nmsgstr "A"\n',
        '#~ #, fuzzy\n#~ msgctxt "message"\n#~ msgid "b"\n#~ msgstr "B"\n',
    )
    file = written(tmp_path, f'{HEAD}{fuzzy}\n{gone}#~ msgid "c"\n#~ msgstr "C"\n')
    assert list(entries(file)) == []
    assert list(all_entries(file)) == [Entry("", "a", "A", fuzzy=True)]
    assert list(obsolete_entries(file)) == [Entry(MESSAGE, "b", "B", fuzzy=True), Entry("", "c", "C")]


def test_a_translation_is_no_template_and_no_page(tmp_path: Path) -> None:
    text = "{broken} %s {0} <b> $x"
    written(tmp_path, HEAD + f'msgid "a"\nmsgstr "{text}"\n')
    assert texts_of([tmp_path], "de") == {"a": text}
