"""Begins a course, and weeks that validate at once: one task with its reference, its checks and mutants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from grader.author.release.lessons import write_notebooks
from grader.author.release.project import project_text
from grader.author.release.skeleton import write_skeletons
from grader.author.release.workbook import write_workbooks
from grader.course import Course, is_course
from grader.course.settings import FILE
from grader.course.toml_file import TomlFile
from grader.errors import CourseError, UsageError
from grader.files import make_folder, new_folders, write_atomically
from grader.reports.words import week_title

_GUIDE, _API = "solutions/README.md", "solutions/API.md"
_TEMPLATES = Path(__file__).parents[1] / "templates"
_COURSE = {
    "course.toml": FILE,
    "dot-gitignore": ".gitignore",
    "action.yml": "action.yml",
    "students.md": "assignments/README.md",
    "workflow.yml": "assignments/workflow.yml",
    "README.md": _GUIDE,
    "API.md": _API,
}
_PLAIN = str.maketrans({'"': "'", "\\": None, "\n": " "})  # what a title may be in TOML
_HERE = re.compile(
    r"\[([^\]]+)\]\((?!#|https?:|README\.md|API\.md)[^)]+\)"
)  # a link to a file that other courses have not
_SOLUTIONS = {"exercise.py", "test_hidden.py", "probes_hidden.py", "mutants.toml", "lesson.md"}


def new_course(folder: Path, title: str) -> list[Path]:
    """Write the files of a course that has no week yet, and return their paths; what is there already stays."""
    if is_course(folder):
        raise UsageError(f"{folder} is a course already; begin a week in it: python -m grader new week1")
    texts = {path: (_TEMPLATES / "course" / name).read_text(encoding="utf-8") for name, path in _COURSE.items()}
    texts["pyproject.toml"] = project_text(title)
    for page in (_GUIDE, _API):
        texts[page] = _HERE.sub(r"\1", texts[page])
    if taken := sorted(name for name in texts if (folder / name).exists()):
        raise UsageError(f"{folder} holds {', '.join(taken)} already; begin the course in a new folder")
    named = {name: text.replace("$TITLE", title.translate(_PLAIN)) for name, text in texts.items()}
    return _write_all(named, folder)


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
    # Only files: what is installed is compiled, too.
    templates = sorted(path for path in (_TEMPLATES / "week").iterdir() if path.is_file())
    with new_folders(*folders):
        for folder in folders:
            make_folder(folder, for_others=True)
        written = [_write(template, folders, week, number[1]) for template in templates]
        made = [*written, *write_skeletons(root, week), *write_notebooks(root, week)]
        try:
            listed = _list_week(root, week)
        finally:  # it says how the week is graded, and so comes after that is known
            made += write_workbooks(root, week)
    return [*made, *listed]


def _write(template: Path, folders: tuple[Path, Path], week: str, number: str) -> Path:
    public, solutions = folders
    name = f"test_{week}.py" if template.name == "test_week.py" else template.name
    text = Template(template.read_text(encoding="utf-8"))
    filled = text.safe_substitute(WEEK=week, N=number, TITLE=week_title(week))
    return _write_all({name: filled}, solutions if template.name in _SOLUTIONS else public)[0]


def _write_all(texts: Mapping[str, str], folder: Path) -> list[Path]:
    for name, text in texts.items():
        write_atomically(folder / name, text, for_others=True)
    return [folder / name for name in texts]


def _list_week(root: Path, week: str) -> list[Path]:
    """Add a week to the end of the list `weeks` of course.toml, if there is one; return the file if it has changed."""
    file = root / FILE
    weeks = TomlFile(file).data.get("weeks") if file.is_file() else None
    if weeks is None or week in weeks:
        return []
    listed = ", ".join(f'"{name}"' for name in (*weeks, week))
    text = file.read_text(encoding="utf-8")
    changed = re.sub(r"(?m)^weeks\s*=\s*\[[^\]]*\]", f"weeks = [{listed}]", text, count=1)
    if changed == text:
        raise CourseError(f"{TomlFile(file).where('weeks')}: add {week!r} to `weeks` by hand; all else is written")
    write_atomically(file, changed, for_others=True)
    return [file]
