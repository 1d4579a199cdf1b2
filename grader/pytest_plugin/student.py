"""Runs probes for a check: `student.run(probe, …)` gives evidence, wherever the probe runs.

`LocalStudent` runs probes in this process, for students at their own desk: breakpoints and prints work, and the
arguments and the evidence still pass through the codec. `grader.judging.remote_student` runs them in a sandboxed
worker; only such runs give a grade.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from grader.checks.describe import brief, clip
from grader.inside import codec, probing
from grader.inside.modules import StudentModules
from grader.pytest_plugin.deadline import deadline
from grader.results import Outcome

Probe = Callable[..., Any]
FEW_IN_CALL = 4  # numbers of an array; larger ones are not shown in full, so that other arguments are seen, too


class Student(Protocol):
    """Runs probes on a submission for one check.

    `called_with` describes the latest probe's arguments. `printed` is what it printed, where that was caught.
    """

    @property
    def called_with(self) -> str: ...

    @property
    def printed(self) -> str: ...

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        """Return the probe's evidence, or raise what ends the check. All runs of one check share a process."""
        ...

    def run_fresh(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        """Do as `run`, in a process that no other run has touched, and that no later run of this check uses."""
        ...


@dataclass
class ProbeEnded(Exception):
    """Says that a probe in a worker gave no evidence. `summary` names only the kind of end, `detail` the rest."""

    outcome: Outcome
    summary: str
    detail: str = ""

    def __str__(self) -> str:
        return self.summary


class LocalStudent:
    """Runs probes in this process. `raised` holds the latest exceptions of the student's code."""

    printed = ""  # pytest itself shows what is printed at a student's desk

    def __init__(self, modules: StudentModules, folder: Path, seed: int, seconds: float) -> None:
        self.called_with = ""
        self.folder = folder
        self.raised: deque[BaseException] = deque(maxlen=64)
        self._modules = modules
        self._seed = seed
        self._seconds = seconds

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        self.called_with = describe_call(probe, args, kwargs)
        args, kwargs = codec.decode(codec.encode((args, kwargs), "the probe's arguments"))
        try:
            with deadline(self._seconds):
                evidence = probing.call(probe, self._modules, self._seed, args, kwargs)
                message = codec.encode(evidence, "the result")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too, comes from the student's code
            self.raised.append(error)
            raise
        return codec.decode(message)

    run_fresh = run


def describe_call(probe: Probe, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Describe a probe's arguments by the names of its parameters: `size=6, kernel_size=3`."""
    _, *named = inspect.signature(probe).bind(None, *args, **kwargs).arguments.items()  # the first one is the student
    return clip(", ".join(f"{name}={brief(value, FEW_IN_CALL)}" for name, value in named), 400)
