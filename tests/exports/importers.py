"""Takes archives as the platforms' importers do, by the rules of their own sources."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath


def moodle_takes(archive: bytes, participants: Collection[int]) -> dict[int, dict[str, bytes]]:
    """Return each participant's files, as `assignfeedback_file_zip_importer` finds them; others are passed over.

    It looks for `NAME_NUMBER_PLUGINTYPE_PLUGIN` in every part of a path, after Moodle has cleaned the path.
    """
    taken: dict[int, dict[str, bytes]] = {}
    for path, content in _files(archive):
        cleaned = re.sub(r"[\x00-\x1f\x7f&<>\"`|':]", "", path.replace("\\", "/"))
        cleaned = re.sub(r"\.\.+", "", cleaned).lstrip("/")
        parts = cleaned.split("/")
        if parts[-1].startswith((".", "~")):
            continue
        while parts:
            info = parts.pop(0).split("_", 4)
            if len(info) < 4 or not re.fullmatch(r"\d+", info[1], re.ASCII) or int(info[1]) not in participants:
                continue
            if (info[2], info[3]) != ("assignfeedback", "file"):
                continue
            name = "/".join([info[4] if len(info) == 5 else "", *parts])
            taken.setdefault(int(info[1]), {})[PurePosixPath(name).name] = content
            break
    return taken


def canvas_takes(
    archive: bytes, submissions: Mapping[str, Collection[str]], anonymous: Mapping[str, str] | None = None
) -> tuple[dict[str, list[bytes]], list[str]]:
    """Return the files by the student's id, and those ignored, as `generate_comments_from_files` goes about it.

    `submissions` has the attachments of each student's submission, `anonymous` the students by their anonymous ids.
    """
    taken: dict[str, list[bytes]] = {}
    ignored = []
    for path, content in _files(archive):
        name = path.rpartition("/")[2]
        pieces = [piece for piece in name.split("_") if piece != "LATE"]
        attachment: str | None
        if pieces[0] == "anon":
            user, attachment = (anonymous or {}).get(pieces[1], ""), pieces[2]
        else:
            numbers = [piece for piece in pieces if re.search(r"^[0-9]+$", piece, re.MULTILINE)]
            user, attachment = (*numbers, "", "")[:2]
        if pieces[-1].startswith("link") or name.startswith("._"):
            attachment = None
        if attachment not in submissions.get(user, ()):
            ignored.append(name)
        else:
            taken.setdefault(user, []).append(content)
    return taken, ignored


def _files(archive: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [(info.filename, opened.read(info)) for info in opened.infolist() if not info.is_dir()]
