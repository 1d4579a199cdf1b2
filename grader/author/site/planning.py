"""Says which pages a course's site has, from which files each is made, and in which order they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from grader.course import Assignment, Course
from grader.course.protected import MANIFEST


@dataclass(frozen=True)
class Plan:
    """A page that is to be made: its name without `.html`, its title, its source, and the part that it belongs to."""

    name: str
    title: str
    part: str
    source: Path
    is_run: bool  # a notebook, which is run; else Markdown

    @property
    def file(self) -> str:
        """The page's file on the site."""
        return f"{self.name}.html"


def plans(course: Course, names: list[str]) -> list[Plan]:
    """Plan the pages of these weeks and chapters: the lesson, then its notebook of pictures."""
    found: list[Plan] = []
    for name in names:
        part = course.part(name)
        readme, notebook = part.folder / "README.md", part.folder / f"{name}.ipynb"
        title = _title(readme) or part.title
        if name in course.chapters():
            found.append(Plan(name, title, title, readme, is_run=False))
            continue
        if readme.is_file():
            found.append(Plan(name, title, title, readme, is_run=False))
        if notebook.is_file():
            found.append(Plan(f"{name}-pictures", f"{_short(title)}, in pictures", title, notebook, is_run=True))
    return found


def _title(readme: Path) -> str:
    if not readme.is_file():
        return ""
    found = re.search(r"^# (.+)$", readme.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else ""


def _short(title: str) -> str:
    return title.partition(":")[0]


def introduction(part: Assignment) -> str:
    """Return the first paragraph of a lesson, which the first page shows beside its title."""
    readme = part.folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    paragraphs = [block.strip() for block in re.split(r"\n\s*\n", text)]
    return next((block for block in paragraphs if block and not block.startswith(("#", "[!", "<", "|", "-"))), "")


def first_page(course: Course) -> Path | None:
    """Return what a course says to begin with. The tree that students get has it at its root."""
    page = course.root / "assignments" / "README.md"
    if not page.is_file() and (course.root / MANIFEST).is_file():
        page = course.root / "README.md"
    return page if page.is_file() else None


def how_to_begin(page: Path) -> str:
    """Return a first page without its title and its table of weeks, in whose place the site has its parts."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"\A\s*(?:# .*\n?\s*)?(?:(?:\|.*\n)+\s*)?", "", text).strip()
