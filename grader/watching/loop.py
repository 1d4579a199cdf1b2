"""Watches a week: runs again what a save can touch, and shows what came of it."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader import history
from grader.course import Course
from grader.course.check_digests import desk_digests
from grader.errors import GraderError, UsageError
from grader.language import tr
from grader.results import CheckResult, task_order
from grader.watching.changes import follow
from grader.watching.runs import Run
from grader.watching.screen import Screen, Shown
from grader.watching.spares import LANES, Check, Spares
from grader.watching.state import State

Show = Callable[[Shown], None]


@dataclass(frozen=True)
class Saved:
    """Says that files were saved, or none where somebody asks for all checks."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gone:
    """Says that nothing can be followed any more; `why` is empty where the folder itself is gone."""

    why: str = ""


@dataclass(frozen=True)
class Came:
    """Says what came of a run: a result, or its end."""

    run: int
    result: CheckResult | None


class Desk:
    """One week under watch. `show` gets every state that is worth showing."""

    def __init__(
        self, course: Course, week: str, tasks: Collection[str], forks: bool, show: Show, lanes: int = LANES
    ) -> None:
        self._assignment = course.part(week)
        self._tasks = tasks
        self._new_spares = partial(Spares, self._assignment, forks, lanes)
        self._show = show
        self._events: queue.Queue[Saved | Gone | Came | None] = queue.Queue()
        self._state = State(())
        self._run: Run | None = None
        self._number = 0
        self._shown = Shown(week, ())
        self._left: set[str] = set()

    def saved(self, names: list[str]) -> None:
        """Take note of a save; any thread may call this."""
        self._events.put(Saved(tuple(names)))

    def run_all(self) -> None:
        """Have all checks run again; any thread may call this."""
        self._events.put(Saved())

    def gone(self, why: str = "") -> None:
        """Have `watch` say that it follows no longer; any thread may call this."""
        self._events.put(Gone(why))

    def end(self) -> None:
        """Have `watch` return."""
        self._events.put(None)

    def watch(self) -> None:
        """Run all checks, and then after each save what it can touch, until `end`."""
        self._spares = self._new_spares()
        try:
            self._state = State(self._chosen())
            self._begin(Saved())
            while (event := self._next()) is not None:
                self._take(event)
        except (GraderError, OSError):
            if self._assignment.folder.is_dir():
                raise
            raise self._lost() from None  # whatever it was that could not be read
        finally:
            self._cancel()
            self._spares.close()

    def _chosen(self) -> list[Check]:
        warm = self._spares.take()
        checks = warm.checks
        self._spares.put_back(warm)
        known = {check.task for check in checks}
        if unknown := set(self._tasks) - known:
            names = ", ".join(sorted(known, key=task_order))
            raise UsageError(f"no check belongs to task {', '.join(sorted(unknown))}; there are: {names}")
        return [check for check in checks if not self._tasks or check.task in self._tasks]

    def _next(self) -> Saved | Gone | Came | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._events.get(timeout=1.0)  # Ctrl-C ends no endless wait on Windows

    def _take(self, event: Saved | Gone | Came) -> None:
        if isinstance(event, Gone):
            raise GraderError(f"saves cannot be followed here ({event.why})") if event.why else self._lost()
        if isinstance(event, Saved):
            if self._assignment.folder.is_dir():  # else `Gone` comes, or another save once it is back
                self._begin(event)
        elif event.run == self._number:
            self._note(event.result)

    def _begin(self, saved: Saved) -> None:
        since = time.monotonic()
        if any(name.startswith(("test_", "probes")) or name.endswith(".toml") for name in saved.names):
            self._anew()
        if not saved.names:
            self._state.forget()
        checks = self._state.touched(desk_digests(self._assignment))
        if not checks and saved.names and self._run is None:
            return  # a comment, or a file that no check leads to
        self._cancel()
        self._number += 1
        self._left = {check.id for check in checks}
        whole = not self._tasks
        self._shown = Shown(self._assignment.week, (), frozenset(self._left), len(checks), saved.names, whole, since)
        self._run = Run(self._spares, self._assignment.modules, checks, partial(self._tell, self._number))
        if not checks:
            self._note(None)

    def _tell(self, number: int, result: CheckResult | None) -> None:
        self._events.put(Came(number, result))

    def _note(self, result: CheckResult | None) -> None:
        if result is not None:
            self._state.note(result)
            self._left.discard(result.id)
        else:
            self._left.clear()
            self._run = None
        self._shown.results, self._shown.waiting = self._state.results(), len(self._left)
        if result is None:
            history.note(self._assignment.root, self._assignment.week, self._shown.results)
        if result is None or (self._left and self._events.empty()):
            self._show(self._shown)

    def _lost(self) -> UsageError:
        week = self._assignment.week
        return UsageError(
            f"{self._assignment.folder}: the folder is no longer there (it was moved, renamed or removed); "
            f"put it back, and start again: python -m grader watch {week}"
        )

    def _anew(self) -> None:
        """Load checks again that somebody has edited."""
        self._cancel()
        self._spares.close()
        self._spares = self._new_spares()
        self._state = State(self._chosen())

    def _cancel(self) -> None:
        if self._run is not None:
            self._run.cancel()
            self._run = None


def watch(course: Course, week: str, tasks: Collection[str], screen: Screen, forks: bool, show: Show | None) -> None:
    """Watch a week on the terminal until Ctrl-C; `show` gets what the screen gets."""

    def both(shown: Shown) -> None:
        screen.draw(shown)
        if show is not None:
            show(shown)

    desk = Desk(course, week, tasks, forks, both)
    ended = threading.Event()
    folder = course.part(week).folder
    threading.Thread(target=_follow, args=(folder, ended, desk), daemon=True).start()
    threading.Thread(target=_listen, args=(desk,), daemon=True).start()
    screen.note(tr("Loading torch and the checks of {week}; this takes some seconds, once.", week=week))
    try:
        desk.watch()
    finally:
        ended.set()


def _follow(folder: Path, ended: threading.Event, desk: Desk) -> None:
    why = ""
    try:
        follow(folder, ended, desk.saved)
    except OSError as error:
        why = error.strerror or str(error)
    if not ended.is_set():
        desk.gone(why)


def _listen(desk: Desk) -> None:
    """Run all checks again at each Enter."""
    if sys.stdin is None or not sys.stdin.isatty():
        return
    while sys.stdin.readline():
        desk.run_all()
