"""Tells by what files define whether they are attempts at one file, of which the latest counts, or parts of one work.

Canvas adds `-1` to the name of a file that was handed in before. So may a student: `part-1.ipynb` and `part-2.ipynb`
are two notebooks of one attempt. An attempt gives again what the one before it gave; a part gives something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from grader.errors import SubmissionError
from grader.intake.contents import Contents
from grader.intake.finding.definitions import given_by
from grader.intake.notebook.cells import read_notebook
from grader.intake.notebook.pieces import defined_in
from grader.intake.weeks import Weeks

Attempts = Sequence[Sequence[str]]  # files that may be attempts at one, oldest first

_NUMBER = re.compile(r"-\d+(?=(\.[^.]*)?$)")


def settled(contents: Contents, attempts: Attempts, weeks: Weeks) -> Contents:
    """Leave out of an entry what a later attempt has replaced, with a note; each later one takes the name of the first.

    The entry's own contents stay as they are.
    """
    result = replace(contents, files=dict(contents.files), notes=list(contents.notes))
    for group in attempts:
        kept = _latest(contents, group, weeks)
        gone = [name for name in group if name not in kept]
        for name in gone:
            _take_out(result.files, name)
        if gone and len(kept) == 1:
            base = _NUMBER.sub("", kept[0].rpartition("/")[2])
            _rename(result.files, kept[0], base)
            result.notes.append(f"{base} was handed in several times; the latest was taken")
        elif gone:
            result.notes.append(f"{', '.join(gone)} left out: handed in again as {', '.join(kept)}")
    return result


def _latest(contents: Contents, group: Sequence[str], weeks: Weeks) -> list[str]:
    kept: list[str] = []
    has_plain = any(not _NUMBER.search(name) for name in group)
    for name in group:
        kept = [before for before in kept if not _replaces(contents, name, before, weeks, has_plain)]
        kept.append(name)
    return kept


def _replaces(contents: Contents, later: str, earlier: str, weeks: Weeks, has_plain: bool) -> bool:
    """Tell whether a file was handed in for an earlier one; where nothing can be read of them, their names tell."""
    new, old = (_given(contents, name, weeks) for name in (later, earlier))
    if not new or not old:
        return has_plain and not later.lower().endswith(".ipynb")
    return old <= new if later.lower().endswith(".ipynb") else bool(old & new)


def _given(contents: Contents, name: str, weeks: Weeks) -> frozenset[str]:
    """Return what a file gives: a zip its code's paths, a notebook names of the course, a module all names."""
    if name.lower().endswith(".zip"):
        inside = f"{name}/"
        return frozenset(path.removeprefix(inside).casefold() for path in contents.files if path.startswith(inside))
    raw = contents.files.get(name)
    if raw is None:
        return frozenset()
    if not name.lower().endswith(".ipynb"):
        return given_by(raw).defined if name.lower().endswith(".py") else frozenset()
    own = frozenset().union(*(assignment.all_names for assignment in weeks.assignments.values()))
    try:
        return defined_in(cell.tree for cell in read_notebook(raw, name, weeks.modules).cells) & own
    except SubmissionError:
        return frozenset()


def _take_out(files: dict[str, bytes], name: str) -> None:
    for path in [path for path in files if path == name or path.startswith(f"{name}/")]:
        del files[path]


def _rename(files: dict[str, bytes], name: str, base: str) -> None:
    if name in files and base not in files:
        files[base] = files.pop(name)


def settler(attempts: Attempts, weeks: Weeks) -> Callable[[Contents], Contents]:
    """Return what settles the attempts in an entry's contents."""
    return lambda contents: settled(contents, attempts, weeks) if attempts else contents
