"""Links students' names: to the report, the teacher's page, or the row in the class table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from grader.course import week_order
from grader.escape import plain
from grader.people.naming import safe_name
from grader.people.person import Person
from grader.reports.figures import Row, class_weeks

MOST = 40  # names that stand in the page; of longer lists it has the rows' numbers, which its script turns into names
TEACHERS = "teacher"  # the folder beside the class page in which `export --to teacher` may have written


class Links:
    """Where the pages of a class lie, relative to the class page. `rows` are in the order of the table.

    `folder` is where the class page lies; what else is there decides which further pages can be linked.
    """

    most = MOST

    def __init__(self, rows: Sequence[Row], people: Iterable[Person] = (), folder: Path | None = None) -> None:
        self._folders = {person.name: person.folder for person in people if person.folder}
        self._places = {row.student: number for number, row in enumerate(rows, 1)}
        self._weeks = class_weeks(rows)
        self._reports = {(row.student, week) for row in rows for week in row.reports}
        self._latest = {row.student: list(row.reports)[-1] for row in rows if row.reports}
        self._folder = folder
        self._teachers = set(_teachers_pages(folder)) if folder else set()

    def name(self, student: str, week: str = "", task: str = "", code: bool = False) -> Markup:
        """Return a student's name as a link to the week's report, or the latest; with `code`, to what shows most."""
        href = self.report(student, week, task) if week else self.latest(student)
        if code:
            href = self.teacher(student, week) or href
        return Markup('<a class="name" href="{}">{}</a>').format(href, _shown(student))

    def names(self, students: Sequence[str], week: str = "", task: str = "", code: bool = False) -> Markup:
        """Return names as links; those of a long list are filled in by the page's script when the list is opened."""
        if len(students) <= MOST:
            return Markup(", ").join(self.name(student, week, task, code) for student in students)
        rows = " ".join(str(self._places[student]) for student in students)
        place = self._weeks.index(week) if week else ""
        return Markup(
            '<span class="rows" data-rows="{}" data-week="{}" data-task="{}" data-page="{}">{}</span>'
        ).format(rows, place, task, "code" if code else "", f"{len(students)} names, which need JavaScript")

    def row(self, student: str) -> str:
        """Return the name of a student's row in the table."""
        return f"student-{self._places[student]}"

    def report(self, student: str, week: str, task: str = "") -> str:
        """Return the link to a student's report, at a task; without a report, to the row in the table."""
        if (student, week) in self._reports:
            return self._path(student, week) + (f"#task-{_quoted(task)}" if task else "")
        return f"#{self.row(student)}" if student in self._places else ""

    def latest(self, student: str) -> str:
        """Return the link to a student's report of the latest week; without any, to the row in the table."""
        return self.report(student, self._latest.get(student, ""))

    def teacher(self, student: str, week: str) -> str:
        """Return the link to the teacher's page of a student's week; empty where there is none."""
        folder = self._folder_of(student)
        return _quoted(f"{TEACHERS}/{folder}/{week}.html") if (folder, week) in self._teachers else ""

    def teachers(self) -> str:
        """Return the link to the list of teachers' pages; empty where there is none."""
        return f"{TEACHERS}/index.html" if self._teachers else ""

    def gone(self, person: Person) -> str:
        """Return the link to the last report of somebody whose entry is gone; empty where it is gone as well."""
        weeks = sorted((week for week in person.gone if week), key=week_order, reverse=True)
        paths = [f"students/{self._folder_of(person.name)}/{week}/report.html" for week in weeks]
        return next((_quoted(path) for path in paths if self._folder and (self._folder / path).is_file()), "")

    def _folder_of(self, student: str) -> str:
        return self._folders.get(student) or safe_name(student)

    def _path(self, student: str, week: str) -> str:
        return _quoted(f"students/{self._folder_of(student)}/{week}/report.html")


def _teachers_pages(folder: Path) -> Iterable[tuple[str, str]]:
    for page in (folder / TEACHERS).glob("*/*.html"):
        yield page.parent.name, page.stem


@cache
def _shown(student: str) -> Markup:
    return escape(plain(student))


@cache
def _quoted(path: str) -> str:
    # A character that UTF-8 cannot hold must not stop the page; safe folder names have none.
    return quote(path, errors="backslashreplace")
