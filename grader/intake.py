"""From a class folder to submissions: who handed in which week, and that week's files by value."""

from __future__ import annotations

import ast
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.assignment import Assignment, Course, defined_names
from grader.cells import read_notebook
from grader.contents import MIB, Contents, is_noise, read_entry
from grader.errors import SubmissionError, UsageError
from grader.notebook import modules_from_notebook

MOST_FILES = 200
MOST_BYTES = 16 * MIB
LONGEST_NAME = 80

_ENTRIES = {".zip", ".ipynb", ".py"}
_NOT_WORK = {"conftest.py", "probes.py", "assignment.toml", "README.md", "pytest.ini", "tox.ini", "pyproject.toml"}


@dataclass(frozen=True)
class Submission:
    """One student's files for one week, by POSIX path in the week's folder; `digest` is their SHA-256."""

    student: str
    week: str
    files: dict[str, bytes]
    notes: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class Candidate:
    """What `discover` found. `place` is the folder inside the entry ("" is all of it), None if `problem` says why."""

    student: str
    path: Path
    assignment: Assignment
    place: str | None
    problem: str = ""

    @property
    def week(self) -> str:
        return self.assignment.week

    def __str__(self) -> str:
        found = self.problem or f"{self.path.name}{'/' + self.place if self.place else ''}"
        return f"{self.student}  {self.week}  {found}"


def discover(folder: Path, course: Course, weeks: Sequence[str] | None) -> list[Candidate]:
    """Every student's weeks; raises `UsageError` where the folder cannot be read or holds no submission."""
    wanted = [course.assignment(week) for week in dict.fromkeys(weeks)] if weeks else [*course.assignments().values()]
    if not wanted:
        raise UsageError(f"{course.root / 'assignments'} holds no week; there is nothing to grade")
    entries = _entries(folder)
    students = _students(entries)
    return [found for entry in entries for found in _of_entry(entry, students[entry], wanted, bool(weeks))]


def load(candidate: Candidate) -> Submission:
    """Read a candidate's files; `SubmissionError` says in one line why that cannot be done."""
    if candidate.place is None:
        raise SubmissionError(candidate.problem)
    contents = read_entry(candidate.path, candidate.place)
    files, notes = _week_files(contents, candidate)
    if not any(path in files for path in _module_paths(candidate.assignment)):
        raise SubmissionError(_nothing(candidate.assignment, candidate.path))
    if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise SubmissionError(
            f"{candidate.path.name} holds more than {MOST_FILES} files or {MOST_BYTES // MIB} MB for "
            f"{candidate.week}; hand in the week's modules alone"
        )
    files = dict(sorted(files.items()))
    return Submission(candidate.student, candidate.week, files, tuple(notes), _digest(files))


def load_folder(folder: Path, assignment: Assignment) -> Submission:
    """One student's folder (or zip, notebook, module), named after the student."""
    if not folder.exists():
        raise UsageError(f"{folder}: there is no such submission")
    path = folder.resolve()
    return load(_of_entry(path, path.name, [assignment], chosen=True)[0])


def safe_name(student: str) -> str:
    """A folder's name for a student; a hash tells those apart whose names had to be changed."""
    name = unicodedata.normalize("NFC", student)
    name = "".join(c if unicodedata.category(c)[0] in "LMN" or c in " ._-@+" else "_" for c in name)
    name = name.strip(" .")[:LONGEST_NAME].rstrip(" .") or "student"
    # Letters' case is no difference on some file systems, so only names in lower case stay as they are.
    if name == student and name == name.lower() and not re.search(r"-[0-9a-f]{10}$", name):
        return name
    return f"{name}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def _entries(folder: Path) -> list[Path]:
    try:
        if not folder.exists():
            raise UsageError(f"{folder}: there is no such folder")
        if not folder.is_dir():
            raise UsageError(f"{folder}: is not a folder; give the folder that holds one entry a student")
        entries = sorted(path for path in folder.iterdir() if _is_entry(path))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror})") from error
    if not entries:
        raise UsageError(f"no submission in {folder}: expected one folder, zip, notebook or module a student")
    return entries


def _is_entry(path: Path) -> bool:
    if is_noise(path.name) or path.name.upper().startswith("README"):
        return False
    return path.is_dir() or path.suffix.lower() in _ENTRIES


def _students(entries: Sequence[Path]) -> dict[Path, str]:
    """Folder names, and file names without their ending where that leaves students apart."""
    stems = [entry.name if entry.is_dir() else entry.stem for entry in entries]
    names = [stem if stems.count(stem) == 1 else entry.name for entry, stem in zip(entries, stems, strict=True)]
    return dict(zip(entries, names, strict=True))


def _of_entry(path: Path, student: str, wanted: Sequence[Assignment], chosen: bool) -> list[Candidate]:
    """The candidates of one entry; at least one, so that nobody is silently missing."""
    try:
        contents = read_entry(path)
    except SubmissionError as error:
        weeks = wanted if chosen else wanted[:1]
        return [Candidate(student, path, a, None, str(error)) for a in weeks]
    places = {a.week: _place(contents.files, path, a, wanted) for a in wanted}
    shown = [a for a in wanted if places[a.week] is not None or chosen] or list(wanted[:1])
    problem = next((f"; {name}: {why}" for name, why in contents.refused.items()), "")
    return [
        Candidate(student, path, a, places[a.week], "" if places[a.week] is not None else _nothing(a, path) + problem)
        for a in shown
    ]


def _nothing(assignment: Assignment, path: Path) -> str:
    return f"no Python module of {assignment.week} found in {path.name}"


def _place(files: dict[str, bytes], entry: Path, assignment: Assignment, wanted: Sequence[Assignment]) -> str | None:
    """The folder with most of the week's modules; folders named after the week come before all others."""
    folders = sorted({_folder_of(path) for path in files})
    named = [f for f in folders if _week_named(f, wanted) == assignment.week]
    unnamed = [f for f in folders if _week_named(f, wanted) is None]
    for group, is_named in ((named, True), (unnamed, False)):
        ranked = []
        for folder in group:
            inside = {p: c for p, c in files.items() if _folder_of(p) == folder and _is_work(p)}
            count = _strength(inside, entry, assignment, wanted, is_named)
            if count:
                ranked.append((-count, "assignments/" not in f"/{folder}", folder.count("/"), folder))
        if ranked:
            return min(ranked)[3]
    return None


def _strength(
    inside: dict[str, bytes], entry: Path, assignment: Assignment, wanted: Sequence[Assignment], is_named: bool
) -> int:
    """How much of the week a folder's files hold; 0 where they belong to another week."""
    stems = {PurePosixPath(p).stem for p in inside if p.endswith(".py")}
    own = stems & set(assignment.modules)
    if is_named or len(wanted) == 1:
        return 100 * len(own) + (1 if inside else 0)
    others = {module for a in wanted if a != assignment for module in a.modules}
    scores = {a.week: _names_in_common(inside, a) for a in wanted}
    best = scores[assignment.week] > 0 and scores[assignment.week] == max(scores.values())
    if own - others or (best and (own or not stems & others)):
        return 100 * len(own) + 1
    return 0


def _names_in_common(inside: dict[str, bytes], assignment: Assignment) -> int:
    names = frozenset[str]().union(*assignment.names.values())
    return len(names & frozenset[str]().union(*(_definitions(p, c) for p, c in inside.items())))


def _definitions(path: str, content: bytes) -> frozenset[str]:
    if path.endswith(".py"):
        return defined_names(content)
    try:
        cells = read_notebook(content, path, ()).cells
    except SubmissionError:
        return frozenset()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for cell in cells for node in cell.tree.body if isinstance(node, kinds))


def _week_named(folder: str, wanted: Sequence[Assignment]) -> str | None:
    """The week after which the innermost such folder is named: `Week 5`, `week_05`, `week5.zip`; "" for others."""
    known = {_canonical(a.week): a.week for a in wanted}
    for part in reversed([part for part in folder.split("/") if part]):
        name = _canonical(part.removesuffix(".zip"))
        if name in known:
            return known[name]
        if re.fullmatch(r"week\d+", name):
            return ""
    return None


def _canonical(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\s_-]+", "", name.lower()))


def _folder_of(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _is_work(path: str) -> bool:
    name = PurePosixPath(path).name
    return name not in _NOT_WORK and not (name.startswith("test_") and name.endswith(".py"))


def _module_paths(assignment: Assignment) -> list[str]:
    return [f"{module}.py" for module in assignment.modules]


def _week_files(contents: Contents, candidate: Candidate) -> tuple[dict[str, bytes], list[str]]:
    place, assignment = candidate.place or "", candidate.assignment
    notes = list(contents.notes)
    for path, why in contents.refused.items():
        if path.startswith(place) and path.removeprefix(place) in _module_paths(assignment):
            raise SubmissionError(f"{candidate.path.name}: {path}: {why}")
        notes.append(f"{path} left out: {why}")
    inside = {p.removeprefix(place): c for p, c in contents.files.items() if p.startswith(place) and _is_work(p)}
    files = {p: c for p, c in inside.items() if not p.endswith(".ipynb")}
    for path in sorted(p for p in inside if p.endswith(".ipynb") and "/" not in p):
        _add_notebook(files, notes, inside[path], path, assignment)
    if not any(path in files for path in _module_paths(assignment)):
        _add_by_names(files, notes, assignment)
    return files, notes


def _add_notebook(files: dict[str, bytes], notes: list[str], raw: bytes, name: str, assignment: Assignment) -> None:
    """Convert a notebook; files that are there already win."""
    try:
        converted, said = modules_from_notebook(raw, name, assignment.modules)
    except SubmissionError as error:
        if not any(path in files for path in _module_paths(assignment)):
            raise
        notes.append(str(error))
        return
    new = {path: content for path, content in converted.items() if path not in files}
    files |= new
    if new:
        notes += [f"taken from {name}: {', '.join(sorted(new))}", *said]


def _add_by_names(files: dict[str, bytes], notes: list[str], assignment: Assignment) -> None:
    """Where no module has its name, take files for the modules whose functions and classes they define."""
    defined = {p: defined_names(c) for p, c in files.items() if p.endswith(".py") and "/" not in p}
    for module, names in assignment.names.items():
        best = max(defined, key=lambda path: len(defined[path] & names), default="")
        if best and defined[best] & names:
            files[f"{module}.py"] = files[best]
            notes.append(f"{best} taken as {module}.py, after the names it defines")


def _digest(files: dict[str, bytes]) -> str:
    sha = hashlib.sha256()
    for path, content in files.items():
        for part in (path.encode("utf-8", "surrogatepass"), content):
            sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()
