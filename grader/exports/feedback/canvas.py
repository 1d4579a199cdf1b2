"""Makes the zip that Canvas takes under "Upload submissions": each file becomes a comment's attachment.

Canvas reads the student and the attachment from the name of the downloaded file, so what stands before the file's own
name goes back as it was. It shows the page under the name of the file that was handed in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.exports.feedback.archive import packed
from grader.exports.feedback.parcels import Parcel, Parcels, file_name
from grader.exports.target import Files
from grader.intake.layouts import canvas
from grader.people.identity import ANONYMOUS, CANVAS

LONGEST = 200  # bytes of a name
_NUMBER = re.compile(r"-\d+(?=(\.[^.]*)?$)")  # of an attempt


def bundle(parcels: Parcels) -> Files:
    """Return the zip; left out is whose own file Canvas has not."""
    unknown = "no file of their own was downloaded from Canvas, to which it could go back"
    found = parcels.addressed(_name, unknown, "{names} have the same file in Canvas; hand this page over yourself")
    return {"": packed({name: parcel.page for name, parcel in found.items()})}


def _name(parcel: Parcel) -> str:
    """Return the file's name in the zip, with the ids of one of the student's own files; empty where there is none."""
    own = {*parcel.person.values(CANVAS), *parcel.person.values(ANONYMOUS)}
    entries = parcel.route.entries if parcel.route and parcel.route.layout == "canvas" else ()
    # Canvas shows the page under the name of the file that it goes back to, and a page had better be called so.
    for entry in sorted(_latest(entries), key=lambda name: not name.lower().endswith((".html", ".htm"))):
        head, user, attachment = canvas.ids_of(entry)
        name = _fitting(head, user, attachment, parcel.file)
        if user in own and read_back(name) == (user, attachment):
            return name
    return ""


def _latest(entries: Sequence[str]) -> list[str]:
    """Leave out files that a later attempt has under the same name: Canvas may know the latest attempt's alone."""
    newest: dict[str, str] = {}
    for entry in entries:  # older attempts come first
        newest[_NUMBER.sub("", canvas.own_name(entry)) or entry] = entry
    return list(newest.values())


def _fitting(head: str, user: str, attachment: str, file: str) -> str:
    whole = f"{head}_{file}"
    if whole.isprintable() and not re.search(r'[/\\:*?"<>|]|^\.', whole) and len(whole.encode()) <= LONGEST:
        return whole
    name = "" if head.startswith(("anon_", "LATE_anon_")) else f"{file_name(head.partition('_')[0])[:40]}_"
    return f"{name or 'anon_'}{user}_{attachment}_{file}"


def read_back(name: str) -> tuple[str, str]:
    """Return the student's and the attachment's id that Canvas takes from a file's name; empty where it takes none."""
    pieces = [piece for piece in name.split("_") if piece != "LATE"]
    ids = pieces[1:3] if pieces[0] == "anon" else [piece for piece in pieces if re.fullmatch(r"[0-9]+", piece)][:2]
    is_ignored = name.startswith("._") or pieces[-1].startswith("link") or len(ids) < 2
    return ("", "") if is_ignored else (ids[0], ids[1])
