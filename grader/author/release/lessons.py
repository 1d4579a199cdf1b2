"""Makes lesson notebooks from `solutions/WEEK/lesson.md`, without outputs.

The source is Markdown: blocks of ```python become code cells, the text between them becomes Markdown cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.course import Course
from grader.errors import CourseError
from grader.files import write_atomically

_CODE = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def build(source: str, name: str) -> str:
    """Make the notebook's JSON, the same for the same source; `name` stands in the `CourseError` for a bad source."""
    if source.count("```python\n") != len(_CODE.findall(source)):
        raise CourseError(f"{name}: a block of ```python has no ``` at its end; add that line")
    return as_text(list(code_and_text(source)))


def as_text(cells: list[NotebookNode]) -> str:
    """Make the JSON of a notebook without outputs; its cells get ids by their places."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = new_notebook(cells=cells, metadata={"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


def code_and_text(source: str) -> Iterator[NotebookNode]:
    """Yield a cell of code for each block of ```python, and cells of text for what stands between them."""
    for number, part in enumerate(_CODE.split(source)):
        if part.strip():
            yield new_code_cell(part.rstrip("\n")) if number % 2 else new_markdown_cell(part.strip("\n"))


def sources(root: Path, week: str | None = None) -> Iterator[tuple[Path, Path]]:
    """Yield each lesson's source and its notebook, in the order of the weeks."""
    course = Course(root)
    for name in [week] if week else course.assignments():
        file = root / "solutions" / course.part(name).week / "lesson.md"
        if file.is_file():
            yield file, root / "assignments" / name / f"{name}.ipynb"


def write_notebooks(root: Path, week: str | None = None) -> list[Path]:
    """Write each notebook whose source has changed, and return these."""
    changed = stale_notebooks(root, week)
    for file, notebook in sources(root, week):
        if notebook in changed:
            write_atomically(notebook, build(file.read_text(encoding="utf-8"), str(file)), for_others=True)
    return changed


def stale_notebooks(root: Path, week: str | None = None) -> list[Path]:
    """Return the notebooks that are not what their source makes, such as those with outputs."""
    return [
        notebook
        for file, notebook in sources(root, week)
        if not notebook.is_file()
        or notebook.read_text(encoding="utf-8") != build(file.read_text(encoding="utf-8"), str(file))
    ]
