"""Decides how much a run tries: a sample in which every promise stands, or with GRADER_ALL=1 everything, as on Mondays.

A promise that one program keeps in two places (with a sandbox and without) stands in the sample once.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

ALL = os.environ.get("GRADER_ALL") == "1"
T = TypeVar("T")


def of(sample: T, everything: T) -> T:
    """Return how much, or what, this run tries."""
    return everything if ALL else sample


def in_full(why: str) -> pytest.MarkDecorator:
    """Mark a test that only a full run takes; `why` says what stands for it in the sample."""
    return pytest.mark.skipif(not ALL, reason=f"{why}; with GRADER_ALL=1 this runs as well")
