"""Courses for tests: folders in tests/courses, copied to where a test may change them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.makers import lay_out

COURSES = Path(__file__).parents[1] / "courses"


def copied(name: str, folder: Path, parts: Mapping[str, str] | None = None) -> Path:
    """Copy the course of that name to `folder`, with these files beside its own or in their place, and return that."""
    shutil.copytree(COURSES / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return lay_out(folder, parts or {})


def with_settings(course: Path, table: str, week: str = "week1") -> Path:
    """Add a table, as `[limits]`, to what a week's assignment says, and return the course."""
    with (course / "assignments" / week / "assignment.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{table}\n")
    return course
