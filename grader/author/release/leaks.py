"""Searches all files of a tree that students will get for lines of solutions and hidden checks.

Lines are compared without whitespace, comments and the kind of quotes, so that neither indentation nor a Markdown list
hides one. Short lines (`model.eval()`), and longer ones that do next to nothing (`for images, labels in loader:`), are
anybody's: they tell something only together with the next line, or where they are all that a task asks for.
`solutions/harmless.txt` lists lines that may stand in public files whatever they tell.
"""

from __future__ import annotations

import ast
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from grader.author.release.skeleton import find_regions
from grader.course import Assignment, Course
from grader.errors import CourseError

TELLING = 24  # characters, without whitespace: anybody would write shorter lines
STEPS = 3  # calls, operators, indices and literals: anybody would write lines that take fewer
_COMMENT = re.compile(r"\s+#.*$")
_A_STEP = (ast.Call, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.AugAssign, ast.Compare, ast.IfExp, ast.Subscript,
           ast.comprehension, ast.Lambda, ast.Starred, ast.JoinedStr)  # fmt: skip
# What makes a statement of a line that is part of one: a block's head, an argument, an entry of a dictionary, a branch.
_AROUND = ("{}", "{}\n pass", "({})", "({{{}}})", "f({}", "{})", "if 0: pass\n{}\n pass", "try: pass\n{}\n pass")


@dataclass(frozen=True)
class Secret:
    """Normalised text that must not be published, where it comes from, and how it is written there."""

    text: str
    origin: str
    written: str = ""


@dataclass(frozen=True)
class _Line:
    origin: str
    written: str

    @property
    def text(self) -> str:
        return normalised(self.written)


def secrets_of(course: Course) -> dict[str, Secret]:
    """Return every telling passage of every week's solutions and hidden material, by its normalised text."""
    found: dict[str, Secret] = {}
    harmless = _harmless(course.root)
    for assignment in course.assignments().values():
        answers, hidden = _solutions(course.root, assignment), _hidden(course.root, assignment)
        for passage, is_answer in (*((p, True) for p in answers), *((p, False) for p in hidden)):
            lines = [line for line in passage if line.text]
            for secret in _telling(lines, harmless, is_answer and len(lines) == 1):
                found.setdefault(secret.text, secret)
    return found


def _telling(passage: Sequence[_Line], harmless: set[str], whole: bool) -> Iterator[Secret]:
    """Yield the lines of a passage that tell something by themselves, and pairs of lines of which neither does.

    A line that is a `whole` answer tells, whatever it does.
    """
    told = [whole or steps(line.written) >= STEPS for line in passage]
    for line, tells in zip(passage, told, strict=True):
        if tells and len(line.text) >= TELLING and line.text not in harmless:
            yield Secret(line.text, line.origin, line.written.strip())
    for (first, tells), (second, tell) in pairwise(zip(passage, told, strict=True)):
        if not (tells or tell or {first.text, second.text} & harmless) and len(first.text + second.text) >= 2 * TELLING:
            yield Secret(first.text + second.text, first.origin, f"{first.written.strip()} ⏎ {second.written.strip()}")


def steps(line: str) -> int:
    """Count what a line does: its calls, operators, indices and literals. What cannot be read counts as much."""
    text = _COMMENT.sub("", line).strip().rstrip(",")
    for around in _AROUND:
        try:
            tree = ast.parse(around.format(text))
        except SyntaxError:
            continue
        return sum(isinstance(node, _A_STEP) or _is_number(node) for node in ast.walk(tree)) - around.startswith("f(")
    return STEPS


def _is_number(node: ast.AST) -> bool:
    """Tell whether a literal is a choice that somebody made; everybody writes 0, 1 and True."""
    return isinstance(node, ast.Constant) and node.value not in (0, 1, None, "", ...)


def leaks_in(files: Mapping[str, bytes], secrets: Mapping[str, Secret]) -> Iterator[str]:
    """Yield a line for each secret in each file: where it is, where it comes from, and how it is written there."""
    for name, content in sorted(files.items()):
        for place, text in _texts_of(name, content):
            pieces = [normalised(line) for line in text.splitlines()]
            ends, joined = list(accumulate(map(len, pieces))), "".join(pieces)
            for secret in secrets.values():
                if (at := joined.find(secret.text)) >= 0:
                    line = bisect_right(ends, at) + 1
                    yield f"{place}:{line} holds what {secret.origin} has: {secret.written or secret.text}"


def normalised(text: str) -> str:
    """Return text without comments at line ends, whitespace, and the difference between quotes."""
    lines = (_COMMENT.sub("", line) for line in text.splitlines())
    return "".join("".join(lines).split()).replace("'", '"')


def _texts_of(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield places with their texts: of a notebook each cell with its outputs, whose lines its JSON would hide."""
    text = content.decode("utf-8", "ignore")
    if name.endswith(".ipynb"):
        try:
            notebook = json.loads(text)
        except ValueError:
            notebook = None
        if isinstance(notebook, dict) and isinstance(cells := notebook.pop("cells", None), list):
            yield from ((f"{name}, cell {n}", "\n".join(_strings(cell))) for n, cell in enumerate(cells, 1))
            text = "\n".join(_strings(notebook))
    yield name, text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _solutions(root: Path, assignment: Assignment) -> Iterator[list[_Line]]:
    """Yield the marked regions of the reference and of its stretch tasks, each line with its place."""
    assert assignment.hidden_folder is not None
    modules = (assignment.hidden_folder / f"{module}.py" for module in assignment.modules)
    for file in (*modules, *sorted(assignment.hidden_folder.glob("stretch/*.py"))):
        source = file.read_text(encoding="utf-8")
        name, lines = file.relative_to(root).as_posix(), source.splitlines()
        for region in find_regions(source, name):
            yield [_Line(f"{name}:{number + 1}", lines[number]) for number in range(region.first, region.last - 1)]


def _hidden(root: Path, assignment: Assignment) -> Iterator[list[_Line]]:
    """Yield the passages of hidden checks, their probes and their oracles that stand in no public check or probe."""
    assert assignment.hidden_folder is not None
    checks = [file for name in ("test_*.py", "probes*.py") for file in (root / "assignments").glob(f"*/{name}")]
    public = "".join(normalised(file.read_text(encoding="utf-8")) for file in checks)
    modules = {f"{module}.py" for module in assignment.modules}
    for file in sorted(assignment.hidden_folder.glob("*.py")):
        if file.name not in modules:
            yield from _passages(file, public, file.relative_to(root).as_posix())


def _passages(file: Path, public: str, name: str) -> Iterator[list[_Line]]:
    """Yield the lines of a hidden file, cut where one is public or an import."""
    passage: list[_Line] = []
    for number, line in enumerate(_lines(file), 1):
        if _is_import(line) or (line.strip() and normalised(line) in public):
            yield passage
            passage = []
        else:
            passage.append(_Line(f"{name}:{number}", line))
    yield passage


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
