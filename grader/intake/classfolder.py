"""Tells which entries of a class folder are students' submissions, and what the others are.

One entry a student: a folder, a zip, a notebook or a Python file. The entries may also stand in folders of weeks
(`week5/ana/`), or all in one folder more. A student's own folder given as the class is a class of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.errors import UsageError
from grader.intake.contents import NOISE, is_noise, real_name
from grader.intake.places import is_module
from grader.intake.reading.desk import Desk
from grader.intake.weeks import Weeks
from grader.people.naming import told_apart

OTHER_ARCHIVES = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}

Entry = tuple[Path, str]  # a student's entry, and the week's folder around it (`week5/`) or nothing


# Paths are asked through `os.path`, which answers False where permission is lacking; methods of `Path` raise there.


def list_folder(folder: Path) -> list[Path]:
    """List a class folder's entries, sorted. Raises `UsageError` where there are none, or they cannot be looked at."""
    try:
        listing = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        raise UsageError(f"{folder}: there is no such folder") from None
    except NotADirectoryError:
        raise UsageError(f"{folder} is not a folder; give the folder that holds the submissions") from None
    except PermissionError:
        raise UsageError(f"{folder}: no permission to look into this folder") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from None
    if not listing:
        raise UsageError(f"no submission in {folder}: it is empty")
    if not any(map(os.path.lexists, listing)):  # their names may be read, and nothing else
        raise UsageError(f"{folder}: no permission to look into this folder")
    return listing


def why_ignored(path: Path, weeks: Weeks) -> str | None:
    """Say why an entry of a class folder is no submission, or None."""
    if is_noise(path.name):
        return NOISE
    if path.name.upper().startswith(("EXPECTED", "README")):
        return "not a submission by its name"
    if os.path.islink(path) or path.suffix.lower() in {".zip", ".ipynb", *OTHER_ARCHIVES}:
        return None
    if os.path.isdir(path):
        return "reports of this grader" if os.path.exists(path / "gradebook.sqlite") else None
    name = real_name(path.name)
    if name.lower().endswith(".ipynb"):
        return None
    if name.lower().endswith(".py"):
        is_whose = is_module(name) and name not in _module_files(weeks)
        return None if is_whose else "a file of the course's, not named after a student"
    return f"a {path.suffix} file is no submission" if path.suffix else "not a folder, zip, notebook or .py file"


def is_one_submission(folder: Path, listing: Sequence[Path], weeks: Weeks, desk: Desk) -> bool:
    """Tell whether the folder is a student's own: it holds a module itself, or a week's folder with modules."""
    if any(path.name in _module_files(weeks) for path in listing):
        # Where it holds several students, it is a class folder in which somebody left a module lying about.
        return not _holds_several(folder, weeks, desk)
    named = [path for path in listing if os.path.isdir(path) and weeks.is_name_of_one(path.name)]
    return any(not _holds_several(path, weeks, desk) and _finds(path, weeks, desk) for path in named)


def find_entries(listing: Sequence[Path], weeks: Weeks, desk: Desk) -> Iterator[Entry]:
    """Yield each student's entry, and the week's folder around it if any; open folders of several students."""
    for path in listing:
        if weeks.is_name_of_one(path.name) and _holds_several(path, weeks, desk):
            yield from ((entry, f"{path.name}/") for entry in _inner(path, weeks))
        elif len(listing) == 1 and _is_class(path, weeks, desk):
            yield from find_entries(_inner(path, weeks), weeks, desk)
        else:
            yield path, ""


def student_name(path: Path) -> str:
    """Name the student of an entry, by the entry's name."""
    return path.name if os.path.isdir(path) else Path(real_name(path.name)).stem


def students_of(entries: Sequence[Entry]) -> list[str]:
    """Name the entries' students; in a class sorted by week, a student has an entry in each week's folder."""
    folders = list(dict.fromkeys(around for _, around in entries))
    groups = [folders] if "" in folders else [[folder] for folder in folders]
    names: list[str] = []
    for group in groups:
        names += told_apart([(student_name(path), path.name) for path, around in entries if around in group])
    return names


def _is_class(folder: Path, weeks: Weeks, desk: Desk) -> bool:
    """Tell whether a folder holds students, or a week's folders that do, and not one student's weeks."""
    named = [path for path in _inner(folder, weeks) if weeks.is_name_of_one(path.name)]
    return any(_holds_several(path, weeks, desk) for path in named or [folder])


def _holds_several(folder: Path, weeks: Weeks, desk: Desk) -> bool:
    """Tell whether two of a folder's entries hold the same module, as two students' do."""
    seen: set[tuple[str, str]] = set()
    for path in _inner(folder, weeks):
        found = set(_finds(path, weeks, desk))
        if found & seen:
            return True
        seen |= found
    return False


def _finds(path: Path, weeks: Weeks, desk: Desk) -> list[tuple[str, str]]:
    if not os.path.isdir(path) and path.suffix.lower() != ".zip":
        return []
    return desk.look(path, weeks)


def _inner(folder: Path, weeks: Weeks) -> list[Path]:
    if os.path.islink(folder) or not os.path.isdir(folder):
        return []
    try:
        return [path for path in list_folder(folder) if not why_ignored(path, weeks)]
    except UsageError:
        return []


def _module_files(weeks: Weeks) -> set[str]:
    return {f"{module}.py" for assignment in weeks.assignments.values() for module in assignment.modules}
