"""Shows a check: everybody who lost it, grouped by what went wrong, with their lines side by side."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grader.desk.acting.decisions import reached, shown_revisions
from grader.desk.desk import Desk, desk_of
from grader.desk.model.groups import MOST_GROUPS, MOST_SHOWN, checks_of, groups_of, lines_of
from grader.desk.model.lists import sheet
from grader.desk.pages.rendering import page


async def show_check(request: Request) -> Response:
    """Show one check of a week; without one, the list of all."""
    desk, week = desk_of(request), str(request.path_params["week"])
    if week not in desk.snapshot.weeks:
        raise HTTPException(404, f"there is no {week}")
    checks = checks_of(desk.snapshot, week)
    name = request.query_params.get("id", "")
    if not name:
        return RedirectResponse(f"/figures/{week}", 303)
    place = next((number for number, check in enumerate(checks) if check.id == name), None)
    if place is None:
        raise HTTPException(404, "there is no such check; it may have been renamed")
    groups = groups_of(desk.snapshot, week, name)
    part = sheet(groups, MOST_GROUPS, {"id": name, "page": request.query_params.get("page", "")})
    people = [desk.snapshot.people[loss.key[0]] for group in part.items for loss in group.losses]
    shown = [
        (group, [(one, lines_of(desk.snapshot, one)) for one in group.losses[:MOST_SHOWN]]) for group in part.items
    ]
    return page(
        request,
        "check.html.j2",
        week=week,
        check=checks[place],
        groups=shown,
        part=part,
        revisions=shown_revisions(desk, week, checks[place].task, people),
        mates={one.key: [mate.name for mate in reached(desk, one, week)[1:]] for one in people if one.group},
        decided=_decided(desk, week, checks[place].task),
        lost=sum(len(group.losses) for group in groups),
        students=sum(1 for key in desk.snapshot.reports if key[1] == week),
        before=checks[place - 1].id if place else "",
        after=checks[place + 1].id if place + 1 < len(checks) else "",
        phrases=desk.book.phrases(week, checks[place].task),
        most=next(
            score.max_points
            for key, report in desk.snapshot.reports.items()
            if key[1] == week
            for score in report.tasks()
            if any(check.id == name for check in score.checks)
        ),
    )


def _decided(desk: Desk, week: str, task: str) -> dict[int, str]:
    """Return what was decided about a task, by the student's key."""
    return {
        key: f"{line.what}{f' ({line.why})' if line.why else ''}"
        for (key, own), report in desk.snapshot.reports.items()
        if own == week
        for line in report.adjustments
        if line.task == task
    }
