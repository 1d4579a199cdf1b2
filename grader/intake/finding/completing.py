"""Finds by what they define the modules that names do not settle: renamed files, one file for all, scattered parts.

A file that has a module's name settles it. What no such file gives is looked for in the others. Where two different
files define the same name, nobody can tell which one counts; that is a question to who grades, not a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from grader.course import Assignment
from grader.intake.finding.definitions import given_by

MOST_FILES = 100  # that are looked into; each has to be parsed


@dataclass
class Found:
    """Modules by name with the paths of their files; `borrowed` gives each module's names that other files define."""

    modules: dict[str, str]
    borrowed: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    question: str = ""


def complete(
    modules: Mapping[str, str],
    untouched: Iterable[str],
    assignment: Assignment,
    sources: Mapping[str, bytes],
    in_notebooks: frozenset[str] = frozenset(),
) -> Found:
    """Complete the modules of a week, of which `untouched` are skeletons, from the student's `sources` by path.

    What is `in_notebooks` is not looked for in files.
    """
    found = Found(dict(modules))
    started = {module: path for module, path in modules.items() if module not in set(untouched)}
    offered = _offers({path: sources[path] for path in list(sources)[:MOST_FILES]}, assignment)
    taken: dict[str, list[str]] = {}
    for module, names in assignment.names.items():
        lacking = names - in_notebooks - _given(sources, started.get(module))
        others = {path: own & lacking for path, own in offered.items() if own & lacking and path != modules.get(module)}
        path = modules.get(module, "")
        is_loose = PurePosixPath(path).stem != module and PurePosixPath(path).parent.name != module
        rivals = {
            other: own & names for other, own in offered.items() if other not in modules.values() or other == path
        }
        _ask(found, module, rivals if path and is_loose else others, sources)
        if module not in started and others and not found.question:
            taken.setdefault(_whole(found, module, others, started), []).append(module)
        _borrow(found, module, lacking, others)
    for path, made in taken.items():
        if path:
            listed = ", ".join(f"{module}.py" for module in made)
            found.notes.append(f"{path} taken as {listed}, going by what it defines")
    return found


def _offers(sources: Mapping[str, bytes], assignment: Assignment) -> dict[str, frozenset[str]]:
    """Return which of the week's names each file defines; the skeletons define nothing."""
    skeletons = {raw.replace(b"\r\n", b"\n").strip() for raw in assignment.skeletons.values()}
    own = {path: raw for path, raw in sources.items() if raw.replace(b"\r\n", b"\n").strip() not in skeletons}
    found = {path: given_by(raw).defined & assignment.all_names for path, raw in sorted(own.items())}
    return {path: names for path, names in found.items() if names}


def _given(sources: Mapping[str, bytes], path: str | None) -> frozenset[str]:
    """Return the names that a module's file gives; all that can be asked for where that cannot be told."""
    if path is None:
        return frozenset()
    given = given_by(sources[path])
    return _Everything() if given.is_open else given.defined | given.imported


class _Everything(frozenset[str]):
    def __rsub__(self, other: object) -> frozenset[str]:
        return frozenset()


def _ask(found: Found, module: str, others: Mapping[str, frozenset[str]], sources: Mapping[str, bytes]) -> None:
    """Ask which file counts, where two that differ define the same name."""
    for path, names in others.items():
        for other, same in others.items():
            both = sorted(names & same)
            if path < other and both and sources[path] != sources[other] and not found.question:
                found.question = (
                    f"cannot tell which file is {module}.py: {path} and {other} both define {', '.join(both[:3])}; "
                    f"ask which one counts, and call it {module}.py"
                )


def _whole(found: Found, module: str, others: Mapping[str, frozenset[str]], started: Mapping[str, str]) -> str:
    """Take for a module the file that defines most of it; one that is a module itself only lends its names."""
    best = max(others, key=lambda path: len(others[path]))
    if best in started.values():
        return ""
    found.modules[module] = best
    return best


def _borrow(found: Found, module: str, lacking: frozenset[str], others: Mapping[str, frozenset[str]]) -> None:
    """Let a module have what it lacks from the one other file that defines it."""
    own = others.get(found.modules.get(module, ""), frozenset())
    lenders = {name: path for path, names in others.items() for name in names & (lacking - own)}
    if lenders and not found.question:
        found.borrowed[module] = lenders
        for path in dict.fromkeys(lenders.values()):
            listed = ", ".join(sorted(name for name, lender in lenders.items() if lender == path))
            found.notes.append(f"{listed} of {module}.py found in {path}")
