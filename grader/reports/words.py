"""Says outcomes, points and the next step in the words that every report shares."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from grader.language import decimal, later, retold, speaking, tr
from grader.results import CheckResult, Delivery, Outcome, Remark, Report, TaskScore
from grader.results.points import signed

BAR = 10
LONGEST = 200  # of a problem's one line


# For each outcome a word that fits a column, a sentence's worth for reports, and a colour.
WORDS = {
    Outcome.PASSED: (later("done"), later("passed"), "green"),
    Outcome.FAILED: (later("wrong"), later("wrong result"), "red"),
    Outcome.TODO: (later("to do"), later("not started yet"), "dim"),
    Outcome.ERROR: (later("error"), later("your code raised an error"), "red"),
    Outcome.TIMEOUT: (later("timeout"), later("took too long"), "red"),
    Outcome.MEMORY: (later("memory"), later("ran out of memory"), "red"),
    Outcome.KILLED: (later("killed"), later("ended the process it ran in"), "red"),
    Outcome.SKIPPED: (later("waiting"), later("waits for another task"), "dim"),
    Outcome.INVALID: (later("invalid"), later("gave something that cannot be judged"), "red"),
    Outcome.BROKEN: (later("broken"), later("our check broke; not your fault"), "yellow"),
}


_NOTHING_TO_DO = (Outcome.PASSED, Outcome.BROKEN)


@dataclass(frozen=True)
class NextStep:
    """The check to look at first. `command` runs its task's public checks; empty if only hidden ones fail."""

    check: CheckResult
    command: str


def speaking_for(report: Report) -> AbstractContextManager[None]:
    """Speak a report's language within the block, with the sentences of its week's checks."""
    return speaking(report.language, report.texts)


def word(outcome: Outcome) -> str:
    """Return the outcome in at most eight letters."""
    return tr(WORDS[outcome][0])


def phrase(outcome: Outcome) -> str:
    """Return the outcome in words that need no legend."""
    return tr(WORDS[outcome][1])


def detail(score: TaskScore) -> str:
    """Say what keeps a task from being done: how much of it passes, and the first check that does not."""
    if score.outcome is Outcome.PASSED:
        return ""
    first = next(check for check in score.checks if check.outcome is not Outcome.PASSED)
    if score.outcome is Outcome.TODO:
        return retold(first.message.partition(": ")[2])
    if score.outcome is Outcome.SKIPPED:
        return retold(first.message)
    passed = sum(check.outcome is Outcome.PASSED for check in score.checks)
    says = tr("first problem: {problem}", problem=problem(first))
    return f"{tr('{passed} of {all} checks pass', passed=passed, all=len(score.checks))}; {says}" if passed else says


def problem(check: CheckResult) -> str:
    """Say in a line what is wrong; of a hidden check only which it is, and the kind of its end."""
    says, *more = retold(check.message).splitlines() or [check.title]
    if check.hidden:
        return f"{check.title} ({tr('hidden')}; {says})"
    called = more[0].strip().partition("  ")[2].strip() if more else ""
    says = says.removesuffix(f", in {called}") if called else says  # the call stands below the message, at its length
    return says if len(says) <= LONGEST else _cut(says)


def _cut(text: str) -> str:
    """Cut a long line between two words, where there is such a place near its end."""
    kept = text[: LONGEST - 1]
    whole = kept if text[LONGEST - 1] == " " else kept.rpartition(" ")[0]
    return (whole.rstrip() if len(whole) > LONGEST // 2 else kept) + "…"


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
        return tr("Nothing here. No check ran ({why}), so points are given by hand.", why=retold(report.by_hand))
    if report.broken:
        return tr("Nothing. Every check that ran passes.")
    if all(check.outcome is Outcome.PASSED for check in report.checks):
        return tr("Nothing. Every check passes.")
    return tr("Nothing. What checks took off, a person has given back.")


def broke(report: Report) -> str:
    """Say that checks of ours broke; nothing where none did."""
    fault = tr("That is our fault, not yours: the score can only rise, once it is mended and run again.")
    if len(report.broken) == 1:
        return f"{tr('One of our checks broke while looking at this work.')} {fault}"
    return f"{tr('{n} of our checks broke while looking at this work.', n=len(report.broken))} {fault}"


def whom_to_tell(checks: Iterable[CheckResult], contact: str) -> str:
    """Say whom to tell that a check of ours broke; nothing where none did, or the course names nobody."""
    if not contact or not any(check.is_broken for check in checks):
        return ""
    return tr("A check of ours broke: tell {contact}.", contact=contact)


def facts(delivery: Delivery | None) -> list[tuple[str, str]]:
    """Say what was handed in and when, as far as it is known, each with its name."""
    if delivery is None:
        return []
    names = ", ".join(delivery.members)
    more = retold(delivery.extension)
    if delivery.extension and delivery.due:
        more = tr("{extension}, so due {due}", extension=more, due=delivery.due)
    found = [
        (tr("Files read"), ", ".join(delivery.files)),
        (
            tr("Attempt"),
            tr("number {number} that was graded, the latest", number=delivery.version)
            if delivery.version > 1
            else tr("the first that was graded"),
        ),
        (tr("Handed in"), delivery.at),
        (tr("Due"), "" if delivery.extension else delivery.due),
        (tr("Extension"), more),
        (f"{tr('Group')} {delivery.group}".strip(), names),
    ]
    return [(name, value) for name, value in found if value]


def remark_title(remark: Remark) -> str:
    """Say what a remark is about."""
    if remark.file:
        return tr("{file}, line {line}", file=remark.file, line=remark.line)
    task = tr("Task {task}", task=remark.task) if remark.task[:1].isdigit() else remark.task
    return ": ".join(part for part in (task, remark.check) if part) or tr("The whole week")


def points_of(points: float, most: float) -> str:
    """Say points, as in `4 of 5 points`."""
    return tr("{points} of 1 point" if most == 1 else "{points} of {most} points", points=points, most=most)


def grade_of(report: Report) -> str:
    """Say a report's score, as in `4 of 5 points`, or that its week is excused and counts nothing."""
    return tr("excused") if report.excused else points_of(report.score, report.max_score)


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
    return "–" if value is None else decimal(value, 1)


def fraction(points: float | None, most: float) -> str:
    """Write points out of others, as in `4/5`; a dash stands for none yet."""
    return f"{'–' if points is None else decimal(points)}/{decimal(most)}"


def change(points: float) -> str:
    """Write a change of points with its sign, as people read it."""
    return decimal(signed(points))


def counted(count: float, one: str, many: str = "") -> str:
    """Return `1 student`, `2 students` or `0.5 students`."""
    return f"{decimal(count)} {one if count == 1 else many or f'{one}s'}"


def first_of(names: Sequence[str], most: int) -> str:
    """List the first `most` names, and say how many more there are: `Ana, Ben and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def week_title(week: str) -> str:
    """Write `week5` as people do: `Week 5`."""
    found = re.fullmatch(r"week(\d+)", week)
    return tr("Week {number}", number=found[1]) if found else week
