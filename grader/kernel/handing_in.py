"""Writes the file to hand in from the cells that were run, reads it as a submission, and checks what it holds."""

from __future__ import annotations

import ast
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from grader.course import Assignment
from grader.errors import SubmissionError
from grader.files import write_atomically
from grader.intake import load_folder
from grader.intake.places import is_module, is_untouched
from grader.kernel import shown
from grader.kernel.cells import KernelStudents, Tail
from grader.kernel.session import run_checks
from grader.language import retold, tr
from grader.pytest_plugin.local import LocalStudents
from grader.reports.words import points_of
from grader.results import CheckResult, tasks_of

_NOTHING = "no notebook defines anything of "  # as reading a submission says it; here there is no notebook's name
_DATE = (1980, 1, 1, 0, 0, 0)  # so that the same work gives the same bytes


def write(shell: Any, students: KernelStudents, assignment: Assignment, folder: Path) -> shown.Shown:
    """Write `WEEK_submission.zip` into `folder`: the week's modules, made of the cells that were run."""
    files, notes = _modules(students.history.sources, set(shell.user_ns), assignment, folder)
    target = folder / f"{assignment.week}_submission.zip"
    write_atomically(target, _zip(files))
    with redirect_stdout(Tail()):  # each print was shown when the kernel's own checks ran
        handed = run_checks(assignment, LocalStudents(target, 0))
    differ = _differences(run_checks(assignment, students), handed)
    points = points_of(sum(c.points for c in handed), sum(c.max_points for c in handed))
    return shown.handed_in(target.name, sorted(files), notes, differ, points)


def _modules(
    cells: Mapping[int, str], defined: set[str], assignment: Assignment, folder: Path
) -> tuple[Mapping[str, bytes], Sequence[str]]:
    """Read a folder with the cells as a notebook, and the student's files beside it, as any submission is read."""
    with tempfile.TemporaryDirectory(prefix="handing-in-") as name:
        place = Path(name, assignment.week)
        place.mkdir()
        source = nbformat.writes(new_notebook(cells=[new_code_cell(text) for text in current(cells)]))
        (place / "notebook.ipynb").write_text(source, encoding="utf-8")
        for file in _own_files(assignment, defined, folder):
            (place / file.name).write_bytes(file.read_bytes())
        try:
            read = load_folder(place, assignment)
        except SubmissionError as error:
            if not str(error).startswith(_NOTHING):
                raise
            raise SubmissionError(
                f"there is nothing to hand in: no cell that was run defines anything that {assignment.week} asks for; "
                "run the cells of your tasks first"
            ) from None
    return read.files, [note for note in read.notes if not note.startswith("notebook ")]


def current(cells: Mapping[int, str]) -> Iterator[str]:
    """Yield cells in the order of their runs, but for those whose definitions were all made again later."""
    later: set[str] = set()
    kept = []
    for source in reversed(list(cells.values())):
        only = definitions(source)
        if not only or only - later:
            kept.append(source)
        later |= only
    yield from reversed(kept)


def definitions(source: str) -> set[str]:
    """Return the functions and classes of a cell that consists of these and imports; else nothing."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return set()
    makers = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if not all(isinstance(node, (*makers, ast.Import, ast.ImportFrom)) for node in body):
        return set()
    return {node.name for node in body if isinstance(node, makers)}


def _own_files(assignment: Assignment, defined: set[str], folder: Path) -> Iterator[Path]:
    """Yield the student's files beside the notebook, but for modules whose names the kernel defines."""
    for file in sorted(folder.glob("*.py")):
        names = assignment.names.get(file.stem, frozenset())
        untouched = is_untouched(assignment, file.stem, file.read_bytes())
        if is_module(file.name) and not untouched and not names & defined:
            yield file


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _differences(kernel: Sequence[CheckResult], handed: Sequence[CheckResult]) -> list[str]:
    """Say in a line of each task that scores less in the file than in the kernel, and why."""
    before = {score.task: score.points for score in tasks_of(kernel)}
    lines = []
    for score in tasks_of(handed):
        if score.points < before.get(score.task, 0):
            first = next((retold(check.message).splitlines()[0] for check in score.checks if check.message), "")
            line = tr(
                "Task {task} has {before} points in this kernel, and {after} in the file: {why}. "
                "Restart the kernel, run all cells, and submit again.",
                task=score.task, before=before[score.task], after=score.points, why=first,
            )  # fmt: skip
            lines.append(line)
    return lines
