"""Examines what the author of a mistake would read: the message of the first check that catches a mutant.

It names the task's function, holds no word of the kit's, and its first line tells the mistake, as the mutant's `says`
has it. A report that blames the wrong thing is a wrong grade to the student who reads it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from grader.author.proof.mutants import Mutant
from grader.course import Assignment
from grader.results import TODO_TEXT, CheckResult, Outcome, Report

Functions = Mapping[str, frozenset[str]]  # by task, the names of its functions and classes

_KITS = re.compile(r"\b(probes?|evidence|stand[- _]?ins?|mutants?)\b", re.IGNORECASE)
_TELLING = (Outcome.FAILED, Outcome.ERROR, Outcome.INVALID, Outcome.TIMEOUT)


def functions_of(assignment: Assignment) -> Functions:
    """Return the functions and classes of each task: those of the skeletons in which its TODO stands."""
    found: dict[str, set[str]] = {}
    for source in assignment.skeletons.values():
        for node in ast.parse(source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                for task in TODO_TEXT.findall(ast.get_source_segment(source.decode("utf-8"), node) or ""):
                    found.setdefault(task, set()).add(node.name)
    return {task: frozenset(names) for task, names in found.items()}


def told(report: Report, mutant: Mutant) -> CheckResult | None:
    """Return the check whose message the author of the mistake reads first: a public one, if any catches it."""
    caught = [check for check in report.checks if check.task in mutant.tasks and check.outcome in _TELLING]
    return min(caught, key=lambda check: check.hidden, default=None)


def faults_of(mutant: Mutant, report: Report, functions: Functions) -> Iterator[str]:
    """Say what is wrong with the message of a graded mutant."""
    check = told(report, mutant)
    if check is None or not mutant.says:
        return
    first = next(iter(check.message.splitlines()), "")
    if mutant.says.casefold() not in first.casefold():
        yield f"its message does not say {mutant.says!r}: {first}"
    names = functions.get(check.task, frozenset())
    if names and not any(re.search(rf"\b{re.escape(name)}\b", check.message) for name in names):
        yield f"its message names none of {', '.join(sorted(names))}: {first}"
    if word := _KITS.search(check.message):
        yield f"its message holds the kit's word {word[0]!r}: {first}"
