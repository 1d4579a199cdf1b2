"""Makes pictures anew from what draws them alone: no comments, places, animations, or bytes behind the end.

PNG and JPEG are taken apart into chunks and segments, which is all that has to be parsed here; a browser decodes them.
A picture that would take a browser too much memory is refused by the size that it says.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from grader.intake.answers.answers import Form

MOST_PIXELS = 16_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_APPLICATION, _COMMENT, _SCAN, _END = range(0xE0, 0xF0), 0xFE, 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in a scan, 0 stands behind a byte of 255, and restarts are its own
_COLOURS = (0xE0, 0xEE)  # JFIF's and Adobe's segments say what the colours mean


class NoPicture(ValueError):
    """It cannot be shown; the text says why."""


def cleaned(raw: bytes) -> tuple[Form, bytes]:
    """Return a picture's kind and bytes. Raises `NoPicture` for what is none, damaged or too large."""
    try:
        if raw.startswith(_PNG):
            return Form.PNG, _PNG + b"".join(_chunks(raw[len(_PNG) :]))
        if raw.startswith(b"\xff\xd8"):
            return Form.JPEG, b"\xff\xd8" + b"".join(_segments(raw))
    except (struct.error, IndexError):
        raise NoPicture("it is damaged") from None
    raise NoPicture("it is no PNG and no JPEG")


def _chunks(raw: bytes) -> Iterator[bytes]:
    at = 0
    seen: set[bytes] = set()
    while True:
        (length,) = struct.unpack_from(">I", raw, at)
        whole = raw[at : at + 12 + length]
        kind = whole[4:8]
        if len(whole) < 12 + length or struct.unpack(">I", whole[-4:])[0] != zlib.crc32(whole[4:-4]):
            raise NoPicture("it is damaged")
        if (kind == b"IHDR") == bool(seen) or (not seen and length != 13):
            raise NoPicture("it is damaged")
        if not seen:
            _check_size(*struct.unpack_from(">II", whole, 8))
        if kind in _KEPT:
            yield whole
        seen.add(kind)
        if kind == b"IEND":
            break
        at += 12 + length
    if b"IDAT" not in seen:
        raise NoPicture("it is damaged")


def _segments(raw: bytes) -> Iterator[bytes]:
    at, has_size = 2, False
    while True:
        mark, kind = raw[at], raw[at + 1]
        if mark != 0xFF:
            raise NoPicture("it is damaged")
        if kind == 0xFF:  # filling
            at += 1
            continue
        if kind == _END:
            break
        (length,) = struct.unpack_from(">H", raw, at + 2)
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", raw, at + 5)
            _check_size(width, height)
            has_size = True
        end = at + 2 + length
        if kind == _SCAN:
            end = _end_of_scan(raw, end)
        if kind != _COMMENT and (kind not in _APPLICATION or kind in _COLOURS):
            yield raw[at:end]
        at = end
    if not has_size:
        raise NoPicture("it is damaged")
    yield b"\xff\xd9"


def _end_of_scan(raw: bytes, start: int) -> int:
    """Return where the marker behind a scan stands: it may be another scan's, or the end's."""
    found = _MARKER.search(raw, start)
    if found is None:
        raise NoPicture("it is damaged")
    return found.start()


def _check_size(width: int, height: int) -> None:
    if not 0 < width * height <= MOST_PIXELS:
        raise NoPicture(f"it is {width} by {height} pixels, and at most {MOST_PIXELS // 1_000_000} million are shown")
