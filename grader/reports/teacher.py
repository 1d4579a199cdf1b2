"""Writes the page for teachers: each lost check with all that is known of it, beside the student's code at the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from grader.language import counting
from grader.reports import words
from grader.reports.pages import render_page
from grader.results import CheckResult, Outcome, Report

AROUND = 6  # lines before and after the one that a check names
LONGEST_BODY = 45  # lines of a function that is shown whole
MOST = 3  # excerpts for a check
LONGEST = 200  # characters of a line
_PLACE = re.compile(r"(?<![\w./-])([\w./-]{1,240}\.py)(?::|, line )(\d{1,7})\b")
_DEFINES = re.compile(r"\s*(?:async\s+)?(?:def|class)\s")
_END = re.compile(r"\r\n|\r|\n")  # of a line, as Python counts them


@dataclass(frozen=True)
class Excerpt:
    """Some lines of a student's file around the one to look at, each with its number."""

    file: str
    line: int
    lines: tuple[tuple[int, str], ...]


def teacher_html(report: Report, sources: Mapping[str, str]) -> str:
    """Return the page; `sources` are the student's modules by their paths."""
    split = {path: _END.split(text) for path, text in sources.items()}
    lost = [(check, excerpts(check, split)) for check in report.checks if check.outcome is not Outcome.PASSED]
    with counting(report.language):
        return render_page(
            "teacher.html.j2",
            report=report,
            week=words.week_title(report.week),
            facts=words.facts(report.delivery),
            lost=lost,
            has_sources=bool(sources),
        )


def excerpts(check: CheckResult, sources: Mapping[str, list[str]]) -> list[Excerpt]:
    """Return the student's lines that a check names: the one to look at first, then those of its message."""
    found: dict[tuple[str, int], Excerpt] = {}
    for file, number in _PLACE.findall(f"{check.place}\n{check.message}"):
        path = _known(file, sources)
        line = int(number)
        if path and 0 < line <= len(sources[path]) and not _is_shown(found, path, line):
            found[path, line] = _excerpt(path, line, sources[path])
    return list(found.values())[:MOST]


def _is_shown(found: Mapping[tuple[str, int], Excerpt], path: str, line: int) -> bool:
    return any(path == other and abs(line - at) <= 1 for other, at in found)


def _known(file: str, sources: Mapping[str, list[str]]) -> str:
    """Return the path of a file that a message names, which may be longer or shorter there."""
    fits = [path for path in sources if path == file or file.endswith(f"/{path}") or path.endswith(f"/{file}")]
    return file if file in fits else fits[0] if len(fits) == 1 else ""


def _excerpt(path: str, line: int, text: list[str]) -> Excerpt:
    body = _body(text[line - 1 : line + LONGEST_BODY]) if _DEFINES.match(text[line - 1]) else 0
    first = max(1, line - (1 if body else AROUND))
    shown = text[first - 1 : line + (body or AROUND)]
    return Excerpt(path, line, tuple((number, _cut(one)) for number, one in enumerate(shown, first)))


def _body(text: list[str]) -> int:
    """Count the lines that belong to the function or class that begins in the first one."""
    own = _depth(text[0])
    inside = takewhile(lambda one: not one.strip() or _depth(one) > own or one.lstrip().startswith(")"), text[1:])
    lines = list(inside)
    while lines and not lines[-1].strip():
        lines.pop()
    return len(lines)


def _depth(line: str) -> int:
    return len(line.expandtabs(8)) - len(line.expandtabs(8).lstrip())


def _cut(text: str) -> str:
    text = text.expandtabs(4)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
