"""Holds the report that every format is made from, and the changes to its score."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.inside import says
from grader.results.check import CheckResult, without_secrets
from grader.results.delivery import Delivery
from grader.results.manual import ManualPart, Remark
from grader.results.points import total
from grader.results.tasks import TaskScore, tasks_of, told_once

SCHEMA = 1
WEEK = "week"  # in place of a task: the whole week
TODO_TEXT = re.compile(r"TODO (\d{1,2}\.\d{1,2})\b")  # as a skeleton raises it, with its task


@dataclass(frozen=True)
class Adjustment:
    """A line of the score that no check gave: what a person decided, or what lateness costs.

    `points` are added to what the checks gave, and may be negative. `task` is the task that a person scored, `WEEK`
    where that is the whole week, and empty in all other lines. `kind` is `override`, `late`, `bonus`, `penalty` or
    `missing`: nothing was handed in, and that counts as zero. What earlier versions wrote has none.
    """

    what: str
    points: float
    why: str = ""
    task: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", "override" if self.task else "late")


@dataclass(frozen=True)
class Overtaken:
    """A decision about a task, or the `WEEK`, that newer work would score more without.

    `points` are those that the decision gives, None where it excuses the week; `would` is what there would be.
    """

    task: str
    points: float | None
    would: float

    def __str__(self) -> str:
        what = "the week" if self.task == WEEK else f"task {self.task}"
        return f"{what}: {'excused' if self.points is None else self.points}, and would be {self.would}"


@dataclass(frozen=True)
class Report:
    """The canonical result of one student's week, as the gradebook keeps it.

    `report.json` and all that a student gets to see are made from `for_student()`. `by_hand` says why no check ran,
    where people alone can give points; `excused` says why the week counts nothing. `language` is the one in which pages
    speak to the student, and `contact` whom to tell of a fault of ours; all texts in here are English, or the course's.
    `overtaken` is for those who grade alone: what the gradebook finds out anew each time, and no file has. Nor has any
    `texts`: what `said_in` was given, by which pages say the sentences of the week's checks.
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
    language: str = "en"
    contact: str = ""
    overtaken: tuple[Overtaken, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def score(self) -> float:
        """The grade: what checks and people gave, and what people and lateness changed, from 0 to `max_score`."""
        given = (part.points or 0 for part in self.manual)
        changed = total([self.raw_score, *given, *(adjustment.points for adjustment in self.adjustments)])
        return min(max(changed, 0), self.max_score)

    @cached_property
    def raw_score(self) -> int:
        """The points that the checks gave."""
        return sum(check.points for check in self.checks)

    @cached_property
    def max_score(self) -> float:
        return total([*(check.max_points for check in self.checks), *(part.max_points for part in self.manual)])

    @cached_property
    def broken(self) -> tuple[CheckResult, ...]:
        """The crashed checks of tasks that nobody has scored by hand; while there are any, the score is provisional."""
        settled = self.settled
        return tuple(check for check in self.checks if check.is_broken and check.task not in settled)

    @cached_property
    def waiting(self) -> tuple[str, ...]:
        """The titles of what a person has yet to grade: manual parts, and all tasks where no check could run."""
        settled = self.settled
        tasks = dict.fromkeys(check.task for check in self.checks if self.by_hand and check.task not in settled)
        parts = (part.title for part in self.manual if part.points is None and WEEK not in settled)
        return (*(says(f"task {task}") for task in tasks), *parts)

    @property
    def provisional(self) -> bool:
        """Tell whether the score may still change, as a check of ours crashed or a person has yet to grade a part."""
        unscored = self.by_hand and not self.checks and WEEK not in self.settled
        return not self.excused and bool(self.broken or self.waiting or unscored)

    @property
    def final(self) -> float | None:
        """The score, or None while it may still change, and where the week is excused."""
        return None if self.provisional or self.excused else self.score

    @cached_property
    def settled(self) -> frozenset[str]:
        """The tasks that a person has scored; all of them where the whole week is."""
        tasks = {line.task for line in self.adjustments if line.task}
        return frozenset(tasks | {check.task for check in self.checks} if WEEK in tasks else tasks)

    @property
    def counts(self) -> bool:
        """Tell whether the checks' verdicts belong into figures of the class: they ran, and the week is not excused."""
        return not (self.by_hand or self.excused)

    def said_in(self, texts: Mapping[str, str]) -> Report:
        """Return the report with titles, hints and rubrics as a week's translations say them; it keeps these."""
        if not texts:
            return self
        parts = tuple(part.said_in(texts) for part in self.manual)
        return replace(self, checks=tuple(one.said_in(texts) for one in self.checks), manual=parts, texts=texts)

    @property
    def grade(self) -> str:
        """The score, or the word for a week that counts nothing, whatever its points."""
        return "excused" if self.excused else str(self.score)

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
            if score.task in lines and total((score.points, lines[score.task])) >= score.max_points
        )

    def tasks(self) -> list[TaskScore]:
        """Return scores by task, in the order of the tasks' numbers."""
        return tasks_of(self.checks)

    def for_student(self) -> Report:
        """Return the report as its student may read it: of a hidden check points, title, hint and a `Reason`.

        What ended several checks is told in the first of them. Nothing else of a hidden check is shown, since the
        student's code chose it and has seen the check's inputs.
        """
        checks = told_once([without_secrets(check) for check in self.checks])
        return replace(self, checks=checks, manual=tuple(part.for_student() for part in self.manual), overtaken=())

    def to_dict(self) -> dict[str, Any]:
        changes = {"raw_score": self.raw_score, "adjustments": [asdict(a) for a in self.adjustments]}
        people = {"manual": [*map(asdict, self.manual)], "remarks": [one.to_dict() for one in self.remarks]}
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
            **{name: ones for name, ones in people.items() if ones},
            **{name: text for name, text in (("excused", self.excused), ("by_hand", self.by_hand)) if text},
            **({"language": self.language} if self.language != "en" else {}),
            **({"contact": self.contact} if self.contact else {}),
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
            language=data.get("language", "en"),
            contact=data.get("contact", ""),
        )

    @classmethod
    def load(cls, path: Path) -> Report:
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
