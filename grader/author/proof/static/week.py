"""Reads all files of a week, and gathers what is wrong in them: sentences with file and line, each once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.author.proof.mutants import load_mutants
from grader.author.proof.static.checks import Mark, read_checks
from grader.author.proof.static.probes import read_probes
from grader.author.proof.static.sentences import sentences_of
from grader.author.proof.static.source import Fault, Source
from grader.author.proof.survivors import load_reasons
from grader.author.release.skeleton import find_regions
from grader.course import Assignment, Course, is_hidden
from grader.course.toml_file import TomlFile, meant
from grader.errors import CourseError
from grader.inside.modules import StudentModules
from grader.language import LANGUAGES
from grader.language.catalogue import MESSAGE
from grader.language.po_file import placeholders
from grader.language.texts import is_known, is_usable, key_of, parts_of, texts_of

_TAKEN = [name for name in vars(StudentModules) if not name.startswith("_")]  # what a probe's student has itself
_HEADING = re.compile(r"^#{2,}\s+(\d+(?:\.\d+)+)\b", re.MULTILINE)


def faults_of(course: Course, week: str) -> list[Fault]:
    """Return what is wrong with a week's files, without running any of them."""
    try:
        assignment = course.assignment(week)
    except CourseError as error:
        return [_split(line) for line in str(error).splitlines()]
    root = course.root
    if assignment.hidden_folder is None:
        place = f"solutions/{week}/test_hidden.py"
        return [(place, "there are no hidden checks; `python -m grader new` shows how a week begins")]
    try:
        checks = [Source.read(file, root) for file in assignment.check_files]
    except CourseError as error:
        return [_split(str(error))]
    folders = (assignment.folder, assignment.hidden_folder)
    probes = [Source.read(file, root) for folder in folders for file in sorted(folder.glob("probes*.py"))]
    marks = [mark for source in checks for mark in read_checks(source)]
    for source in probes:
        read_probes(source, course.settings.libraries)
    found = [fault for source in (*checks, *probes) for fault in source.faults]
    found += [*_reference(course, assignment)]
    if found:  # what follows would tell the same again in other words
        return found
    found += [*_needs(marks), *_points(course, assignment, marks), *_headings(assignment, marks)]
    found += [*_regions(assignment, marks), *_untranslated(assignment, marks, checks)]
    return found or [*_tables(course, assignment)]


def _split(line: str) -> Fault:
    """Take `file:12: a sentence` apart."""
    place, _, text = line.strip().partition(": ")
    return (place, text)


def _reference(course: Course, assignment: Assignment) -> Iterator[Fault]:
    """Find modules that are not there, do not parse, or have a wrong marker."""
    assert assignment.hidden_folder is not None
    settings = TomlFile(assignment.folder / "assignment.toml")
    for module in assignment.modules:
        if module in _TAKEN:
            text = f"`student.{module}` is something else in probes; give the module another name"
            yield (settings.where("modules"), f"`modules` names {module}: {text}")
            continue
        file = assignment.hidden_folder / f"{module}.py"
        name = file.relative_to(course.root).as_posix()
        if not file.is_file():
            yield (settings.where("modules"), f"`modules` names {module}, and there is no {name}; write it, or drop it")
            continue
        source = Source.read(file, course.root)
        yield from source.faults
        try:
            list(find_regions(file.read_text(encoding="utf-8"), name))
        except CourseError as error:
            if not source.faults:
                yield _split(str(error))


def _needs(marks: Sequence[Mark]) -> Iterator[Fault]:
    tasks = sorted({mark.task for mark in marks})
    for mark in marks:
        for need in mark.needs:
            if need not in tasks:
                text = f"{mark.check} needs task {need}, which no check has; {meant(need, tasks)}"
                yield f"{mark.source.name}:{mark.line}", text
            elif need == mark.task:
                yield f"{mark.source.name}:{mark.line}", f"{mark.check} needs its own task, {need}; drop that"


def _points(course: Course, assignment: Assignment, marks: Sequence[Mark]) -> Iterator[Fault]:
    """Find points that do not add up, where all of them are written out."""
    for hidden, worth in ((False, course.settings.public), (True, course.settings.hidden)):
        counted = [mark for mark in marks if is_hidden(mark.source.file) is hidden]
        points = [mark.points for mark in counted]
        total = sum(one or 0 for one in points)
        if counted and None not in points and total != worth:
            what = "hidden" if hidden else "public"
            first = counted[0]
            yield f"{first.source.name}:{first.line}", f"the {what} checks are worth {total} points, not {worth}"


def _headings(assignment: Assignment, marks: Sequence[Mark]) -> Iterator[Fault]:
    """Find tasks that the lesson has no heading for, and headings that no check has the task of."""
    readme = assignment.folder / "README.md"
    name = readme.relative_to(assignment.root).as_posix()
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    headed = {found[1]: text.count("\n", 0, found.start()) + 1 for found in _HEADING.finditer(text)}
    tasks = {mark.task: mark for mark in reversed(marks)}
    for task, mark in sorted(tasks.items()):
        if task not in headed:
            place = f"{mark.source.name}:{mark.line}"
            yield place, f"task {task} has no heading in {name}; write it as in `### {task} …`"
    manual = {part.name for part in assignment.manual}
    for task, line in headed.items():
        if task not in tasks and task not in manual:
            yield f"{name}:{line}", f"the heading is of task {task}, which no check has; {meant(task, sorted(tasks))}"


def _untranslated(assignment: Assignment, marks: Sequence[Mark], checks: Sequence[Source]) -> Iterator[Fault]:
    """Find texts that a language of the week lacks: one that has a file beside the checks or hidden ones."""
    public = [source for source in checks if source.file.parent == assignment.folder]
    folders = assignment.folders
    parts = (assignment.folder / "assignment.toml").relative_to(assignment.root).as_posix()
    said = [(f"{mark.source.name}:{mark.line}", mark.check, text) for mark in marks for text in mark.texts]
    said += [(parts, part.name, text) for part in assignment.manual for text in part.texts]
    for file in sorted(file for folder in folders for file in folder.glob("*.po")):
        if file.stem not in LANGUAGES:
            there = ", ".join(LANGUAGES)
            yield file.relative_to(assignment.root).as_posix(), f"nobody reads {file.stem!r}; there is {there}"
    for language in LANGUAGES:
        if not any((folder / f"{language}.po").is_file() for folder in folders):
            continue
        known = texts_of(folders, language)
        own = [one for one in sentences_of(public, assignment.root) if not is_known(one.text, language)]
        how = f"python -m grader.author.texts {assignment.week} {language}"
        for place, whose, text in (*said, *((one.place, "a message", key_of(one.text, MESSAGE)) for one in own)):
            what = parts_of(text)[0]
            if text not in known:
                yield place, f"{whose}: {language}.po has no translation of {what!r}; `{how}` adds what is new"
            elif whose == "a message" and not is_usable(what, known[text]):
                values = ", ".join(f"{{{name}}}" for name in placeholders(what)) or "none"
                yield (
                    place,
                    f"{language}.po: the translation of {what!r} must have the same places for values: {values}",
                )


def _regions(assignment: Assignment, marks: Sequence[Mark]) -> Iterator[Fault]:
    """Find regions of tasks that no check has. A task may do without: its check may ask for several regions' work."""
    assert assignment.hidden_folder is not None
    tasks = {mark.task for mark in marks}
    marked: dict[str, str] = {}
    for module in assignment.modules:
        file = assignment.hidden_folder / f"{module}.py"
        name = file.relative_to(assignment.root).as_posix()
        for region in find_regions(file.read_text(encoding="utf-8"), name):
            if region.task:
                marked.setdefault(region.task, f"{name}:{region.first}")
    for task, place in marked.items():
        if task not in tasks:
            yield place, f"the region is of task {task}, which no check has; {meant(task, sorted(tasks))}"


def _tables(course: Course, assignment: Assignment) -> Iterator[Fault]:
    """Find what is wrong with the lists of mutants and of reasons."""
    for load in (load_mutants, load_reasons):
        try:
            load(course.root, assignment.week)
        except CourseError as error:
            yield from (_split(line) for line in str(error).splitlines())
