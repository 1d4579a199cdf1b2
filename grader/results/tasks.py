"""Adds up checks by task, and tells once what has ended several of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from grader.inside import says
from grader.results.check import CheckResult, Outcome


@dataclass(frozen=True)
class TaskScore:
    """A task's checks, added up. `outcome` comes from the first check that did not pass."""

    task: str
    points: int
    max_points: int
    outcome: Outcome
    checks: tuple[CheckResult, ...]


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
        text = says(f"the same as in task {first.task}, {first.title}: {first.cause}")
        return replace(check, message=text, hint="", output="", cause="")
    count = _counted(len(others), list(dict.fromkeys(other.task for other in others)))
    return replace(check, message=f"{check.message}\n  {'also ends':<12} {count}", cause="")  # so that it is told once


def _counted(number: int, tasks: list[str]) -> str:
    waiting = ", ".join(tasks)
    if len(tasks) > 1:
        return says(f"{number} more checks, of tasks {waiting}")
    return says(f"{number} more checks, of task {waiting}" if number > 1 else f"{number} more check, of task {waiting}")


def task_order(task: str) -> tuple[int, ...]:
    """Return a sort key that puts task 5.10 after 5.9."""
    return tuple(int(part) if part.isdigit() else 0 for part in task.split("."))


def _task_score(task: str, checks: list[CheckResult]) -> TaskScore:
    unfinished = [check.outcome for check in checks if check.outcome is not Outcome.PASSED]
    return TaskScore(
        task=task,
        points=sum(check.points for check in checks),
        max_points=sum(check.max_points for check in checks),
        outcome=unfinished[0] if unfinished else Outcome.PASSED,
        checks=tuple(checks),
    )
