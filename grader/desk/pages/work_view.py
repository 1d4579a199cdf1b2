"""Shows a student's week: the code beside the checks, comments, decisions, and what there is to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grader.desk.acting.decisions import reached, revisions, scale_of
from grader.desk.acting.sharing import queue
from grader.desk.desk import Desk, desk_of
from grader.desk.model.code import lines_of as python_lines
from grader.desk.model.filters import Filter
from grader.desk.model.snapshot import Duty, Key
from grader.desk.pages.rendering import page
from grader.gradebook.together.comments import About, Comment
from grader.people.person import Person
from grader.reports import words
from grader.reports.teacher import Excerpt, excerpts
from grader.results import WHOLE_WEEK, CheckResult, Outcome, Override, Report, TaskScore
from grader.results.points import total

MOST_LINES = 3_000  # of a file that a page shows; of all files of a work it shows three times as many
LONGEST = 400  # characters of a line


@dataclass(frozen=True)
class File:
    """A student's module: its lines, those that lost checks name, and the comments by line."""

    path: str
    lines: Sequence[str]
    marked: Mapping[int, Sequence[CheckResult]]
    comments: Mapping[int, Sequence[Comment]]
    cut: bool = False

    def runs(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield the lines in runs, each with the number of its first; each ends where something is said."""
        first = 1
        for last in sorted({*self.marked, *self.comments}):
            if first <= last <= len(self.lines):
                yield first, self.lines[first - 1 : last]
                first = last + 1
        if first <= len(self.lines):
            yield first, self.lines[first - 1 :]


@dataclass(frozen=True)
class Task:
    """A task: its score by the checks, what was decided of it, and its checks with the lines that they name."""

    score: TaskScore
    decision: Override | None
    points: float
    revision: str
    checks: Sequence[tuple[CheckResult, Sequence[Excerpt], Sequence[Comment]]]
    comments: Sequence[Comment]


async def show_work(request: Request) -> Response:
    """Show one student's week."""
    desk = desk_of(request)
    person, week = found(desk, request)
    key = (person.key, week)
    report = desk.snapshot.full(key)
    row = next((one for one in desk.snapshot.rows if one.person.key == person.key), None)
    wanted = Filter.of(request.query_params)
    before, after, place, count = around(desk, wanted, key)
    team = reached(desk, person, week)
    decided = {one.task: one for one in desk.book.decisions(person.name, week).get((person.name, week), ())
               if not one.slot[1]}  # fmt: skip
    comments = desk.book.comments(person.name, week).get((person.name, week), [])
    sources = desk.snapshot.sources(report.submission) if report and report.submission else {}
    known = revisions(desk, team, week)
    return page(
        request,
        "work.html.j2",
        person=person,
        week=week,
        report=report,
        state=row.state(week) if row else "",
        problems=[one for one in desk.snapshot.problems if one.student == person.name and one.week in (week, None)],
        facts=words.facts(report.delivery) if report else [],
        tasks=list(_tasks(report, sources, decided, comments, known)) if report else [],
        graded_parts=[(part, known.get(part.name, known[""])) for part in (report.manual if report else ())],
        files=list(files_of(report, sources, comments)) if report else [],
        comments=comments,
        week_comments=[one for one in comments if one.about is About.WEEK],
        decided=decided,
        whole=[(name, decided.get(name), known.get(name, known[""])) for name in WHOLE_WEEK],
        scale=scale_of(desk, person, week) if week in desk.book.known_weeks() and week not in person.gone else None,
        phrases=desk.book.phrases(week),
        duty=desk.snapshot.duties.get(key, Duty()),
        attempt=desk.snapshot.attempts.get(key, 0),
        attempts=_attempts(desk, key),
        mates=team[1:],
        tas=desk.tas,
        wanted=wanted,
        before=before,
        after=after,
        place=place,
        count=count,
        requests=[one for one in desk.snapshot.requests if (one.person, one.week) == key],
        can_regrade=desk.regrading.refusal(key) if desk.regrading else "this desk was opened without a course",
        regrading=desk.regrading.state(key) if desk.regrading else "",
    )


def found(desk: Desk, request: Request) -> tuple[Person, str]:
    """Return the person and the week that an address names."""
    person = desk.snapshot.person(int(request.path_params["person"]))
    week = str(request.path_params["week"])
    if person is None or week not in {*desk.snapshot.weeks, *desk.book.known_weeks()}:
        raise HTTPException(404, "there is no such student or week; they may have been merged with somebody")
    return person, week


def around(desk: Desk, wanted: Filter, key: Key) -> tuple[Key | None, Key | None, int, int]:
    """Return who comes before and after in the order of the class page, the place, and how many there are."""
    keys = [one for one in queue(desk, wanted) if one[1] == key[1]]
    if key not in keys:
        return None, keys[0] if keys else None, 0, len(keys)
    place = keys.index(key)
    before, after = keys[place - 1] if place else None, keys[place + 1] if place + 1 < len(keys) else None
    return before, after, place + 1, len(keys)


def _attempts(desk: Desk, key: Key) -> int:
    return int(desk.book.rows("SELECT count(*) FROM attempts WHERE person = ? AND week = ?", *key)[0][0])


def _tasks(
    report: Report, sources: Mapping[str, str], decided: Mapping[str, Override], comments: Sequence[Comment],
    revisions: Mapping[str, str],
) -> Iterator[Task]:  # fmt: skip
    split = {path: python_lines(text) for path, text in sources.items()}
    changed = {line.task: line.points for line in report.adjustments if line.task}
    for score in report.tasks():
        checks = [
            (
                check,
                excerpts(check, split) if check.outcome is not Outcome.PASSED else [],
                [one for one in comments if one.about is About.CHECK and one.target == check.id],
            )
            for check in score.checks
        ]
        yield Task(
            score,
            decided.get(score.task),
            total((score.points, changed.get(score.task, 0))),
            revisions.get(score.task, revisions[""]),
            checks,
            [one for one in comments if one.about is About.TASK and one.target == score.task],
        )


def files_of(report: Report, sources: Mapping[str, str], comments: Sequence[Comment]) -> Iterator[File]:
    """Return the modules of a work, those with lines that lost checks name first."""
    split = {path: python_lines(text) for path, text in sources.items()}
    marked: dict[str, dict[int, list[CheckResult]]] = {}
    for check in report.checks:
        if check.outcome is not Outcome.PASSED:
            for one in excerpts(check, split)[:1]:
                marked.setdefault(one.file, {}).setdefault(one.line, []).append(check)
    left = 3 * MOST_LINES
    for path, lines in sorted(split.items(), key=lambda pair: (pair[0] not in marked, pair[0])):
        own: dict[int, list[Comment]] = {}
        for comment in comments:
            if comment.about is About.LINE and comment.target == path and comment.submission == report.submission:
                own.setdefault(comment.line, []).append(comment)
        shown = [_cut(line) for line in lines[: max(0, min(left, MOST_LINES))]]
        left -= len(shown)
        yield File(path, shown, marked.get(path, {}), own, len(shown) < len(lines))


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
