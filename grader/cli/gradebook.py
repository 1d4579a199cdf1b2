"""Runs the commands on a gradebook: `override` a task's points, and `diff` two runs."""

from __future__ import annotations

from pathlib import Path

import click

from grader.batch.override import override_task
from grader.cli.options import PATH, command, out_option
from grader.escape import terminal
from grader.gradebook.changes import changed_grades

book_option = out_option("reports", "Where `batch` wrote the gradebook.")


@command("override ana week5 5.3 4 --why discussed")
@click.argument("student")
@click.argument("week")
@click.argument("task")
@click.argument("points")
@click.option("--why", required=True, help="The reason, which the student reads.")
@click.option("--who", help="Who decides (default: the name of your account).")
@book_option
def override(student: str, week: str, task: str, points: str, why: str, who: str | None, out: Path) -> int:
    """Score a task by hand; it holds when the week is graded again.

    STUDENT is an id, an e-mail or a name, in any letter case, with accents or without. POINTS is the task's new score,
    or `back` to give the task back to the checks.
    """
    before, after = override_task(out, student, week, task, points, why, who)
    print(terminal(f"{after.student} {after.week}: {before.score} → {after.score} of {after.max_score}"))
    return 0


@command("diff --against reports-of-monday")
@click.option("--against", type=PATH, metavar="DIR", help="An earlier run's folder (default: earlier attempts).")
@book_option
def diff(against: Path | None, out: Path) -> int:
    """Say whose grade changed, and by which checks."""
    lines = changed_grades(out, against)
    for line in lines:
        print(terminal(line) if not line.startswith("  ") else f"  {terminal(line)}")
    if not lines:
        print("no grade has changed")
    return 0
