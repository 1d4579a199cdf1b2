"""What a person sees while a class is graded: a live bar on a terminal, one line a submission elsewhere.

Both say how long it will still take, as soon as that can be told: the bar always, the lines now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from grader.escape import terminal
from grader.reports.remaining import Remaining, in_words
from grader.results import Report

EVERY = 60.0  # seconds between two lines that say how long it will take


class Progress:
    """Says what was graded, as it happens. `clock` gives seconds, and never goes back."""

    def __init__(
        self, console: Console, note: str = "", warns: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._note = note
        self._style = "bold red" if warns else "dim"
        self._clock = clock
        self._bar: RichProgress | None = None
        self._remaining = Remaining({})
        self._said = 0.0
        self._done = 0
        self._total = 0

    @contextmanager
    def of(self, waiting: Mapping[str, int], kept: int, partly: int = 0) -> Iterator[None]:
        """Show progress over so many submissions of each week; `kept` ones are unchanged since an earlier run.

        Of `partly` submissions only the checks run that a change to their assignment touches.
        """
        self._total = total = sum(waiting.values())
        self._remaining, self._said = Remaining(waiting), self._clock()
        if self._note and total:
            self._console.print(self._note, style=self._style, markup=False, highlight=False)
        if kept or partly:
            some = f", {partly} of them only in the checks that have changed" if partly else ""
            self._console.print(f"{kept} unchanged since the last run, {total} to grade{some}", soft_wrap=True)
        if not self._console.is_terminal or not total:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        left = TextColumn("{task.fields[left]}")
        with RichProgress(*columns, left, console=self._console, transient=True) as bar:
            self._bar = bar
            bar.add_task("grading", total=total, left="")
            yield
        self._bar = None

    def graded(self, report: Report) -> None:
        """One submission has its grade."""
        provisional = ", provisional: a check of ours broke" if report.broken else ""
        text = f"{report.score} of {report.max_score}{provisional}"
        self._advance(report.student, report.week, text, sum(check.seconds for check in report.checks))

    def failed(self, student: str, week: str, message: str) -> None:
        """One submission could not be graded."""
        self._advance(student, week, f"could not be graded: {message.splitlines()[0]}", None)

    def _advance(self, student: str, week: str, text: str, seconds: float | None) -> None:
        self._done += 1
        line = f"[{self._done}/{self._total}] {terminal(student)} {week}: {terminal(text)}"
        self._console.print(escape(line), soft_wrap=True, highlight=False)
        self._remaining.done(week, seconds, self._clock())
        left = self._remaining.seconds(self._clock())
        words = "" if left is None or self._done == self._total else in_words(left)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, left=words, refresh=True)
        elif words and self._clock() - self._said >= EVERY:
            self._said = self._clock()
            self._console.print(words, highlight=False)
