"""Compares two attempts: line by line, in bounded time whatever students hand in, and check by check.

Lines are compared as E. W. Myers does it ("An O(ND) Difference Algorithm and Its Variations", Algorithmica 1, 1986),
which takes time in proportion to what differs. Beyond a bound two texts count as different as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.desk.model.code import lines_of as python_lines
from grader.results import CheckResult, Report

MOST_CHANGES = 200  # lines that differ between two texts, above which nobody would read a comparison
MOST_LINES = 5_000
MOST_SHOWN = 6_000  # lines of all comparisons of a page
AROUND = 3  # lines before and after a change that are shown


@dataclass(frozen=True)
class Line:
    """A line of a comparison: its sign is `+`, `-`, a blank, or `…` where equal lines are left out."""

    sign: str
    text: str
    old: int = 0
    new: int = 0


@dataclass(frozen=True)
class FileDiff:
    """What changed in a file; `whole` says that too much did to tell line by line."""

    path: str
    lines: tuple[Line, ...]
    whole: bool = False


@dataclass(frozen=True)
class Verdict:
    """A check whose verdict changed; None where an attempt has no such check."""

    before: CheckResult | None
    after: CheckResult | None

    @property
    def check(self) -> CheckResult:
        found = self.after or self.before
        assert found is not None
        return found


def changed_verdicts(before: Report, after: Report) -> list[Verdict]:
    """Return the checks whose outcome or message changed."""
    old = {check.id: check for check in before.checks}
    new = {check.id: check for check in after.checks}
    pairs = [Verdict(old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old])]
    return [one for one in pairs if _seen(one.before) != _seen(one.after)]


def _seen(check: CheckResult | None) -> object:
    return check and (check.outcome, check.points, check.message)


def changed_files(before: Mapping[str, str], after: Mapping[str, str], most: int = MOST_SHOWN) -> list[FileDiff]:
    """Return what changed, file by file; beyond so many lines of it only that something did."""
    found: list[FileDiff] = []
    for path in sorted({*before, *after}):
        old, new = python_lines(before.get(path, "")), python_lines(after.get(path, ""))
        if old != new or (path in before) != (path in after):
            one = diff(path, old, new) if most > 0 else FileDiff(path, (), whole=True)
            most -= max(len(one.lines), AROUND)
            found.append(one)
    return found


def diff(path: str, old: Sequence[str], new: Sequence[str]) -> FileDiff:
    """Compare two texts by lines."""
    if len(old) > MOST_LINES or len(new) > MOST_LINES:
        return FileDiff(path, (), whole=True)
    kept = _common(old, new)
    return FileDiff(path, (), whole=True) if kept is None else FileDiff(path, tuple(_folded(_lines(old, new, kept))))


def _common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]] | None:
    """Return the places of lines that both have, of the shortest edit; None where too much differs."""
    furthest: dict[int, int] = {1: 0}
    trail: list[dict[int, int]] = []
    for changes in range(min(len(old) + len(new), MOST_CHANGES) + 1):
        trail.append(dict(furthest))
        for diagonal in range(-changes, changes + 1, 2):
            down = diagonal == -changes or (
                diagonal != changes and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            while x < len(old) and 0 <= x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            furthest[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return _back(trail, len(old), len(new))
    return None


def _back(trail: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    found = []
    for changes in range(len(trail) - 1, -1, -1):
        furthest, diagonal = trail[changes], x - y
        down = diagonal == -changes or (
            diagonal != changes and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        )
        before = diagonal + 1 if down else diagonal - 1
        from_x = furthest.get(before, 0) if changes else 0
        from_y = from_x - before if changes else 0
        while x > max(from_x, 0) and y > max(from_y, 0):
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = from_x, from_y
    return found[::-1]


def _lines(old: Sequence[str], new: Sequence[str], kept: Sequence[tuple[int, int]]) -> Iterator[Line]:
    x = y = 0
    for at_x, at_y in [*kept, (len(old), len(new))]:
        yield from (Line("-", old[place], place + 1) for place in range(x, at_x))
        yield from (Line("+", new[place], 0, place + 1) for place in range(y, at_y))
        if at_x < len(old) or at_y < len(new):
            yield Line(" ", old[at_x], at_x + 1, at_y + 1)
        x, y = at_x + 1, at_y + 1


def _folded(lines: Iterator[Line]) -> Iterator[Line]:
    """Leave out equal lines that are far from any change."""
    known = list(lines)
    near = {place + step for place, line in enumerate(known) if line.sign != " " for step in range(-AROUND, AROUND + 1)}
    skipped = False
    for place, line in enumerate(known):
        if place in near:
            skipped = False
            yield line
        elif not skipped:
            skipped = True
            yield Line("…", "")
