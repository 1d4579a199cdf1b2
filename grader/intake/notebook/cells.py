"""Reads a notebook's code cells as plain Python: takes out what only IPython understands, runs nothing.

A cell says where it belongs by a tag `module:lenet`, by `%%writefile lenet.py`, or by a first line `# lenet.py`.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from grader.errors import SubmissionError

LARGEST_CELL = 2**18
MOST_CODE = 2**20

# Possessive quantifiers (`*+`) throughout: a hostile cell must not make a pattern backtrack for hours.
_LABEL = re.compile(r"\s*+#++[ \t]*+(?:file(?:name)?[ \t]*+[:=]?[ \t]*+)?([\w./-]++)[ \t]*+:?[ \t]*+(?:\n|\Z)", re.I)
_CELL_MAGIC = re.compile(r"\s*+(%%\w++)([^\n]*+)\n?")
_WRITERS = {"%%writefile", "%%file"}
_PYTHON_MAGICS = {"%%time", "%%timeit", "%%capture", "%%prun"}

_LINE = re.compile(
    r"""(?P<indent>[ \t]*+)
        (?: (?P<shell> (?:\w[\w., \t]*+=[ \t]*+)? !)
          | (?P<magic> (?:\w[\w., \t]*+=[ \t]*+)? %{1,2}[A-Za-z_])
          | (?P<help>  (?:\?{1,2}[%\w.*]++ | [%\w.*]++\?{1,2}) [ \t]*+ (?:\#[^\n]*+)? (?=\n|\Z)) )""",
    re.VERBOSE,
)
_COMMAND = re.compile(r"(?:[^\\\n]|\\.|\\\n)*+")
# The first loop is not possessive: Python 3.11.2, for one, matches such a group with an assertion in it wrongly.
# Its two branches exclude each other, so that it takes linear time all the same.
_TOKEN = re.compile(
    r"""(?P<text> (?P<quotes>\"{3}|'{3}) (?s:\\.|(?!(?P=quotes))[^\\])* (?P=quotes)
          | "(?:\\.|\\\n|[^"\\\n])*+" | '(?:\\.|\\\n|[^'\\\n])*+' | \#[^\n]*+ | \\\n )
      | (?P<open> [(\[{]) | (?P<close> [)\]}]) | (?P<end> \n) | (?P<other> [^"'\#\\()\[\]{}\n]++ | .)""",
    re.VERBOSE,
)


# As `jupyter nbconvert --to script` writes them.
_EXPORTED = re.compile(r"^# In\[[ \d*]*+\]:[ \t]*+\n", re.MULTILINE)
_EXPORTED_MARK = re.compile(rb"^# In\[[ \d*]*+\]:", re.MULTILINE)
_CALL_MARK = re.compile(rb"^[ \t]*+get_ipython\(\)\.", re.MULTILINE)
_LINE_MARK = re.compile(rb"^[ \t]*+(?:[%!?]|\w[\w., \t]*+=[ \t]*+[%!]|[\w.]++\?)", re.MULTILINE)

_RUNNING_MAGIC = re.compile(r"%(?:time|timeit|prun)[ \t]++(?!-)(?=\S)")
# The prompts of Python and of IPython, which pasted code begins with.
_PROMPTS = (
    (re.compile(r"^>>>(?: |$)"), re.compile(r"^(?:>>>|\.\.\.)(?: |$)")),
    (re.compile(r"^In \[\d+\]: "), re.compile(r"^(?:In \[\d+\]: | *\.{3,}: )")),
)


@dataclass(frozen=True)
class Cell:
    """One code cell. `home` is the module that it belongs to, None for all; `number` counts code cells from 1."""

    number: int
    tree: ast.Module
    lines: tuple[bytes, ...]
    home: str | None


@dataclass
class Notebook:
    """A notebook's cells in order, the files that it writes, and what was left out so far."""

    cells: list[Cell] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def read_notebook(raw: bytes, name: str, modules: Collection[str]) -> Notebook:
    """Parse a notebook's code cells; `SubmissionError` where it is no notebook. Nothing is executed."""
    notebook = Notebook()
    code_left = MOST_CODE
    for number, (source, tags) in enumerate(_code_cells(raw, name), start=1):
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        code_left -= len(source)
        if len(source) > LARGEST_CELL or code_left < 0:
            notebook.notes.append(f"code cell {number} of {name} left out: it is too large")
        elif not _is_written(notebook, source, modules):
            _add(notebook, number, source, _home(source, tags, modules), name)
    return notebook


def is_within(raw: bytes, name: str, whole: bytes) -> bool:
    """Tell whether every code cell of a notebook stands in another one, `whole`, as it is."""
    try:
        known = {source.strip() for source, _ in _code_cells(whole, name)}
        return all(source.strip() in known or not source.strip() for source, _ in _code_cells(raw, name))
    except SubmissionError:
        return False


def read_script(raw: bytes, name: str, modules: Collection[str]) -> Notebook:
    """Parse the code cells of a notebook that was exported as a script, or of a script with lines for IPython."""
    notebook = Notebook()
    text = raw.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for number, source in enumerate(_EXPORTED.split(text), start=0 if _EXPORTED.search(text) else 1):
        _add(notebook, number, source, None, name)
    return notebook


def is_exported(raw: bytes) -> bool:
    """Tell whether a script was exported from a notebook, or holds lines that only IPython understands."""
    if _EXPORTED_MARK.search(raw) or _CALL_MARK.search(raw):
        return True
    if not _LINE_MARK.search(raw) or parse(raw) is not None:
        return False
    text = raw.decode("utf-8-sig", "replace")
    return parse(without_magics(text)[0]) is not None


def parse(source: str | bytes) -> ast.Module | None:
    """Return the syntax tree, or None where `source` is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_magics(source: str) -> tuple[str, Counter[str]]:
    """Replace shell escapes, magics and help requests by `pass`, and count them by kind.

    Only where a statement may begin, so that `%` and `?` inside strings and expressions stay.
    """
    kept: list[str] = []
    removed: Counter[str] = Counter()
    position, depth, at_start = 0, 0, True
    while position < len(source):
        found = _LINE.match(source, position) if at_start and depth == 0 else None
        if found:
            statement = _RUNNING_MAGIC.match(source, found.start() + len(found["indent"]))
            if statement:  # `%time model = make()` runs what follows
                kept.append(found["indent"])
                position, at_start = statement.end(), False
                continue
            removed[f"{found.lastgroup} line"] += 1
            kept.append(f"{found['indent']}pass")
            position, at_start = _end(_COMMAND, source, position), False
            continue
        token = _TOKEN.match(source, position)
        assert token is not None  # the last alternative takes any character
        kept.append(token[0])
        depth = max(0, depth + (token.lastgroup == "open") - (token.lastgroup == "close"))
        position, at_start = token.end(), token.lastgroup == "end"
    return "".join(kept), removed


def _end(pattern: re.Pattern[str], source: str, position: int) -> int:
    match = pattern.match(source, position)
    return match.end() if match else position


class NoNotebook(ValueError):
    """A file is no notebook, or a damaged one; it says which error of nbformat's that was."""


def cells_in(raw: bytes) -> list[Any]:
    """Return a notebook's cells as nbformat has them. Raises `NoNotebook`."""
    import nbformat  # noqa: PLC0415 - as slow as all else here together, and most classes have no notebook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Invalid details, such as a missing id, are common and harmless; captured, they are not logged.
            return [*nbformat.reads(raw.decode("utf-8-sig"), as_version=4, capture_validation_error={})["cells"]]
    except MemoryError:
        raise
    except Exception as error:  # any JSON at all may come, and nbformat expects its own shapes
        raise NoNotebook(type(error).__name__) from error


# Cached for one notebook: after its place is found, the same notebook is converted next.
@lru_cache(maxsize=1)
def _code_cells(raw: bytes, name: str) -> list[tuple[str, list[str]]]:
    try:
        return [_source_and_tags(cell) for cell in cells_in(raw) if cell["cell_type"] == "code"]
    except MemoryError:
        raise
    except Exception as error:  # what nbformat lets through may have other shapes, too
        why = str(error) if isinstance(error, NoNotebook) else type(error).__name__
        raise SubmissionError(
            f"notebook {name} is damaged, or not a notebook ({why}): check that it opens in Jupyter and save it again"
        ) from error


def _source_and_tags(cell: Any) -> tuple[str, list[str]]:
    if not isinstance(cell["source"], str):
        raise TypeError("a cell's source is no text")
    tags = cell.get("metadata", {}).get("tags", [])
    return cell["source"], [tag for tag in tags if isinstance(tag, str)]


def _is_written(notebook: Notebook, source: str, modules: Collection[str]) -> bool:
    """Tell whether the cell is a `%%writefile`; its text is then taken as that file, as it stands."""
    magic = _CELL_MAGIC.match(source)
    if not magic or magic[1] not in _WRITERS:
        return False
    words = magic[2].split()
    append = words[:1] in (["-a"], ["--append"])
    path = _target(" ".join(words[append:]).strip("\"'"), modules)
    if path is None:
        notebook.left_out["other written file"] += 1
    else:
        before = notebook.written.get(path, "") if append else ""
        notebook.written[path] = before + source[magic.end() :]
    return True


def _target(name: str, modules: Collection[str]) -> str | None:
    """Tell where a written file belongs in the week's folder; None for what is no module or leads outside."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.suffix != ".py" or not all(part.isidentifier() for part in (*path.parts[:-1], path.stem)):
        return f"{path.stem}.py" if path.suffix == ".py" and path.stem in modules else None
    return path.name if path.stem in modules else path.as_posix()


def _home(source: str, tags: Collection[str], modules: Collection[str]) -> str | None:
    tagged = [tag.removeprefix("module:") for tag in tags if tag.startswith("module:")]
    label = _LABEL.match(source)
    named = [PurePosixPath(label[1]).stem] if label and label[1].endswith(".py") else []
    return next((home for home in (*tagged, *named) if home in modules), None)


def _add(notebook: Notebook, number: int, source: str, home: str | None, name: str) -> None:
    source = _cleaned(source)
    while magic := _CELL_MAGIC.match(source):
        if magic[1] not in _PYTHON_MAGICS:
            notebook.left_out["magic cell"] += 1
            return
        source = source[magic.end() :]
    tree = parse(source)
    if tree is None:
        source, removed = without_magics(source)
        notebook.left_out.update(removed)
        tree = parse(source)
    if tree is None:
        notebook.notes.append(f"code cell {number} of {name} left out: it is not valid Python")
        return
    for part, text in _unrolled(tree, source):
        notebook.cells.append(Cell(number, part, tuple(text.encode().split(b"\n")), home))


def _cleaned(source: str) -> str:
    """Take away what IPython takes away: the first line's indent, and prompts."""
    lines = source.strip("\n").split("\n") if source.strip() else [source]
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip(" \t"))]
    if indent:
        lines = [line.removeprefix(indent) for line in lines]
        source = "\n".join(lines)
    for first, every in _PROMPTS:
        if first.match(lines[0]):
            return "\n".join(every.sub("", line) for line in lines)
    return source


def _unrolled(tree: ast.Module, source: str) -> Iterator[tuple[ast.Module, str]]:
    """Yield the cell, and in its place the code of what was a cell magic before it was exported as a script."""
    before: list[ast.stmt] = []
    for statement in tree.body:
        code = _magic_code(statement)
        inner = parse(code) if code is not None else None
        if code is None or inner is None:
            before.append(statement)
            continue
        yield ast.Module(before, []), source
        yield inner, code
        before = []
    yield ast.Module(before, []), source


def _magic_code(statement: ast.stmt) -> str | None:
    """Return the code in `get_ipython().run_cell_magic("time", "", code)` and `….run_line_magic("time", code)`."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return None
    function, given = statement.value.func, [getattr(part, "value", None) for part in statement.value.args]
    words = [word for word in given if isinstance(word, str)]
    if not isinstance(function, ast.Attribute) or f"%%{words[0] if words else ''}" not in _PYTHON_MAGICS:
        return None
    if (function.attr, len(words)) in (("run_cell_magic", 3), ("run_line_magic", 2)):
        return without_magics(words[-1])[0]
    return None
