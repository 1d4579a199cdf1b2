"""Makes the pages for teachers, one for each student's week, and a list of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.exports.target import Files
from grader.gradebook import open_book
from grader.reports.pages import render_page
from grader.reports.teacher import teacher_html


def pages(folder: Path, week: str | None) -> Files:
    """Return the pages by their paths; `UsageError` where there are no results."""
    made: dict[str, bytes] = {}
    entries = []
    with open_book(folder) as book:
        folders: Mapping[str, str] = {person.name: person.folder for person in book.people()}
        for report in book.current():
            if week not in (None, report.week):
                continue
            path = f"{folders[report.student]}/{report.week}.html"
            page = teacher_html(report, book.sources(report.submission))
            made[path] = page.encode("utf-8", "replace")
            entries.append((report, path))
    if not made:
        raise UsageError(f"{folder}: there are no results{f' of {week}' if week else ''}")
    made["index.html"] = render_page("teachers.html.j2", entries=entries).encode("utf-8", "replace")
    return made
