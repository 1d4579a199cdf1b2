"""Finds what attempts tell of hints: how often a check that was lost passes in the next attempt."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from grader.desk.model.snapshot import Snapshot

MOST_ATTEMPTS = 3_000  # the newest of a week that are read


@dataclass(frozen=True)
class Fix:
    """A check with its hint: how often it was lost and tried again, and how often it passed then."""

    id: str
    task: str
    title: str
    hint: str
    tried: int
    fixed: int

    @property
    def share(self) -> float:
        return self.fixed / self.tried if self.tried else 0.0


def fixes_of(snapshot: Snapshot, week: str) -> list[Fix]:
    """Return the checks that were lost and tried again, those that are mended least often first."""
    kept = snapshot.fixes.get(week)
    if kept is not None and kept[0] == snapshot.attempted:
        found: list[Fix] = kept[1]
        return found
    tried: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    known: dict[str, tuple[str, str, str]] = {}
    for before, after in _pairs(snapshot, week):
        now = {check["id"]: check for check in after["checks"]}
        for check in before["checks"]:
            later = now.get(check["id"])
            if check["outcome"] in ("passed", "broken", "skipped") or later is None:
                continue
            known[check["id"]] = check["task"], check["title"], check["hint"]
            tried[check["id"]][0] += 1
            tried[check["id"]][1] += later["outcome"] == "passed"
    fixes = [Fix(name, *known[name], *counts) for name, counts in tried.items()]
    fixes.sort(key=lambda fix: (fix.share, -fix.tried))
    snapshot.fixes[week] = (snapshot.attempted, fixes)
    return fixes


def _pairs(
    snapshot: Snapshot, week: str
) -> list[tuple[dict[str, list[dict[str, str]]], dict[str, list[dict[str, str]]]]]:
    """Return attempts of one person, each with the next one, where there was other work in between."""
    rows = snapshot.book.rows(
        "SELECT person, submission, report FROM attempts AS one WHERE week = ? AND "
        "(SELECT count(DISTINCT submission) FROM attempts WHERE person = one.person AND week = one.week) > 1 "
        "ORDER BY person, id LIMIT ?", week, MOST_ATTEMPTS,
    )  # fmt: skip
    found = []
    for (person, work, text), (other, later, after) in pairwise(rows):
        if person == other and work != later:
            found.append((json.loads(text), json.loads(after)))
    return found
