"""Calibrates a threshold: measures the reference and broken programs over many seeds, and prints a table.

A week's `calibrate.py` names the programs and says what one run measures; the rest is the same for every week.
"""

from __future__ import annotations

import math
import re
import statistics
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from grader.errors import CourseError
from grader.inside import kit
from grader.inside.replacing import replaced

Change = tuple[str, str, str]  # a module, a pattern that matches its source once, and the replacement
Run = Callable[["Program", int], Sequence[float]]  # modules and a seed → a value for each column


class Program(types.SimpleNamespace):
    """What a probe gets for `student`: the modules by name, and the names that a student has besides."""

    device = torch.device("cpu")
    kit = kit

    def instead(self, module: str, **helpers: Callable[[Any], Any]) -> AbstractContextManager[None]:
        """Let helpers be right within a `with` block, as in a submission's modules."""
        modules = {name: one for name, one in vars(self).items() if isinstance(one, types.ModuleType)}
        return replaced(modules[module], modules.values(), helpers)


def print_table(
    folder: Path, modules: Sequence[str], programs: Mapping[str, Change | None], columns: Sequence[str], run: Run
) -> None:
    """Print mean, deviation and range of each column for each program.

    `sys.argv[1]` is the number of seeds (20), and what follows names the programs to measure (all).
    """
    torch.set_num_threads(1)
    seeds, chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 20, sys.argv[2:] or programs
    print("| program | " + " | ".join(f"{name}: mean | deviation | range" for name in columns) + " |")
    print("|---" * (1 + 3 * len(columns)) + "|")
    for name, change in ((name, change) for name, change in programs.items() if name in chosen):
        student = Program(**{module: program(folder, module, change) for module in modules})
        found = zip(*(run(student, seed) for seed in range(seeds)), strict=True)
        print(f"| {name} | " + " | ".join(figures(list(column)) for column in found) + " |", flush=True)


def program(folder: Path, name: str, change: Change | None) -> types.ModuleType:
    """Load a module of the reference, changed if `change` is for it. `CourseError` unless the pattern matches once."""
    source = (folder / f"{name}.py").read_text(encoding="utf-8")
    if change is not None and change[0] == name:
        source, count = re.subn(change[1], change[2], source)
        if count != 1:
            raise CourseError(f"{folder / name}.py: {change[1]} must match once, not {count} times")
    module = types.ModuleType(name)
    # Otherwise, what the reference prints while it trains would get into the table.
    module.__dict__["print"] = lambda *_, **__: None
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)  # noqa: S102 - the reference, or a program made of it
    return module


def figures(found: Sequence[float]) -> str:
    """Return three cells of the table; a program whose values are not all finite diverges."""
    infinite = sum(not math.isfinite(value) for value in found)
    if infinite:
        return f"diverges with {infinite} of {len(found)} seeds | |"
    mean, spread = statistics.mean(found), statistics.stdev(found)
    return f"{mean:.3f} | {spread:.3f} | {min(found):.3f} to {max(found):.3f}"
