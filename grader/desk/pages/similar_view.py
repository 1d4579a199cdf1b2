"""Shows works that are suspiciously alike, and each pair side by side."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grader.desk.desk import desk_of
from grader.desk.guard.forms import Form, changes
from grader.desk.pages.rendering import back, page
from grader.errors import UsageError
from grader.similarity.pages import marked


async def show_similar(request: Request) -> Response:
    """Show the pairs of a week, or one of them side by side."""
    desk, week = desk_of(request), str(request.path_params["week"])
    if week not in desk.snapshot.weeks:
        raise HTTPException(404, f"there is no {week}")
    found = desk.likeness.of(week)
    number = request.query_params.get("pair", "")
    if found is not None and number.isascii() and number.isdigit() and len(number) < 6:
        if int(number) >= len(found.pairs):
            raise HTTPException(404, "there is no such pair")
        pair = found.pairs[int(number)]
        sides = [
            (pair.left, pair.share_left, marked(pair.left.text, pair.spans_left)),
            (pair.right, pair.share_right, marked(pair.right.text, pair.spans_right)),
        ]
        return page(request, "pair_view.html.j2", week=week, sides=sides, pair=pair)
    is_old = found is not None and found.attempted != desk.snapshot.attempted
    return page(request, "similar_view.html.j2", week=week, found=found, is_old=is_old, key_of=desk.snapshot.key_of)


@changes
async def compare(request: Request, form: Form) -> Response:
    """Begin to compare the works of a week."""
    desk, week = desk_of(request), form.text("week")
    if week not in desk.snapshot.weeks:
        raise UsageError(f"there is no {week}")
    desk.likeness.start(week)
    return back(request, f"/similar/{week}")
