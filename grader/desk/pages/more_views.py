"""Shows what is asked for less often: requests, figures by check, attempts, the log, what a student gets."""

from __future__ import annotations

from collections import Counter

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from grader.desk.acting.sharing import queue
from grader.desk.desk import desk_of
from grader.desk.model.asked import asked_of
from grader.desk.model.days import days_of
from grader.desk.model.diffs import MOST_SHOWN, changed_files, changed_verdicts
from grader.desk.model.figures import figures_of, look_at_first
from grader.desk.model.filters import Filter
from grader.desk.model.hints import fixes_of
from grader.desk.model.lists import Paged, sheet
from grader.desk.model.snapshot import Duty
from grader.desk.pages.class_view import sections
from grader.desk.pages.rendering import page
from grader.desk.pages.work_view import found
from grader.people.naming import folded
from grader.reports.pages import report_html, report_markdown

MOST_ATTEMPTS = 20
MOST_PHRASES, MOST_LOGGED = 50, 100  # of a page
_PREVIEW_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


async def show_requests(request: Request) -> Response:
    """Show what students ask to have looked at again."""
    desk = desk_of(request)
    names = {key: person.name for key, person in desk.snapshot.people.items()}
    asked = asked_of(desk.snapshot, request.query_params)
    return page(request, "requests.html.j2", asked=asked, has_any=bool(desk.snapshot.requests), names=names)


async def show_phrases(request: Request) -> Response:
    """Show the comments that are kept for reuse."""
    phrases, query = desk_of(request).book.all_phrases(), request.query_params
    words = folded(query.get("q", "")[:200]).split()
    found = [one for one in phrases if all(word in folded(one.text) for word in words)] if words else phrases
    shown = sheet(found, MOST_PHRASES, {name: query.get(name, "")[:200] for name in ("q", "page")})
    return page(request, "phrases.html.j2", phrases=shown, has_any=bool(phrases))


async def show_figures(request: Request) -> Response:
    """Show how the checks of a week do, by day where attempts have times."""
    desk, week = desk_of(request), str(request.path_params["week"])
    if week not in desk.snapshot.weeks:
        raise HTTPException(404, f"there is no {week}")
    figures = figures_of(desk.snapshot)
    items = figures.items.get(week, [])
    return page(
        request,
        "figures.html.j2",
        week=week,
        items=items,
        first=[(check, item, why) for check, item in items if (why := look_at_first(item))],
        shown=next((one for one in figures.weeks if one.week == week), None),
        by_day=days_of(desk.snapshot, week),
        fixes=fixes_of(desk.snapshot, week),
    )


async def show_attempts(request: Request) -> Response:
    """Show the attempts at a student's week, and what changed from one to the next."""
    desk = desk_of(request)
    person, week = found(desk, request)
    attempts = desk.snapshot.earlier((person.key, week))[:MOST_ATTEMPTS]
    steps, left = [], MOST_SHOWN
    for (number, at, after), earlier in zip(attempts, [*attempts[1:], None], strict=False):
        before = earlier[2] if earlier else None
        files = (
            changed_files(desk.snapshot.sources(before.submission), desk.snapshot.sources(after.submission), left)
            if before and before.submission != after.submission
            else []
        )
        left -= sum(len(file.lines) for file in files)
        steps.append((number, at, after, before, changed_verdicts(before, after) if before else [], files))
    return page(request, "attempts.html.j2", person=person, week=week, steps=steps)


async def show_log(request: Request) -> Response:
    """Show who did what."""
    desk = desk_of(request)
    names = {key: person.name for key, person in desk.snapshot.people.items()}
    query = {name: request.query_params.get(name, "")[:200] for name in ("page", "decisions")}
    actions = Paged(desk.book.count_actions(), lambda first, most: desk.book.actions(most, first=first))
    decisions = Paged(desk.book.count_decisions(), desk.book.latest_decisions)
    return page(
        request,
        "log.html.j2",
        actions=sheet(actions, MOST_LOGGED, query),
        decisions=sheet(decisions, MOST_LOGGED, query, "decisions"),
        names=names,
    )


async def show_sharing(request: Request) -> Response:
    """Show who looks after how many, and shares work out."""
    desk = desk_of(request)
    counts: dict[str, dict[str, list[int]]] = {}
    for (_, week), duty in desk.snapshot.duties.items():
        if duty.who:
            own = counts.setdefault(week, {}).setdefault(duty.who, [0, 0])
            own[0] += 1
            own[1] += bool(duty.done_by)
    free = Counter(key[1] for key in queue(desk, Filter()) if not desk.snapshot.duties.get(key, Duty()).who)
    return page(request, "sharing.html.j2", tas=desk.tas, counts=counts, free=free, sections=sections(desk))


async def show_preview(request: Request) -> Response:
    """Show what a student gets, in a frame."""
    desk = desk_of(request)
    person, week = found(desk, request)
    report = desk.snapshot.full((person.key, week))
    return page(request, "preview.html.j2", person=person, week=week, has_report=report is not None)


async def show_report(request: Request) -> Response:
    """Return the very page, or Markdown, that a student gets; it may run nothing."""
    desk = desk_of(request)
    person, week = found(desk, request)
    report = desk.snapshot.full((person.key, week))
    if report is None or request.path_params["kind"] not in ("html", "md"):
        raise HTTPException(404, "there is no such report")
    headers = {"content-security-policy": _PREVIEW_POLICY, "x-frame-options": "SAMEORIGIN"}
    if request.path_params["kind"] == "md":
        return PlainTextResponse(report_markdown(report), headers=headers)
    return HTMLResponse(report_html(report), headers=headers)
