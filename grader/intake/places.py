"""Finds each week's work in a student's entry, whatever the student calls folders and files.

A week's folder is one that holds modules of that week. These tell which week that is, in this order: the name of the
folder or of one around it (`Week 5`, `week_05`, `hw5`); a file's own name (`lenet_week5.py`), or the name of a module
that only one week has; the functions and classes that the files define; and at last that only one week is possible.
Where nothing tells, the folder goes to the one week found elsewhere that lacks its modules. What a notebook defines
counts before its file's name, because notebooks are renamed less often than they are copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath

from grader.course import Assignment, defined_names
from grader.errors import SubmissionError
from grader.inside import says
from grader.intake.contents import Contents
from grader.intake.finding.completing import complete
from grader.intake.finding.definitions import given_by
from grader.intake.notebook.cells import read_notebook
from grader.intake.notebook.pieces import defined_in
from grader.intake.weeks import OTHER_WEEK, Weeks, without_week

MOST_NOTEBOOKS = 20  # each has to be parsed; the outermost ones count

_OWN = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py|probes(_hidden)?\.py|setup\.py")
_COPY = r"(?:\s*\(\d+\)|-\d+|[ _-]*copy(?:[ _-]*\d+)?)?"


@dataclass(frozen=True)
class Place:
    """One week's work: `modules` by name with the paths of their files, and all files below `folder` ("" or "a/b/")."""

    week: str
    folder: str
    modules: Mapping[str, str]
    notebooks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    borrowed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # a module's names that other files define
    question: str = ""  # what only a person can tell, before it can be graded


def find_places(contents: Contents, name: str, weeks: Weeks) -> tuple[list[Place], list[str]]:
    """Find the weeks' places in the entry called `name`, in order, and files whose week cannot be told."""
    sources = {path: raw for path, raw in contents.files.items() if is_module(path)}
    folders, unclear = _folders_by_week(sources, name, weeks)
    notebooks, unclear_notebooks = _notebooks_by_week(contents.files, name, weeks, folders)
    places = [
        _place(weeks.assignments[week], folders.get(week, {}), notebooks.get(week, []), contents.files)
        for week in weeks.assignments
        if week in folders or week in notebooks
    ]
    clear = {path: raw for path, raw in sources.items() if path not in unclear}
    places = [_completed(place, clear, name, weeks, _in_notebooks(place, contents.files, weeks)) for place in places]
    if not places and not unclear:
        places = _by_definitions(sources, name, weeks)
    if not places:
        unclear = [*unclear, *unclear_notebooks]
    places = [replace(place, notes=(*place.notes, *_misleading(place, name, weeks))) for place in places]
    return [_with_doubts(place, weeks.assignments[place.week], unclear) for place in places], unclear


def _misleading(place: Place, name: str, weeks: Weeks) -> list[str]:
    """Note each file whose path names another week."""
    paths = dict.fromkeys((*place.modules.values(), *place.notebooks))
    wrong = [path for path in paths if weeks.named(f"{name}/{path}") not in (None, place.week)]
    return [f"{name}/{path} taken for {place.week}, going by what it defines" for path in wrong]


def _with_doubts(place: Place, assignment: Assignment, unclear: Iterable[str]) -> Place:
    """Add to a place that lacks modules a note on each file that might have been one of them."""
    lacking = set(assignment.modules) - set(place.modules)
    doubts = [path for path in unclear if _held({_stem(path): path}, lacking)]
    notes = [says(f"{path} not used: cannot tell which week it is for") for path in doubts]
    return replace(place, notes=(*place.notes, *notes))


def is_module(path: str) -> bool:
    """Tell whether a file is Python of a student's: not a test, and none of the course's own."""
    name = path.rpartition("/")[2]
    return name.lower().endswith(".py") and not _OWN.fullmatch(name.lower())


def is_untouched(assignment: Assignment, module: str, content: bytes) -> bool:
    """Tell whether a module is the skeleton as it was handed out."""
    skeleton = assignment.skeletons.get(module, b"")
    return content.replace(b"\r\n", b"\n").rstrip() == skeleton.replace(b"\r\n", b"\n").rstrip() != b""


Modules = dict[str, str]
Folders = dict[str, Modules]  # each folder's modules of one week


def _folders_by_week(sources: Mapping[str, bytes], name: str, weeks: Weeks) -> tuple[dict[str, Folders], list[str]]:
    """Find each week's folders, and the paths of modules whose week cannot be told."""
    result: dict[str, Folders] = {}
    doubtful: dict[str, dict[str, Modules]] = {}
    for folder, files in _by_folder(sources).items():
        held = {week: modules for week in weeks.assignments if (modules := _held_of(week, files, sources, weeks))}
        named = weeks.told(f"{name}/{folder}".rstrip("/"), partial(_defined, files.values(), sources))
        if not held or (named is not None and named not in held):
            continue
        chosen = [named] if named else _by_contents(held, sources, weeks)
        if not chosen:
            doubtful[folder] = held
        for week in chosen:
            result.setdefault(week, {})[folder] = held[week]
    return result, _adopt(doubtful, result)


def _adopt(doubtful: Mapping[str, Mapping[str, Modules]], found: dict[str, Folders]) -> list[str]:
    """Give each doubtful folder to the one found week that lacks modules of it; return the paths in all others."""
    known = {week: {module for modules in folders.values() for module in modules} for week, folders in found.items()}
    unclear: set[str] = set()
    for folder, held in doubtful.items():
        lacking = {week: set(held.get(week, ())) - modules for week, modules in known.items()}
        takers = [week for week, modules in lacking.items() if modules]
        if len(takers) == 1:
            found[takers[0]][folder] = held[takers[0]]
        else:
            unclear |= {path for modules in held.values() for path in modules.values()}
    return sorted(unclear)


def _by_contents(held: Mapping[str, Modules], sources: Mapping[str, bytes], weeks: Weeks) -> list[str]:
    paths = {path for modules in held.values() for path in modules.values()}
    modules = {module for found in held.values() for module in found}
    names = {name for path in paths for name in defined_names(sources[path])}
    told = {week for path in paths if (week := weeks.named(_stem(path)))}
    possible = sorted({*told, *weeks.by_module(modules)}) or weeks.by_names(names) or weeks.single
    return [week for week in possible if week in held]


def _by_folder(sources: Iterable[str]) -> dict[str, dict[str, str]]:
    """Group modules by folder and stem, packages (`lenet/__init__.py`) included; folders end in `/`."""
    result: dict[str, dict[str, str]] = {}
    for path in sources:
        module = _module_path(path)
        if module.name:
            folder = "" if module.parent == PurePosixPath(".") else f"{module.parent}/"
            result.setdefault(folder, {}).setdefault(_stem(path), path)
    return result


def _module_path(path: str) -> PurePosixPath:
    """Return what a file is imported as: itself, or for `lenet/__init__.py` the folder."""
    file = PurePosixPath(path)
    return file.parent if file.name == "__init__.py" else file


def _stem(path: str) -> str:
    module = _module_path(path)
    return module.stem if module.suffix.lower() == ".py" else module.name


def _held_of(week: str, files: Mapping[str, str], sources: Mapping[str, bytes], weeks: Weeks) -> Modules:
    told = {stem: weeks.told(stem, partial(_defined, [path], sources)) for stem, path in files.items()}
    own = {stem: path for stem, path in files.items() if told[stem] in (None, week)}
    return _held(own, weeks.assignments[week].modules)


def _defined(paths: Iterable[str], sources: Mapping[str, bytes]) -> set[str]:
    return {name for path in paths for name in given_by(sources[path]).defined}


def _held(files: Mapping[str, str], modules: Iterable[str]) -> Modules:
    """Find modules among files by their stems; `LeNet.py` and `lenet (1).py` count where there is no `lenet.py`."""
    found: Modules = {}
    for module in modules:
        pattern = re.compile(re.escape(module) + _COPY, re.IGNORECASE)
        loose = [stem for stem in sorted(files) if pattern.fullmatch(stem) or pattern.fullmatch(without_week(stem))]
        if module in files or loose:
            found[module] = files.get(module) or files[loose[-1]]
    return found


def _notebooks_by_week(
    files: Mapping[str, bytes], name: str, weeks: Weeks, folders: Mapping[str, Folders]
) -> tuple[dict[str, list[str]], list[str]]:
    result: dict[str, list[str]] = {}
    unclear: list[str] = []
    paths = sorted(path for path in files if path.lower().endswith(".ipynb"))
    for path in sorted(paths, key=lambda path: path.count("/"))[:MOST_NOTEBOOKS]:
        parent = path.rpartition("/")[0]
        named = weeks.told(f"{name}/{parent}".rstrip("/"), partial(_defined_in_cells, files[path], path, weeks))
        beside = [week for week, found in folders.items() if f"{parent}/".lstrip("/") in found]
        possible = (
            ([] if named is None else [named])
            or _by_cells(files[path], path, weeks)
            or [week for week in [weeks.named(path.rpartition("/")[2])] if week]
            or beside
            or weeks.single
        )
        for week in possible:
            result.setdefault(week, []).append(path)
        unclear += [] if possible else [path]
    return {week: paths for week, paths in result.items() if week != OTHER_WEEK}, unclear


def _in_notebooks(place: Place, files: Mapping[str, bytes], weeks: Weeks) -> frozenset[str]:
    return frozenset().union(*(_defined_in_cells(files[path], path, weeks) for path in place.notebooks))


def _defined_in_cells(raw: bytes, path: str, weeks: Weeks) -> frozenset[str]:
    try:
        notebook = read_notebook(raw, path, weeks.modules)
        written = (given_by(text.encode("utf-8", "replace")).defined for text in notebook.written.values())
        return defined_in(cell.tree for cell in notebook.cells).union(*written)
    except SubmissionError:
        return frozenset()


def _by_cells(raw: bytes, path: str, weeks: Weeks) -> list[str]:
    modules = weeks.modules
    try:
        notebook = read_notebook(raw, path, modules)
    except SubmissionError:
        return []
    homes = {cell.home for cell in notebook.cells if cell.home}
    homes |= {written.removesuffix(".py") for written in notebook.written}
    return weeks.by_module(homes & modules) or weeks.by_names(defined_in(cell.tree for cell in notebook.cells))


def _place(assignment: Assignment, folders: Folders, notebooks: list[str], files: Mapping[str, bytes]) -> Place:
    """Take the best of the week's folders; what it lacks comes from the others."""
    ranked = sorted(folders, key=lambda folder: _rank(folder, folders[folder], assignment, files))
    modules: Modules = {}
    notes: list[str] = []
    for folder in ranked:
        for module, path in folders[folder].items():
            if module not in modules:
                modules[module] = path
                notes += _note(module, path, folder, ranked[0])
            elif not path.startswith(ranked[0]):
                notes.append(f"{path} not used: {modules[module]} counts")
    home = ranked[0] if ranked else _parent(notebooks[0])
    ordered = {module: modules[module] for module in assignment.modules if module in modules}
    return Place(assignment.week, home, ordered, tuple(notebooks), tuple(notes))


def _rank(
    folder: str, modules: Modules, assignment: Assignment, files: Mapping[str, bytes]
) -> tuple[int, int, bool, int, str]:
    started = sum(not is_untouched(assignment, module, files[path]) for module, path in modules.items())
    return (-started, -len(modules), "assignments" not in folder.split("/"), folder.count("/"), folder)


def _note(module: str, path: str, folder: str, home: str) -> list[str]:
    is_named = path in (f"{folder}{module}.py", f"{folder}{module}/__init__.py")
    if folder == home and is_named:
        return []
    return [f"{path} taken as {module}.py"]


def _parent(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _by_definitions(sources: Mapping[str, bytes], name: str, weeks: Weeks) -> list[Place]:
    """Take for each module the file that defines most of what belongs there, where no file has a module's name."""
    empty = [Place(week, "", {}) for week in weeks.assignments]
    found = [place for place in (_completed(place, sources, name, weeks) for place in empty) if place.modules]
    paths = {path for place in found for path in place.modules.values()}
    names = {name for path in paths for name in given_by(sources[path]).defined}
    folders = {weeks.told(f"{name}/{path}", partial(_defined, [path], sources)) for path in paths} - {None}
    possible = folders or weeks.by_names(names) or weeks.single
    return [place for place in found if place.week in possible]


def _completed(
    place: Place, sources: Mapping[str, bytes], name: str, weeks: Weeks, in_notebooks: frozenset[str] = frozenset()
) -> Place:
    """Look for what the place's files do not give among the student's other files that may be of this week."""
    assignment = weeks.assignments[place.week]
    told = {path: weeks.told(f"{name}/{path}", partial(_defined, [path], sources)) for path in sources}
    possible = {path: raw for path, raw in sources.items() if told[path] in (None, place.week)}
    possible |= {path: sources[path] for path in place.modules.values()}
    untouched = [module for module, path in place.modules.items() if is_untouched(assignment, module, sources[path])]
    found = complete(place.modules, untouched, assignment, possible, in_notebooks)
    folder = place.folder if place.modules else _parent(next(iter(found.modules.values()), ""))
    modules = {module: found.modules[module] for module in assignment.modules if module in found.modules}
    notes = (*place.notes, *found.notes)
    return replace(place, folder=folder, modules=modules, notes=notes, borrowed=found.borrowed, question=found.question)
