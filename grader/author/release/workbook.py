"""Makes `weekN_work.ipynb`, in which a week can be done: the lesson's text, a cell for each task, its check below.

The text is that of the week's README.md, and the cells are cut from the reference as the skeletons are. Blocks of
```python in the lesson become cells that run; what they print follows in the README, and is left out. A part of a
module that belongs to no task, such as a constant, stands in a cell before the tasks. A chapter's notebook is made
likewise.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from grader.author.release.lessons import as_text, code_and_text
from grader.author.release.skeleton import make_skeleton
from grader.course import Assignment, Course
from grader.errors import CourseError
from grader.files import write_atomically

_HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
_TASK = re.compile(r"(\d+(?:\.\d+)+)\b")
_TODO = re.compile(r"\bTODO (\d+(?:\.\d+)+)\b")
_CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_PRINTED = re.compile(r"(^```python\n.*?^```$\n)\s*^```(?:text)?\n.*?^```$\n?", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^`?(?:pytest|\$ pytest) [^`\n]*`?[ \t]*\n?", re.MULTILINE)
_PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!https?:|#)([^)\s]+\))")
_CONTENTS = re.compile(r"^\*\*Contents:\*\*.*?(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
_LEFT_OUT = ("set up", "debugging")  # of the terminal; the notebook says how it is used itself
_COLAB = "https://colab.research.google.com"


@dataclass(frozen=True)
class Section:
    """A part of a README: its heading's level and title, and its text with the heading."""

    level: int
    title: str
    text: str

    @property
    def task(self) -> str:
        """The number of the task that it describes, if it is one."""
        found = _TASK.match(self.title) if self.level == 3 else None
        return found[1] if found else ""


def sections(text: str) -> list[Section]:
    """Cut a README at its headings, the first three levels of them; `#` in blocks of code is no heading."""
    blocks = [found.span() for found in _CODE.finditer(text)]
    heads = [h for h in _HEADING.finditer(text) if not any(first <= h.start() < last for first, last in blocks)]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    return [Section(len(head[1]), head[2], text[head.start() : end]) for head, end in zip(heads, ends, strict=True)]


def build(course: Course, assignment: Assignment) -> str:
    """Make the notebook's JSON, the same for the same sources."""
    readme = (assignment.folder / "README.md").read_text(encoding="utf-8")
    parts = _Parts(assignment, course.root / "solutions" / assignment.week)
    return as_text(list(_cells(sections(readme), parts, course, assignment)))


def _cells(found: Sequence[Section], parts: _Parts, course: Course, assignment: Assignment) -> Iterator[NotebookNode]:
    title, *rest = (replace(section, text=_reachable(section.text, course, assignment)) for section in found)
    path = assignment.workbook_file.relative_to(course.root).as_posix()
    yield new_markdown_cell(f"{badge(course, path)}{_CONTENTS.sub('', title.text).strip()}")
    graded = assignment.week in course.assignments()
    how = _HOW if graded else _HOW_UNGRADED
    yield new_markdown_cell(how.format(week=assignment.week, first=next(iter(parts.tasks), "1.1")))
    yield new_code_cell(set_up(course, path))
    tasks_begun = False
    left_out = False
    last = max((number for number, section in enumerate(rest) if section.task), default=0)
    for number, section in enumerate(rest):
        left_out = section.title.lower().startswith(_LEFT_OUT) if section.level < 3 else left_out
        if left_out:
            continue
        if section.task and not tasks_begun:
            tasks_begun = True
            yield new_code_cell(parts.given)
        if section.task:
            yield new_markdown_cell(_COMMAND.sub("", section.text).strip())
            yield from (new_code_cell(text) for text in parts.tasks.get(section.task, ()))
            yield new_code_cell(f"%check {section.task}")
        elif number > last:
            yield new_markdown_cell(section.text.strip())
        else:
            yield from code_and_text(_PRINTED.sub(r"\1", section.text))
    yield new_markdown_cell(_END if graded else "## Where you stand")
    yield new_code_cell(f"%score {assignment.week}")
    if graded:
        yield new_code_cell(f"# %submit {assignment.week}")


def _reachable(text: str, course: Course, assignment: Assignment) -> str:
    """Have pictures come from the course's repository, where it is known: Colab opens the notebook alone."""
    place = course.settings.repository.removeprefix("https://github.com/")
    if place == course.settings.repository:
        return text
    folder = f"https://raw.githubusercontent.com/{place}/HEAD/assignments/{assignment.week}/"
    return _PICTURE.sub(rf"\1{folder}\2", text)


class _Parts:
    """A week's skeletons, cut into the cells of tasks and what stands before all of them."""

    def __init__(self, assignment: Assignment, reference: Path) -> None:
        self.tasks: dict[str, list[str]] = {}
        self._imports: dict[str, None] = {}
        self._others: list[str] = []
        self._own = set(assignment.modules)
        seen: dict[str, str] = {}
        for module in assignment.modules:
            file = reference / f"{module}.py"
            source = make_skeleton(file.read_text(encoding="utf-8"), str(file))
            for name in sorted(_defined(source)):
                if name in seen:
                    raise CourseError(
                        f"{file}: {name} is defined in {seen[name]}, too; in a notebook the second would replace the "
                        "first, so rename one of them"
                    )
                seen[name] = f"{module}.py"
            self._cut(source)

    @property
    def given(self) -> str:
        """What no task is about: imports, and other statements."""
        return "\n\n\n".join(filter(None, ["\n".join(self._imports), *self._others]))

    def _cut(self, source: str) -> None:
        lines = source.splitlines()
        before = 0
        for node in ast.parse(source).body:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            text = "\n".join(lines[before : node.end_lineno]).strip("\n")
            before = node.end_lineno or first
            task = _TODO.search("\n".join(lines[first - 1 : node.end_lineno]))
            if _is_docstring(node):
                continue
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                if not self._is_own(node):
                    self._imports[ast.unparse(node)] = None
            elif task:
                self.tasks.setdefault(task[1], []).append(text)
            else:
                self._others.append(text)

    def _is_own(self, node: ast.Import | ast.ImportFrom) -> bool:
        """Tell whether a statement imports another of the week's modules: the notebook has its names already."""
        if isinstance(node, ast.ImportFrom):
            return bool(node.level) or node.module in self._own
        return all(alias.name in self._own for alias in node.names)


def _defined(source: str) -> set[str]:
    makers = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.parse(source).body if isinstance(node, makers)}


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def badge(course: Course, path: str) -> str:
    """Return a badge that opens a file of the course in Colab; nothing where the course has no repository there."""
    place = course.settings.repository.removeprefix("https://github.com/")
    if not place or place == course.settings.repository:
        return ""
    return f"[![Open in Colab]({_COLAB}/assets/colab-badge.svg)]({_COLAB}/github/{place}/blob/HEAD/{path})\n\n"


def set_up(course: Course, path: str) -> str:
    """Return the first cell. In Colab it gets the course and installs what is missing; everywhere it loads checks."""
    folder = path.rpartition("/")[0]
    return _SET_UP.format(repository=course.settings.repository, folder=folder)


def workbooks(root: Path, week: str | None = None) -> Iterator[tuple[Path, Assignment]]:
    """Yield each notebook's path with its week, of those that have a README and a reference."""
    course = Course(root)
    for name in [week] if week else [*course.chapters(), *course.assignments()]:
        assignment = course.part(name)
        reference = root / "solutions" / assignment.week
        files = [assignment.folder / "README.md", *(reference / f"{module}.py" for module in assignment.modules)]
        if all(file.is_file() for file in files):
            yield assignment.workbook_file, assignment


def stale_workbooks(root: Path, week: str | None = None) -> list[Path]:
    """Return the notebooks that are not what their sources make."""
    course = Course(root)
    return [
        path
        for path, assignment in workbooks(root, week)
        if not path.is_file() or path.read_text(encoding="utf-8") != build(course, assignment)
    ]


def write_workbooks(root: Path, week: str | None = None) -> list[Path]:
    """Write each notebook whose sources have changed, and return these."""
    stale = stale_workbooks(root, week)
    for path, assignment in workbooks(root, week):
        if path in stale:
            write_atomically(path, build(Course(root), assignment), for_others=True)
    return stale


_HOW = """This notebook is the whole week: read, write your code into the cells that say `TODO`, and run the check below
each.

| in a cell | what it does |
|---|---|
| `%check {first}` | runs a task's public checks on what this notebook defines |
| `%score {week}` | shows the points of all tasks, and what to do next |
| `%submit {week}` | writes the file that you hand in, and checks what it holds |

Run the next cell first. After you change a cell, run it again, then its check."""

_HOW_UNGRADED = """This notebook is the whole chapter: read, run the cells, write your code into those that say `TODO`,
and run the check below each. Nothing here is graded. `%score {week}` shows where you stand. Run the next cell first.
After you change a cell, run it again, then its check."""

_SET_UP = """\
# In Colab, this gets the course and installs what is missing. On your own computer it loads the checks, no more.
import os
import sys

REPOSITORY = "{repository}"
if "google.colab" in sys.modules:
    if not REPOSITORY:
        raise RuntimeError("Write the address of your course's repository into REPOSITORY, then run this cell again.")
    if not os.path.isdir("/content/course"):
        !git clone -q --depth 1 {{REPOSITORY}} /content/course
    %pip install -q -e /content/course
    sys.path.insert(0, "/content/course")
    os.chdir("/content/course/{folder}")

%load_ext grader"""

_END = """## Your score

`%score` runs every public check. When you are done, take the `#` away in the last cell: `%submit` writes the file to
hand in."""
