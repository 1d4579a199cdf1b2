"""Reads how a week says its own texts in another language: `LANGUAGE.po` beside its checks, public and hidden.

These texts are the titles and hints of checks, and what `assignment.toml` says of parts that people grade. They are
kept and compared as the course writes them, and translated where students read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from grader.language.catalogue import entries


def texts_of(folders: Iterable[Path], language: str) -> dict[str, str]:
    """Return the translations that lie in some folders, by the text; empty where there are none.

    A translation of blanks is none. One of a text on one line stands on one line.
    """
    files = [folder / f"{language}.po" for folder in folders]
    found = [entry for file in files if file.is_file() for entry in entries(file)]
    return {entry.text: _like(entry.text, entry.translation) for entry in found if entry.translation.strip()}


def _like(text: str, translation: str) -> str:
    return translation if "\n" in text else " ".join(translation.split())
