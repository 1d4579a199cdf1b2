"""Reads source files as Python does: in UTF-8, or in the encoding that their first lines declare.

Python refuses any other file outright, though nothing is wrong with its code. Editors and shells on Windows write
UTF-16, or Windows-1252, where one accent in a comment is enough to be refused.
"""

from __future__ import annotations

import codecs
import io
import tokenize

from grader.errors import SubmissionError
from grader.inside.importing.sources import DECLARED

_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_SLOW = {"idna", "punycode"}  # their decoders take minutes over a hostile megabyte


def as_python(raw: bytes) -> tuple[bytes, str | None]:
    """Return the bytes as Python can read them, and the encoding that they were converted from, if they had to be.

    Raises `SubmissionError` for an encoding that nobody writes source files in.
    """
    encoding = _MARKS.get(raw[:2]) or _without_mark(raw)
    if encoding is None and not _is_readable(raw):
        encoding = "Windows-1252"
    if encoding is None:
        return raw, None
    try:
        text = raw.decode(encoding).lstrip("\ufeff")
    except UnicodeError:
        return raw, None
    return text.encode(), "UTF-16" if encoding.startswith("UTF-16") else encoding


def _without_mark(raw: bytes) -> str | None:
    """Tell UTF-16 without its mark by its zeros: in code most letters are Latin, so every other byte is one."""
    if not raw.count(0) > len(raw) // 4:
        return None
    return "UTF-16-LE" if raw[1::2].count(0) > raw[::2].count(0) else "UTF-16-BE"


def _is_readable(raw: bytes) -> bool:
    """Tell whether Python can read it; also where it declares an encoding that nobody knows, which is the mistake."""
    try:
        declared = codecs.lookup(tokenize.detect_encoding(io.BytesIO(raw).readline)[0]).name
    except UnicodeError:
        return False
    except (SyntaxError, LookupError):
        return _declares_unknown(raw)
    if declared in _SLOW:
        raise SubmissionError(f"its first lines declare the encoding {declared}; save it as UTF-8")
    try:
        raw.decode(declared if declared.startswith("utf-8") else "latin-1")
    except UnicodeError:
        return False
    return True


def _declares_unknown(raw: bytes) -> bool:
    """Tell whether the first lines declare an encoding that nobody knows."""
    for line in raw.split(b"\n", 2)[:2]:
        if match := DECLARED.match(line):
            try:
                codecs.lookup(match[1].decode("ascii", "replace"))
            except LookupError:
                return True
    return False
