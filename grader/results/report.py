"""Holds the outcomes of checks, and the report that every format is made from."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from grader.results import exhibits
from grader.results.delivery import Delivery
from grader.results.exhibits import Exhibit
from grader.results.manual import ManualPart, Remark

SCHEMA = 1
WEEK = "week"  # in place of a task: the whole week
TODO_TEXT = re.compile(r"TODO (\d{1,2}\.\d{1,2})\b")  # as a skeleton raises it, with its task
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

    VALUE = "wrong value"
    FORM = "wrong shape or type"
    ERROR = "raised an error"
    LIMIT = "out of time or memory"
    NOT_RUN = "not run"


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
    Outcome.BROKEN: (Outcome.BROKEN, "the check itself crashed"),
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


@dataclass(frozen=True)
class Adjustment:
    """A line of the score that no check gave: what a person decided, or what lateness costs.

    `points` are added to what the checks gave, and may be negative. `task` is the task that a person scored, `WEEK`
    where that is the whole week, and empty in all other lines. `kind` is `override`, `late`, `bonus`, `penalty` or
    `missing`: nothing was handed in, and that counts as zero. What earlier versions wrote has none.
    """

    what: str
    points: int
    why: str = ""
    task: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", "override" if self.task else "late")


@dataclass(frozen=True)
class TaskScore:
    """A task's checks, added up. `outcome` comes from the first check that did not pass."""

    task: str
    points: int
    max_points: int
    outcome: Outcome
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class Report:
    """The canonical result of one student's week, as the gradebook keeps it.

    `report.json` and all that a student gets to see are made from `for_student()`. `by_hand` says why no check ran,
    where people alone can give points; `excused` says why the week counts nothing.
    """

    student: str
    week: str
    seed: int
    grader: str
    submission: str
    assignment: str
    checks: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    environment: str = ""
    delivery: Delivery | None = None
    schema: int = field(default=SCHEMA)
    manual: tuple[ManualPart, ...] = ()
    remarks: tuple[Remark, ...] = ()
    excused: str = ""
    by_hand: str = ""

    @property
    def score(self) -> int:
        """The grade: what checks and people gave, and what people and lateness changed, from 0 to `max_score`."""
        given = self.raw_score + sum(part.points or 0 for part in self.manual)
        changed = given + sum(adjustment.points for adjustment in self.adjustments)
        return min(max(changed, 0), self.max_score)

    @property
    def raw_score(self) -> int:
        """The points that the checks gave."""
        return sum(check.points for check in self.checks)

    @property
    def max_score(self) -> int:
        return sum(check.max_points for check in self.checks) + sum(part.max_points for part in self.manual)

    @property
    def broken(self) -> tuple[CheckResult, ...]:
        """The crashed checks of tasks that nobody has scored by hand; while there are any, the score is provisional."""
        settled = self.settled
        return tuple(check for check in self.checks if check.is_broken and check.task not in settled)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The titles of what a person has yet to grade: manual parts, and all tasks where no check could run."""
        settled = self.settled
        tasks = dict.fromkeys(check.task for check in self.checks if self.by_hand and check.task not in settled)
        parts = (part.title for part in self.manual if part.points is None and WEEK not in settled)
        return (*(f"task {task}" for task in tasks), *parts)

    @property
    def provisional(self) -> bool:
        """Tell whether the score may still change, as a check of ours crashed or a person has yet to grade a part."""
        unscored = self.by_hand and not self.checks and WEEK not in self.settled
        return not self.excused and bool(self.broken or self.waiting or unscored)

    @property
    def final(self) -> int | None:
        """The score, or None while it may still change, and where the week is excused."""
        return None if self.provisional or self.excused else self.score

    @property
    def settled(self) -> frozenset[str]:
        """The tasks that a person has scored; all of them where the whole week is."""
        tasks = {line.task for line in self.adjustments if line.task}
        return frozenset(tasks | {check.task for check in self.checks} if WEEK in tasks else tasks)

    @property
    def is_settled(self) -> bool:
        """Tell whether a person has decided all that there is to decide, so that no check's verdict is missed."""
        tasks = {check.task for check in self.checks} or {WEEK}
        return self.excused != "" or (tasks <= self.settled and not self.waiting)

    @property
    def full(self) -> frozenset[str]:
        """The tasks that a person has given full points, or all of them where the whole score is full."""
        lines = {line.task: line.points for line in self.adjustments if line.task}
        scores = self.tasks()
        if self.score == self.max_score:
            return frozenset(score.task for score in scores)
        return frozenset(
            score.task
            for score in scores
            if score.task in lines and score.points + lines[score.task] >= score.max_points
        )

    def tasks(self) -> list[TaskScore]:
        """Return scores by task, in the order of the tasks' numbers."""
        return tasks_of(self.checks)

    def for_student(self) -> Report:
        """Return the report as its student may read it: of a hidden check points, title, hint and a `Reason`.

        What ended several checks is told in the first of them. Nothing else of a hidden check is shown, since the
        student's code chose it and has seen the check's inputs.
        """
        checks = told_once([_without_secrets(check) for check in self.checks])
        return replace(self, checks=checks, manual=tuple(part.for_student() for part in self.manual))

    def to_dict(self) -> dict[str, Any]:
        changes = {"raw_score": self.raw_score, "adjustments": [asdict(a) for a in self.adjustments]}
        people: Mapping[str, Iterable[ManualPart | Remark]] = {"manual": self.manual, "remarks": self.remarks}
        return {
            "schema": self.schema,
            "student": self.student,
            "week": self.week,
            "score": self.score,
            "max_score": self.max_score,
            **(changes if self.adjustments else {}),
            "seed": self.seed,
            "grader": self.grader,
            "submission": self.submission,
            "assignment": self.assignment,
            **({"environment": self.environment} if self.environment else {}),
            **({"delivery": self.delivery.to_dict()} if self.delivery else {}),
            **{name: [asdict(one) for one in ones] for name, ones in people.items() if ones},
            **{name: text for name, text in (("excused", self.excused), ("by_hand", self.by_hand)) if text},
            "notes": list(self.notes),
            "checks": [check.to_dict() for check in self.checks],
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], check: Callable[..., CheckResult] = CheckResult.from_dict) -> Report:
        """Make the report of what `to_dict` gave; `check` makes its results."""
        return cls(
            student=data["student"],
            week=data["week"],
            seed=data["seed"],
            grader=data["grader"],
            submission=data["submission"],
            assignment=data["assignment"],
            checks=tuple(map(check, data["checks"])),
            notes=tuple(data["notes"]),
            adjustments=tuple(Adjustment(**line) for line in data.get("adjustments", ())),
            environment=data.get("environment", ""),
            delivery=Delivery.from_dict(data["delivery"]) if "delivery" in data else None,
            schema=data["schema"],
            manual=tuple(map(ManualPart.from_dict, data.get("manual", ()))),
            remarks=tuple(Remark(**remark) for remark in data.get("remarks", ())),
            excused=data.get("excused", ""),
            by_hand=data.get("by_hand", ""),
        )

    @classmethod
    def load(cls, path: Path) -> Report:
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))


def tasks_of(checks: Iterable[CheckResult]) -> list[TaskScore]:
    """Return scores by task, in the order of the tasks' numbers; within a task the checks keep their order."""
    by_task: dict[str, list[CheckResult]] = {}
    for check in checks:
        by_task.setdefault(check.task, []).append(check)
    return [_task_score(task, by_task[task]) for task in sorted(by_task, key=task_order)]


def told_once(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the checks with each cause told by the first that it ended, with what else it stops; the others say where.

    A syntax error ends all checks of its module, and thirteen copies of it hide what else is wrong.
    """
    checks = list(checks)
    ended: dict[str, list[CheckResult]] = {}
    for check in checks:
        if check.cause:
            ended.setdefault(check.cause, []).append(check)
    return tuple(_told(check, ended.get(check.cause, [])) for check in checks)


def _told(check: CheckResult, ended: list[CheckResult]) -> CheckResult:
    if len(ended) < 2:
        return check
    first, *others = ended
    if check is not first:
        text = f"the same as in task {first.task}, {first.title}: {first.cause}"
        return replace(check, message=text, hint="", output="", cause="")
    waiting = ", ".join(dict.fromkeys(other.task for other in others))
    count = f"{len(others)} more check{'s' if len(others) > 1 else ''}, of task {waiting}"
    return replace(check, message=f"{check.message}\n  {'also ends':<12} {count}", cause="")  # so that it is told once


def task_order(task: str) -> tuple[int, ...]:
    """Return a sort key that puts task 5.10 after 5.9."""
    return tuple(int(part) if part.isdigit() else 0 for part in task.split("."))


def _without_secrets(check: CheckResult) -> CheckResult:
    if not check.hidden:
        return check
    outcome, why = _SHOWN[check.outcome]
    if check.wrong_form and outcome is Outcome.FAILED:
        why = Reason.FORM
    return CheckResult(
        check.id, check.task, check.title, True, check.points, check.max_points, outcome, str(why), check.hint
    )


def _task_score(task: str, checks: list[CheckResult]) -> TaskScore:
    unfinished = [check.outcome for check in checks if check.outcome is not Outcome.PASSED]
    return TaskScore(
        task=task,
        points=sum(check.points for check in checks),
        max_points=sum(check.max_points for check in checks),
        outcome=unfinished[0] if unfinished else Outcome.PASSED,
        checks=tuple(checks),
    )
