"""Brings the catalogues up to date: `python -m grader.language`; with `--check` it only says what is not right."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from grader.language.catalogue import FOLDER
from grader.language.extraction import extracted
from grader.language.po_file import Entry, all_entries, written

_HEAD = """# Texts that students read. `python -m grader.language` adds those that are new, and drops what is gone.
# What has msgctxt "message" is kept in English, and recognised where it is shown: see catalogue.py.
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: {language}\\n"
"""


def updated(file: Path, texts: Mapping[tuple[str, str], set[str]]) -> str:
    """Return the content of a catalogue with all texts of the sources, in order, and those translations that it has."""
    known = {(entry.context, entry.text): entry for entry in all_entries(file)}
    blocks = [_HEAD.format(language=file.stem)]
    for (context, text), files in sorted(texts.items()):
        entry = known.get((context, text), Entry(context, text))
        blocks.append(written(entry, f"#: {' '.join(sorted(files))}"))
    return "\n".join(blocks)


def main() -> int:
    """Update each catalogue, or say which would change; name what waits for its translation."""
    texts = extracted()
    made = {file: updated(file, texts) for file in sorted(FOLDER.glob("*.po"))}
    stale = [file for file, content in made.items() if content != file.read_text(encoding="utf-8")]
    for file in stale:
        if "--check" in sys.argv[1:]:
            print(f"{file.name} is out of date: python -m grader.language")
        else:
            file.write_text(made[file], encoding="utf-8")
            print(f"wrote {file}")
    waiting = [(file, one.text) for file in made for one in all_entries(file) if one.fuzzy or not one.translation]
    for file, text in waiting:
        print(f"{file.name}: still to translate: {text}")
    return 1 if (stale or waiting) and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
