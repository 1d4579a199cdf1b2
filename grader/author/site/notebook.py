"""Turns a notebook with its outputs into HTML. Cells that wait, for a task or for another cell, have a box."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from grader.author.site.markdown import Anchors, Target, highlighted, to_html
from grader.author.site.running import ENDED
from grader.results import TODO_TEXT

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_MOST = 20_000  # characters of one output


@dataclass
class Outcome:
    """What a page holds of a notebook, the tasks that its cells wait for, and the cells that failed otherwise."""

    body: str = ""
    waiting: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass
class _Reading:
    """What is known of the cells so far: `missing` are the names that cells which failed would have bound."""

    outcome: Outcome
    modules: Path
    missing: set[str] = field(default_factory=set)


def to_page(content: NotebookNode, modules: Path, anchors: Anchors, target: Target) -> Outcome:
    """Return a notebook that was run with the modules of a folder as the body of a page."""
    outcome = Outcome()
    reading = _Reading(outcome, modules)
    parts = []
    for number, cell in enumerate(content.cells, 1):
        if cell.cell_type == "markdown":
            parts.append(to_html(cell.source, anchors, target))
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(f'<div class="cell">{highlighted(cell.source, "python")}')
            parts += _outputs(cell, number, reading)
            parts.append("</div>\n")
    outcome.body = "".join(parts)
    return outcome


def _outputs(cell: NotebookNode, number: int, reading: _Reading) -> Iterator[str]:
    for output in cell.outputs:
        if output.output_type == "error":
            yield _error(cell, number, output, reading)
            reading.missing |= _bound(cell.source)
        elif output.output_type == "stream":
            yield _printed(output.text, output.name)
        else:
            yield _shown(output)


def _error(cell: NotebookNode, number: int, output: NotebookNode, reading: _Reading) -> str:
    says = _plain(output.evalue)
    if output.ename == "NotImplementedError" and says.startswith("TODO"):
        return _todo(says, reading.outcome)
    absent = re.match(r"name '(\w+)' is not defined", says) if output.ename == "NameError" else None
    if absent and absent[1] in reading.missing:
        return _box("todo", "This cell waits", f"it needs {absent[1]}, which a cell above gives")
    kind = "" if output.ename == ENDED else f"{output.ename}: "
    if reading.missing and kind and not _in_modules(output, reading.modules):
        why = "maybe because a cell above it could not run to its end"
        return _box("todo", "This cell waits", f"{why} ({kind}{says[:300]})")
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    reading.outcome.failed.append(f"cell {number} ({first[:60]}) raised {kind}{says[:300]}")
    return _box("failed", "This cell failed", f"{kind}{says[:2000]}")


def _todo(says: str, outcome: Outcome) -> str:
    found = TODO_TEXT.match(says)
    task = found[1] if found else ""
    outcome.waiting += [task] if task and task not in outcome.waiting else []
    return _box("todo", f"Task {task} is still to do" if task else "Still to do", says.partition(": ")[2] or says)


def _in_modules(output: NotebookNode, modules: Path) -> bool:
    """Tell whether an error arose in a module of the folder, and so not for what a cell above has left undone."""
    folder = f"{modules.parent.name}/{modules.name}/"  # a traceback may shorten what stands before
    return folder in _plain("\n".join(output.get("traceback", [])))


def _bound(source: str) -> set[str]:
    """Return the names that a cell would have bound."""
    lines = [line for line in source.splitlines() if not line.startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    makers = (ast.FunctionDef, ast.ClassDef)
    names = {node.name for node in ast.walk(tree) if isinstance(node, makers)}
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    return names | stored | imported


def _box(kind: str, title: str, text: str) -> str:
    return f'<div class="box {kind}"><p><strong>{html.escape(title)}:</strong> {html.escape(text)}</p></div>\n'


def _printed(text: str, stream: str) -> str:
    kind = "printed" if stream == "stdout" else "printed said"
    return f'<pre class="{kind}" tabindex="0">{html.escape(_plain(text).rstrip())}</pre>\n'


def _plain(text: str) -> str:
    """Drop colours of a terminal, and what a progress bar has overwritten."""
    lines = (line.rpartition("\r")[2] or line for line in _COLOURS.sub("", text).replace("\r\n", "\n").split("\n"))
    found = "\n".join(lines)
    return found if len(found) <= _MOST else f"{found[:_MOST]}\n… (cut here)"


def _shown(output: NotebookNode) -> str:
    data = output.get("data", {})
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            alt = html.escape(output.get("metadata", {}).get(kind, {}).get("alt") or "A figure")
            source = f"data:{kind};base64,{''.join(data[kind].split())}"
            return f'<figure><img alt="{alt}" src="{source}"></figure>\n'
    if "image/svg+xml" in data:
        return f"<figure>{data['image/svg+xml']}</figure>\n"
    if "text/html" in data:
        return f'<div class="wide" tabindex="0" role="group" aria-label="output">{data["text/html"]}</div>\n'
    return _printed(data.get("text/plain", ""), "stdout")
