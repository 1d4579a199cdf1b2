"""Says outcomes, points and the next step in the words that every report shares."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from grader.results import CheckResult, Delivery, Outcome, Remark, Report, TaskScore

BAR = 10
LONGEST = 200  # of a problem's one line


# For each outcome a word that fits a column, a sentence's worth for reports, and a colour.
WORDS = {
    Outcome.PASSED: ("done", "passed", "green"),
    Outcome.FAILED: ("wrong", "wrong result", "red"),
    Outcome.TODO: ("to do", "not started yet", "dim"),
    Outcome.ERROR: ("error", "your code raised an error", "red"),
    Outcome.TIMEOUT: ("timeout", "took too long", "red"),
    Outcome.MEMORY: ("memory", "ran out of memory", "red"),
    Outcome.KILLED: ("killed", "ended the process it ran in", "red"),
    Outcome.SKIPPED: ("waiting", "waits for another task", "dim"),
    Outcome.INVALID: ("invalid", "gave something that cannot be judged", "red"),
    Outcome.BROKEN: ("broken", "our check broke; not your fault", "yellow"),
}


_NOTHING_TO_DO = (Outcome.PASSED, Outcome.BROKEN)


@dataclass(frozen=True)
class NextStep:
    """The check to look at first. `command` runs its task's public checks; empty if only hidden ones fail."""

    check: CheckResult
    command: str


def word(outcome: Outcome) -> str:
    """Return the outcome in at most eight letters."""
    return WORDS[outcome][0]


def phrase(outcome: Outcome) -> str:
    """Return the outcome in words that need no legend."""
    return WORDS[outcome][1]


def detail(score: TaskScore) -> str:
    """Say what keeps a task from being done: how much of it passes, and the first check that does not."""
    if score.outcome is Outcome.PASSED:
        return ""
    first = next(check for check in score.checks if check.outcome is not Outcome.PASSED)
    if score.outcome is Outcome.TODO:
        return first.message.partition(": ")[2]
    if score.outcome is Outcome.SKIPPED:
        return first.message
    passed = sum(check.outcome is Outcome.PASSED for check in score.checks)
    part = f"{passed} of {len(score.checks)} checks pass; " if passed else ""
    return f"{part}first problem: {problem(first)}"


def problem(check: CheckResult) -> str:
    """Say in a line what is wrong; of a hidden check only which it is, and the kind of its end."""
    says = next(iter(check.message.splitlines()), check.title)
    if check.hidden:
        return f"{check.title} (hidden; {says})"
    return says if len(says) <= LONGEST else says[: LONGEST - 1] + "…"


def next_step(scores: Sequence[TaskScore], command: str, full: Collection[str] = ()) -> NextStep | None:
    """Return what to do next: the first unfinished task that the student can do something about, or None.

    `command` runs a week's public checks, as in `pytest assignments/week5`. Nothing is to do in a task that a person
    has given full points.
    """
    checks = [check for score in scores if score.task not in full for check in score.checks]
    lost = [check for check in checks if check.outcome not in _NOTHING_TO_DO]
    open_now = [check for check in lost if check.outcome is not Outcome.SKIPPED] or lost
    if not open_now:
        return None
    in_task = [check for check in open_now if check.task == open_now[0].task]
    first = min(in_task, key=lambda check: check.hidden)
    return NextStep(first, "" if first.hidden else f"{command} --task {first.task}")


def nothing_to_do(report: Report) -> str:
    """Say why there is no next step."""
    if report.by_hand:
        return f"Nothing here. No check ran ({report.by_hand}), so points are given by hand."
    if report.broken:
        return "Nothing. Every check that ran passes."
    if all(check.outcome is Outcome.PASSED for check in report.checks):
        return "Nothing. Every check passes."
    return "Nothing. What checks took off, a person has given back."


def facts(delivery: Delivery | None) -> list[tuple[str, str]]:
    """Say what was handed in and when, as far as it is known, each with its name."""
    if delivery is None:
        return []
    names = ", ".join(delivery.members)
    more = f"{delivery.extension}, so due {delivery.due}" if delivery.extension and delivery.due else delivery.extension
    found = [
        ("Files read", ", ".join(delivery.files)),
        (
            "Attempt",
            f"number {delivery.version} that was graded, the latest"
            if delivery.version > 1
            else "the first that was graded",
        ),
        ("Handed in", delivery.at),
        ("Due", "" if delivery.extension else delivery.due),
        ("Extension", more),
        (f"Group {delivery.group}".strip(), names),
    ]
    return [(name, value) for name, value in found if value]


def remark_title(remark: Remark) -> str:
    """Say what a remark is about."""
    if remark.file:
        return f"{remark.file}, line {remark.line}"
    task = f"Task {remark.task}" if remark.task[:1].isdigit() else remark.task
    return ": ".join(part for part in (task, remark.check) if part) or "The whole week"


def week_command(week: str) -> str:
    """Return the command with which a student runs the public checks of a week."""
    return f"pytest assignments/{week}"


def bar(points: float, max_points: float) -> str:
    """Draw a bar of `BAR` blocks: full only for full points, empty only for none."""
    if points >= max_points:
        return "█" * BAR
    blocks = max(1, int(points * BAR / max_points)) if points else 0
    return "█" * blocks + "░" * (BAR - blocks)


def number(value: float | None) -> str:
    """Write a mean or a median with one decimal, or a dash where there is none."""
    return "–" if value is None else f"{value:.1f}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 student` and `2 students`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def week_title(week: str) -> str:
    """Write `week5` as people do: `Week 5`."""
    return re.sub(r"^week(\d+)$", r"Week \1", week)
