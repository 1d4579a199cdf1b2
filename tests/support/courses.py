"""Courses for tests: folders in tests/courses, copied to where a test may change them."""

from __future__ import annotations

import shutil
from pathlib import Path

COURSES = Path(__file__).parents[1] / "courses"


def copied(name: str, folder: Path) -> Path:
    """Copy the course of that name to `folder`, and return that."""
    return Path(
        shutil.copytree(COURSES / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    )
