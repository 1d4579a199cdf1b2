"""Makes the week's modules from a notebook, by need, and executes nothing.

Each module gets what gives it the names that the week asks for, and whatever these use: imports, functions, classes and
values, in the notebook's order, so that later definitions win as when it is run top to bottom. A cell may name the
module that it belongs to. Training, loading and plots are left out. What might fail is tried, so that it
costs only who needs it; `__left_out__` says what is missing and why, for the message of the check that misses it.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from grader.errors import SubmissionError
from grader.inside import says
from grader.inside.importing.callers import TRIED
from grader.inside.importing.sources import LEFT_OUT
from grader.intake.encoding import as_python
from grader.intake.notebook.cells import Notebook, parse, read_notebook, read_script
from grader.intake.notebook.choice import Choice, choose
from grader.intake.notebook.pieces import BLOCKS, Piece, Sorter, defined_in, functions_in, rebuilt
from grader.intake.notebook.statements import source_of
from grader.intake.notebook.work import LOADING, OTHER, PLOT, PRINT, TRAINING, Work, word_for

_PLAIN = (
    ast.Assign, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.Load, ast.Store, ast.UnaryOp, ast.unaryop,
)  # fmt: skip

Wanted = Mapping[str, Collection[str]]  # the week's modules with the names that each must define; none stands for all


def modules_from_notebook(
    raw: bytes, name: str, wanted: Wanted, present: Collection[str] = (), used: Collection[str] = ()
) -> tuple[dict[str, bytes], list[str]]:
    """Make Python files by path, and notes on the conversion; no files where the notebook defines nothing.

    `present` names those of the week's modules that stand beside the notebook as files: they are not made, and
    may be imported from. `used` are words of files beside it, which may use what else it defines. Raises
    `SubmissionError` where `raw` is no notebook.
    """
    return _Conversion(read_notebook(raw, name, wanted), name, wanted, present, used).result()


def module_from_script(
    raw: bytes, name: str, module: str, wanted: Wanted, used: Collection[str] = ()
) -> tuple[bytes | None, list[str]]:
    """Make a module of a notebook that was exported as a script; None where it defines nothing of the week."""
    conversion = _Conversion(read_script(raw, name, wanted), name, {module: wanted[module]}, (), used)
    files, notes = conversion.result()
    return files.get(f"{module}.py"), notes


class _Conversion:
    def __init__(
        self, notebook: Notebook, name: str, wanted: Wanted, present: Collection[str], used: Collection[str]
    ) -> None:
        self.notebook = notebook
        self.name = name
        self.wanted = wanted
        trees = [cell.tree for cell in notebook.cells]
        self.defined, self.functions = defined_in(trees), functions_in(trees)
        self._drop_empty()
        written = {path.removesuffix(".py") for path in notebook.written}
        self.made = [module for module in wanted if module not in present and module not in written]
        words = set(used).union(*(re.findall(r"\w+", text) for text in notebook.written.values()))
        self.used = words & self.defined
        self.work = Work(trees)
        self.pieces = list(self._sorted(Sorter(wanted, {*present, *written}, self.defined, self.work)))

    def _drop_empty(self) -> None:
        """Leave out a written module that gives nothing of what is asked for, where cells do."""
        for path in [f"{module}.py" for module, names in self.wanted.items() if self.defined & set(names)]:
            tree = parse(self.notebook.written.get(path, "raise"))
            if path in self.notebook.written and tree and not defined_in([tree]) & set(self.wanted[path[:-3]]):
                del self.notebook.written[path]
                self.notebook.notes.append(f"{path}, which {self.name} writes, left out: code cells define its names")

    def _sorted(self, sorter: Sorter) -> Iterator[Piece]:
        for cell in self.notebook.cells:
            try:
                yield from list(sorter.pieces(cell))
            except RecursionError:
                self.notebook.notes.append(f"code cell {cell.number} of {self.name} left out: it is nested too deeply")

    def result(self) -> tuple[dict[str, bytes], list[str]]:
        """Return the files by path, and notes."""
        files = self._written()
        taken: set[Piece] = set()
        notes: list[str] = []
        for module in self.made:
            roots = self._roots(module)
            choice = choose(self.pieces, module, roots)
            if any(piece.names.binds & roots for piece in choice.pieces):
                files[f"{module}.py"] = _source(choice, self.name)
                taken |= set(choice.pieces)
                notes += self._missed(choice, roots)
        summary = [self._summary(taken)] if files else []
        return files, [*summary, *self.notebook.notes, *dict.fromkeys(notes)]

    def _roots(self, module: str) -> frozenset[str]:
        """Return the names to start from: those that are asked for, or all, and those that other files may use."""
        cells = [cell for cell in self.notebook.cells if cell.home in (None, module)]
        every = functions_in(cell.tree for cell in cells)
        labelled = functions_in(cell.tree for cell in cells if cell.home == module)
        return (frozenset(self.wanted[module]) or every) | labelled | (self.used & every)

    def _missed(self, choice: Choice, roots: Collection[str]) -> list[str]:
        """Note what was left out though it is asked for or read, functions first."""
        read = set(roots) | {name for piece in choice.pieces for name in piece.names.early | piece.names.late}
        names = sorted(choice.missing.keys() & read, key=lambda name: (name not in self.functions, name))
        return [
            says(f"code cell {missing.cell} of {self.name}: {name} left out: {missing.why}")
            for name, missing in ((name, choice.missing[name]) for name in names)
        ]

    def _written(self) -> dict[str, bytes]:
        """Return the files that a notebook writes, but for those that Python could not or should not read."""
        files: dict[str, bytes] = {}
        for path, text in self.notebook.written.items():
            try:
                files[path], _ = as_python(text.encode("utf-8", "replace"))
            except SubmissionError as error:
                self.notebook.notes.append(f"{path}, which {self.name} writes, left out: {error}")
        return files

    def _summary(self, taken: Collection[Piece]) -> str:
        definitions = sum(piece.defines for piece in taken)
        made = [_number(definitions, "definition")]
        made += [_number(len(self.notebook.written), "written file")] if self.notebook.written else []
        text = says(f"notebook {self.name} converted: {', '.join(made)}")
        left_out = self.notebook.left_out + self._left_out(taken)
        if left_out:
            kinds = ", ".join(_number(left_out[kind], kind) for kind in sorted(left_out))
            text = f"{text}; {says(f'left out: {kinds}')}"
        return text

    def _left_out(self, taken: Collection[Piece]) -> Counter[str]:
        """Count by kind the statements that no module needs."""
        tops = {piece.top for piece in taken}
        others = [piece for piece in self.pieces if piece.around is None and piece not in tops]
        words = (
            "unused definition" if piece.defines else word_for(piece.node, self.work)
            for piece in others
            if not piece.is_import
        )
        return Counter(word for word in words if word)


def _source(choice: Choice, name: str) -> bytes:
    """Write the module's source; a `__future__` import has to be its first statement."""
    shown = re.sub(r"[\s:=]+", " ", name)  # in a first line, `coding: x` would be taken for the file's encoding
    parts = [
        f"# Made from the notebook {shown}: what the week asks for, and what that needs.\n".encode("utf-8", "replace")
    ]
    futures = [piece for piece in choice.pieces if piece.is_future]
    parts += [_text(piece, choice) + b"\n" for piece in futures]
    lines = [*_ipythons_own(choice), *_lines(choice)]
    if choice.missing or any(LEFT_OUT.encode() in line for line in lines):
        missing = {name: str(why) for name, why in sorted(choice.missing.items())}
        parts.append(f"\n{LEFT_OUT} = {missing!r}\n".encode())
    return b"".join(parts + lines)


def _ipythons_own(choice: Choice) -> Iterator[bytes]:
    """Define what IPython gives to every cell, where it is needed; nobody looks at what is displayed."""
    used = {name for piece in choice.pieces for name in piece.names.early | piece.names.late}
    if "display" in used and not any("display" in piece.names.binds for piece in choice.pieces):
        yield b"\ndisplay = print\n"


def _lines(choice: Choice) -> Iterator[bytes]:
    cell = 0
    for piece in choice.pieces:
        if piece.around is not None or piece.is_future:
            continue
        text = _runnable(piece, choice)
        if text is None:
            continue
        if piece.cell.number != cell:
            cell = piece.cell.number
            yield f"\n# code cell {cell}\n".encode()
        yield text + b"\n"


def _runnable(piece: Piece, choice: Choice) -> bytes | None:
    """Return a statement's text; None for one that would spoil the module, such as a `return` outside of a function."""
    try:
        text = _text(piece, choice)
        compile(text, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return text


def _text(piece: Piece, choice: Choice) -> bytes:
    """Return a statement as it was written, unless something in it was left out or it has to be tried."""
    inner = choice.inside[piece]
    statement = _pruned(_run_as_notebook(piece.node), {id(other.node) for other in inner})
    if _may_fail(piece, choice):
        return _tried(statement, piece.cell.number, {name for other in inner for name in other.names.binds} - {"*"})
    return ast.unparse(statement).encode() if piece.made else source_of(statement, piece.cell.lines)


def _pruned(statement: ast.stmt, kept: Collection[int]) -> ast.stmt:
    """Return a block with those statements alone whose ids are kept."""
    if not isinstance(statement, BLOCKS):
        return statement
    return rebuilt(statement, lambda lines: [_pruned(line, kept) for line in lines if id(line) in kept])


def _run_as_notebook(statement: ast.stmt) -> ast.stmt:
    """Take what follows `if __name__ == "__main__":` as a notebook does, where it is run."""
    if isinstance(statement, ast.If) and "__name__" in {getattr(node, "id", "") for node in ast.walk(statement.test)}:
        return ast.If(ast.Constant(True), statement.body, statement.orelse)
    return statement


def _may_fail(piece: Piece, choice: Choice) -> bool:
    """Tell whether a statement has to be tried, since it would spoil the whole module where it fails."""
    if piece in choice.doubtful or isinstance(piece.node, BLOCKS):
        return True
    if piece.defines or piece.is_import:
        return False
    return not (isinstance(piece.node, ast.Assign) and _is_plain(piece.node))


def _is_plain(assignment: ast.Assign) -> bool:
    if isinstance(assignment.value, ast.Lambda):
        return all(isinstance(target, ast.Name) for target in assignment.targets)
    return all(isinstance(node, _PLAIN) for node in ast.walk(assignment))


def _tried(statement: ast.stmt, cell: int, names: Collection[str]) -> bytes:
    """Try a statement; where it fails, say so of the names that it would have bound."""
    raised = f"f'code cell {cell} raised {{type({TRIED}).__name__}}: {{{TRIED}}}'"
    trial = ast.parse(
        f"try:\n    pass\nexcept Exception as {TRIED}:\n"
        f"    {LEFT_OUT}.update(dict.fromkeys({sorted(names)!r}, {raised}))"
    ).body[0]
    assert isinstance(trial, ast.Try)
    trial.body = [statement]
    return ast.unparse(trial).encode()


def _number(count: int, what: str) -> str:
    one, many = _COUNTED.get(what, (f"{{count}} {what}", f"{{count}} {what}s"))
    return (one if count == 1 else many).format(count=count)


_COUNTED = {  # in whole phrases, so that they can be translated
    "definition": (says("{count} definition"), says("{count} definitions")),
    "written file": (says("{count} written file"), says("{count} written files")),
    "other written file": (says("{count} other written file"), says("{count} other written files")),
    "unused definition": (says("{count} unused definition"), says("{count} unused definitions")),
    "magic cell": (says("{count} magic cell"), says("{count} magic cells")),
    "magic line": (says("{count} magic line"), says("{count} magic lines")),
    "shell line": (says("{count} shell line"), says("{count} shell lines")),
    "help line": (says("{count} help line"), says("{count} help lines")),
    TRAINING: (says("{count} training run"), says("{count} training runs")),
    LOADING: (says("{count} loading step"), says("{count} loading steps")),
    PLOT: (says("{count} plot"), says("{count} plots")),
    PRINT: (says("{count} print"), says("{count} prints")),
    OTHER: (says("{count} other statement"), says("{count} other statements")),
}
