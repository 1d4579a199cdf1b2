"""Rewrites programs so that they do the same in another way: as other people would have written them.

A correct program that is rewritten is as correct as before, and a wrong one as wrong; so a check that thinks otherwise
is at fault. `forms_of` draws and composes rewrites.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.author.proof.rewriting import calls, layout, names, statements
from grader.author.proof.rewriting.trees import Rewrite, Trees

REWRITES: dict[str, Rewrite] = {
    function.__name__.replace("_", "-"): function
    for function in (
        calls.equal_expressions,
        calls.lazy_layers,
        calls.no_graph,
        names.renamed_locals,
        names.renamed_helpers,
        names.named_constants,
        names.without_hints,
        names.late_imports,
        names.other_aliases,
        names.self_tests,
        statements.talking,
        statements.loops_for_comprehensions,
        statements.named_results,
        statements.other_tuples,
        statements.guarded,
        statements.moved_models,
        statements.watched_loops,
        layout.decorated,
        layout.wrapped,
        layout.more_parameters,
        layout.lambdas,
        layout.base_classes,
        layout.resting_units,
        layout.other_order,
        layout.more_modules,
    )
}
MOST_STEPS = 12


@dataclass(frozen=True)
class Step:
    """One rewrite; `draw` decides where it is applied."""

    rewrite: str
    draw: int

    def __str__(self) -> str:
        return f"{self.rewrite}:{self.draw}"


Steps = tuple[Step, ...]


def rewritten(files: Mapping[str, bytes], steps: Sequence[Step], asked: frozenset[str]) -> dict[str, bytes]:
    """Return the program after these steps. `asked` are the names that it has to define."""
    trees = Trees({path: ast.parse(source, path) for path, source in files.items()})
    for step in steps:
        REWRITES[step.rewrite](trees, random.Random(step.draw), asked)  # noqa: S311 - nothing secret is drawn
    return {path: _source(tree) for path, tree in trees.items()}


def _source(tree: ast.Module) -> bytes:
    return (ast.unparse(ast.fix_missing_locations(tree)) + "\n").encode("utf-8")


def asked_names(skeletons: Mapping[str, bytes]) -> frozenset[str]:
    """Return the functions and classes that a week's skeletons define."""
    trees = [ast.parse(source) for source in skeletons.values()]
    kinds = (ast.FunctionDef, ast.ClassDef)
    return frozenset(node.name for tree in trees for node in tree.body if isinstance(node, kinds))


def forms_of(count: int, start: int) -> list[Steps]:
    """Draw `count` compositions of rewrites, the same for the same start, whatever else is imported."""
    rng = random.Random(start)  # noqa: S311 - nothing secret is drawn
    return [_drawn(rng) for _ in range(count)]


def _drawn(rng: random.Random) -> Steps:
    return tuple(Step(rng.choice(list(REWRITES)), rng.randrange(1000)) for _ in range(rng.randint(1, MOST_STEPS)))


def shorter(steps: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return what is left without one of them, for each."""
    return [steps[:place] + steps[place + 1 :] for place in range(len(steps))]
