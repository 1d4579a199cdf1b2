"""Memoizes results that a check computes without the student: they are the same for a whole class."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from grader.inside import codec

P = ParamSpec("P")
R = TypeVar("R")

KEPT = 8  # results of each function: those of several seeds at once

enabled = True  # a judge that takes no shortcuts switches it off


def computed_once(function: Callable[P, R]) -> Callable[P, R]:
    """Keep the latest results of a function, by the content of its arguments, for the next submission.

    Use it for functions of plain data (numbers, strings, tensors and containers of them) that depend on nothing else:
    on no random generator, be it an argument or global. Each caller gets the same object, so nobody may change it.
    """
    results: dict[bytes, R] = {}

    @functools.wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        if not enabled:
            return function(*args, **kwargs)
        key = hashlib.sha256(codec.encode([args, kwargs], "the arguments")).digest()
        if key not in results:
            result = function(*args, **kwargs)
            while len(results) >= KEPT:
                del results[next(iter(results))]
            results[key] = result
        return results[key]

    return answer
