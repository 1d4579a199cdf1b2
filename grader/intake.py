"""How submissions come in: `discover` finds who handed in which week, `load` reads one of these by value.

A class folder holds one entry a student: a folder, a zip, a notebook or a Python file. What is inside may be arranged
in any way (see `grader.places`); what cannot be read becomes a clear problem of that student and stops nobody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Assignment, Course
from grader.collect import clipped, collect
from grader.contents import Contents, is_noise, read_entry
from grader.errors import SubmissionError, UsageError
from grader.naming import safe_name, told_apart
from grader.places import Place, Weeks, find_places, is_module

__all__ = ["Candidate", "Submission", "Survey", "discover", "load", "load_folder", "safe_name", "survey"]

_OTHER_ARCHIVES = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}
_SHOWN = 8


@dataclass(frozen=True)
class Candidate:
    """One student's week as it was found; with a `problem` it can only be reported. `week` None: it is not known."""

    student: str
    week: str | None
    path: Path
    place: Place | None = None
    weeks: Weeks | None = None
    problem: str = ""

    def __str__(self) -> str:
        if self.place is None:
            return f"{self.student}: {self.problem}"
        what = ", ".join(dict.fromkeys([*self.place.modules.values(), *self.place.notebooks]))
        return f"{self.student}: {self.week} from {self.path.name} ({what})"


@dataclass(frozen=True)
class Submission:
    """One student's week by value: files by their paths in the week's folder. `digest` is the SHA-256 of `files`."""

    student: str
    week: str
    files: dict[str, bytes]
    notes: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class Survey:
    """What a class folder holds: candidates, and the entries that are no submissions with the reason."""

    candidates: tuple[Candidate, ...]
    ignored: tuple[tuple[str, str], ...]


def discover(folder: Path, course: Course, weeks: Sequence[str] | None = None) -> list[Candidate]:
    """Who handed in which week, in the order of their names; without `weeks` every week that is there.

    Raises `UsageError` where the folder is missing, unreadable or without any submission, or a week is unknown.
    """
    return list(survey(folder, course, weeks).candidates)


def survey(folder: Path, course: Course, weeks: Sequence[str] | None = None) -> Survey:
    """As `discover`, with what was ignored and why."""
    known = Weeks(course.assignments(), tuple(course.assignment(week).week for week in weeks or ()))
    listing = _listing(folder)
    if _is_one_submission(folder, listing, known):
        whole = folder.resolve()
        return Survey(tuple(_candidates(whole, _name(whole), "", known)), ())
    ignored = [(path.name, why) for path in listing if (why := _ignored(path, known))]
    entries = list(_entries([path for path in listing if not _ignored(path, known)], known))
    if not entries:
        raise UsageError(
            f"no submission in {folder}: there must be a folder, zip, notebook or .py file for each student"
        )
    candidates = [
        candidate
        for (path, around), name in zip(entries, _students(entries), strict=True)
        for candidate in _candidates(path, name, around, known)
    ]
    return Survey(tuple(sorted(candidates, key=lambda c: (c.student, c.week or ""))), tuple(ignored))


def load(candidate: Candidate) -> Submission:
    """Read a candidate's files. Raises `SubmissionError` with one clear line where that is impossible."""
    if candidate.place is None or candidate.weeks is None:
        raise SubmissionError(candidate.problem)
    place = candidate.place
    contents = read_entry(candidate.path, data_below=place.folder)
    gone = [path for path in (*place.modules.values(), *place.notebooks) if path not in contents.files]
    if gone:
        raise SubmissionError(f"{gone[0]} was there a moment ago and cannot be read any more; grade again")
    assignment = candidate.weeks.assignments[place.week]
    files, notes = collect(contents, place, assignment, candidate.weeks)
    return Submission(candidate.student, place.week, files, tuple(notes), _digest(files))


def load_folder(folder: Path, assignment: Assignment) -> Submission:
    """Read a single submission to one week: a folder or a file, named after the student or not."""
    if not folder.exists():
        raise UsageError(f"{folder}: there is no such folder or file")
    whole = folder.resolve()
    weeks = Weeks({assignment.week: assignment}, (assignment.week,))
    return load(_candidates(whole, _name(whole), "", weeks)[0])


def _listing(folder: Path) -> list[Path]:
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
    return listing


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _students(entries: Sequence[tuple[Path, str]]) -> list[str]:
    """The entries' students; in a class sorted by week, a student has an entry in each week's folder."""
    folders = list(dict.fromkeys(around for _, around in entries))
    groups = [folders] if "" in folders else [[folder] for folder in folders]
    names: list[str] = []
    for group in groups:
        names += told_apart([(_name(path), path.name) for path, around in entries if around in group])
    return names


def _ignored(path: Path, weeks: Weeks) -> str | None:
    """Why an entry of a class folder is no submission, or None."""
    if is_noise(path.name):
        return "hidden, or made by a tool"
    if path.name.upper().startswith(("EXPECTED", "README")):
        return "not a submission by its name"
    if path.is_symlink() or path.suffix.lower() in {".zip", ".ipynb", *_OTHER_ARCHIVES}:
        return None
    if path.is_dir():
        return "reports of this grader" if (path / "gradebook.sqlite").exists() else None
    if path.suffix.lower() == ".py":
        is_whose = is_module(path.name) and path.name not in _module_files(weeks)
        return None if is_whose else "a file of the course's, not named after a student"
    return f"a {path.suffix} file is no submission" if path.suffix else "not a folder, zip, notebook or .py file"


def _is_one_submission(folder: Path, listing: Sequence[Path], weeks: Weeks) -> bool:
    """Whether the folder is a student's own: it holds a module itself, or a week's folder with modules."""
    if any(path.name in _module_files(weeks) for path in listing):
        return not _holds_several(folder, weeks)  # else a class folder in which somebody left a module lying about
    named = [path for path in listing if path.is_dir() and weeks.is_name_of_one(path.name)]
    return any(not _holds_several(path, weeks) and _finds(path, weeks) for path in named)


def _module_files(weeks: Weeks) -> set[str]:
    return {f"{module}.py" for assignment in weeks.assignments.values() for module in assignment.modules}


def _entries(listing: Sequence[Path], weeks: Weeks) -> Iterator[tuple[Path, str]]:
    """Each student's entry, and the week's folder around it if any; a folder that holds several students is opened."""
    for path in listing:
        if weeks.is_name_of_one(path.name) and _holds_several(path, weeks):
            yield from ((entry, f"{path.name}/") for entry in _inner(path, weeks))
        elif len(listing) == 1 and _is_class(path, weeks):
            yield from _entries(_inner(path, weeks), weeks)
        else:
            yield path, ""


def _is_class(folder: Path, weeks: Weeks) -> bool:
    """Whether a folder holds students, or a week's folders that do, and not one student's weeks."""
    named = [path for path in _inner(folder, weeks) if weeks.is_name_of_one(path.name)]
    return any(_holds_several(path, weeks) for path in named or [folder])


def _holds_several(folder: Path, weeks: Weeks) -> bool:
    """Whether two of a folder's entries hold the same module, as two students' do."""
    seen: set[tuple[str, str]] = set()
    for path in _inner(folder, weeks):
        found = {(place.week, module) for place in _finds(path, weeks) for module in place.modules}
        if found & seen:
            return True
        seen |= found
    return False


def _inner(folder: Path, weeks: Weeks) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        return [path for path in _listing(folder) if not _ignored(path, weeks)]
    except UsageError:
        return []


def _finds(path: Path, weeks: Weeks) -> list[Place]:
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return []
    try:
        return find_places(read_entry(path), path.name, weeks)[0]
    except SubmissionError:
        return []


def _candidates(path: Path, student: str, around: str, weeks: Weeks) -> list[Candidate]:
    """One candidate for each week that an entry holds or should hold."""
    try:
        if path.suffix.lower() in _OTHER_ARCHIVES and not path.is_dir():
            raise SubmissionError(f"{path.name}: a {path.suffix} file cannot be read; ask for a zip file")
        contents = read_entry(path)
    except SubmissionError as error:
        return [_problem(path, student, week, str(error)) for week in _asked(weeks)]
    places, unclear = find_places(contents, f"{around}{path.name}", weeks)
    wanted = [place for place in places if not weeks.expected or place.week in weeks.expected]
    found = {place.week for place in wanted}
    candidates = [Candidate(student, place.week, path, place, weeks) for place in wanted]
    lacking = [week for week in _asked(weeks) if week not in found] if weeks.expected or not found else []
    return candidates + [
        _problem(path, student, week, _nothing(path, week, contents, unclear, weeks)) for week in lacking
    ]


def _problem(path: Path, student: str, week: str | None, problem: str) -> Candidate:
    return Candidate(student, week, path, problem=clipped(problem))


def _asked(weeks: Weeks) -> Sequence[str | None]:
    """The weeks that a problem concerns: those that were asked for, the only one, or not known."""
    return list(weeks.expected) or list(weeks.single) or [None]


def _nothing(path: Path, week: str | None, contents: Contents, unclear: Sequence[str], weeks: Weeks) -> str:
    """Why no submission was found in an entry."""
    known = ", ".join(weeks.assignments)
    if contents.refused:
        where, why = next(iter(contents.refused.items()))
        return f"{path.name}: {where} cannot be read: {why}"
    if unclear:
        return f"cannot tell which week {unclear[0]} is for ({known}): put it into a folder named after the week"
    modules = weeks.assignments[week].modules if week else ()
    names = f" (wanted: {', '.join(f'{module}.py' for module in modules)})" if modules else ""
    shown = ", ".join(sorted(contents.files)[:_SHOWN]) + (", …" if len(contents.files) > _SHOWN else "")
    notes = f"; {contents.notes[0]}" if contents.notes else ""
    return f"no Python module of {week or known} found in {path.name}{names}: it has {shown or 'no code'}{notes}"


def _digest(files: dict[str, bytes]) -> str:
    sha = hashlib.sha256()
    for path, content in sorted(files.items()):
        for part in (path.encode(), content):
            sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()
