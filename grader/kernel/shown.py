"""Shows results below a notebook's cell: as HTML that follows its colours, and as text where there is no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import jinja2

from grader import escape
from grader.language import retold, tr
from grader.reports import words
from grader.reports.pages import teach, visible
from grader.reports.terminal import summary_lines
from grader.results import CheckResult, Outcome, tasks_of


@dataclass(frozen=True)
class Shown:
    """What a magic shows: `_repr_html_` for notebooks, `__repr__` for a terminal."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def checks(results: Sequence[CheckResult], contact: str = "") -> Shown:
    """Show each check of a task, or of several: its message, its hint, and what the student's code printed."""
    results = _todo_once(results)
    lost = [check for check in results if check.outcome is not Outcome.PASSED]
    lines = [f"{_mark(check)} {check.task} {check.title}: {_says(check)}" for check in results]
    tell = words.whom_to_tell(results, contact)
    lines += ["", _all_pass(results)] if not lost else [tell] if tell else []
    return Shown(_render("checks", results=results, whole=_all_pass(results) if not lost else tell), _plain(lines))


def score(results: Sequence[CheckResult], week: str, title: str) -> Shown:
    """Show the score by task, and what to do next."""
    scores = tasks_of(results)
    points, of = sum(s.points for s in scores), sum(s.max_points for s in scores)
    step = words.next_step(scores, "%check")
    text = _plain(summary_lines(results, "%check")).replace("%check --task ", "%check ")
    return Shown(_render("score", scores=scores, points=points, of=of, step=step, title=title, week=week), text)


def handed_in(file: str, modules: Sequence[str], notes: Sequence[str], differ: Sequence[str], points: str) -> Shown:
    """Show what was written to hand in, and where that scores otherwise than the kernel."""
    notes = [retold(note) for note in notes]
    wrote = tr("wrote {file}: {modules}", file=file, modules=", ".join(modules))
    lines = [wrote, tr("its public checks: {points}", points=points), *differ, *notes]
    return Shown(
        _render("handed_in", file=file, modules=modules, notes=notes, differ=differ, points=points), _plain(lines)
    )


def _todo_once(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Make one of the checks of a task that is not begun: a line for each says the same again and again."""
    together: dict[tuple[str, str], list[CheckResult]] = {}
    for check in results:
        key = check.message if check.outcome is Outcome.TODO else check.id
        together.setdefault((check.task, key), []).append(check)
    return [_as_one(checks) if len(checks) > 1 else checks[0] for checks in together.values()]


def _as_one(checks: Sequence[CheckResult]) -> CheckResult:
    title = tr("{n} checks", n=len(checks))
    return replace(checks[0], title=title, max_points=sum(check.max_points for check in checks))


def _all_pass(results: Sequence[CheckResult]) -> str:
    tasks = sorted({check.task for check in results})
    points = sum(check.points for check in results)
    passes = tr(
        "every public check passes, {points} points" if points != 1 else "every public check passes, 1 point",
        points=points,
    )
    return f"{tr('Task {task}', task=', '.join(tasks))}: {passes}."


def _mark(check: CheckResult) -> str:
    return {Outcome.PASSED: "✓", Outcome.TODO: "○", Outcome.SKIPPED: "⋯", Outcome.BROKEN: "!"}.get(check.outcome, "✕")


def _says(check: CheckResult) -> str:
    return "\n".join(
        filter(None, [retold(check.message) or tr("passed"), f"  {tr('hint')}: {check.hint}" if check.hint else ""])
    )


def _plain(lines: Sequence[str]) -> str:
    parts = (part for line in lines for part in (line.splitlines() or [""]))
    return "\n".join(escape.plain(part).rstrip() for part in parts)  # columns stay columns


def _render(what: str, **contents: object) -> str:
    page = _environment().get_template("cell.html.j2")
    return page.render(what=what, mark=_mark, detail=words.detail, **contents)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    teach(environment)
    return environment
