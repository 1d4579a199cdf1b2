"""Generates the skeletons that students start from, by cutting the marked regions out of the reference.

`# BEGIN SOLUTION 5.1: what to do` … `# END SOLUTION` becomes `raise NotImplementedError("TODO 5.1: what to do")`;
a bare `# BEGIN SOLUTION` is cut without a trace. Markers are comments: the same words in a string mean nothing.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course
from grader.errors import CourseError
from grader.files import write_atomically

_BEGIN = re.compile(r"#\s*BEGIN SOLUTION(?:\s+(?P<task>\d+(?:\.\d+)+):\s*(?P<text>\S.*))?\s*$")
_END = re.compile(r"#\s*END SOLUTION\s*$")
_LIKE = re.compile(r"#\s*(BEGIN|END)\s+SOLUTION", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """Lines `first` to `last` (1-based, markers included) of a reference, their replacement, and their task."""

    first: int
    last: int
    replacement: str
    task: str = ""


def make_skeleton(source: str, name: str) -> str:
    """Make the skeleton of a reference module; `name` stands in the `CourseError` for a wrong marker."""
    lines = source.splitlines(keepends=True)
    for region in reversed(list(find_regions(source, name))):
        lines[region.first - 1 : region.last] = [region.replacement] if region.replacement else []
    skeleton = "".join(lines)
    try:
        compile(skeleton, name, "exec")
    except SyntaxError as error:
        raise CourseError(f"{name}: without its solutions the module does not compile: {error}") from None
    return skeleton


def find_regions(source: str, name: str) -> Iterator[Region]:
    """Yield the marked regions in order. Unmatched, nested or misspelt markers are errors with `file:line`."""
    begin: tuple[int, str, str] | None = None
    for line, indent, comment in _comments(source, name):
        if (match := _BEGIN.match(comment)) is not None:
            if begin is not None:
                raise CourseError(f"{name}:{line}: BEGIN SOLUTION inside the region of line {begin[0]}; end that first")
            begin = (line, _todo(indent, match), match["task"] or "")
        elif _END.match(comment):
            if begin is None:
                raise CourseError(f"{name}:{line}: END SOLUTION without a BEGIN SOLUTION before it")
            yield Region(begin[0], line, *begin[1:])
            begin = None
        elif _LIKE.match(comment):
            raise CourseError(
                f"{name}:{line}: write the marker as '# BEGIN SOLUTION 5.1: what to do' or '# END SOLUTION'"
            )
    if begin is not None:
        raise CourseError(f"{name}:{begin[0]}: BEGIN SOLUTION has no END SOLUTION")


def _comments(source: str, name: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, indentation and text of each comment that stands alone on its line."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            indent = token.line[: token.start[1]]
            if token.type == tokenize.COMMENT and not indent.strip():
                yield token.start[0], indent, token.string
    except (tokenize.TokenError, SyntaxError) as error:
        raise CourseError(f"{name}: cannot be read as Python: {error}") from None


def _todo(indent: str, match: re.Match[str]) -> str:
    if match["task"] is None:
        return ""
    text = f"TODO {match['task']}: {match['text'].strip()}".replace("\\", "\\\\").replace('"', '\\"')
    return f'{indent}raise NotImplementedError("{text}")\n'


def write_skeletons(root: Path, week: str | None = None) -> list[Path]:
    """Write every skeleton that is stale, and return the paths written."""
    stale = stale_skeletons(root, week)
    for path in stale:
        write_atomically(path, _skeleton_of(root, path), for_others=True)
    return stale


def stale_skeletons(root: Path, week: str | None = None) -> list[Path]:
    """Return the skeletons in `assignments/` that are missing, or differ from what their reference gives."""
    paths = [path for reference in _references(root, week) for path in [_skeleton_path(root, reference)]]
    return [
        path for path in paths if not path.is_file() or path.read_text(encoding="utf-8") != _skeleton_of(root, path)
    ]


def _references(root: Path, week: str | None) -> list[Path]:
    """List the references of the modules that students hand in, and of the stretch tasks."""
    course = Course(root)
    every = [*course.chapters().values(), *course.assignments().values()]
    found: list[Path] = []
    for part in [course.part(week)] if week is not None else every:
        folder = root / "solutions" / part.week
        found += [folder / f"{module}.py" for module in part.modules]
        found += sorted(folder.glob("stretch/*.py"))
    return found


def _skeleton_path(root: Path, reference: Path) -> Path:
    return root / "assignments" / reference.relative_to(root / "solutions")


def _skeleton_of(root: Path, skeleton: Path) -> str:
    reference = root / "solutions" / skeleton.relative_to(root / "assignments")
    try:
        source = reference.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(f"{reference}: the reference cannot be read ({error.strerror})") from None
    return make_skeleton(source, reference.relative_to(root).as_posix())
