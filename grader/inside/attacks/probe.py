"""Runs one attack of the submission, as a check's probe runs a student's function."""

from __future__ import annotations

from typing import Any


def act(student: Any, module: str, name: str, args: list[Any]) -> Any:
    """Call the attack; what it returns is the evidence."""
    return getattr(getattr(student, module), name)(*args)
