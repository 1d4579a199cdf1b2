"""How long a class will still take, from how it has gone so far.

Weeks differ in cost, so what is left is counted in the seconds that checks of the same week took, and how fast such
seconds pass, whatever the number of judges, shows the recent half of the results. What was before the first results
says nothing: judges were starting.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping

LEAST = 6  # results before anything is said
OVERHEAD = 0.1  # seconds that a submission takes beside its checks, as a weight for those whose checks take none


class Remaining:
    """An estimate for `waiting` submissions by week; times are seconds on any clock that never goes back."""

    def __init__(self, waiting: Mapping[str, int]) -> None:
        self._waiting = Counter(waiting)
        self._costs: dict[str, list[float]] = {}
        self._done: list[tuple[float, float]] = []  # when, and all work until then

    def done(self, week: str, seconds: float | None, now: float) -> None:
        """Note a result, and how long its checks took; None where there is none, as for what cannot be graded."""
        self._waiting[week] -= 1
        if seconds is None:
            return
        self._costs.setdefault(week, []).append(seconds + OVERHEAD)
        self._done.append((now, (self._done[-1][1] if self._done else 0.0) + seconds + OVERHEAD))

    def seconds(self, now: float) -> float | None:
        """Seconds until all are done, or None while too little is known."""
        if len(self._done) < LEAST:
            return None
        (begin, before), (latest, after) = self._done[len(self._done) // 2 - 1], self._done[-1]
        if latest <= begin:
            return None
        left = self._work_left() * (latest - begin) / (after - before)
        return max(0.0, left - (now - latest))

    def _work_left(self) -> float:
        means = {week: statistics.fmean(costs) for week, costs in self._costs.items()}
        unknown = statistics.fmean(means.values())
        return sum(count * means.get(week, unknown) for week, count in self._waiting.items())


def in_words(seconds: float) -> str:
    """`about 12 min left`: coarse, since it is a guess."""
    minutes = seconds / 60
    if minutes < 1:
        return "less than a minute left"
    if minutes < 60:
        return f"about {round(minutes)} min left"
    return f"about {round(minutes) // 60} h {round(minutes) % 60 // 10 * 10} min left"
