"""Reads zip files by value: unpacks nothing to disk, and uses no name in an archive as a path.

What is refused, and how:
- the whole archive (`SubmissionError`): not a zip, damaged, encrypted, compressed by a method whose output cannot
  be bounded while it is read, too many members, or more wanted bytes than asked for;
- one member (a note): links and other special files, names that lead outside (absolute, with a drive letter or
  `..`), names that cannot be shown, members that expand suspiciously far;
- a repeated name (a note): where several members have one name, the last one counts, as it does for every unpacker.
Backslashes separate folders, as some Windows tools write them. Names without the UTF-8 mark are taken for UTF-8
where they can be (macOS), else for code page 437, which the format prescribes.
"""

from __future__ import annotations

import contextlib
import io
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from grader.errors import SubmissionError
from grader.inside import says

MOST_MEMBERS = 20_000
LONGEST_NAME = 1_000
# Deflate reaches 1,032; text stays far below this, and small files are harmless at any ratio.
LARGEST_RATIO = 100
SMALL = 2**20

_UTF8, _ENCRYPTED = 0x800, 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_DIRECTORY_ENTRY = b"PK\x01\x02"
_OTHER_FORMATS = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip", b"\x1f\x8b": "gzip", b"%PDF": "PDF"}


@dataclass(frozen=True)
class Unpacked:
    """The wanted members of an archive by their paths, and notes on members that were left out."""

    files: dict[str, bytes]
    notes: tuple[str, ...]


def read_zip(raw: bytes, name: str, wanted: Callable[[str, int], bool], most_bytes: int) -> Unpacked:
    """Read the members for which `wanted(path, size)` holds, together at most `most_bytes`.

    `name` is the archive's, for messages. Raises `SubmissionError`, as the module's text says.
    """
    # Count members before the parser builds an object for each; a false hit inside compressed data is rare.
    if raw.count(_DIRECTORY_ENTRY) > MOST_MEMBERS:
        raise SubmissionError(f"{name} holds more than {MOST_MEMBERS:,} files; zip the week's folder alone")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return _unpack(archive, name, wanted, most_bytes)
    except (SubmissionError, MemoryError):
        raise
    except Exception as error:  # hostile bytes may fail anywhere in the parser
        raise SubmissionError(f"{name} {explained(raw, error)}; zip the folder again") from error


def unshowable(path: str) -> bool:
    """Tell whether a file's name holds control characters, or bytes that are no text."""
    return any(unicodedata.category(char) in {"Cc", "Cs"} for char in path)


def _unpack(archive: zipfile.ZipFile, name: str, wanted: Callable[[str, int], bool], most_bytes: int) -> Unpacked:
    files: dict[str, bytes] = {}
    notes: list[str] = []
    for member in archive.infolist():
        path = member_path(member)
        if path.endswith("/") or not wanted(path, member.file_size):
            continue
        why = why_unfit(path, member)
        if why:
            notes.append(f"{name}: {ascii(path)[1:-1] if unshowable(path) else path} left out: {why}")
            continue
        if path in files:
            notes.append(f"{name}: {path} is in it twice; the last one counts")
            most_bytes += len(files[path])
        files[path] = _read(archive, member, name, most_bytes)
        most_bytes -= len(files[path])
    return Unpacked(files, tuple(notes))


def member_path(member: zipfile.ZipInfo) -> str:
    """Return a member's name as a path."""
    path = member.orig_filename  # `filename` is cut at a null byte
    if not member.flag_bits & _UTF8:
        with contextlib.suppress(UnicodeError):
            path = path.encode("cp437").decode("utf-8")
    path = unicodedata.normalize("NFC", path.replace("\\", "/"))
    return re.sub(r"(?:(?<=/)|^)(?:\./+)+|(?<=/)/+", "", path)


def why_unfit(path: str, member: zipfile.ZipInfo) -> str | None:
    """Say why a member may not be read, or None."""
    if unshowable(path) or len(path) > LONGEST_NAME:
        return says("its name cannot be shown")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in path.split("/"):
        return says("its name leads outside the archive")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return says("a symbolic link" if kind == stat.S_IFLNK else "not a regular file")
    if member.file_size > max(SMALL, LARGEST_RATIO * member.compress_size):
        return says("it expands suspiciously far")
    return None


def why_closed(member: zipfile.ZipInfo) -> str | None:
    """Say why a member's content may not be unpacked, or None."""
    if member.flag_bits & _ENCRYPTED:
        return says("is encrypted; zip the folder again without a password")
    if member.compress_type not in _METHODS:
        return says("is compressed in an unusual way; zip the folder again with another program")
    return None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, most_bytes: int) -> bytes:
    if closed := why_closed(member):
        raise SubmissionError(f"{name} {closed}")
    with archive.open(member) as file:
        content = file.read(max(most_bytes, 0) + 1)
    if len(content) > most_bytes:
        raise SubmissionError(f"{name} is too large when unpacked; zip the week's folder alone")
    return content


def explained(raw: bytes, error: Exception) -> str:
    """Say what bytes are that are no zip that can be read."""
    for magic, kind in _OTHER_FORMATS.items():
        if raw.startswith(magic):
            return says(f"is a {kind} file, not a zip file")
    if not raw:
        return says("is an empty file, not a zip file")
    return says(f"is damaged, or not a zip file ({type(error).__name__})")
