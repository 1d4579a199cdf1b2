"""Collects the files of one week's submission: modules, what they need beside them, and what notebooks define.

The course's own files (checks, probes, lessons) never come from a submission, nor do files that tools made.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.course import Assignment
from grader.course.material import add_parts
from grader.course.protected import CHANGED, changed_files
from grader.errors import SubmissionError
from grader.inside import says
from grader.inside.modules import LIBRARIES
from grader.intake.answers.answers import packed
from grader.intake.answers.finding import answers_in
from grader.intake.contents import MIB, Contents, EntryReader
from grader.intake.finding.definitions import given_by
from grader.intake.finding.lending import lend
from grader.intake.notebook import module_from_script, modules_from_notebook
from grader.intake.notebook.cells import is_exported, is_within
from grader.intake.places import Place, is_module, is_untouched
from grader.intake.weeks import Weeks

MOST_FILES = 200
LARGEST_SUBMISSION = 20 * MIB
LONGEST_PATH = 240  # bytes, so that a file can be made of it below any working folder
MOST_NOTES = 20
LONGEST_NOTE = 300

_OWN = {"assignment.toml", "pytest.ini", "tox.ini", "readme.md", "expected.toml", "requirements.txt"}

# `from MODULE import …`, or `import LISTED`; `from . import LISTED` has no module.
_IMPORT = re.compile(rb"^[ \t]*+(?:from[ \t]++(\.*+)([^\s#;]*+)[ \t]++)?import[ \t]++([^\n#;]*+)", re.MULTILINE)

Files = dict[str, bytes]


@dataclass(frozen=True)
class Collected:
    """One week's files by their paths in the week's folder, None where they were dropped again, and their SHA-256.

    `answers` are packed, and dropped with the files; `answered` is their digest, empty where there are none.
    """

    files: Files | None
    notes: tuple[str, ...]
    digest: str
    answers: bytes = b""
    answered: str = ""

    @property
    def size(self) -> int:
        """The number of bytes that it holds."""
        return sum(map(len, (self.files or {}).values())) + len(self.answers)

    def without_files(self) -> Collected:
        """Return it without what takes memory."""
        return replace(self, files=None, answers=b"")


def collect_week(reader: EntryReader, place: Place, weeks: Weeks) -> Collected:
    """Collect the week that lies at `place`. Raises `SubmissionError` for what cannot be graded."""
    contents = reader.contents(place.folder)
    lenders = [path for names in place.borrowed.values() for path in names.values()]
    gone = [path for path in (*place.modules.values(), *place.notebooks, *lenders) if path not in contents.files]
    if gone:
        raise SubmissionError(f"{gone[0]} was there a moment ago and cannot be read any more; grade again")
    assignment = weeks.assignments[place.week]
    files, notes = collect(contents, place, assignment, weeks)
    notebooks = {path: contents.files[path] for path in place.notebooks}
    others = {path: raw for path, raw in files.items() if not path.endswith(".py")}
    return Collected(files, tuple(notes), digest_of(files), *packed(answers_in(assignment, notebooks, others)))


def digest_of(files: Files) -> str:
    """Digest files with their paths by SHA-256."""
    sha = hashlib.sha256()
    for path, content in sorted(files.items()):
        add_parts(sha, path.encode(), content)
    return sha.hexdigest()


def collect(contents: Contents, place: Place, assignment: Assignment, weeks: Weeks) -> tuple[Files, list[str]]:
    """Collect files by their paths in the week's folder, and notes. `SubmissionError` for what cannot be graded."""
    if place.question:
        raise SubmissionError(place.question)
    _check_refused(contents, place, assignment)
    notes = [*place.notes, *contents.notes]
    notes += [
        says(f"{path} left out: {why}") for path, why in contents.refused.items() if path.startswith(place.folder)
    ]
    notes += _recoded(contents, place)
    files = _below(contents.files, place, weeks)
    for module, path in place.modules.items():
        _put_module(files, contents.files, place.folder, module, path)
    lend(files, contents.files, place)
    notes += _convert_scripts(files, contents.files, place, assignment)
    notes += _add_notebooks(files, contents.files, place, assignment)
    if not any(f"{module}.py" in files or f"{module}/__init__.py" in files for module in assignment.modules):
        raise SubmissionError(f"no notebook defines anything of {place.week}: {', '.join(place.notebooks)}")
    notes += _add_helpers(files, contents.files, place)
    notes += _settle(files, assignment.modules)
    notes += _changed_protected(contents, place, assignment)
    return dict(sorted(files.items())), _first(notes)


def _changed_protected(contents: Contents, place: Place, assignment: Assignment) -> list[str]:
    """Note checks and the like that differ from the course's own, which alone are used."""
    inside = f"assignments/{place.week}/"
    if not place.folder.endswith(inside):
        return []
    root = place.folder.removesuffix(inside)
    submitted = {path.removeprefix(root): raw for path, raw in contents.files.items() if path.startswith(root)}
    changed = changed_files(submitted, assignment.folder.parent.parent)
    return [f"{CHANGED} ({', '.join(changed)}): the course's own were used"] if changed else []


def _check_refused(contents: Contents, place: Place, assignment: Assignment) -> None:
    for module in assignment.modules:
        path = f"{place.folder}{module}.py"
        if module not in place.modules and path in contents.refused:
            raise SubmissionError(f"{path} cannot be read: {contents.refused[path]}")


def _recoded(contents: Contents, place: Place) -> list[str]:
    used = [path for path in contents.recoded if path.startswith(place.folder) or path in place.modules.values()]
    return [says(f"{path} is no UTF-8 text, read as {contents.recoded[path]}; save it as UTF-8") for path in used]


def _below(files: Mapping[str, bytes], place: Place, weeks: Weeks) -> Files:
    """Pick what lies in the week's folder and may be a student's own, by relative paths."""
    inside = {path.removeprefix(place.folder): path for path in files if path.startswith(place.folder)}
    return {path: files[whole] for path, whole in inside.items() if _may_be_own(path, place.week, weeks)}


def _may_be_own(path: str, week: str, weeks: Weeks) -> bool:
    *folders, name = path.split("/")
    if any(folder.lower().endswith(".zip") or weeks.named(folder) not in (None, week) for folder in folders):
        return False
    if (folders or [name.removesuffix(".py")])[0] in LIBRARIES or name.lower() in _OWN:
        return False
    return not name.lower().endswith(".ipynb") and (not name.lower().endswith(".py") or is_module(name))


def _put_module(files: Files, everything: Mapping[str, bytes], folder: str, module: str, path: str) -> None:
    """Put the file that stands for a module under the module's name; a package with all of its files."""
    if path.endswith("/__init__.py"):
        package = path.removesuffix("__init__.py")
        files |= {f"{module}/{p.removeprefix(package)}": r for p, r in everything.items() if p.startswith(package)}
        return
    own = path.removeprefix(folder)
    is_used = any(own.removesuffix(".py") in _imported(other, raw) for other, raw in files.items() if other != own)
    if path.rpartition("/")[0] == folder.rstrip("/") and not is_used:
        files.pop(own, None)
    files[f"{module}.py"] = everything[path]


def _convert_scripts(files: Files, everything: Mapping[str, bytes], place: Place, assignment: Assignment) -> list[str]:
    """Convert modules that are notebooks exported as scripts, as notebooks are: they hold what only these can run."""
    notes: list[str] = []
    for module, path in place.modules.items():
        if f"{module}.py" in files and is_exported(everything[path]):
            others = _words({other: raw for other, raw in files.items() if other != f"{module}.py"})
            made, said = module_from_script(everything[path], path, module, assignment.names, others)
            if made is not None:
                files[f"{module}.py"] = made
                notes += said
    return notes


def _add_notebooks(files: Files, everything: Mapping[str, bytes], place: Place, assignment: Assignment) -> list[str]:
    """Add modules from notebooks, where there is no file or only the untouched skeleton."""
    started = [
        module for module, path in place.modules.items() if not is_untouched(assignment, module, everything[path])
    ]
    notes: list[str] = []
    converted = []
    for path in place.notebooks:
        if len(place.modules) == len(assignment.modules) and is_within(everything[path], path, assignment.workbook):
            continue  # as it was handed out: the work is in the modules beside it
        try:
            made, said = modules_from_notebook(everything[path], path, assignment.names, started, _words(files))
        except SubmissionError as error:
            if len(place.modules) < len(assignment.modules):
                raise
            notes.append(str(error))
            continue
        names = frozenset().union(*map(_given, made.values())) & assignment.all_names
        if names or not assignment.all_names:
            converted.append((names, made))
            notes += said
    for path, raw in _merged(converted).items():
        module = path.removesuffix(".py")
        is_fuller = module in place.modules and _given(raw) & assignment.names[module]
        if module not in started and (path not in files or is_fuller):
            files[path] = raw
    return notes


def _given(source: bytes) -> frozenset[str]:
    given = given_by(source)
    return given.defined | given.imported


def _words(files: Files) -> frozenset[str]:
    """Return all words of the modules, which may be names that these use of a notebook."""
    sources = [raw for path, raw in files.items() if path.endswith(".py")]
    return frozenset(word.decode("utf-8", "ignore") for raw in sources for word in re.findall(rb"\w+", raw))


def _merged(converted: Sequence[tuple[frozenset[str], Files]]) -> Files:
    """Merge the notebooks' files; the notebook that defines most comes last and wins, others add what it lacks."""
    ranked = sorted(converted, key=lambda pair: -len(pair[0]))
    chosen: list[Files] = []
    known: frozenset[str] = frozenset()
    for names, made in ranked:
        if not chosen or names - known:
            chosen.insert(0, made)
            known |= names
    paths = sorted({path for made in chosen for path in made})
    return {path: _joined([made[path] for made in chosen if path in made]) for path in paths}


def _joined(sources: list[bytes]) -> bytes:
    """Join sources one after the other, with `__future__` imports first, as Python demands."""
    if len(sources) == 1:
        return sources[0]
    future = re.compile(rb"^from __future__ import .*\n", re.MULTILINE)
    first = sorted({line for source in sources for line in future.findall(source)})
    return b"".join(first) + b"\n".join(future.sub(b"", source) for source in sources)


def _add_helpers(files: Files, everything: Mapping[str, bytes], place: Place) -> list[str]:
    """Add modules that the files import and that lie beside or above the week's folder in the same submission."""
    folders = _upward([place.folder, *(path[: path.rfind("/") + 1] for path in place.modules.values())])
    importable = {folder: _importable(everything, folder) for folder in folders}
    asked = {"assignments", place.week, *_importable(files, ""), *LIBRARIES, *sys.stdlib_module_names}
    notes: list[str] = []
    waiting = sorted(files)
    while waiting:
        path = waiting.pop()
        new = _imported(path, files[path]) - asked if path.endswith(".py") else set()
        asked |= new
        for name in sorted(new):
            folder = next((folder for folder in folders if name in importable[folder]), None)
            if folder is not None:
                found = _module_files(everything, folder, name)
                files |= found
                waiting += found
                notes.append(f"{folder}{name} added, because a module imports it")
    return notes


def _upward(folders: Iterable[str]) -> list[str]:
    """Return each folder and those around it, innermost first."""
    found: list[str] = []
    for folder in folders:
        parts = folder.split("/")[:-1]
        found += ["".join(f"{part}/" for part in parts[:count]) for count in range(len(parts), -1, -1)]
    return list(dict.fromkeys(found))


def _imported(path: str, source: bytes) -> set[str]:
    """Return the top-level modules that a file imports; relative ones count in the week's folder itself.

    Reads line by line. A syntax tree would take very long to build for hostile files.
    """
    names: set[bytes] = set()
    for dots, module, listed in _IMPORT.findall(source):
        if len(dots) < (1 if "/" in path else 2):
            dotted = [module] if module else [part.strip(b"() \t\r") for part in listed.split(b",")]
            names |= {re.split(rb"[\s.]", name, maxsplit=1)[0] for name in dotted}
    return {name.decode(errors="ignore") for name in names}


def _importable(files: Iterable[str], folder: str) -> set[str]:
    """Return the modules and packages directly in a folder."""
    inside = (path.removeprefix(folder) for path in files if path.startswith(folder) and path.endswith(".py"))
    return {path.removesuffix(".py") if "/" not in path else path.partition("/")[0] for path in inside}


def _module_files(everything: Mapping[str, bytes], folder: str, name: str) -> Files:
    package = f"{folder}{name}/"
    return {
        path.removeprefix(folder): raw
        for path, raw in everything.items()
        if path == f"{folder}{name}.py" or (path.startswith(package) and is_module(path))
    }


def _settle(files: Files, modules: Sequence[str]) -> list[str]:
    """Make the files fit into any file system and under the limits, the week's modules first."""
    own = {f"{module}.py" for module in modules}
    order = sorted(files, key=lambda path: (path not in own, not path.endswith(".py"), path.count("/"), path))
    kept: dict[str, str] = {}
    folders: set[str] = set()
    notes: list[str] = []
    bytes_left = LARGEST_SUBMISSION
    for path in order:
        above = set(_folders_of(path.casefold()))
        if len(path.encode()) > LONGEST_PATH:
            notes.append(f"{path} left out: its name is too long")
        elif path.casefold() in kept or path.casefold() in folders or above & kept.keys():
            notes.append(f"{path} left out: another file or folder has the same name")
        elif len(kept) == MOST_FILES or bytes_left < len(files[path]):
            notes += _too_much(path)
        else:
            kept[path.casefold()] = path
            folders |= above
            bytes_left -= len(files[path])
            continue
        del files[path]
    return notes


def _folders_of(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _too_much(path: str) -> list[str]:
    limits = f"{MOST_FILES} files and {LARGEST_SUBMISSION // MIB} MB"
    if path.endswith(".py"):
        raise SubmissionError(f"too large: at most {limits} count; hand in the week's folder alone")
    return [says(f"{path} left out: at most {limits} count")]


def clipped(text: str) -> str:
    """Cut a note or message to what can be shown; students choose how long their files' names are."""
    return text if len(text) <= LONGEST_NOTE else f"{text[: LONGEST_NOTE - 1]}…"


def _first(notes: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(clipped(note) for note in notes))
    more = len(unique) - MOST_NOTES
    return unique if more <= 0 else [*unique[:MOST_NOTES], says(f"and {more} more notes like these")]
