"""A judge: one warm pytest session that collects the checks once and grades submission after submission.

It is a program of its own (`python -m grader.judge SOCKET ROOT SANDBOX CORES WEEK…`), so that torch is imported once,
a crash costs one submission, and the parent stays light. Jobs come in and reports go out on a socket, as msgpack with a
length before it.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgpack
import pytest
from _pytest.runner import runtestprotocol

from grader import devices, plugin
from grader.assignment import Assignment, Course, is_hidden
from grader.errors import SandboxError
from grader.inside import wire
from grader.remote import RemoteStudents
from grader.results import CheckResult, Outcome, Report
from grader.scratch import die_with_parent
from grader.version import VERSION
from grader.worker import Worker

# Plugins of pytest's own that a judge has no use for, and would pay for at each check.
UNUSED = (
    *("cacheprovider", "xdist", "terminalreporter", "grader", "logging", "doctest", "unittest", "faulthandler"),
    *("threadexception", "unraisableexception", "warnings", "junitxml", "pastebin", "recwarn", "setuponly"),
    *("setupplan", "stepwise", "debugging"),
)


def main(arguments: list[str]) -> int:
    """Serve jobs from the socket with the descriptor given, for a course and some of its weeks."""
    connection, root, sandbox, cores, *weeks = arguments
    die_with_parent(int(connection))
    worker = Worker(devices.unpacked(sandbox), [int(core) for core in cores.split(",") if core])
    try:
        worker.start()
        _warm_up()
        assignments = {week: Course(Path(root)).assignment(week) for week in weeks}
        session = JudgeSession(socket.socket(fileno=int(connection)), worker, assignments)
        return int(pytest.main(_pytest_arguments(Path(root), assignments), plugins=[session]))
    finally:
        worker.close()


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


class JudgeSession:
    """The pytest plugin that replaces the usual run of all items by a run of all items for each job."""

    def __init__(self, connection: socket.socket, worker: Worker, assignments: dict[str, Assignment]) -> None:
        self._connection = connection
        self._assignments = assignments
        self._students = RemoteStudents(worker)
        self._device = devices.where(worker.sandbox)
        self._scores = plugin.Scores()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Serve the `student` fixture from the worker."""
        config.stash[plugin.students_key] = self._students
        self._scores = config.stash[plugin.scores_key]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say why checks cannot be collected: the parent shows the log's tail, and no terminal reporter writes it."""
        if report.failed:
            print(report.longreprtext, file=sys.stderr, flush=True)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Grade until the parent closes the socket."""
        if session.testsfailed:
            raise session.Interrupted("the checks cannot be collected")
        by_week = {week: _items(session, assignment) for week, assignment in self._assignments.items()}
        self._send({"ready": {week: len(items) for week, items in by_week.items()}})
        while True:
            try:
                job = msgpack.unpackb(wire.receive(self._connection))
            except wire.Closed:
                return True
            try:
                self._send({"report": self._grade(job, by_week[job["week"]]).to_dict()})
            except SandboxError as error:
                self._send({"error": str(error)})

    def _grade(self, job: dict[str, Any], items: list[pytest.Item]) -> Report:
        assignment = self._assignments[job["week"]]
        kept = {check.id: check for check in map(CheckResult.from_dict, job["kept"])}
        try:
            self._students.begin(
                job["week"], job["files"], assignment.modules, assignment.limits, assignment.salt, job["seed"]
            )
            checks = self._run(items, kept)
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

    def _run(self, items: list[pytest.Item], kept: Mapping[str, CheckResult]) -> tuple[CheckResult, ...]:
        self._scores.results.clear()
        self._scores.results.update(_still_valid(items, kept))
        running = [item for item in items if item.nodeid not in self._scores.results]
        for item in running:
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

    def _send(self, message: dict[str, Any]) -> None:
        wire.send(self._connection, msgpack.packb(message))


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
