"""Prints scores and a class's summary in a terminal.

`print_score` and `print_class` draw with rich, in colour where the console has it; `summary_lines` and all that
draws on a `plain_console` give plain lines. rich is imported only when it draws.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from grader.escape import plain, terminal
from grader.language import later, retold, tr
from grader.reports.words import (
    WORDS,
    NextStep,
    bar,
    detail,
    fraction,
    next_step,
    number,
    points_of,
    problem,
    week_command,
    whom_to_tell,
    word,
)
from grader.results import CheckResult, Report, TaskScore, tasks_of

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table

    from grader.gradebook import Problem
    from grader.people.person import Person
    from grader.reports.figures import WeekFigures

HARDEST = 3
MOST_OVERTAKEN = 40  # decisions that the end of a run names
EVERY = later("Every check passes.")
_EVERY_THAT_RAN = later("Every check that ran passes.")
_EVERY_PUBLIC = later(
    "Every public check passes. Hidden checks are worth {hidden} points more: they ask for what the lesson asks for,"
    " with other inputs, sizes and edge cases."
)
# What heads the column of each state beside the graded, by the words of grades.csv.
_STATES = {
    "provisional": "provisional",
    "excused": "excused",
    "not gradable": "not graded",
    "nothing handed in": "missing",
    "not clear whose": "unclear",
}
NARROWEST, WIDEST = 60, 200  # columns
_WITH_BARS = 70  # columns of a terminal that has room for bars


def desk_lines(
    results: Sequence[CheckResult],
    command: str,
    width: int,
    colour: bool,
    lesson: str = "",
    whole: bool = True,
    hidden: int = 0,
    contact: str = "",
) -> list[str]:
    """Return the score by task and what to do next, a line each, for a pytest run that `command` started.

    `lesson` is a lesson's text, to name the heading; `whole` tells whether all checks of a week ran, and `hidden` is
    what its hidden checks are worth. `contact` is whom to tell of a check of ours that broke.
    """
    from rich.console import Console  # noqa: PLC0415 - students' pytest loads this module on each start, and may draw nothing

    file = io.StringIO()
    width = min(max(width, NARROWEST), WIDEST)
    console = Console(file=file, width=width, force_terminal=True, color_system="standard") if colour else None
    done = all_pass(whole, hidden)
    _print_tasks(tasks_of(results), command, console or plain_console(file, width), lesson, done, contact)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def all_pass(whole: bool, hidden: int) -> str:
    """Say that every check passes: of a whole week with what its hidden checks, worth so many points, are about."""
    return tr(_EVERY_PUBLIC if whole and hidden else EVERY if whole else _EVERY_THAT_RAN, hidden=hidden)


def summary_lines(results: Sequence[CheckResult], command: str, width: int = 80) -> list[str]:
    """Return the same as plain lines."""
    return desk_lines(results, command, width, colour=False)


def plain_console(file: TextIO, width: int) -> Console:
    """Make a console that is no terminal: it draws the same everywhere, without colour."""
    from rich.console import Console  # noqa: PLC0415 - students' pytest loads this module on each start, and may draw nothing

    return Console(file=file, width=width, color_system=None, force_terminal=False, force_jupyter=False)


def print_score(report: Report, console: Console) -> None:
    """Print one submission's score by task, and what to do next."""
    _print_tasks(report.tasks(), week_command(report.week), console, contact=report.contact)


def print_class(
    reports: Sequence[Report], problems: Sequence[Problem], console: Console, people: Sequence[Person] = ()
) -> None:
    """Print the summary of a class: counts, means and the hardest tasks; `people` tell who handed in nothing."""
    from grader.reports.figures import class_rows, class_weeks, week_figures  # noqa: PLC0415 - imports sqlite3

    rows = class_rows(reports, problems, people)
    figures = [week_figures(rows, week) for week in class_weeks(rows)]
    console.print(_week_table(figures, [Counter(str(row.state(one.week)) for row in rows) for one in figures]))
    hardest = _hardest_table(figures)
    if hardest.row_count:
        console.print()
        console.print("Hardest tasks", style="bold")
        console.print(hardest)


def trouble_lines(reports: Sequence[Report], problems: Sequence[Problem]) -> list[str]:
    """List what is not final, a line each: checks of ours that broke, and submissions that could not be graded."""
    lines = [
        f"provisional: {report.student} {report.week}: {check.id} is broken: {check.message}"
        for report in reports
        for check in report.broken
        if not report.excused
    ]
    lines += [
        f"provisional: {report.student} {report.week}: no check could run, and a person has not graded all: "
        f"{', '.join(report.waiting)}"
        for report in reports
        if report.by_hand and report.settled and report.provisional and not report.excused
    ]
    for ungraded in problems:
        week = f" {ungraded.week}" if ungraded.week else ""
        lines.append(f"not graded: {ungraded.student}{week}: {ungraded.message}")
    contacts = dict.fromkeys(report.contact for report in reports if report.broken and report.contact)
    lines += [f"whom to tell of broken checks: {contact}" for contact in contacts]
    return [terminal(line) for line in lines]


def waiting_lines(reports: Sequence[Report]) -> list[str]:
    """Say in a line for each manual part how many wait until a person grades them."""
    waiting: dict[tuple[str, str], int] = {}
    for report in reports:
        for title in () if report.by_hand or report.excused else report.waiting:
            waiting[report.week, title] = waiting.get((report.week, title), 0) + 1
    return [
        terminal(f"provisional until a person grades it: {week} {title}: {count} student{'' if count == 1 else 's'}")
        for (week, title), count in waiting.items()
    ]


def overtaken_lines(reports: Sequence[Report]) -> list[str]:
    """Say whose grade a person decided about earlier work while newer work would score more; the first line is a head.

    Nothing changes such a grade by itself.
    """
    found = [f"{report.student} {report.week} {retold(str(one))}" for report in reports for one in report.overtaken]
    if not found:
        return []
    head = (
        f"DECIDED ABOUT EARLIER WORK, AND NEWER WORK WOULD SCORE MORE: {len(found)}; these grades stay until somebody "
        f"decides again (the same once more keeps it, `back` takes it back):"
    )
    more = [f"and {len(found) - MOST_OVERTAKEN} more; the class page shows them all"]
    lines = [*found[:MOST_OVERTAKEN], *more[: len(found) > MOST_OVERTAKEN]]
    return [head, *(f"  {terminal(line)}" for line in lines)]


def print_tasks(scores: Sequence[TaskScore], console: Console) -> None:
    """Print the score by task: numbers before bars, for who hears a table instead of seeing it."""
    table = grid("left", "right", "left", "left", "left")
    bars = console.width >= _WITH_BARS
    for score in scores:
        of = fraction(score.points, score.max_points)
        state = (word(score.outcome), WORDS[score.outcome][2])
        add_row(table, score.task, of, bar(score.points, score.max_points) if bars else "", state, detail(score))
    points, max_points = sum(s.points for s in scores), sum(s.max_points for s in scores)
    add_row(table, tr("all"), (fraction(points, max_points), "bold"), bar(points, max_points) if bars else "")
    console.print(table)


def print_check(check: CheckResult, console: Console) -> None:
    """Print what a student reads of one public check: its task, the message, the hint, and what the code printed."""
    style = WORDS[check.outcome][2]
    head = f"{tr('Task {task}', task=check.task)}: {check.title}  ({points_of(check.points, check.max_points)})"
    console.print(terminal(head), style="bold", markup=False, highlight=False, soft_wrap=True)
    console.print()
    for place, line in enumerate(check_lines(check)):
        console.print(line, style="" if place else style, markup=False, highlight=False, soft_wrap=True)


def check_lines(check: CheckResult) -> list[str]:
    """Return the message of a check, its hint and what the code printed, a line each."""
    lines = plain(retold(check.message)).splitlines()
    if check.hint:
        lines += ["", f"  {tr('hint'):<12} {terminal(check.hint)}"]
    printed = plain(check.output).splitlines()
    return [*lines, *(f"  {'' if place else tr('printed'):<12} {line}" for place, line in enumerate(printed))]


def _print_tasks(
    scores: Sequence[TaskScore], command: str, console: Console, lesson: str = "", done: str = "", contact: str = ""
) -> None:
    print_tasks(scores, console)
    console.print()
    points, max_points = sum(s.points for s in scores), sum(s.max_points for s in scores)
    step = next_step(scores, command)
    lines = _next_lines(step, (done or tr(EVERY)) if points == max_points else "")
    if step is not None and (heading := _heading(lesson, step.check.task)):
        lines.insert(1, f"      {tr('in the lesson')}: {heading}")
    tell = whom_to_tell((check for score in scores for check in score.checks), contact)
    for line in (*lines, *([terminal(tell)] if tell else [])):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _heading(lesson: str, task: str) -> str:
    """Return the heading of a task in a lesson's text, without its marks."""
    found = re.search(rf"^#+ +({re.escape(task)}\b[^\n]*)", lesson, re.MULTILINE)
    return terminal(found[1].replace("`", "").split(" · ")[0])[:100] if found else ""


def _next_lines(step: NextStep | None, done: str) -> list[str]:
    if step is None:
        return [done or tr("Nothing to do: what is missing is a fault of ours.")]
    check = step.check
    where = f", {check.place}" if check.place else ""
    what = problem(check) if check.hidden else check.title  # what is wrong with it stands in the table, and above
    first = tr("Next: task {task} ({word})", task=check.task, word=word(check.outcome))
    lines = [terminal(f"{first}{where}: {what}")]
    return [*lines, f"      {step.command}"] if step.command else lines


def _week_table(figures: Sequence[WeekFigures], states: Sequence[Mapping[str, int]]) -> Table:
    """Draw the weeks' figures, with a column for each other state that any student's week is in."""
    others = [(state, head) for state, head in _STATES.items() if any(counts.get(state) for counts in states)]
    heads = ("Week", "graded", *(head for _, head in others), "mean", "median", "lowest", "highest")
    sides: list[JustifyMethod] = ["right" for _ in heads]
    table = grid("left", *sides[1:])
    add_row(table, *((name, "bold") for name in heads))
    for week, counts in zip(figures, states, strict=True):
        ends = (str(week.scores[0]), str(week.scores[-1])) if week.scores else ("–", "–")
        rest = (str(counts.get(state, 0)) for state, _ in others)
        add_row(table, week.week, str(len(week.scores)), *rest, number(week.mean), number(week.median), *ends)
    return table


def _hardest_table(figures: Sequence[WeekFigures]) -> Table:
    table = grid("left", "left", "left", "left")
    for week in figures:
        unsolved = [task for task in week.tasks if task.done < task.students]
        for task in sorted(unsolved, key=lambda task: task.share)[:HARDEST]:
            done = f"{task.done} of {task.students} done"
            add_row(table, week.week, task.task, bar(task.points, task.max_points), done)
    return table


def grid(*justify: JustifyMethod) -> Table:
    """Make a table without lines, with a column for each given alignment."""
    from rich.table import Table  # noqa: PLC0415 - students' pytest loads this module on each start, and may draw nothing

    table = Table.grid(padding=(0, 2, 0, 0))
    for side in justify:
        table.add_column(justify=side, overflow="fold")
    return table


def add_row(table: Table, *cells: str | tuple[str, str]) -> None:
    """Add a row of untrusted texts, as (text, style) where they have a style; nothing is read as markup."""
    from rich.text import Text  # noqa: PLC0415 - students' pytest loads this module on each start, and may draw nothing

    pairs = [(cell, "") if isinstance(cell, str) else cell for cell in cells]
    table.add_row(*(Text(terminal(text), style) for text, style in pairs))
