"""A judge: one warm pytest session that collects the checks once and grades submission after submission.

It is a program of its own (`python -m grader.judge CONTROL ROOT SANDBOX WEEK…`), so that torch is imported once, a
crash costs one submission, and the parent stays light. The program is the nursery of `grader.judges`: it forks a judge
for each order on its control socket. A judge's jobs come in and its reports go out on a socket of its own, as msgpack
with a length before it.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import msgpack
import pytest
from _pytest.runner import runtestprotocol

from grader import devices, plugin
from grader.assignment import Assignment, Course, is_hidden
from grader.errors import Killed, SandboxError
from grader.inside import confine, wire
from grader.judges import PID
from grader.processes import kill_tree
from grader.remote import RemoteStudents
from grader.results import CheckResult, Outcome, Report
from grader.sandbox import Sandbox
from grader.scratch import tidy
from grader.version import VERSION
from grader.worker import Worker
from grader.zygote import Zygote

LONGEST_ORDER = 1 << 16

# Plugins of pytest's own that a judge has no use for, and would pay for at each check.
UNUSED = (
    *("cacheprovider", "xdist", "terminalreporter", "grader", "logging", "doctest", "unittest", "faulthandler"),
    *("threadexception", "unraisableexception", "warnings", "junitxml", "pastebin", "recwarn", "setuponly"),
    *("setupplan", "stepwise", "debugging"),
)


def main(arguments: list[str]) -> int:
    """Fork judges for orders from the socket with the descriptor given, for a course and some of its weeks."""
    control, root, sandbox, *weeks = arguments
    nursery = Nursery(socket.socket(fileno=int(control)), devices.unpacked(sandbox))
    try:
        nursery.start()
        _warm_up()
        assignments = {week: Course(Path(root)).assignment(week) for week in weeks}
        session = JudgeSession(nursery, assignments)
        return int(pytest.main(_pytest_arguments(Path(root), assignments), plugins=[session]))
    finally:
        nursery.close()


def _pytest_arguments(root: Path, assignments: dict[str, Assignment]) -> list[str]:
    """Options under which pytest takes nothing from the surroundings: no ini file, conftest, cache or plugin."""
    checks = [str(path) for assignment in assignments.values() for path in assignment.check_files]
    fixed = ["-c", os.devnull, "--rootdir", str(root), "--noconftest", "--import-mode=importlib", "-q", "-s"]
    for name in UNUSED:
        fixed += ["-p", f"no:{name}"]
    return [*fixed, "-p", "grader.plugin", *checks]


def _warm_up() -> None:
    import torch
    import torch._dynamo  # imported by the first optimizer otherwise, in the middle of a check

    # As many judges run as there are cores, and sums come out the same on every machine.
    torch.set_num_threads(1)


@dataclass(frozen=True)
class Desk:
    """What a judge has of its own: the connection that jobs come on, and where submissions run."""

    connection: socket.socket
    worker: Worker


class Nursery:
    """Forks judges. In each of them `serve` returns its desk, and in the nursery None, once the parent is gone.

    A sandbox that confines submissions is shared by all judges, for theirs cannot see each other; without one the first
    judge gets the worker that was started early, and the others start their own.
    """

    def __init__(self, control: socket.socket, sandbox: Sandbox) -> None:
        self._control = control
        self._sandbox = sandbox
        self._zygote: Zygote | None = None
        self._own: Worker | None = None
        self._pid = os.getpid()

    def start(self) -> None:
        """Have a worker import what it needs, while this process does so itself."""
        if not self._sandbox.gpus:  # each judge has another one of them
            self._zygote = Zygote(self._sandbox)

    def serve(self) -> Desk | None:
        """Say that judges can be had, or why not, and fork as often as is asked."""
        try:
            if self._zygote is not None:
                self._zygote.wait()
        except SandboxError as error:
            self._zygote = None
            self._control.send(json.dumps(problem(error)).encode())
            return None
        gc.collect()
        gc.freeze()  # memory that forks do not write to is there once
        self._control.send(b"ready")
        while True:
            order, fds, _, _ = socket.recv_fds(self._control, LONGEST_ORDER, 2)
            if not order:
                return None
            pid = os.fork()
            if pid == 0:
                return self._judge(json.loads(order), *fds)
            self._hand_over(pid, fds)

    def _hand_over(self, pid: int, fds: list[int]) -> None:
        end = os.pidfd_open(pid)
        socket.send_fds(self._control, [PID.pack(pid)], [end])
        for fd in (*fds, end):
            os.close(fd)
        if self._zygote is not None and not self._sandbox.confined:
            self._zygote.leave()
            self._zygote = None

    def _judge(self, order: dict[str, Any], connection: int, log: int) -> Desk:
        confine.die_with_parent()
        if os.getppid() != self._pid:  # it died before that
            os._exit(1)
        self._control.close()
        for fd in (1, 2):
            os.dup2(log, fd)
        os.close(log)
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.lend() if self._sandbox.confined else zygote.inherit()
        self._own = Worker(devices.with_cards(self._sandbox, order["sandbox"]), order["cores"], zygote)
        self._own.start()
        return Desk(socket.socket(fileno=connection), self._own)

    def close(self) -> None:
        """End what is this process's own."""
        if self._own is not None:
            self._own.close()
            return
        kill_tree(os.getpid(), root_too=False)
        if self._zygote is not None:
            self._zygote.close()
        tidy()


def problem(error: SandboxError) -> dict[str, Any]:
    """An error as plain data."""
    return {"error": str(error), "killed": isinstance(error, Killed)}


class JudgeSession:
    """The pytest plugin that replaces the usual run of all items by forks which run all items for each job."""

    def __init__(self, nursery: Nursery, assignments: dict[str, Assignment]) -> None:
        self._nursery = nursery
        self._assignments = assignments

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say why checks cannot be collected: the parent shows the log's tail, and no terminal reporter writes it."""
        if report.failed:
            print(report.longreprtext, file=sys.stderr, flush=True)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork, and in the forks grade until the parent closes the socket."""
        if session.testsfailed:
            raise session.Interrupted("the checks cannot be collected")
        items = {week: _items(session, assignment) for week, assignment in self._assignments.items()}
        desk = self._nursery.serve()
        if desk is not None:
            students = session.config.stash[plugin.students_key] = RemoteStudents(desk.worker)
            scores = session.config.stash[plugin.scores_key]
            Judge(desk, self._assignments, items, students, scores).serve()
        return True


class Judge:
    """Grades one job after the other."""

    def __init__(
        self,
        desk: Desk,
        assignments: Mapping[str, Assignment],
        items: Mapping[str, list[pytest.Item]],
        students: RemoteStudents,
        scores: plugin.Scores,
    ) -> None:
        self._connection = desk.connection
        self._device = devices.where(desk.worker.sandbox)
        self._assignments = assignments
        self._items = items
        self._running = {week: running_order(those) for week, those in items.items()}
        self._students = students
        self._scores = scores

    def serve(self) -> None:
        """Until the parent closes the socket."""
        while True:
            try:
                job = msgpack.unpackb(wire.receive(self._connection))
            except wire.Closed:
                return
            try:
                reply = {"report": self._grade(job).to_dict()}
            except SandboxError as error:
                reply = problem(error)
            wire.send(self._connection, msgpack.packb(reply))

    def _grade(self, job: dict[str, Any]) -> Report:
        assignment = self._assignments[job["week"]]
        kept = {check.id: check for check in map(CheckResult.from_dict, job["kept"])}
        try:
            self._students.begin(
                job["week"], job["files"], assignment.modules, assignment.limits, assignment.salt, job["seed"]
            )
            checks = self._run(job["week"], kept)
        finally:
            self._students.end()
        return Report(
            student=job["student"],
            week=job["week"],
            seed=job["seed"],
            grader=VERSION,
            submission=job["digest"],
            assignment=assignment.digest,
            checks=checks,
            notes=tuple(job["notes"]),
            environment=_environment(self._device),
        )

    def _run(self, week: str, kept: Mapping[str, CheckResult]) -> tuple[CheckResult, ...]:
        items = self._items[week]
        self._scores.results.clear()
        self._scores.results.update(_still_valid(items, kept))
        for item in self._running[week]:
            if item.nodeid in self._scores.results:
                continue
            replayed = self._students.replay(item, plugin.marked(item))
            if replayed is not None:
                self._scores.results[item.nodeid] = replayed
                continue
            result = self._run_one(item)
            if result.outcome is Outcome.PASSED:
                self._students.learn(item, result)
            else:
                self._judge_again(item)
        return tuple(self._scores.results[item.nodeid] for item in items)

    def _judge_again(self, item: pytest.Item) -> None:
        """Once where the process had served other checks, and once where it may be an outsider who killed it."""
        if self._students.shared:
            with self._students.alone():
                self._run_one(item)
        if self._students.shot:
            with self._students.alone():
                self._run_one(item)

    def _run_one(self, item: pytest.Item) -> CheckResult:
        for report in runtestprotocol(item, log=False, nextitem=None):
            self._scores.pytest_runtest_logreport(report)
        self._students.raise_failure()
        return self._scores.results[item.nodeid]


def running_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Checks that share a process before those that ask for their own (`run_fresh`), for these end the shared one.

    A check that needs the task of one that was moved stays behind it.
    """
    late: list[pytest.Item] = []
    tasks: set[str] = set()
    for item in items:
        mark = plugin.marked(item)
        if _names(item.obj, "run_fresh") or tasks.intersection(mark.needs):  # type: ignore[attr-defined]
            late.append(item)
            tasks.add(mark.task)
    return [*(item for item in items if item not in late), *late]


def _names(function: Any, name: str) -> bool:
    """Whether a name stands in a function, or in one that it names, as long as those are in its own module."""
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    seen: set[CodeType] = set()
    waiting = [inner.__code__]
    while waiting:
        code = waiting.pop()
        seen.add(code)
        if name in code.co_names:
            return True
        called = (getattr(inner.__globals__.get(other), "__code__", None) for other in code.co_names)
        waiting += [found for found in (*called, *code.co_consts) if isinstance(found, CodeType) and found not in seen]
    return False


def _items(session: pytest.Session, assignment: Assignment) -> list[pytest.Item]:
    """The assignment's checks, public ones first, each kind in the order of its tasks."""
    files = set(assignment.check_files)
    return sorted((item for item in session.items if item.path in files), key=lambda item: is_hidden(item.path))


@cache
def _environment(device: str) -> str:
    """What was graded with, as far as results may depend on it."""
    import numpy
    import torch

    return f"Python {platform.python_version()}, torch {torch.__version__}, numpy {numpy.__version__}, {device}"


def _still_valid(items: list[pytest.Item], kept: Mapping[str, CheckResult]) -> dict[str, CheckResult]:
    """The results kept from an earlier run, by node id, but for those that a check which runs now may change.

    A check that passed has passed, whatever it needs; one that did not may be waiting for another task or not.
    """
    found = {item.nodeid: kept[id] for item in items if (id := plugin.check_id(item)) in kept}
    changing = {plugin.marked(item).task for item in items if item.nodeid not in found}
    waiting = {item.nodeid for item in items if changing.intersection(plugin.marked(item).needs)}
    return {id: result for id, result in found.items() if result.outcome is Outcome.PASSED or id not in waiting}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
