"""Makes the week's modules from a notebook: imports, definitions and the values that they need; executes nothing.

Every definition goes into every module, so that functions find each other as they did in the notebook, unless its
cell names one module; later definitions win, as when the notebook is run top to bottom. Training runs, plots,
prints and whatever else a notebook does are left out, and counted in a note.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from grader.errors import SubmissionError
from grader.intake.encoding import as_python
from grader.intake.notebook.cells import Notebook, read_notebook
from grader.intake.notebook.pieces import CALL, DEFINITION, VALUE, Piece, Sorter, defined_in


def modules_from_notebook(
    raw: bytes, name: str, modules: Sequence[str], present: Collection[str] = ()
) -> tuple[dict[str, bytes], list[str]]:
    """Make Python files by path, and notes on the conversion; no files where the notebook defines nothing.

    `present` names those of the week's `modules` that stand beside the notebook as files: they are not made, and
    may be imported from. Raises `SubmissionError` where `raw` is no notebook.
    """
    notebook = read_notebook(raw, name, modules)
    written = {path.removesuffix(".py") for path in notebook.written}
    sorter = Sorter(modules, {*present, *written}, defined_in(notebook.cells))
    pieces, notes = _runnable(_sorted(sorter, notebook, name), name)
    files = _written(notebook, name)
    count = sum(_defines([piece]) for piece in pieces)
    if count:
        made = [module for module in modules if module not in present and module not in written]
        selected = {module: _select(pieces, module) for module in made}
        files |= {f"{module}.py": _module(chosen, name) for module, chosen in selected.items() if _defines(chosen)}
    left_out = notebook.left_out + sorter.left_out
    summary = [_summary(name, count, len(notebook.written), left_out)] if files else []
    return files, summary + notebook.notes + notes


def _written(notebook: Notebook, name: str) -> dict[str, bytes]:
    """Return the files that a notebook writes, but for those that Python could not or should not read."""
    files: dict[str, bytes] = {}
    for path, text in notebook.written.items():
        try:
            files[path], _ = as_python(text.encode("utf-8", "replace"))
        except SubmissionError as error:
            notebook.notes.append(f"{path}, which {name} writes, left out: {error}")
    return files


def _sorted(sorter: Sorter, notebook: Notebook, name: str) -> Iterator[Piece]:
    for cell in notebook.cells:
        try:
            yield from list(sorter.pieces(cell))
        except RecursionError:
            notebook.notes.append(f"code cell {cell.number} of {name} left out: it is nested too deeply")


def _runnable(pieces: Iterable[Piece], name: str) -> tuple[list[Piece], list[str]]:
    """Keep pieces whose needs are met by those before them; one that fails would spoil its whole module."""
    kept: list[Piece] = []
    notes: list[str] = []
    known: set[str] = set()
    called: set[str] = set()  # names whose values come from the notebook's own functions
    for piece in pieces:
        lacking = piece.early - known
        if lacking and "*" not in known:
            if piece.kind == DEFINITION:
                notes.append(
                    f"code cell {piece.cell} of {name}: {', '.join(sorted(piece.binds)) or 'a definition'} left out: "
                    f"it needs {', '.join(sorted(lacking))}, which no import or definition before it gives"
                )
            continue
        if piece.kind == VALUE and piece.early & called:
            piece = replace(piece, kind=CALL)
        known |= piece.binds
        called = called | piece.binds if piece.kind == CALL else called - piece.binds
        kept.append(piece)
    return kept, notes


def _select(pieces: Sequence[Piece], module: str) -> list[Piece]:
    """Select a module's own definitions, and by name what these need: imports, values, definitions of other modules.

    An import that nothing needs is left out: notebooks import what only a notebook has.
    """
    binding = defaultdict(list)
    for index, piece in enumerate(pieces):
        for bound in piece.binds:
            binding[bound].append(index)
    chosen = {i for i, piece in enumerate(pieces) if _is_base(piece) and _is_at(piece, module)}
    own = {bound for i in chosen for bound in pieces[i].binds}
    waiting = [need for i in chosen for need in _needs(pieces[i])]
    seen = set(waiting)
    while waiting:
        name, early = waiting.pop()
        for i in binding[name]:
            piece = pieces[i]
            is_late_call = piece.kind == CALL and not early
            is_foreign = not _is_at(piece, module) and name in own
            if i not in chosen and not is_late_call and not is_foreign:
                chosen.add(i)
                new = set(_needs(piece)) - seen
                seen |= new
                waiting += new
    return [pieces[i] for i in sorted(chosen)]


def _defines(pieces: Iterable[Piece]) -> bool:
    return any(piece.kind == DEFINITION and piece.binds for piece in pieces)


def _is_base(piece: Piece) -> bool:
    return piece.kind == DEFINITION or piece.is_sweeping


def _is_at(piece: Piece, module: str) -> bool:
    return piece.home in (None, module) or piece.is_sweeping


def _needs(piece: Piece) -> Iterator[tuple[str, bool]]:
    """Yield the names that a piece needs, each with whether it needs it at once."""
    yield from ((name, True) for name in piece.early)
    yield from ((name, False) for name in piece.uses - piece.early)


def _module(pieces: Iterable[Piece], name: str) -> bytes:
    """Write the module's source; a `__future__` import has to be its first statement."""
    shown = re.sub(r"[\s:=]+", " ", name)  # in a first line, `coding: x` would be taken for the file's encoding
    title = f"# Made from the notebook {shown}: imports, definitions and what they need.\n"
    parts = [title.encode("utf-8", "replace")]
    cell = 0
    for piece in sorted(pieces, key=lambda piece: not piece.is_future):
        if piece.cell != cell:
            cell = piece.cell
            parts.append(f"\n# code cell {cell}\n".encode())
        parts.append(piece.text + b"\n")
    return b"".join(parts)


def _summary(name: str, definitions: int, written: int, left_out: Counter[str]) -> str:
    made = [_number(definitions, "definition")] + ([_number(written, "written file")] if written else [])
    text = f"notebook {name} converted: {', '.join(made)}"
    if left_out:
        text += "; left out: " + ", ".join(_number(left_out[kind], kind) for kind in sorted(left_out))
    return text


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
