"""Shows the matrix of tasks and mutants, with what has to be mended on top: in a terminal and as one HTML page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.author.proof.findings import Finding, Margin
from grader.author.proof.mutants import Mutant
from grader.author.proof.trials import MUTANT, REFERENCE, Trial
from grader.escape import plain
from grader.reports.pages import render_page
from grader.reports.words import counted, week_title
from grader.results import CheckResult, Outcome, Report, task_order

if TYPE_CHECKING:
    from rich.console import Console

SLOWEST = 5
SLOW = 1.0  # seconds: what takes less keeps nobody waiting, whatever the others take
CAUGHT, KEPT, SURVIVED, COLLATERAL, MAYBE = "caught", "kept", "survived", "collateral", "maybe"
SIGNS = {CAUGHT: "●", KEPT: "·", SURVIVED: "S", COLLATERAL: "C", MAYBE: "○"}


@dataclass(frozen=True)
class Row:
    """A mutant's line: what became of each task, in the tasks' order, and how many checks caught it."""

    mutant: Mutant
    cells: tuple[str, ...]
    public: int
    hidden: int


@dataclass(frozen=True)
class Matrix:
    """All that `validate` shows of one week."""

    week: str
    tasks: tuple[str, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    margins: tuple[Margin, ...]
    slowest: tuple[CheckResult, ...]
    seeds: int
    points: tuple[int, int]

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.fault)


def matrix_of(week: str, trials: Sequence[Trial], mutants: Iterable[Mutant], findings: Sequence[Finding]) -> Matrix:
    """Make the matrix of a week from its trials."""
    graded = {t.subject.name: t.report for t in trials if t.subject.kind == MUTANT and t.report}
    reference = [t.report for t in trials if t.subject.kind == REFERENCE and t.report]
    checks = reference[0].checks if reference else ()
    tasks = tuple(sorted({check.task for check in checks}, key=task_order))
    return Matrix(
        week=week,
        tasks=tasks,
        rows=tuple(_row(mutant, graded[mutant.id], tasks) for mutant in mutants if mutant.id in graded),
        findings=tuple(findings),
        margins=tuple(_margins(reference)),
        slowest=_slow(checks),
        seeds=len(reference),
        points=(sum(c.max_points for c in checks if not c.hidden), sum(c.max_points for c in checks if c.hidden)),
    )


def _slow(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    slow = [check for check in checks if check.seconds >= SLOW]
    return tuple(sorted(slow, key=lambda check: -check.seconds)[:SLOWEST])


def print_matrix(matrix: Matrix, console: Console) -> None:
    """Print findings first, then a line for each mutant, then thresholds and the slowest of the slow checks."""
    faults = len(matrix.faults)
    numbers = {"mutant": len(matrix.rows), "fault": faults, "note": len(matrix.findings) - faults}
    counts = ", ".join(counted(number, what) for what, number in numbers.items())
    console.print(f"{week_title(matrix.week)}: {counts}", style="bold", highlight=False)
    for finding in matrix.findings:
        style = "red" if finding.fault else "dim"
        console.print(plain(str(finding)), style=style, markup=False, highlight=False, soft_wrap=True)
    console.print()
    width = max((len(row.mutant.id) for row in matrix.rows), default=0)
    for line in _lines(matrix, width):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _lines(matrix: Matrix, width: int) -> Iterable[str]:
    if matrix.rows:
        yield f"{'':<{width}}  " + " ".join(f"{task:>4}" for task in matrix.tasks) + "  public hidden"
    for row in matrix.rows:
        cells = " ".join(f"{SIGNS[cell]:>4}" for cell in row.cells)
        yield f"{row.mutant.id:<{width}}  {cells}  {row.public:>6} {row.hidden:>6}"
    if matrix.rows:
        yield "● caught as named   ○ caught, as may be   S survived   C collateral   · keeps its points"
        yield ""
    yield f"points: {matrix.points[0]} public, {matrix.points[1]} hidden"
    for margin in matrix.margins:
        spread = f", {margin.deviations:.1f} deviations" if margin.deviations is not None else ""
        yield f"threshold: {margin.check}: {margin.what}: {margin.bound:g}, the reference {margin.mean:.3g}{spread}"
    for check in matrix.slowest:
        yield f"slow: {check.id}: {check.seconds:.2f} s (task {check.task})"


def page(matrices: Sequence[Matrix]) -> str:
    """Return the same as one self-contained page."""
    return render_page("validate.html.j2", matrices=matrices, signs=SIGNS)


def _row(mutant: Mutant, report: Report, tasks: Sequence[str]) -> Row:
    lost = {check.task for check in report.checks if check.points < check.max_points}
    catching = [c for c in report.checks if c.outcome is not Outcome.PASSED and c.task in mutant.tasks]
    hidden = sum(check.hidden for check in catching)
    return Row(mutant, tuple(_cell(mutant, task, task in lost) for task in tasks), len(catching) - hidden, hidden)


def _cell(mutant: Mutant, task: str, lost: bool) -> str:
    if task in mutant.tasks:
        return CAUGHT if lost else SURVIVED
    if not lost:
        return KEPT
    return MAYBE if task in mutant.may_lose else COLLATERAL


def margins_of(trials: Iterable[Trial]) -> list[Margin]:
    """Return each threshold with its least margin over the trials of a reference."""
    return list(_margins([trial.report for trial in trials if trial.report]))


def _margins(reports: Sequence[Report]) -> Iterable[Margin]:
    """Yield each threshold with its least margin over the seeds."""
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for check in (check for report in reports for check in report.checks):
        for measure in check.measures:
            entry = (measure.value, measure.bound, measure.margin)
            found.setdefault((check.id, measure.what), []).append(entry)
    for (check_id, what), values in found.items():
        margins = [margin for _, _, margin in values]
        spread = statistics.stdev(margins) if len(margins) > 1 else 0.0
        yield Margin(
            check=check_id,
            what=what,
            bound=values[0][1],
            worst=min(margins),
            mean=statistics.mean(value for value, _, _ in values),
            deviations=statistics.mean(margins) / spread if spread else None,
        )
