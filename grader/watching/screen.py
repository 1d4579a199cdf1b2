"""Shows on the terminal where a week stands: the score by task, then what failed first, and why."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from grader.escape import terminal
from grader.language import decimal, later, tr
from grader.reports.terminal import all_pass, print_check, print_tasks
from grader.reports.words import whom_to_tell
from grader.results import CheckResult, Outcome, tasks_of

AGAIN = later("Save a file to run its checks again; Enter runs all of them; Ctrl-C ends.")


@dataclass
class Shown:
    """What the screen is about: the results so far, what has just run, and what still runs."""

    week: str
    results: Sequence[CheckResult]
    ran: Collection[str] = ()  # ids of the checks that the latest save touched
    waiting: int = 0  # checks that still run
    saved: Sequence[str] = ()
    whole: bool = True  # these are all checks of the week
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

    def __init__(self, console: Console, contact: str = "", hidden: int = 0) -> None:
        self._console = console
        self._contact = contact  # whom to tell of a check of ours that broke
        self._hidden = hidden  # points of a week's hidden checks

    def note(self, text: str) -> None:
        """Say what goes on while there is nothing to show yet."""
        self._console.print(terminal(text), markup=False, highlight=False)

    def draw(self, shown: Shown) -> None:
        """Draw the week."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._console.clear()
        elif shown.waiting:
            return  # where nothing can be cleared, only ends are written
        print_tasks(tasks_of(shown.results), self._console)
        self._console.print()
        if (check := shown.first) is not None:
            print_check(check, self._console)
        elif not shown.waiting:
            self.note(all_pass(shown.whole, self._hidden))
        self._console.print()
        if tell := whom_to_tell(shown.results, self._contact):
            self.note(tell)
        self.note(_status(shown))


def _status(shown: Shown) -> str:
    if shown.waiting:
        return tr("{n} more checks to run …" if shown.waiting > 1 else "1 more check to run …", n=shown.waiting)
    took = f"{decimal(time.monotonic() - shown.since, 1)} s"
    files = ", ".join(shown.saved)
    after = tr(
        "{files} saved: 1 check in {time}." if len(shown.ran) == 1 else "{files} saved: {n} checks in {time}.",
        files=files, n=len(shown.ran), time=took,
    ) if files else ""  # fmt: skip
    return " ".join(filter(None, (after, tr(AGAIN))))
