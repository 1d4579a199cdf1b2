"""Reads source files as Python does: in UTF-8, or in the encoding that their first lines declare.

Python refuses any other file outright, though nothing is wrong with its code. Editors and shells on Windows write
UTF-16, or Windows-1252, where one accent in a comment is enough to be refused.
"""

from __future__ import annotations

import codecs
import io
import tokenize

from grader.errors import SubmissionError

_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_SLOW = {"idna", "punycode"}  # their decoders take minutes over a hostile megabyte


def as_python(raw: bytes) -> tuple[bytes, str | None]:
    """Return the bytes as Python can read them, and the encoding that they were converted from, if they had to be.

    Raises `SubmissionError` for an encoding that nobody writes source files in.
    """
    if _is_readable(raw):
        return raw, None
    encoding = _MARKS.get(raw[:2], "Windows-1252")
    try:
        return raw.decode(encoding).encode(), encoding
    except UnicodeError:
        return raw, None


def _is_readable(raw: bytes) -> bool:
    try:
        declared = codecs.lookup(tokenize.detect_encoding(io.BytesIO(raw).readline)[0]).name
        if declared.startswith("utf-8"):
            raw.decode(declared)
    except (SyntaxError, UnicodeError):
        return False
    if declared in _SLOW:
        raise SubmissionError(f"its first lines declare the encoding {declared}; save it as UTF-8")
    return True
