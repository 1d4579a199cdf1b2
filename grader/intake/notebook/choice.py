"""Chooses the pieces of a notebook that a module needs: what gives the names that are asked for, and what those use."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.inside import says
from grader.intake.notebook.pieces import Piece

LONGEST_REASON = 200
_GIVEN = frozenset({*dir(builtins), "__file__", "__name__", "__doc__", "__package__", "__spec__", "display"})


@dataclass(frozen=True)
class Missing:
    """Why a name is not given: the code cell that would have bound it, and the reason."""

    cell: int
    why: str

    def __str__(self) -> str:
        return says(f"code cell {self.cell} was left out: {self.why}")


@dataclass
class Choice:
    """The pieces that a module is made of. `missing` says of names that are needed and not given, why."""

    pieces: list[Piece] = field(default_factory=list)
    missing: dict[str, Missing] = field(default_factory=dict)
    inside: dict[Piece, list[Piece]] = field(default_factory=dict)  # by the statement at the top level around them
    doubtful: set[Piece] = field(default_factory=set)  # those that may fail, since they need what may be missing


def choose(pieces: Sequence[Piece], module: str, wanted: Iterable[str]) -> Choice:
    """Choose what gives the `wanted` names; what stands in a cell of another module gives way to the module's own."""
    at_home = [piece for piece in pieces if piece.home in (None, module)]
    own = {name for piece in at_home for name in piece.names.binds}
    usable = [
        piece for piece in pieces if piece.home in (None, module) or piece.is_sweeping or not piece.names.binds & own
    ]
    return _in_order(_needed(usable, wanted))


def _needed(pieces: Sequence[Piece], wanted: Iterable[str]) -> list[Piece]:
    """Return, in order, what writes the wanted names, and all that these pieces need in turn."""
    writers, inside = defaultdict(list), defaultdict(list)
    for piece in pieces:
        for name in piece.writes:
            writers[name].append(piece)
        if piece.around is not None:
            inside[piece.around].append(piece)
    chosen: set[Piece] = set()
    waiting = [piece for piece in pieces if piece.is_sweeping]
    asked = set(wanted)
    waiting += [piece for name in asked for piece in writers[name]]
    while waiting:
        piece = waiting.pop()
        if piece in chosen:
            continue
        chosen.add(piece)
        waiting += [piece.around] if piece.around is not None else []
        waiting += [inner for inner in _jumps(piece, inside) if inner not in chosen]
        for name in (piece.names.early | piece.names.late) - asked:
            asked.add(name)
            waiting += writers[name]
    return [piece for piece in pieces if piece in chosen]


def _jumps(head: Piece, inside: dict[Piece, list[Piece]]) -> list[Piece]:
    """Return what must not be missing in a block that is kept."""
    return [piece for piece in inside[head] if piece.matters_where_it_is or _jumps(piece, inside)]


def _in_order(pieces: Sequence[Piece]) -> Choice:
    """Drop what only works, and what needs a name that nothing before it gives: it would spoil the whole module."""
    choice = Choice()
    known: set[str] = set(_GIVEN)
    shaky: set[str] = set()  # what a statement binds that may fail
    dropped: set[Piece] = set()
    has_star = any("*" in piece.names.binds for piece in pieces)
    for piece in pieces:
        lacking = _needs(piece) - known
        why = _why_not(piece, frozenset() if has_star else lacking, dropped, choice.missing)
        if why:
            dropped.add(piece)
            choice.missing |= {name: Missing(piece.cell.number, why) for name in sorted(piece.names.binds - known)}
            continue
        if lacking or piece.names.early & shaky:
            choice.doubtful.add(piece)
        is_safe = piece.around is None and (piece.defines or piece.is_import) and piece not in choice.doubtful
        shaky = shaky - piece.names.binds if is_safe else shaky | piece.names.binds
        known |= piece.names.binds
        choice.pieces.append(piece)
        choice.inside.setdefault(piece.top, []).append(piece)
    choice.missing = {name: missing for name, missing in choice.missing.items() if name not in known}
    return choice


def _needs(piece: Piece) -> frozenset[str]:
    """Return what it needs at once; in most statements what it binds itself is there before it is read."""
    reads_first = isinstance(piece.node, (ast.Assign, ast.AugAssign, ast.AnnAssign))
    is_walrus = any(isinstance(node, ast.NamedExpr) for node in ast.walk(piece.node)) if reads_first else True
    return piece.names.early - piece.names.binds if is_walrus else piece.names.early


def _why_not(piece: Piece, lacking: Collection[str], dropped: Collection[Piece], missing: Mapping[str, Missing]) -> str:
    """Say why a piece cannot be kept, or nothing."""
    if piece.around in dropped:
        return says("so is the block that it is in")
    if piece.work:
        return says(f"it is a {piece.work}")
    if not lacking:
        return ""
    because = [f" ({name}: {clip(str(missing[name]))})" for name in sorted(lacking) if name in missing]
    listed = clip(", ".join(sorted(lacking)))
    return says(f"it needs {listed}, which no import or definition before it gives") + "".join(because[:1])


def clip(text: str) -> str:
    """Cut what one reason leads to by others, of which there may be thousands."""
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"
