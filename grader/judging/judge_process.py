"""Drives judges from the parent: processes that grade one job at a time, forked from the fork server.

The fork server imports torch and collects the checks once, and holds a warm sandbox for all of its judges; so a judge
that dies is replaced at once. It ends with the last of its judges, or with the parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgpack

from grader.errors import GraderError, Killed, SandboxError, from_dict
from grader.inside import wire
from grader.judging.fork_server_client import START_SECONDS, Forked, ForkServer
from grader.judging.job import Job
from grader.judging.shortcuts import Shortcuts
from grader.results import Report
from grader.sandbox import Sandbox
from grader.scratch import last_lines

JOB_SECONDS = 7200.0  # a judge that hangs; a submission ends far sooner, even on a very busy machine


class JudgeProcess:
    """One judge, started at its first job. `grade` raises `SandboxError` where the judge dies.

    It is forked from `fork_server`, which it may share with others, or from one of its own.
    """

    def __init__(
        self,
        root: Path,
        weeks: Sequence[str],
        sandbox: Sandbox,
        cores: Sequence[int] = (),
        fork_server: ForkServer | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._cores = cores
        self._fork_server = fork_server or ForkServer(root, weeks, sandbox, shortcuts)
        self._forked: Forked | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, while there is a process."""
        return self._forked.pid if self._forked else None

    def grade(self, job: Job) -> Report:
        """Grade one job; `TamperError` where the result is worth nothing, as the grader's files have changed."""
        with self._fork_server.watched(f"{job.student} ({job.week})"):
            return self._grade(job)

    def _grade(self, job: Job) -> Report:
        judge = self._started()
        try:
            judge.connection.settimeout(JOB_SECONDS)
            wire.send(judge.connection, msgpack.packb(job.to_dict()))
            reply = self._reply(judge)
        except OSError as error:
            tail = last_lines(judge.log)
            self.close()
            raise SandboxError(f"the judge died while grading ({type(error).__name__}){tail}") from None
        return Report.from_dict(reply["report"])

    def _started(self) -> Forked:
        if self._forked is None:
            try:
                judge = self._forked = self._fork_server.fork(self, self._sandbox, self._cores)
            except GraderError:
                self._fork_server.leave(self)
                raise
            try:
                judge.connection.settimeout(START_SECONDS)
                self._reply(judge)
            except OSError:
                tail = last_lines(judge.log)
                self.close()
                raise Killed(f"the judge was killed before it began to grade{tail}") from None
        return self._forked

    def _reply(self, judge: Forked) -> Any:
        reply = msgpack.unpackb(wire.receive(judge.connection))
        if "error" in reply:
            self.close()
            raise from_dict(reply)
        return reply

    def close(self) -> None:
        """Kill the judge and everything below it."""
        if self._forked is not None:
            forked, self._forked = self._forked, None
            forked.kill()
        self._fork_server.leave(self)
