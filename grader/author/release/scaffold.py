"""Begins a week that validates at once: one task with its reference, a public and a hidden check, and mutants."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from grader.author.release.lessons import write_notebooks
from grader.author.release.skeleton import write_skeletons
from grader.course import Course
from grader.errors import UsageError
from grader.files import make_folder, new_folders, write_atomically
from grader.reports.words import week_title

_TEMPLATES = Path(__file__).parents[1] / "templates" / "week"
_SOLUTIONS = {"exercise.py", "test_hidden.py", "probes_hidden.py", "mutants.toml", "lesson.md"}


def new_week(course: Course, week: str) -> list[Path]:
    """Write the files of a new week, its skeleton and its notebook included, and return their paths."""
    number = re.fullmatch(r"week(\d+)", week)
    if number is None:
        raise UsageError(f"{week!r}: a week is called `week` and a number, as in week7")
    root = course.root
    folders = (root / "assignments" / week, root / "solutions" / week)
    for folder in folders:
        if folder.exists():
            raise UsageError(f"{folder} exists already; choose another week, or remove it")
    templates = sorted(path for path in _TEMPLATES.iterdir() if path.is_file())  # what is installed is compiled, too
    with new_folders(*folders):
        for folder in folders:
            make_folder(folder, for_others=True)
        written = [_write(template, folders, week, number[1]) for template in templates]
        return [*written, *write_skeletons(root, week), *write_notebooks(root, week)]


def _write(template: Path, folders: tuple[Path, Path], week: str, number: str) -> Path:
    public, solutions = folders
    name = f"test_{week}.py" if template.name == "test_week.py" else template.name
    path = (solutions if template.name in _SOLUTIONS else public) / name
    text = Template(template.read_text(encoding="utf-8"))
    filled = text.safe_substitute(WEEK=week, N=number, TITLE=week_title(week))
    write_atomically(path, filled, for_others=True)
    return path
