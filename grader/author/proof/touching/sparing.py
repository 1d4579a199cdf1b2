"""Spares a mutant the checks that it cannot touch: the reference's results stand for them.

A check which never enters a function that the mutant has changed does on the mutant what it does on the reference, as
both get the same draws.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType

from grader.author.proof.drawing import beside
from grader.author.proof.mutants import reference_files
from grader.author.proof.touching.changes import changed_functions
from grader.author.proof.trials import MUTANT, REFERENCE, Subject, Trial
from grader.course import Assignment
from grader.results import CheckResult, Outcome

SEED = 0  # of the runs that are traced, and so of the mutants that are spared


class Sparing:
    """Knows which of the reference's results stand for a mutant's; use it in a `with` block.

    The reference is traced beside its grading. Where that fails, nothing is spared.
    """

    def __init__(self, assignment: Assignment) -> None:
        command, environment = beside("grader.author.proof.touching.session", assignment)
        self._tracing = subprocess.Popen(
            [*command, str(SEED)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self._reference = reference_files(assignment)
        self._passed: tuple[CheckResult, ...] = ()

    def __enter__(self) -> Sparing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracing.kill()
        self._tracing.wait()
        if self._tracing.stdout:
            self._tracing.stdout.close()

    def learn(self, trial: Trial) -> None:
        """Take the results of a reference."""
        if trial.subject.kind == REFERENCE and trial.subject.seed == SEED and trial.report is not None:
            self._passed = tuple(check for check in trial.report.checks if check.outcome is Outcome.PASSED)

    def checks_of(self, subject: Subject) -> tuple[CheckResult, ...]:
        """Return the results that stand for a mutant's; none before the reference is graded."""
        if subject.kind != MUTANT or subject.seed != SEED or not self._passed:
            return ()
        changed = self._changed(subject)
        if changed is None:
            return ()
        return tuple(one for one in self._passed if one.id in self._entered and not changed & self._entered[one.id])

    def _changed(self, subject: Subject) -> set[str] | None:
        """Return the functions that a mutant has changed; None where more than functions is changed."""
        if subject.files.keys() != self._reference.keys():
            return None
        found: set[str] = set()
        for name, source in subject.files.items():
            if source != self._reference[name]:
                functions = changed_functions(self._reference[name], source)
                if functions is None:
                    return None
                found |= {f"{name}:{function}" for function in functions}
        return found

    @cached_property
    def _entered(self) -> Mapping[str, set[str]]:
        """The functions that each check enters; the first who asks waits for the end of the tracing."""
        last = self._tracing.communicate()[0].strip().rpartition("\n")[2]
        if self._tracing.returncode or not last.startswith("{"):
            return {}
        return {check: set(functions) for check, functions in json.loads(last).items()}
