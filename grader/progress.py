"""What a person sees while a class is graded: a live bar on a terminal, one line a submission elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from grader.escape import terminal
from grader.results import Report


class Progress:
    """Says what was graded, as it happens."""

    def __init__(self, console: Console, note: str = "", warns: bool = False) -> None:
        self._console = console
        self._note = note
        self._style = "bold red" if warns else "dim"
        self._bar: RichProgress | None = None
        self._done = 0
        self._total = 0

    @contextmanager
    def of(self, total: int, kept: int, partly: int = 0) -> Iterator[None]:
        """Show progress over `total` submissions; `kept` ones are unchanged since an earlier run.

        Of `partly` submissions only the checks run that a change to their assignment touches.
        """
        self._total = total
        if self._note and total:
            self._console.print(self._note, style=self._style, markup=False, highlight=False)
        if kept or partly:
            some = f", {partly} of them only in the checks that have changed" if partly else ""
            self._console.print(f"{kept} unchanged since the last run, {total} to grade{some}", soft_wrap=True)
        if not self._console.is_terminal or not total:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        with RichProgress(*columns, *times, console=self._console, transient=True) as bar:
            self._bar = bar
            bar.add_task("grading", total=total)
            yield
        self._bar = None

    def graded(self, report: Report) -> None:
        """One submission has its grade."""
        provisional = ", provisional: a check of ours broke" if report.broken else ""
        self._advance(report.student, report.week, f"{report.score} of {report.max_score}{provisional}")

    def failed(self, student: str, week: str, message: str) -> None:
        """One submission could not be graded."""
        self._advance(student, week, f"could not be graded: {message.splitlines()[0]}")

    def _advance(self, student: str, week: str, text: str) -> None:
        self._done += 1
        line = f"[{self._done}/{self._total}] {terminal(student)} {week}: {terminal(text)}"
        self._console.print(escape(line), soft_wrap=True, highlight=False)
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
