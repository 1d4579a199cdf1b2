"""Shows a class being graded: a live bar on a terminal, one line a submission elsewhere.

Both show the remaining time, by rich's own estimate: the bar always, the lines now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich import progress as rich_progress
from rich.console import Console
from rich.markup import escape

from grader.escape import terminal
from grader.language import decimal
from grader.results import Report

EVERY = 60.0  # seconds between two lines about the remaining time
RECENT = 600.0  # seconds whose results tell how fast it goes


class Progress:
    """Says what was graded, as it happens. `clock` gives seconds, and never goes back."""

    def __init__(
        self, console: Console, note: str = "", warns: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._note = note
        self._style = "bold red" if warns else "dim"
        self._clock = clock
        self._bar: rich_progress.Progress | None = None
        self._said = 0.0
        self._began = 0.0
        self._done = 0
        self._total = 0

    @contextmanager
    def of(self, waiting: Mapping[str, int], kept: int, partly: int = 0) -> Iterator[None]:
        """Show progress over the `waiting` submissions, counted by week; `kept` more are unchanged since the last run.

        For `partly` of the waiting ones, only the checks run that a change to their assignment touches.
        """
        self._total = total = sum(waiting.values())
        self._said = self._began = self._clock()
        if self._note and total:
            self._console.print(self._note, style=self._style, markup=False, highlight=False)
        if kept or partly:
            some = f", {partly} of them only in the checks that have changed" if partly else ""
            self._console.print(f"{kept} unchanged since the last run, {total} to grade{some}", soft_wrap=True)
        if not total:
            yield
            return
        # Outside a terminal the bar is not drawn, but it still estimates the remaining time.
        with rich_progress.Progress(
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TimeElapsedColumn(),
            rich_progress.TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
            get_time=self._clock,
            speed_estimate_period=RECENT,
        ) as bar:
            self._bar = bar
            bar.add_task("grading", total=total)
            yield
        self._bar = None

    def graded(self, report: Report) -> None:
        """Say that one submission has its grade."""
        if report.excused:
            self._advance(report.student, report.week, report.grade)
            return
        provisional = ", provisional: a check of ours broke" if report.broken else ""
        provisional += f", provisional: a person grades {', '.join(report.waiting)}" if report.waiting else ""
        score = f"{decimal(report.score)} of {decimal(report.max_score)}"
        self._advance(report.student, report.week, f"{score}{provisional}")

    def failed(self, student: str, week: str, message: str) -> None:
        """Say that one submission could not be graded."""
        self._advance(student, week, f"could not be graded: {message.splitlines()[0]}")

    def _advance(self, student: str, week: str, text: str) -> None:
        self._done += 1
        line = f"[{self._done}/{self._total}] {terminal(student)} {week}: {terminal(text)}"
        self._console.print(escape(line), soft_wrap=True, highlight=False)
        if self._bar is None:
            return
        self._bar.update(self._bar.task_ids[0], advance=1, refresh=True)
        left = self._left(self._bar.tasks[0].time_remaining)
        if not self._console.is_terminal and left and self._clock() - self._said >= EVERY:
            self._said = self._clock()
            self._console.print(in_words(left), highlight=False)

    def _left(self, by_recent: float | None) -> float | None:
        """Guess the remaining seconds; at first by all that went by, since the first results come in a bunch."""
        ran = self._clock() - self._began
        return by_recent if ran > RECENT else ran / self._done * (self._total - self._done)


def in_words(seconds: float) -> str:
    """Say the remaining time, as `about 12 min left`: coarse, since it is a guess."""
    minutes = seconds / 60
    if minutes < 1:
        return "less than a minute left"
    if minutes < 60:
        return f"about {round(minutes)} min left"
    return f"about {round(minutes) // 60} h {round(minutes) % 60 // 10 * 10} min left"
