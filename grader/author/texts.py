"""Keeps the translations of a week's own texts in step with its checks: `python -m grader.author.texts week5 de`.

It writes `de.po` beside the public checks and beside the hidden ones: what is new there waits for its translation, and
what is gone goes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from grader.author.proof.static.checks import read_checks
from grader.author.proof.static.source import Source
from grader.course import Assignment, find_course
from grader.errors import GraderError
from grader.language import LANGUAGES
from grader.language.texts import texts_of

_HEAD = """# What students read of a week's checks; `python -m grader.author.texts {week} {language}` keeps it in step.
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: {language}\\n"
"""


def texts_in(assignment: Assignment, folder: Path, root: Path) -> list[str]:
    """Return the texts of the checks in a folder, in their order, each once; those of parts stand with public ones."""
    files = [file for file in assignment.check_files if file.parent == folder]
    found = [text for file in files for mark in read_checks(Source.read(file, root)) for text in mark.texts]
    for part in assignment.manual if folder == assignment.folder else ():
        found += part.texts
    return list(dict.fromkeys(found))


def updated(assignment: Assignment, folder: Path, root: Path, language: str) -> str:
    """Return the content of a folder's file, with those translations that it has."""
    known = texts_of([folder], language)
    blocks = [_HEAD.format(week=assignment.week, language=language)]
    for text in texts_in(assignment, folder, root):
        blocks.append(f"msgid {_quoted(text)}\nmsgstr {_quoted(known.get(text, ''))}\n")
    return "\n".join(blocks)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


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
        waiting = [text for text in texts_in(assignment, file.parent, course.root) if text not in known]
        print(f"wrote {file}; {len(waiting)} to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
