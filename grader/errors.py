"""Defines every error that the kit raises on purpose.

    GraderError                 what happened, where, what to do: shown as one line, never as a traceback
    ├── UsageError              the command line asks for something that is not there (exit code 2)
    ├── SubmissionError         one submission cannot be read; the others are still graded
    │   └── DownloadTooLarge    a download cannot be opened in the zip in which it lies, so that has to be unpacked
    ├── CourseError             the course's own files are wrong (assignment.toml, markers, checks)
    ├── DeviceError             no GPU can be used; the person who asked for one gets the CPU, and reads why
    ├── SandboxError            no worker can be started, or it died for a reason that is not the student's
    │   ├── Killed          a process that a judge needs was killed while it started: by chance, so a retry is worth it
    │   └── TooSmall        the machine has too little memory, so nothing was started
    ├── TamperError                 a submission without a sandbox has changed the grader or the course: the run ends
    └── ClusterError            the scheduler or the machines that were to grade are not there, or may not take part

A student's mistake is never an error in this sense: it is an `Outcome` (see `grader.results.report`). What runs inside
the sandbox knows nothing of this tree and has `CodecError` (`grader.inside.codec`) of its own.
"""

from __future__ import annotations

from typing import Any


class GraderError(Exception):
    """Base of the tree; `str(error)` is the whole message for a person."""


class UsageError(GraderError):
    """The request makes no sense as given; nothing was graded or written."""


class SubmissionError(GraderError):
    """A submission cannot be read; only that submission is left ungraded."""


class DownloadTooLarge(SubmissionError):
    """A zip lies compressed in another, and is too large to be held in memory; the text says what to unpack."""


class CourseError(GraderError):
    """The course's own material is inconsistent; an instructor has to mend it."""


class DeviceError(GraderError):
    """No GPU of this machine can be used; the text says what was found and what to do."""


class SandboxError(GraderError):
    """The machinery around the student's code failed, so no grade may be drawn from it."""


class Killed(SandboxError):
    """A process of ours was killed before it met any submission: to get memory, or by a person."""


class TooSmall(SandboxError):
    """This machine has too little memory for grading; the text says how much it takes."""


class TamperError(GraderError):
    """Files that grades depend on have changed while submissions ran without a sandbox; the run must not go on."""


class ClusterError(GraderError):
    """Other machines were to grade and cannot; what they graded before is kept, and the same command goes on."""


def to_dict(error: SandboxError) -> dict[str, Any]:
    """Turn an error into plain data, for another process."""
    return {"error": str(error), "killed": isinstance(error, Killed)}


def from_dict(data: dict[str, Any]) -> SandboxError:
    """Make the error again that `to_dict` made plain data of."""
    return (Killed if data["killed"] else SandboxError)(data["error"])
