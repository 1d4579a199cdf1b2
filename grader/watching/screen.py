"""Shows on the terminal where a week stands: the score by task, then what failed first, and why."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from grader.escape import terminal
from grader.reports.terminal import print_check, print_tasks
from grader.results import CheckResult, Outcome, tasks_of

AGAIN = "Save a file to run its checks again; Enter runs all of them; Ctrl-C ends."


@dataclass
class Shown:
    """What the screen is about: the results so far, what has just run, and what still runs."""

    week: str
    results: Sequence[CheckResult]
    ran: Collection[str] = ()  # ids of the checks that the latest save touched
    waiting: int = 0  # checks that still run
    saved: Sequence[str] = ()
    since: float = field(default_factory=time.monotonic)

    @property
    def first(self) -> CheckResult | None:
        """The check to show: the first that does not pass, among those that the save touched if there is one."""
        lost = [result for result in self.results if result.outcome not in (Outcome.PASSED, Outcome.BROKEN)]
        now = [result for result in lost if result.id in self.ran] or lost
        begun = [result for result in now if result.outcome not in (Outcome.SKIPPED, Outcome.TODO)]
        return next(iter(begun or [one for one in now if one.outcome is Outcome.TODO] or now), None)


class Screen:
    """Draws one state after the other; on a terminal each in place of the one before."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        """Say what goes on while there is nothing to show yet."""
        self._console.print(terminal(text), markup=False, highlight=False)

    def draw(self, shown: Shown) -> None:
        """Draw the week."""
        if self._console.is_terminal:
            self._console.clear()
        elif shown.waiting:
            return  # on what is no terminal only ends are written
        print_tasks(tasks_of(shown.results), self._console)
        self._console.print()
        if (check := shown.first) is not None:
            print_check(check, self._console)
        elif not shown.waiting:
            self.note(f"Every public check of {shown.week} that ran passes.")
        self._console.print()
        self.note(_status(shown))


def _status(shown: Shown) -> str:
    if shown.waiting:
        return f"{shown.waiting} more check{'s' if shown.waiting > 1 else ''} to run …"
    took = f"{time.monotonic() - shown.since:.1f} s"
    after = f"{', '.join(shown.saved)} saved: {len(shown.ran)} checks in {took}. " if shown.saved else ""
    return f"{after}{AGAIN}"
