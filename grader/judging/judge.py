"""Runs in a judge: a warm pytest session that grades submission after submission.

The checks are collected once, in the fork server that all judges are forked from (`fork_server`). A judge's jobs come
in and its reports go out on a socket of its own, as msgpack with a length before it.
"""

from __future__ import annotations

import importlib
import os
import platform
import socket
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgpack
import numpy
import pytest
import torch
from _pytest.runner import runtestprotocol

from grader.checks import memo
from grader.course import Assignment, Course, is_hidden
from grader.errors import SandboxError, to_dict
from grader.inside import wire
from grader.judging.examples import KnownExamples
from grader.judging.probe_code import helps, reaches
from grader.judging.remote_student import SubmissionStudents
from grader.judging.shortcuts import Shortcuts
from grader.judging.submission_session import KILL_RETRIES
from grader.pytest_plugin import plugin
from grader.results import CheckResult, Outcome, Report
from grader.sandbox import devices
from grader.sandbox.worker_client import Worker
from grader.version import VERSION

Serve = Callable[[Callable[[socket.socket, Worker], None]], None]  # `ForkServerProcess.serve`

# Plugins of pytest's own that a judge has no use for, and would pay for at each check.
UNUSED = (
    *("cacheprovider", "xdist", "terminalreporter", "grader", "logging", "doctest", "unittest", "faulthandler"),
    *("threadexception", "unraisableexception", "warnings", "junitxml", "pastebin", "recwarn", "setuponly"),
    *("setupplan", "stepwise", "debugging"),
)


def collect(root: Path, weeks: Sequence[str], serve: Serve, shortcuts: Shortcuts) -> int:
    """Collect the checks of some weeks, and `serve` forks that grade by them; return pytest's exit status."""
    _warm_up(shortcuts)
    memo.enabled = shortcuts.memo
    assignments = {week: Course(root).assignment(week) for week in weeks}
    return int(pytest.main(_pytest_arguments(root, assignments), plugins=[JudgeSession(serve, assignments, shortcuts)]))


def _pytest_arguments(root: Path, assignments: dict[str, Assignment]) -> list[str]:
    """Return options with which pytest takes no ini file, conftest or cache; `shut_out` keeps plugins away."""
    checks = [str(path) for assignment in assignments.values() for path in assignment.check_files]
    fixed = ["-c", os.devnull, "--rootdir", str(root), "--noconftest", "--import-mode=importlib", "-q", "-s"]
    for name in UNUSED:
        fixed += ["-p", f"no:{name}"]
    return [*fixed, "-p", "grader.pytest_plugin.plugin", *checks]


def _warm_up(shortcuts: Shortcuts) -> None:
    if shortcuts.imports:
        importlib.import_module("torch._dynamo")  # the first optimizer would import it, in the middle of a check

    # One thread: as many judges run as there are cores, and sums come out the same on every machine.
    torch.set_num_threads(1)


class JudgeSession:
    """The pytest plugin that replaces the usual run of all items by forks which run all items for each job."""

    def __init__(self, serve: Serve, assignments: dict[str, Assignment], shortcuts: Shortcuts) -> None:
        self._serve = serve
        self._shortcuts = shortcuts
        self._assignments = assignments

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Print why checks cannot be collected: the parent shows the log's tail, and no terminal reporter writes it."""
        if report.failed:
            print(report.longreprtext, file=sys.stderr, flush=True)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork, and in the forks grade until the parent closes the socket."""
        if session.testsfailed:
            raise session.Interrupted("the checks cannot be collected")
        weeks = {name: Week(one, _items(session, one)) for name, one in self._assignments.items()}

        def judge(connection: socket.socket, worker: Worker) -> None:
            students = session.config.stash[plugin.students_key] = SubmissionStudents(worker, self._shortcuts)
            examples = KnownExamples(students, session.items) if self._shortcuts.examples else None
            if examples is not None:
                session.config.pluginmanager.register(examples)
            Judge(connection, worker, weeks, students, examples, session.config.stash[plugin.scores_key]).serve()

        self._serve(judge)
        return True


class Week:
    """An assignment with its checks in the order of reports and of running, found out once for all judges."""

    def __init__(self, assignment: Assignment, items: list[pytest.Item]) -> None:
        self.assignment = assignment
        self.digest, self.salt = assignment.digest, assignment.salt
        self.items = items
        self.running = running_order(items)
        self.helped = {item.nodeid for item in items if helps(item.obj)}  # type: ignore[attr-defined]

    def part(self, tasks: Collection[str]) -> Week:
        """Return the week with the checks of some tasks alone, and of the tasks that these need."""
        wanted, more = set[str](), set(tasks)
        while more:
            wanted |= more
            marks = (plugin.marked(item) for item in self.items)
            more = {need for mark in marks if mark.task in wanted for need in mark.needs} - wanted
        return Week(self.assignment, [item for item in self.items if plugin.marked(item).task in wanted])


class Judge:
    """Grades one job after the other."""

    def __init__(
        self,
        connection: socket.socket,
        worker: Worker,
        weeks: Mapping[str, Week],
        students: SubmissionStudents,
        examples: KnownExamples | None,
        scores: plugin.Scores,
    ) -> None:
        self._connection = connection
        self._worker = worker
        self._weeks = weeks
        self._students = students
        self._examples = examples
        self._scores = scores

    def serve(self) -> None:
        """Tell the parent when jobs can come, and grade until it closes the socket."""
        self._reply(self._start)
        while True:
            try:
                message = msgpack.unpackb(wire.receive(self._connection))
            except wire.Closed:
                return
            self._reply(partial(self._grade, message))

    def _reply(self, work: Callable[[], dict[str, Any]]) -> None:
        try:
            reply = work()
        except SandboxError as error:
            reply = to_dict(error)
        wire.send(self._connection, msgpack.packb(reply))

    def _start(self) -> dict[str, Any]:
        self._worker.start().wait()
        return {"ready": True}

    def _grade(self, job: dict[str, Any]) -> dict[str, Any]:
        week = self._weeks[job["week"]]
        if job["tasks"]:
            week = week.part(job["tasks"])
        assignment = week.assignment
        kept = {check.id: check for check in map(CheckResult.from_dict, job["kept"])}
        try:
            self._students.begin(
                job["week"], job["files"], assignment.modules, assignment.limits, week.salt, job["seed"]
            )
            checks = self._run(week, kept)
        finally:
            self._students.end()
        report = Report(
            student=job["student"],
            week=job["week"],
            seed=job["seed"],
            grader=VERSION,
            submission=job["digest"],
            assignment=week.digest,
            checks=checks,
            notes=tuple(job["notes"]),
            environment=_environment(devices.where(self._worker.sandbox)),
        )
        return {"report": report.to_dict()}

    def _run(self, week: Week, kept: Mapping[str, CheckResult]) -> tuple[CheckResult, ...]:
        self._scores.results.clear()
        self._scores.results.update(_still_valid(week.items, kept))
        first_hidden = next((item for item in week.running if is_hidden(item.path)), None)
        helped = False
        for item in week.running:
            if item is first_hidden:
                self._students.part()  # what public checks have left behind answers no hidden one
            if item.nodeid in self._scores.results:
                continue
            if helped and item.nodeid not in week.helped:
                self._students.part()  # nor does a right helper that the code has met
            helped = item.nodeid in week.helped
            replayed = self._students.replay(item, plugin.marked(item))
            if replayed is not None:
                self._scores.results[item.nodeid] = replayed
                continue
            result = self._run_one(item)
            if result.outcome is Outcome.PASSED:
                self._students.learn(item, result)
                if self._examples is not None:
                    self._examples.learn(item)
            else:
                self._judge_again(item, result)
        return tuple(self._scores.results[item.nodeid] for item in week.items)

    def _judge_again(self, item: pytest.Item, result: CheckResult) -> None:
        """Retry once where the process had served other checks, and further where an outsider may have killed it.

        What happens twice in a row is the student's own doing. An outsider may strike at any moment, so more than once.
        """
        if self._students.shared and self._students.may_retry:
            result = self._run_alone(item)
        for _ in range(KILL_RETRIES):
            if not self._students.killed or not self._students.may_retry:
                return
            before, result = result, self._run_alone(item)
            if (before.outcome, before.message) == (result.outcome, result.message):
                return

    def _run_alone(self, item: pytest.Item) -> CheckResult:
        with self._students.alone():
            return self._run_one(item)

    def _run_one(self, item: pytest.Item) -> CheckResult:
        for report in runtestprotocol(item, log=False, nextitem=None):
            self._scores.pytest_runtest_logreport(report)
        self._students.raise_failure()
        return self._scores.results[item.nodeid]


def running_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Put every public check before the first hidden one: what a public check shows was made without hidden inputs.

    Of each kind put checks that run with right helpers behind those without, to which they must leave nothing, and
    those that ask for a process of their own (`run_fresh`) last, as they end the shared one. A check that needs the
    task of a moved check stays behind it.
    """
    public, hidden = ([item for item in items if is_hidden(item.path) is kind] for kind in (False, True))
    return [*_in_order(public), *_in_order(hidden)]


def _in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    return _last(_last(items, helps), lambda check: reaches(check, lambda name: name == "run_fresh"))


def _last(items: Sequence[pytest.Item], is_late: Callable[[Callable[..., Any]], bool]) -> list[pytest.Item]:
    late: list[pytest.Item] = []
    tasks: set[str] = set()
    for item in items:
        mark = plugin.marked(item)
        if is_late(item.obj) or tasks.intersection(mark.needs):  # type: ignore[attr-defined]
            late.append(item)
            tasks.add(mark.task)
    return [*(item for item in items if item not in late), *late]


def _items(session: pytest.Session, assignment: Assignment) -> list[pytest.Item]:
    """Return the assignment's checks, public ones first, each kind in the order of its tasks."""
    files = set(assignment.check_files)
    return sorted((item for item in session.items if item.path in files), key=lambda item: is_hidden(item.path))


@cache
def _environment(device: str) -> str:
    """Name what was graded with, as far as results may depend on it."""
    return f"Python {platform.python_version()}, torch {torch.__version__}, numpy {numpy.__version__}, {device}"


def _still_valid(items: list[pytest.Item], kept: Mapping[str, CheckResult]) -> dict[str, CheckResult]:
    """Return the results kept from an earlier run, by node id, without those that a check which runs now may change.

    A check that passed has passed, whatever it needs. One that did not may be waiting for another task.
    """
    found = {item.nodeid: kept[id] for item in items if (id := plugin.check_id(item)) in kept}
    changing = {plugin.marked(item).task for item in items if item.nodeid not in found}
    waiting = {item.nodeid for item in items if changing.intersection(plugin.marked(item).needs)}
    return {id: result for id, result in found.items() if result.outcome is Outcome.PASSED or id not in waiting}
