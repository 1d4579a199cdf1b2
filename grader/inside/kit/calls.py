"""Calls a student's function in its own order, and tells what a call raises, draws, leaves behind, and takes."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import torch

Function = Callable[..., Any]
LOOP = ("model", "loader", "optimizer", "criterion", "device")  # what a loop of the kit's is called with


def in_order(function: Function, order: str, *more: Any, **options: Any) -> Function:
    """Return a loop that hands its parts to a student's function in that order, `more` after them, and the options.

    `order` names them with blanks between: `"model device loader"`; what it leaves out is not handed on.
    """
    names = order.split()
    return lambda *given: function(*(dict(zip(LOOP, given, strict=True))[name] for name in names), *more, **options)


def right(function: Function) -> Callable[[Function], Function]:
    """Return what `student.instead` takes: `function` answers, or the student's own where its arguments are others."""

    def instead(own: Function) -> Function:
        def answer(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except TypeError:
                return own(*args, **kwargs)

        return answer

    return instead


def raised(call: Callable[[], Any]) -> dict[str, str]:
    """Return what a call raises, by its built-in type, and the text; `returned` names the type of what it gives."""
    try:
        result = call()
    except NotImplementedError:
        raise
    except Exception as error:
        kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")
        return {"raised": kind, "message": str(error)}
    return {"returned": type(result).__name__}


def parameters(function: Callable[..., Any]) -> list[str] | None:
    """Return the names of a function's parameters, in order; None where it takes any name."""
    found = inspect.signature(function).parameters.values()
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in found)
    return None if anything else [parameter.name for parameter in found]


@torch.no_grad()
def recording_after(call: Callable[[], Any]) -> bool:
    """Return whether gradients are recorded after a call before which they were not."""
    with suppress(RuntimeError):  # nothing can be trained without them
        call()
    return bool(torch.is_grad_enabled())


def draws_after(seed: int, call: Callable[[], Any]) -> dict[str, Any]:
    """Seed the global generators, and return what the call gives (`result`), and what each generator gives after it."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    result = call()
    draws = {"random": random.random(), "numpy": float(np.random.rand()), "torch": float(torch.rand(1))}
    return {"result": result, **draws}
