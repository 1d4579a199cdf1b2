"""Searches all files of a tree that students will get for lines of solutions and hidden checks.

Lines are compared without whitespace, comments and the kind of quotes, so that neither indentation nor a Markdown list
hides one. Short lines, which anybody would write (`model.eval()`), tell nothing; `solutions/harmless.txt` lists longer
ones that may stand in public files, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.author.release.skeleton import find_regions
from grader.course import Assignment, Course
from grader.errors import CourseError

TELLING = 24  # characters, without whitespace: anybody would write shorter lines
_COMMENT = re.compile(r"\s+#.*$")


@dataclass(frozen=True)
class Secret:
    """A normalised line that must not be published, and where it comes from."""

    text: str
    origin: str


def secrets_of(course: Course) -> dict[str, Secret]:
    """Return every telling line of every week's solutions and hidden material, by its normalised text."""
    found: dict[str, Secret] = {}
    harmless = _harmless(course.root)
    for assignment in course.assignments().values():
        for origin, line in (*_solution_lines(course.root, assignment), *_hidden_lines(course.root, assignment)):
            text = normalised(line)
            if len(text) >= TELLING and text not in harmless:
                found.setdefault(text, Secret(text, origin))
    return found


def leaks_in(files: Mapping[str, bytes], secrets: Mapping[str, Secret]) -> Iterator[str]:
    """Yield a line for each secret in each file."""
    for name, content in sorted(files.items()):
        text = normalised(_text_of(name, content))
        for secret in secrets.values():
            if secret.text in text:
                yield f"{name} holds a line of {secret.origin}: {secret.text[:60]}"


def normalised(text: str) -> str:
    """Return text without comments at line ends, whitespace, and the difference between quotes."""
    lines = (_COMMENT.sub("", line) for line in text.splitlines())
    return "".join("".join(lines).split()).replace("'", '"')


def _text_of(name: str, content: bytes) -> str:
    """Return the text to search: a notebook's cells and outputs instead of its JSON, in which lines are escaped."""
    text = content.decode("utf-8", "ignore")
    if name.endswith(".ipynb"):
        try:
            return "\n".join(_strings(json.loads(text)))
        except ValueError:
            pass
    return text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _solution_lines(root: Path, assignment: Assignment) -> Iterator[tuple[str, str]]:
    """Yield the lines inside marked regions of the reference, each with its place."""
    assert assignment.hidden_folder is not None
    for module in assignment.modules:
        file = assignment.hidden_folder / f"{module}.py"
        source = file.read_text(encoding="utf-8")
        name, lines = file.relative_to(root).as_posix(), source.splitlines()
        for region in find_regions(source, name):
            for number in range(region.first, region.last - 1):
                yield f"{name}:{number + 1}", lines[number]


def _hidden_lines(root: Path, assignment: Assignment) -> Iterator[tuple[str, str]]:
    """Yield the lines of hidden checks, their probes and their oracles that stand in no public check or probe."""
    assert assignment.hidden_folder is not None
    checks = [file for name in ("test_*.py", "probes*.py") for file in (root / "assignments").glob(f"*/{name}")]
    public = "".join(normalised(file.read_text(encoding="utf-8")) for file in checks)
    modules = {f"{module}.py" for module in assignment.modules}
    for file in sorted(assignment.hidden_folder.glob("*.py")):
        if file.name not in modules:
            for number, line in enumerate(_lines(file), 1):
                if not _is_import(line) and normalised(line) not in public:
                    yield f"{file.relative_to(root).as_posix()}:{number}", line


def _is_import(line: str) -> bool:
    return line.startswith(("import ", "from "))


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _harmless(root: Path) -> set[str]:
    """Return the lines of `solutions/harmless.txt`; `#` at a line's start begins a comment."""
    file = root / "solutions" / "harmless.txt"
    return {normalised(line) for line in _lines(file) if not line.startswith("#")} if file.is_file() else set()


def check(files: Mapping[str, bytes], course: Course, what: str) -> None:
    """Raise `CourseError` with the leaks in these files, if there are any."""
    found = list(leaks_in(files, secrets_of(course)))
    if found:
        more = [f"… and {len(found) - 20} more"] if len(found) > 20 else []
        advice = "remove them, or list a line that anybody would write in solutions/harmless.txt"
        raise CourseError("\n  ".join([f"{what} would leak; {advice}:", *found[:20], *more]))


def paths_refused(paths: Iterable[str]) -> list[str]:
    """Return the paths that no student tree may have, whatever they hold."""
    return [path for path in paths if re.match(r"(solutions|tests)/|fixtures/submissions/", path)]
