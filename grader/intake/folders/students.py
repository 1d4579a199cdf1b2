"""Tells which entries of a class folder are students' submissions, and what the others are.

One entry a student: a folder, a zip, a notebook or a Python file. The entries may also stand in folders of weeks
(`week5/ana/`), or all in one folder more. A student's own folder given as the class is a class of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from grader.errors import UsageError
from grader.intake.contents import real_name
from grader.intake.folders.entries import DiskEntry, Entry, ZippedEntry
from grader.intake.noise import NOISE, is_noise
from grader.intake.places import is_module
from grader.intake.reading.desk import Desk
from grader.intake.weeks import Weeks
from grader.people.naming import told_apart

OTHER_ARCHIVES = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}
_REPORTS = ("gradebook.sqlite", "grades.csv", "index.html")  # one of them may be in a student's folder
WEEKS_OWN = "a week's folder beside students, and nobody's by its name"

Placed = tuple[Entry, str]  # a student's entry, and the week's folder around it (`week5/`) or nothing

# What students call another copy of their work, or a folder of it; no student is called so.
_NO_NAME = re.compile(
    r"(old|new|backup|copy|copies|final|draft|archive|previous|tmp|temp|test|tests|src|source|code|lib|utils|work|solutions?"
    r"|assignments?|submissions?|homework|notebooks?|data|models?|v|version)[\W_]*\d*",
    re.IGNORECASE,
)


# What those who grade call a folder of students; no student is called so.
_CONTAINER = re.compile(
    r"(?:.*[\W_])?(?:submissions?|downloads?|exports?|classes|class|course|students|all|inbox|canvas|moodle|gradescope)(?:[\W_\d].*)?",
    re.IGNORECASE,
)

_BLACKBOARDS = re.compile(r"gradebook_.+_\d{4}(-\d\d){5}", re.IGNORECASE)  # as Blackboard calls what it lets download


def is_container(entry: Entry, weeks: Weeks, around: Entry | None = None) -> bool:
    """Tell whether an entry is called as a folder of students is: by the platform, the week, or the folder around it.

    What a folder with a student's name holds is that student's, however its parts are called.
    """
    name = Path(entry.path.name).stem if not entry.is_folder else entry.path.name
    in_class = isinstance(entry, ZippedEntry) and entry.is_folder  # whoever grades has given a zip of a class
    as_around = around is not None and name in (around.path.name, around.path.stem)
    is_called_so = _CONTAINER.fullmatch(name) or _BLACKBOARDS.fullmatch(name) or weeks.is_name_of_one(name)
    return in_class or bool(is_called_so) or as_around or _has_worksheet(name, around)


def _has_worksheet(name: str, around: Entry | None) -> bool:
    """Tell whether Moodle's worksheet lies beside: `Grades-DL101-Week 5-2345.csv` beside `DL101-Week 5-2345.zip`."""
    if around is None or not re.fullmatch(r".+-.+-\d+", name):
        return False
    files = (one.path for one in around.inner() if one.path.suffix.lower() == ".csv")
    return any(file.stem.endswith(f"-{name}") for file in files)


def why_ignored(entry: Entry, weeks: Weeks) -> str | None:
    """Say why an entry of a class folder is no submission, or None."""
    path = entry.path
    if is_noise(path.name):
        return NOISE
    if path.name.upper().startswith(("EXPECTED", "README")):
        return "not a submission by its name"
    if entry.is_link or path.suffix.lower() in {".zip", ".ipynb", *OTHER_ARCHIVES}:
        return None
    if entry.is_folder:
        return "reports of this grader" if all(map(entry.holds, _REPORTS)) else None
    name = real_name(path.name)
    if name.lower().endswith(".ipynb"):
        return None
    if name.lower().endswith(".py"):
        is_whose = is_module(name) and name not in _module_files(weeks)
        return None if is_whose else "a file of the course's, not named after a student"
    return f"a {path.suffix} file is no submission" if path.suffix else "not a folder, zip, notebook or .py file"


def is_one_submission(listing: Sequence[Entry], weeks: Weeks, desk: Desk) -> bool:
    """Tell whether these are a student's own: there is a module, or a week's folder with modules, and no students."""
    inner = _submissions(listing, weeks)
    if any(entry.path.name in _module_files(weeks) for entry in listing):
        # Where there are several students, it is a class folder in which somebody left a module lying about.
        return not _hold_several(inner, weeks, desk)
    named = [entry for entry in inner if entry.is_folder and weeks.is_name_of_one(entry.path.name)]
    if any(_holds_several(entry, weeks, desk) for entry in named):
        return False
    holding = [entry for entry in named if finds(entry, weeks, desk)]
    return bool(holding) and not _students_beside(holding, inner, weeks, desk)


def _students_beside(named: Sequence[Entry], inner: Sequence[Entry], weeks: Weeks, desk: Desk) -> bool:
    """Tell whether others than a week's folders hold modules, as students do; a student's old copies are none."""
    paths = {entry.path for entry in named}
    others = [entry for entry in inner if entry.path not in paths and not weeks.is_name_of_one(entry.path.name)]
    if _hold_several(others, weeks, desk) or len(_notebooks(others, weeks, desk)) > 1:
        return True
    may_be = [entry for entry in others if not _NO_NAME.fullmatch(entry.path.stem)]
    in_weeks = {found for entry in named for found in finds(entry, weeks, desk)}
    return any(in_weeks & set(finds(entry, weeks, desk)) for entry in may_be)


def _notebooks(entries: Sequence[Entry], weeks: Weeks, desk: Desk) -> list[Entry]:
    """Return the notebooks of a week that are not called after it."""
    files = [entry for entry in entries if not entry.is_folder and entry.path.suffix.lower() == ".ipynb"]
    return [entry for entry in files if weeks.named(entry.path.stem) is None and desk.look(entry.path, weeks)]


def find_entries(
    listing: Sequence[Entry], weeks: Weeks, desk: Desk, root: Entry, is_plain: bool = False
) -> tuple[list[Placed], list[tuple[str, str]]]:
    """Find each student's entry, and the week's folder around it if any; and what is nobody's, with the reason.

    Opens folders of several students. A week's folder beside students is none of them. One folder alone that may be a
    student's as well as a class is a `UsageError`, unless somebody has said that each entry `is_plain`ly a student's.
    """
    sorted_by_week = [entry for entry in listing if _is_of_week(entry, weeks) and _holds_several(entry, weeks, desk)]
    others = [entry for entry in listing if not _is_of_week(entry, weeks)]
    found: list[Placed] = []
    nobodys = []
    for entry in listing:
        name = entry.path.name
        if entry in sorted_by_week or (sorted_by_week and _may_hold_students(entry, weeks)):
            found += ((inner, f"{name}/") for inner in _inner(entry, weeks))
        elif len(listing) == 1 and not is_plain and _is_class(entry, weeks, desk):
            if not is_container(entry, weeks, root):
                raise UsageError(
                    f"{root.path}: {name} alone is there, and holds a module several times; if it is a class, give "
                    f"{entry.path}, and if it is one student's, go on with --layout plain"
                )
            return find_entries(_inner(entry, weeks), weeks, desk, entry)
        elif _is_of_week(entry, weeks) and (others or sorted_by_week) and entry.is_folder:
            nobodys.append((name, WEEKS_OWN))
        else:
            found.append((entry, ""))
    return found, nobodys


def _is_of_week(entry: Entry, weeks: Weeks) -> bool:
    return weeks.is_name_of_one(entry.path.name)


def _may_hold_students(entry: Entry, weeks: Weeks) -> bool:
    """Tell whether a week's folder holds entries, be it one, that may be called after students, and no modules."""
    inner = _inner(entry, weeks)
    has_modules = any(one.path.name in _module_files(weeks) for one in entry.inner())
    are_named = [one for one in inner if not _NO_NAME.fullmatch(one.path.stem)]
    return _is_of_week(entry, weeks) and not has_modules and bool(are_named)


def student_name(entry: Entry) -> str:
    """Name the student of an entry, by the entry's name."""
    return entry.path.name if entry.is_folder else Path(real_name(entry.path.name)).stem


def named_after(path: Path) -> str:
    """Name the student of a folder or file on disk."""
    return student_name(DiskEntry(path))


def students_of(entries: Sequence[Placed]) -> list[str]:
    """Name the entries' students; in a class sorted by week, a student has an entry in each week's folder."""
    folders = list(dict.fromkeys(around for _, around in entries))
    groups = [folders] if "" in folders else [[folder] for folder in folders]
    names: list[str] = []
    for group in groups:
        names += told_apart([(student_name(entry), entry.path.name) for entry, around in entries if around in group])
    return names


def holds_students(listing: Sequence[Entry], weeks: Weeks, desk: Desk) -> bool:
    """Tell whether a folder that is given as one submission holds several students', each by a name of their own."""
    inner = _submissions(listing, weeks)
    holding = [entry for entry in inner if finds(entry, weeks, desk)]
    are_named = all(not _NO_NAME.fullmatch(entry.path.stem) for entry in holding)
    is_own = any(_is_of_week(entry, weeks) for entry in holding) or len(holding) < len(inner)
    return are_named and not is_own and _hold_several(holding, weeks, desk)


def _is_class(folder: Entry, weeks: Weeks, desk: Desk) -> bool:
    """Tell whether a folder holds students, or a week's folders that do, and not one student's weeks."""
    named = [entry for entry in _inner(folder, weeks) if _is_of_week(entry, weeks)]
    return any(_holds_several(entry, weeks, desk) for entry in named or [folder])


def _holds_several(folder: Entry, weeks: Weeks, desk: Desk) -> bool:
    return _hold_several(_inner(folder, weeks), weeks, desk)


def _hold_several(entries: Sequence[Entry], weeks: Weeks, desk: Desk) -> bool:
    """Tell whether two entries hold the same module, as two students' do."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        found = set(finds(entry, weeks, desk))
        if found & seen:
            return True
        seen |= found
    return False


def finds(entry: Entry, weeks: Weeks, desk: Desk) -> list[tuple[str, str]]:
    """Return the modules in a folder or zip, each with its week."""
    if not entry.is_folder and entry.path.suffix.lower() != ".zip":
        return []
    return desk.look(entry.path, weeks)


def _inner(folder: Entry, weeks: Weeks) -> list[Entry]:
    return _submissions(folder.inner(), weeks)


def _submissions(listing: Sequence[Entry], weeks: Weeks) -> list[Entry]:
    return [entry for entry in listing if not why_ignored(entry, weeks)]


def _module_files(weeks: Weeks) -> set[str]:
    return {f"{module}.py" for assignment in weeks.assignments.values() for module in assignment.modules}
