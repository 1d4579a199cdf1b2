"""Makes lesson notebooks from `solutions/WEEK/lesson.md`, without outputs, and executes them to HTML.

The source is Markdown: blocks of ```python become code cells, the text between them becomes Markdown cells.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.course import Course
from grader.errors import CourseError, SubmissionError
from grader.files import write_atomically
from grader.scratch import held

DATA = "GRADER_DATA"
SECONDS = 3600  # for one cell: five epochs of MNIST on an old laptop
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


def execute_lesson(course: Course, week: str, pages: Path, data: Path | None = None, reference: bool = False) -> Path:
    """Run a week's notebook with the modules in assignments/, or with the reference's; return the page written."""
    folder = course.part(week).folder
    page = pages / f"{week}.html"
    execute(folder / f"{week}.ipynb", course.root / "solutions" / week if reference else folder, page, data)
    return page


def execute(notebook: Path, modules: Path, page: Path, data: Path | None = None) -> None:
    """Run a notebook with the student's modules in folder `modules`, and write it with its outputs to `page` (HTML).

    The code runs unconfined, so use it for your own modules and the reference. `data` holds MNIST and other real data.
    `SubmissionError` names the cell that failed; nothing is written then.
    """
    # Together these take a second to import, and making or comparing notebooks does not need them.
    from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415 - see above
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError  # noqa: PLC0415 - see above
    from nbconvert import HTMLExporter  # noqa: PLC0415 - see above
    from nbconvert.preprocessors import ExecutePreprocessor  # noqa: PLC0415 - see above

    content = nbformat.read(notebook, as_version=4)
    runner = ExecutePreprocessor(timeout=SECONDS, kernel_name=_KERNEL["name"])
    try:
        with _environment(data), _interruptible(runner):
            runner.preprocess(content, {"metadata": {"path": str(modules)}})
    except CellExecutionError as error:
        raise SubmissionError(
            f"{notebook.name}: {_failed_cell(content)} raised {error.ename}: {error.evalue}"
        ) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise SubmissionError(f"{notebook.name}: {_failed_cell(content)} did not end well: {error}") from None
    except (NoSuchKernel, RuntimeError) as error:
        raise CourseError(f"no Python kernel starts for notebooks ({error}); pip install ipykernel") from None
    _keep_descriptions(content)
    exporter = HTMLExporter(template_name="lab")
    text, _ = exporter.from_notebook_node(content, {"metadata": {"name": notebook.stem}})
    write_atomically(page, text, for_others=True)


@contextlib.contextmanager
def _interruptible(runner: Any) -> Iterator[None]:
    """Have signals interrupt the block as they do before it, and then end the kernel.

    nbclient sets handlers of its own before the kernel starts, which end the kernel alone, and default ones at its end.
    """
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    start = runner.async_start_new_kernel

    def restore() -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in usual.items():
                signal.signal(number, handler)

    async def restore_and_start(**given: Any) -> None:
        restore()
        await start(**given)

    runner.async_start_new_kernel = restore_and_start
    try:
        yield
    except KeyboardInterrupt:
        process = getattr(getattr(runner.km, "provisioner", None), "process", None)
        if process is not None:
            process.kill()
        raise
    finally:
        restore()


def _keep_descriptions(content: NotebookNode) -> None:
    """Put pictures into the page with their descriptions, which nbconvert's own template leaves out."""
    for output in (output for cell in content.cells for output in cell.get("outputs", [])):
        described = output.get("metadata", {}).get("image/png", {}).get("alt")
        if described:
            source = "data:image/png;base64," + output.data["image/png"].strip()
            output.data = {"text/html": f'<img alt="{html.escape(described)}" src="{source}">'}


def _failed_cell(content: NotebookNode) -> str:
    """Name the last code cell that was begun, by its number among all cells and its first line."""
    begun = [(n, c) for n, c in enumerate(content.cells, 1) if c.cell_type == "code" and _was_begun(c)]
    number, cell = begun[-1] if begun else (0, None)
    first = next((line for line in cell.source.splitlines() if line.strip()), "") if cell else ""
    return f"cell {number} ({first[:60]})"


def _was_begun(cell: Any) -> bool:
    return bool(cell.get("outputs")) or cell.get("execution_count") is not None or "execution" in cell.metadata


@contextlib.contextmanager
def _environment(data: Path | None) -> Iterator[None]:
    """Set the variables that the kernel inherits: where real data lie, and a folder for what Jupyter leaves."""
    with held() as folder:
        new = dict.fromkeys(("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"), str(folder))
        new |= {DATA: str(data.resolve())} if data else {}
        before = {name: os.environ.get(name) for name in new}
        os.environ.update(new)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.update({name: value}) if value is not None else os.environ.pop(name)
