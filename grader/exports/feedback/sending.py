"""Chooses the way by which feedback goes back, and makes what it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from grader.errors import UsageError
from grader.exports.feedback import canvas, github, mail, moodle
from grader.exports.feedback.parcels import Parcels, gather
from grader.exports.target import MOST_NAMED, Files
from grader.exports.worksheets.fill import Filled
from grader.intake.layouts import called

COMMENTS = "moodle-comments"
WAYS = ("moodle", COMMENTS, "canvas", "github", "mail")

# Where a class was read in any other layout, only mail goes back.
_WAY_OF = {"moodle": "moodle", "canvas": "canvas", "github": "github", "classroom50": "github"}
_MADE: dict[str, Callable[[Parcels], Files]] = {"canvas": canvas.bundle, "github": github.bundle, "mail": mail.bundle}

# What to do with it, in words.
NEXT = {
    "moodle": "in Moodle: the assignment's submissions, Upload multiple feedback files in a zip",
    COMMENTS: "in Moodle: the assignment's submissions, Upload grading worksheet",
    "canvas": "in Canvas: the assignment in the gradebook, Upload submissions; each page shows as a comment's file",
    "github": "send it: sh {target}/send.sh ORGANISATION",
    "mail": "open messages/*.eml in a mail program, or merge with mail.csv",
}


def way_of(parcels: Parcels) -> str:
    """Return the way that fits how the class was read. `UsageError` where nothing tells, or it was read in several."""
    ways = Counter(_WAY_OF.get(parcel.route.layout, "mail") for parcel in parcels.ready if parcel.route)
    if len(ways) == 1:
        return next(iter(ways))
    if not parcels.ready:
        more = len(parcels.left_out) - MOST_NAMED
        names = "; ".join([*parcels.left_out[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])
        raise UsageError(f"nobody's {parcels.week} is graded for good yet: {names}")
    layouts = sorted({called(parcel.route.layout) for parcel in parcels.ready if parcel.route})
    how = f"the class was read as {' and '.join(layouts)}" if layouts else "no run has noted how the class came"
    raise UsageError(f"--as: {how}; say how feedback goes back: {', '.join(WAYS)}")


def feedback(parcels: Parcels, way: str, template: Path | None, column: str | None, overwrite: bool) -> Files | Filled:
    """Make what a way takes; `parcels.left_out` then has everybody who gets nothing."""
    if way == COMMENTS:
        if template is None:
            raise UsageError("--template: give the grading worksheet that you downloaded from Moodle")
        return moodle.comments(parcels, template, column, overwrite)
    if way == "moodle":
        return moodle.bundle(parcels, template)
    return _MADE[way](parcels)


__all__ = ["COMMENTS", "NEXT", "WAYS", "feedback", "gather", "way_of"]
