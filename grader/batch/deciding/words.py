"""Reads a decision as people write it: which task of a week, and what about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.errors import UsageError
from grader.escape import terminal
from grader.results import (
    BONUS,
    LATENESS,
    PENALTY,
    WEEK,
    WHOLE_WEEK,
    CheckResult,
    Kind,
    ManualPart,
    Report,
    RubricItem,
    tasks_of,
)
from grader.results.points import PLACES, read_points, total, whole

BACK, COMMENT, UNCOMMENT, EXCUSED, WAIVED, NONE = "back", "comment", "uncomment", "excused", "waived", "none"
LONGEST = 4_000  # characters of a reason, which a report shows whole
_TASK = re.compile(r"(?i)task\s+(?=\d)")


@dataclass(frozen=True)
class Meant:
    """A decision about a task, without whom it concerns, who made it, and why; `points` None takes one back."""

    task: str
    points: float | None
    kind: Kind = Kind.POINTS
    items: tuple[RubricItem, ...] = ()
    most: float = 0

    @property
    def slot(self) -> tuple[str, bool]:
        return self.task, self.kind is Kind.COMMENT


@dataclass(frozen=True)
class Scale:
    """What there is to decide about a week: tasks with their points, and manual parts; `most` is None if not known."""

    week: str
    tasks: Mapping[str, int]
    parts: Mapping[str, ManualPart]
    most: float | None

    @classmethod
    def of(cls, week: str, report: Report | None, checks: Sequence[CheckResult], parts: Sequence[ManualPart]) -> Scale:
        """Make the scale of a student's week; without checks in the report, those of others say what there is."""
        own = report.checks if report and report.checks else checks
        tasks = {score.task: score.max_points for score in tasks_of(own) if score.task[:1].isdigit()}
        manual = [part.max_points for part in parts]
        most = report.max_score if report and report.checks else total([*tasks.values(), *manual]) if tasks else None
        return cls(week, tasks, {part.name: part for part in parts}, most)

    def task(self, words: str) -> str:
        """Return the task, manual part or word for the whole week that is meant; `UsageError` names what there is."""
        text = _TASK.sub("", words.strip(), count=1)
        if text in self.tasks:
            return text
        key = text.casefold()
        for name, part in self.parts.items():
            if key in (name.casefold(), part.title.casefold()):
                return name
        if key in WHOLE_WEEK:
            return key
        there = ", ".join([*self.tasks, *self.parts]) or "none that anybody was graded in"
        raise UsageError(
            f"{self.week} has no task {terminal(words)!r}; its tasks: {there}; "
            f"what concerns all of it: {', '.join(WHOLE_WEEK)}"
        )

    def needs_reason(self, meant: Meant) -> bool:
        """Tell whether a decision says nothing without a reason; points for a manual part do."""
        return meant.kind is not Kind.POINTS or meant.task not in self.parts


def read_decision(scale: Scale, task_words: str, words: str) -> Meant:
    """Return what is meant by a task and what is written in place of points; `UsageError` says what may stand there."""
    task, text = scale.task(task_words), words.strip()
    key = text.casefold()
    if key in (COMMENT, UNCOMMENT):
        if task in (BONUS, PENALTY, LATENESS):
            raise UsageError(f"a comment is on a task, or on the whole {WEEK}; not on {task!r}")
        return Meant(task, 0 if key == COMMENT else None, Kind.COMMENT)
    if key == BACK:
        return Meant(task, None, Kind.WAIVED if task == LATENESS else Kind.POINTS)
    if task == LATENESS:
        if key == WAIVED:
            return Meant(task, 0, Kind.WAIVED)
        raise UsageError(f"{LATENESS}: `{WAIVED}` or `{BACK}`; not {terminal(text)!r}")
    if task == WEEK and key == EXCUSED:
        return Meant(task, 0, Kind.EXCUSED)
    if task in scale.parts:
        return _part(scale.parts[task], text)
    return _points(scale, task, text)


def check_reason(why: str) -> str:
    """Return a reason as it is kept; `UsageError` where it is too long for a report."""
    text = why.replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        raise UsageError(f"the reason has {len(text)} characters, and a report shows {LONGEST}; shorten it")
    return text


def written(points: float | None, kind: Kind, items: Sequence[RubricItem] = (), most: float = 0) -> str:
    """Write a decision so that `read_decision` reads the same again."""
    if kind is Kind.COMMENT:
        return UNCOMMENT if points is None else COMMENT
    if points is None:
        return BACK
    if kind is not Kind.POINTS:
        return str(kind)
    if items:
        return "; ".join(item.name for item in items)
    return f"{points} / {most}" if most else str(points)


def _points(scale: Scale, task: str, text: str) -> Meant:
    most = scale.tasks.get(task, scale.most)
    given, slash, all_of_it = text.partition("/")
    points, of = read_points(given), read_points(all_of_it)
    if slash and points is not None and of is not None and task not in scale.tasks:
        if most is not None and of != most:
            raise UsageError(f"{scale.week} is worth {most} points, not {of}")
        by_checks = total([of, *(-part.max_points for part in scale.parts.values())])
        if points <= of > 0 and (most is not None or by_checks == whole(by_checks)):  # checks give whole points
            return Meant(task, points, most=0 if most is not None else of)
    if most is None:
        raise UsageError(
            f"nobody has a result of {scale.week} yet, so its points are not known; write them as well, as in `70/100`"
        )
    points = read_points(text)
    if points is None or points > most:
        what = f"points for task {task}" if task in scale.tasks else f"points for {task!r}"
        more = f", or `{EXCUSED}`" if task == WEEK else ""
        raise UsageError(f"{what}: {PLACES} from 0 to {most}, or `{BACK}`{more}; not {terminal(text)!r}")
    return Meant(task, points)


def _part(part: ManualPart, text: str) -> Meant:
    points = read_points(text)
    if points is not None and points <= part.max_points:
        return Meant(part.name, points)
    known = {word.casefold(): item for item in part.items for word in (item.name, item.title)}
    names = [name for name in re.split(r"\s*[;+]\s*", text) if name]
    if part.items and len(names) == 1 and text.casefold() not in known:
        names = [name for name in re.split(r"[\s,]+", text) if name]
    if part.items and text.casefold() == NONE:
        return Meant(part.name, part.points_for(()))
    if not names or not all(name.casefold() in known for name in names):
        items = f", items of its rubric ({', '.join(item.name for item in part.items)}), `{NONE}`" if part.items else ""
        raise UsageError(
            f"points for {part.title}: {PLACES} from 0 to {part.max_points}{items} or `{BACK}`; not {terminal(text)!r}"
        )
    chosen = {known[name.casefold()].name for name in names}
    items_given = tuple(item for item in part.items if item.name in chosen)
    return Meant(part.name, part.points_for(items_given), items=items_given)
