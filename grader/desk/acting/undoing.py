"""Takes back what somebody did, as long as nobody has gone on from there."""

from __future__ import annotations

from grader.desk.desk import Desk, Done
from grader.errors import UsageError

_TOOK_BACK = "took back: "


def undo(desk: Desk, who: str, number: int) -> Done:
    """Take an action back: that of this number, or with 0 one's own last one; undoing it again does it again."""
    number = number or _last(desk, who)
    with desk.book.changing(who) as change:
        what = change.undo(number)
    return desk.done(
        change, f"{'done again' if what.startswith(_TOOK_BACK) else 'undone'}: {what.removeprefix(_TOOK_BACK)}"
    )


def _last(desk: Desk, who: str) -> int:
    mine = [one for one in desk.book.actions(who=who) if one.can_undo and not one.what.startswith(_TOOK_BACK)]
    if not mine:
        raise UsageError("there is nothing of yours to undo; the log shows what others did")
    return mine[0].id
