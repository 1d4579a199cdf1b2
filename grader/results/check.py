"""Holds how a check ended: its outcome, what it says, and what of that a student may read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from grader.inside import says
from grader.results import exhibits
from grader.results.exhibits import Exhibit

_BULKY = ("measures", "exhibits", "stand_ins", "output", "wrong_form", "place", "cause")


class Outcome(StrEnum):
    """The ways that a check can end. Only `PASSED` earns points; only `BROKEN` is not the student's doing."""

    PASSED = "passed"
    FAILED = "failed"  # the evidence is wrong
    TODO = "todo"  # the task is not started
    ERROR = "error"  # the student's code raised
    TIMEOUT = "timeout"
    MEMORY = "memory"
    KILLED = "killed"  # the process ended: a signal, or an exit
    SKIPPED = "skipped"  # something that it needs failed first
    INVALID = "invalid"  # the evidence is not plain data
    BROKEN = "broken"  # the check itself crashed


class Reason(StrEnum):
    """All that a student may read of why a hidden check did not pass."""

    VALUE = says("wrong value")
    FORM = says("wrong shape or type")
    ERROR = says("raised an error")
    LIMIT = says("out of time or memory")
    NOT_RUN = says("not run")


# Outcomes of hidden checks, as a student sees them: no more of them than there are reasons, since a submission
# chooses how a check ends, and could tell its author about the check's inputs in that way.
_SHOWN = {
    Outcome.FAILED: (Outcome.FAILED, Reason.VALUE),
    Outcome.INVALID: (Outcome.FAILED, Reason.FORM),
    Outcome.ERROR: (Outcome.ERROR, Reason.ERROR),
    Outcome.KILLED: (Outcome.ERROR, Reason.ERROR),
    Outcome.TIMEOUT: (Outcome.TIMEOUT, Reason.LIMIT),
    Outcome.MEMORY: (Outcome.TIMEOUT, Reason.LIMIT),
    Outcome.TODO: (Outcome.SKIPPED, Reason.NOT_RUN),
    Outcome.SKIPPED: (Outcome.SKIPPED, Reason.NOT_RUN),
    Outcome.BROKEN: (Outcome.BROKEN, says("the check itself crashed")),
    Outcome.PASSED: (Outcome.PASSED, ""),
}


@dataclass(frozen=True)
class Measure:
    """A number that a check compared with a threshold, such as an accuracy; `least` tells a floor from a ceiling."""

    what: str
    value: float
    bound: float
    least: bool

    @property
    def margin(self) -> float:
        """The distance from the threshold: positive on its right side, negative on the wrong one."""
        return self.value - self.bound if self.least else self.bound - self.value


@dataclass(frozen=True, slots=True)  # a class has tens of thousands
class CheckResult:
    """One check's verdict; `points` is 0 or `max_points`.

    `message` says all that is known. Of a public check the student reads it; of a hidden one only the teacher does.
    """

    id: str
    task: str
    title: str
    hidden: bool
    points: int
    max_points: int
    outcome: Outcome
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    measures: tuple[Measure, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    stand_ins: tuple[str, ...] = ()  # parts of the student's that were replaced, since they have checks of their own
    output: str = ""  # what the code printed in a check that did not pass
    wrong_form: bool = False  # the evidence has another type or shape than it should
    place: str = ""  # the student's file and line to look at
    cause: str = ""  # the exception and its place, or the like: the same for all checks that one thing has ended

    def said_in(self, texts: Mapping[str, str]) -> CheckResult:
        """Return the result with its title and hint as a week's translations say them."""
        return replace(self, title=texts.get(self.title, self.title), hint=texts.get(self.hint, self.hint))

    @property
    def is_broken(self) -> bool:
        """Tell whether the check itself crashed, which is a fault of ours."""
        return self.outcome is Outcome.BROKEN

    @property
    def advice(self) -> str:
        """The message and the hint, as far as there are any, a line each."""
        return "\n".join(part for part in (self.message, self.hint) if part)

    def to_dict(self) -> dict[str, Any]:
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        data["outcome"] = str(self.outcome)
        data["measures"] = tuple(map(asdict, self.measures))
        data["exhibits"] = [*map(exhibits.to_dict, self.exhibits)]
        for name in _BULKY:
            if not data[name]:
                del data[name]
        return data

    @classmethod
    def brief_from_dict(cls, data: Mapping[str, Any]) -> CheckResult:
        """Read only what the pages about a class show; texts that many results have are kept once."""
        kept = {name: value for name, value in data.items() if name not in _BULKY}
        texts = {name: sys.intern(value) for name, value in kept.items() if type(value) is str}
        return cls(**{**kept, **texts, "outcome": Outcome(data["outcome"])})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CheckResult:
        measures = tuple(Measure(**measure) for measure in data.get("measures", ()))
        shown = tuple(exhibits.from_dict(exhibit) for exhibit in data.get("exhibits", ()))
        more = {"measures": measures, "exhibits": shown, "stand_ins": tuple(data.get("stand_ins", ()))}
        return cls(**{**data, "outcome": Outcome(data["outcome"]), **more})


def without_secrets(check: CheckResult) -> CheckResult:
    """Return a check as its student may read it: of a hidden one points, title, hint and a `Reason`."""
    if not check.hidden:
        return check
    outcome, why = _SHOWN[check.outcome]
    if check.wrong_form and outcome is Outcome.FAILED:
        why = Reason.FORM
    return CheckResult(
        check.id, check.task, check.title, True, check.points, check.max_points, outcome, str(why), check.hint
    )
