"""Keeps the translations of a week's own texts in step with its checks: `python -m grader.author.texts week5 de`.

It writes `de.po` beside the public checks and beside the hidden ones: what is new there waits for its translation, and
what is gone goes. Nothing that a person wrote is lost. The translation of a text that has changed a little stays with
it, marked fuzzy: it is used again once somebody has looked at it, and taken the mark away. All others are kept at the
end.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from grader.author.proof.static.checks import read_checks
from grader.author.proof.static.sentences import sentences_of
from grader.author.proof.static.source import Source
from grader.course import Assignment, find_course
from grader.errors import GraderError
from grader.language import LANGUAGES
from grader.language.catalogue import MESSAGE
from grader.language.po_file import Entry, all_entries, obsolete_entries, written
from grader.language.texts import is_known, key_of, parts_of, texts_of

_HEAD = """# What students read of a week's checks; `python -m grader.author.texts {week} {language}` keeps it in step.
{more}msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: {language}\\n"
"""
_MORE = '# What has msgctxt "message" is said in messages; its {places} are for values, and may change their order.\n'
_GONE = "# What no check says any more:\n"
_ALIKE = 0.7  # of a text and a changed one: a letter, or a word of several


def texts_in(assignment: Assignment, folder: Path, root: Path, language: str) -> list[str]:
    """Return the keys of the texts of a folder in their order, each once.

    Those of manual parts, and the sentences of messages, stand with the public checks. A sentence that the grader's own
    catalogue has needs no other translation.
    """
    sources = [Source.read(file, root) for file in assignment.check_files if file.parent == folder]
    found = [text for source in sources for mark in read_checks(source) for text in mark.texts]
    if folder == assignment.folder:
        found += [text for part in assignment.manual for text in part.texts]
        found += [key_of(one.text, MESSAGE) for one in sentences_of(sources, root) if not is_known(one.text, language)]
    return list(dict.fromkeys(found))


def updated(assignment: Assignment, folder: Path, root: Path, language: str) -> str:
    """Return the content of a folder's file, with those translations that it has."""
    file, wanted = folder / f"{language}.po", texts_in(assignment, folder, root, language)
    there = [*all_entries(file), *obsolete_entries(file)] if file.is_file() else []
    known = {key_of(one.text, one.context): one for one in reversed(there) if one.translation.strip()}
    gone = {key: one for key, one in reversed(known.items()) if key not in wanted}
    more = _MORE if any(parts_of(key)[1] for key in wanted) else ""
    blocks = [_HEAD.format(week=assignment.week, language=language, more=more)]
    for key in wanted:
        text, context = parts_of(key)
        blocks.append(written(known.get(key) or _changed(text, context, gone) or Entry(context, text)))
    left = [_obsolete(one) for one in gone.values()]
    if left:
        blocks += [_GONE + left[0], *left[1:]]
    return "\n".join(blocks)


def _changed(text: str, context: str, gone: dict[str, Entry]) -> Entry | None:
    """Take the translation of what a text was before somebody changed it a little, out of those that are gone."""
    keys = {one.text: key for key, one in gone.items() if one.context == context}
    alike = difflib.get_close_matches(text, keys, 1, _ALIKE)
    return Entry(context, text, gone.pop(keys[alike[0]]).translation, fuzzy=True) if alike else None


def _obsolete(entry: Entry) -> str:
    return "".join(f"#~ {line}\n" for line in written(entry).splitlines())


def main() -> int:
    """Write the files of a week and a language, and say how many texts wait there."""
    parser = argparse.ArgumentParser("python -m grader.author.texts", description=__doc__.splitlines()[0])
    parser.add_argument("week", help="a week's folder, such as week5")
    parser.add_argument("language", choices=LANGUAGES, help="the language to translate into")
    asked = parser.parse_args()
    try:
        course = find_course()
        assignment = course.assignment(asked.week)
        made = {
            folder / f"{asked.language}.po": updated(assignment, folder, course.root, asked.language)
            for folder in assignment.folders
        }
    except GraderError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    for file, content in made.items():
        file.write_text(content, encoding="utf-8")
        known = texts_of([file.parent], asked.language)
        wanted = texts_in(assignment, file.parent, course.root, asked.language)
        print(f"wrote {file}; {len([key for key in wanted if key not in known])} to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
