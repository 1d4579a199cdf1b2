"""Waits warm for orders: `python -m grader.watching.warm ADDRESS ROOT WEEK HOW [WORK]`, with a key on stdin.

It imports torch and what else takes long, and collects the week's public checks, before it waits. With
`fork` it runs nothing itself: it forks a process for each order, which finds all that done. With `spare` it serves
once, and another one takes its place.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from grader.course import Course
from grader.inside.modules import ModuleEnded
from grader.pytest_plugin import plugin, shut_out
from grader.pytest_plugin.local import LocalStudents
from grader.pytest_plugin.student import LocalStudent, Student
from grader.results import CheckResult
from grader.watching import wire
from grader.watching.warming import warm_up

Connect = Callable[[], Connection]
UNUSED = (  # of pytest's plugins
    *("cacheprovider", "xdist", "terminalreporter", "grader", "logging", "doctest", "unittest", "faulthandler"),
    *("threadexception", "unraisableexception", "warnings", "junitxml", "pastebin", "recwarn", "setuponly"),
    *("setupplan", "stepwise", "debugging", "hypothesispytest"),
)


def main(arguments: list[str]) -> int:
    """Serve the watcher that listens at an address."""
    address, root, week, how, *submission = arguments
    key = bytes.fromhex(sys.stdin.readline().strip())
    sys.path.append(root)  # for `fixtures`: the watcher may have been started anywhere
    shut_out(os.environ)

    def connect() -> Connection:
        return Client(address, authkey=key)

    session = Session(connect, forks=how == "fork", submission=Path(submission[0]) if submission else None)
    status = int(pytest.main(_pytest_arguments(Path(root), week), plugins=[session]))
    if session.served:
        return status
    with contextlib.suppress(OSError):
        log = session.failure or f"pytest ended with status {status}"
        wire.send(connect(), kind=wire.FAILED, log=log, also=not session.failure)
    return 1


def _pytest_arguments(root: Path, week: str) -> list[str]:
    """Return options with which pytest takes nothing from its surroundings, as in a judge."""
    assignment = Course(root).part(week)
    checks = [str(path) for path in assignment.check_files if path.parent == assignment.folder]
    fixed = ["-c", os.devnull, "--rootdir", str(root), "--noconftest", "--import-mode=importlib", "-q", "-s"]
    for name in UNUSED:
        fixed += ["-p", f"no:{name}"]
    return [*fixed, "-p", "grader.pytest_plugin.plugin", *checks]


class Session:
    """The pytest plugin that waits for orders in place of the usual run of all checks."""

    def __init__(self, connect: Connect, forks: bool, submission: Path | None = None) -> None:
        self.served = False
        self.failure = ""
        self._connect = connect
        self._forks = forks
        self._submission = submission

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why checks cannot be collected."""
        if report.failed:
            self.failure = report.longreprtext

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve until the watcher is gone."""
        if session.testsfailed:
            raise session.Interrupted("the checks cannot be collected")
        warm_up()
        _let_go_of_the_terminal()
        self.served = True
        with contextlib.suppress(EOFError, OSError):
            if self._forks:
                _fork_on_order(self._connect, session, self._submission)
            else:
                serve(self._connect(), session, self._submission)
        return True


def _let_go_of_the_terminal() -> None:
    """Have nothing go there past what is caught of the code's output: it would flood it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)


def _fork_on_order(connect: Connect, session: pytest.Session, submission: Path | None) -> None:
    gc.collect()
    gc.freeze()  # forks share memory that none of them writes to
    orders = connect()
    wire.send(orders, kind=wire.READY, forks=True)
    while wire.receive(orders).get("kind") == wire.FORK:
        _reap()
        if os.fork() == 0:
            os.setpgid(0, 0)  # so that it is killed with all that it has started
            orders.close()
            with contextlib.suppress(EOFError, OSError):
                serve(connect(), session, submission)
            os._exit(0)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def serve(connection: Connection, session: pytest.Session, submission: Path | None = None) -> None:
    """Run the checks that are asked for, one after the other, until the watcher hangs up."""
    items = {plugin.check_id(item): item for item in session.items}
    students = session.config.stash[plugin.students_key] = _Students(connection, submission)
    wire.send(connection, kind=wire.READY, pid=os.getpid(), checks=[_described(item) for item in session.items])
    while True:
        order = wire.receive(connection)
        if order["kind"] == wire.OPEN:
            students.ended = {name: ModuleEnded(*end) for name, end in order["ended"].items()}
            students.import_all(session.items[0], order["modules"])
        else:
            wire.send(connection, kind=wire.RESULT, result=_run(items[order["check"]], session).to_dict())


def _described(item: pytest.Item) -> dict[str, Any]:
    mark = plugin.marked(item)
    title = plugin.texts_for(item).get(mark.title, mark.title)
    points = {"task": mark.task, "title": title, "max_points": mark.points, "seconds": mark.seconds}
    return {"id": plugin.check_id(item), "needs": list(mark.needs), **points}


def _run(item: pytest.Item, session: pytest.Session) -> CheckResult:
    scores = session.config.stash[plugin.scores_key]
    scores.reports.clear()
    scores.results.clear()  # the watcher knows them all, and says what waits for what
    for report in runtestprotocol(item, log=False, nextitem=None):
        scores.pytest_runtest_logreport(report)
    return scores.results[item.nodeid]


class _Students(LocalStudents):
    """Says at each step that it goes on, so that the watcher can tell what hangs."""

    def __init__(self, connection: Connection, submission: Path | None) -> None:
        super().__init__(submission, seed=0)
        self._connection = connection

    def import_all(self, item: pytest.Item, modules: list[str]) -> None:
        """Import the student's modules before any check; a failure comes again where a check needs the module."""
        student = self.open(item, plugin.marked(item))
        assert isinstance(student, LocalStudent)
        for module in modules:
            wire.send(self._connection, kind=wire.SIGN, importing=module)
            student.import_first([module])
        wire.send(self._connection, kind=wire.SIGN)

    def open(self, item: pytest.Item, mark: Any) -> Student:
        student = super().open(item, mark)
        assert isinstance(student, LocalStudent)
        student.before_run = lambda: wire.send(self._connection, kind=wire.SIGN)
        return student


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
