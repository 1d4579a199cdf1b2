"""What grading looks like in a terminal, and the words and the next step that every report shares.

`print_score` and `print_class` draw with rich, in colour where the console has it; `summary_lines` gives plain
lines, and so does whoever draws on a `plain_console`. rich is imported only when it draws.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from grader.escape import terminal
from grader.results import CheckResult, Outcome, Report, TaskScore, tasks_of

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table

    from grader.gradebook import Problem
    from grader.grades import WeekFigures
    from grader.intake import Candidate
    from grader.similarity import Pair

BAR = 10
HARDEST = 3

# For each outcome a word that fits a column, a sentence's worth for reports, and a colour.
_WORDS = {
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
    """The outcome in at most eight letters."""
    return _WORDS[outcome][0]


def phrase(outcome: Outcome) -> str:
    """The outcome in words that need no legend."""
    return _WORDS[outcome][1]


def detail(score: TaskScore) -> str:
    """What keeps a task from being done: how much of it passes, and the first check that does not."""
    if score.outcome is Outcome.PASSED:
        return ""
    first = next(check for check in score.checks if check.outcome is not Outcome.PASSED)
    if score.outcome is Outcome.TODO:
        return first.message.partition(": ")[2]
    if score.outcome is Outcome.SKIPPED:
        return first.message
    passed = sum(check.outcome is Outcome.PASSED for check in score.checks)
    part = f"{passed} of {len(score.checks)} checks pass: " if passed else ""
    return part + first.title


def next_step(scores: Sequence[TaskScore], command: str) -> NextStep | None:
    """What to do next: the first task that is not done and that something can be done about, or None.

    `command` runs a week's public checks, as in `pytest assignments/week5`.
    """
    lost = [check for score in scores for check in score.checks if check.outcome not in _NOTHING_TO_DO]
    open_now = [check for check in lost if check.outcome is not Outcome.SKIPPED] or lost
    if not open_now:
        return None
    in_task = [check for check in open_now if check.task == open_now[0].task]
    first = min(in_task, key=lambda check: check.hidden)
    return NextStep(first, "" if first.hidden else f"{command} --task {first.task}")


def week_command(week: str) -> str:
    """How a student runs the public checks of a week."""
    return f"pytest assignments/{week}"


def summary_lines(results: Sequence[CheckResult], command: str, width: int = 80) -> list[str]:
    """The score by task as plain lines, then what to do next, for a pytest run that `command` started."""
    file = io.StringIO()
    _print_tasks(tasks_of(results), command, plain_console(file, width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def plain_console(file: TextIO, width: int) -> Console:
    """A console that is no terminal: it draws the same everywhere, without colour."""
    from rich.console import Console

    return Console(file=file, width=width, color_system=None, force_terminal=False, force_jupyter=False)


def print_score(report: Report, console: Console) -> None:
    """One submission's score by task, and what to do next."""
    _print_tasks(report.tasks(), week_command(report.week), console)


def print_class(reports: Sequence[Report], problems: Sequence[Problem], console: Console) -> None:
    """The summary of a class: counts, means and the hardest tasks."""
    from grader.grades import class_rows, class_weeks, week_figures

    rows = class_rows(reports, problems)
    figures = [week_figures(rows, week) for week in class_weeks(rows)]
    console.print(_week_table(figures))
    hardest = _hardest_table(figures)
    if hardest.row_count:
        console.print()
        console.print("Hardest tasks", style="bold")
        console.print(hardest)


def print_found(
    layout: str,
    gradable: Sequence[tuple[Candidate, Sequence[str]]],
    ignored: Sequence[tuple[str, str]],
    missing: Sequence[str],
    console: Console,
) -> None:
    """What a class folder holds: each student's week with its files and notes, what is ignored, who is missing."""
    table = _grid("left", "left", "left")
    _row(table, *((name, "bold") for name in ("Student", "week", "files")))
    for candidate, notes in gradable:
        _row(table, candidate.student, candidate.week or "", _files_of(candidate))
        for note in notes:
            _row(table, "", "", (note, "dim"))
    console.print(f"{len(gradable)} to grade, layout: {layout}", highlight=False)
    console.print(table)
    if ignored:
        console.print("\nIgnored", style="bold")
        rest = _grid("left", "left")
        for name, why in ignored:
            _row(rest, name, why)
        console.print(rest)
    if missing:
        console.print()
        console.print(terminal(f"handed in nothing: {', '.join(missing)}"), markup=False, highlight=False)


def print_pairs(pairs: Sequence[Pair], console: Console) -> None:
    """Pairs of submissions that are alike, and how much of either stands in the other."""
    table = _grid("left", "right", "left", "right", "left")
    for pair in pairs:
        left, right = (f"{100 * share:.0f} %" for share in (pair.share_left, pair.share_right))
        _row(table, pair.left.week, left, f"of {pair.left.student}", right, f"of {pair.right.student}")
    console.print(table if pairs else "no two submissions are that much alike")


def trouble_lines(reports: Sequence[Report], problems: Sequence[Problem]) -> list[str]:
    """What is not final, a line each: checks of ours that broke, and submissions that could not be graded."""
    lines = [
        f"provisional: {report.student} {report.week}: {check.id} is broken: {check.message}"
        for report in reports
        for check in report.broken
    ]
    for problem in problems:
        week = f" {problem.week}" if problem.week else ""
        lines.append(f"not graded: {problem.student}{week}: {problem.message}")
    return [terminal(line) for line in lines]


def _files_of(candidate: Candidate) -> str:
    """`ada/week5: lenet.py, training.py`; the entry's own name alone where that is the file."""
    folder = posixpath.commonpath([posixpath.dirname(file) for file in candidate.files])
    names = ", ".join(posixpath.relpath(file, folder or ".") for file in candidate.files)
    where = f"{candidate.path.name}/{folder}" if folder else candidate.path.name
    return (names if where == names else f"{where}: {names}") + (", late" if candidate.is_late else "")


def bar(points: int, max_points: int) -> str:
    """A bar of `BAR` blocks: full for full points alone, and never empty for any points at all."""
    if points >= max_points:
        return "█" * BAR
    blocks = max(1, points * BAR // max_points) if points else 0
    return "█" * blocks + "░" * (BAR - blocks)


def _print_tasks(scores: Sequence[TaskScore], command: str, console: Console) -> None:
    table = _grid("left", "left", "right", "left", "left")
    for score in scores:
        of = f"{score.points}/{score.max_points}"
        state = (word(score.outcome), _WORDS[score.outcome][2])
        _row(table, score.task, bar(score.points, score.max_points), of, state, detail(score))
    points, max_points = sum(s.points for s in scores), sum(s.max_points for s in scores)
    _row(table, "all", bar(points, max_points), (f"{points}/{max_points}", "bold"))
    console.print(table)
    console.print()
    for line in _next_lines(next_step(scores, command), points == max_points):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _next_lines(step: NextStep | None, full: bool) -> list[str]:
    if step is None:
        return ["Every check passes." if full else "Nothing to do: what is missing is a fault of ours."]
    lines = [terminal(f"Next: task {step.check.task}, {step.check.title} ({word(step.check.outcome)})")]
    return [*lines, f"      {step.command}"] if step.command else lines


def _week_table(figures: Sequence[WeekFigures]) -> Table:
    table = _grid("left", "right", "right", "right", "right", "right")
    _row(table, *((name, "bold") for name in ("Week", "graded", "mean", "median", "lowest", "highest")))
    for week in figures:
        ends = (str(week.scores[0]), str(week.scores[-1])) if week.scores else ("–", "–")
        _row(table, week.week, str(len(week.scores)), number(week.mean), number(week.median), *ends)
    return table


def number(value: float | None) -> str:
    """A mean or a median with one decimal, or a dash where there is none."""
    return "–" if value is None else f"{value:.1f}"


def _hardest_table(figures: Sequence[WeekFigures]) -> Table:
    table = _grid("left", "left", "left", "left")
    for week in figures:
        unsolved = [task for task in week.tasks if task.done < task.students]
        for task in sorted(unsolved, key=lambda task: task.share)[:HARDEST]:
            done = f"{task.done} of {task.students} done"
            _row(table, week.week, task.task, bar(task.points, task.max_points), done)
    return table


def _grid(*justify: JustifyMethod) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    for side in justify:
        table.add_column(justify=side, overflow="fold")
    return table


def _row(table: Table, *cells: str | tuple[str, str]) -> None:
    """Add a row of untrusted texts, as (text, style) where they have a style; nothing is read as markup."""
    from rich.text import Text

    pairs = [(cell, "") if isinstance(cell, str) else cell for cell in cells]
    table.add_row(*(Text(terminal(text), style) for text, style in pairs))
