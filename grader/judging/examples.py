"""Remembers what Hypothesis drew for a check, so that it draws once for a class and not for each submission.

Where a check passes, its examples are noted. The next submission gets them by plain calls, without Hypothesis's
machinery. If it does not pass, Hypothesis judges it again, and looks for the smallest example that shows why; so plain
calls can only find that all is well.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import is_hypothesis_test
from hypothesis.errors import HypothesisException

from grader.inside.generators import generators_kept
from grader.judging.remote_student import SubmissionStudents

Example = dict[str, Any]

KEPT = 2000  # checks; each counts once for each seed
_PLAIN = (bool, int, float, str, bytes, type(None))  # no check can have changed a value of these since it was drawn


class KnownExamples:
    """Calls checks with known examples, as a plugin of a judge's pytest; `learn` adds those of the latest check."""

    def __init__(self, students: SubmissionStudents, items: Sequence[pytest.Item]) -> None:
        self._students = students
        self._known: dict[tuple[str, int], list[Example]] = {}
        self._unfit: set[str] = set()  # checks that talk to Hypothesis while they run
        self._noted: list[Example] | None = None
        for function in {getattr(item, "function", None) for item in items}:
            if function is not None and is_hypothesis_test(function):
                function.hypothesis.inner_test = self._noting(function.hypothesis.inner_test)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Call the check with its known examples, in place of pytest and Hypothesis; None leaves it to them."""
        self._noted = None
        if not is_hypothesis_test(pyfuncitem.function) or pyfuncitem.nodeid in self._unfit:
            return None
        known = None if self._students.by_itself else self._known.get(self._key(pyfuncitem))
        if known is None:
            self._noted = []
            return None
        self._students.confirm_losses()
        inner, given = pyfuncitem.function.hypothesis.inner_test, pyfuncitem.funcargs
        try:
            with generators_kept():
                for example in known:
                    random.seed(0)  # as Hypothesis does before each example
                    np.random.seed(0)
                    inner(**{name: given.get(name, value) for name, value in example.items()})
        except HypothesisException:
            self._unfit.add(pyfuncitem.nodeid)
            raise
        return True

    def learn(self, item: pytest.Item) -> None:
        """Keep the examples of a check that has passed for later submissions, if Hypothesis drew them."""
        noted, self._noted = self._noted, None
        if noted and isinstance(item, pytest.Function):
            fixtures = set(item.fixturenames)
            examples = [{name: None if name in fixtures else value for name, value in one.items()} for one in noted]
            if all(_is_plain(value) for example in examples for value in example.values()):
                self._known[self._key(item)] = examples
                if len(self._known) > KEPT:
                    del self._known[next(iter(self._known))]

    def _key(self, item: pytest.Item) -> tuple[str, int]:
        return item.nodeid, self._students.check_seed(item)

    def _noting(self, inner: Callable[..., None]) -> Callable[..., None]:
        """Wrap the check's own function, so that its arguments are noted as long as each call comes to its end."""

        @functools.wraps(inner)
        def call(*args: Any, **kwargs: Any) -> None:
            noted, self._noted = self._noted, None
            inner(*args, **kwargs)
            if noted is not None and not args:
                noted.append(kwargs)
                self._noted = noted

        return call


def _is_plain(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return type(value) in _PLAIN
