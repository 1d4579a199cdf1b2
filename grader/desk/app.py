"""Makes the web application: what is found where, and what happens when it starts and ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from grader.batch.backend import Backend
from grader.course import Course
from grader.desk.acting.conflict import Conflict
from grader.desk.background.likeness import Likeness
from grader.desk.background.live import Live
from grader.desk.background.mending import Mending
from grader.desk.background.regrading import Regrading
from grader.desk.desk import Desk, desk_of
from grader.desk.guard.safety import ENTRY, Address, Safety
from grader.desk.guard.sessions import Sessions
from grader.desk.model.days import days_of
from grader.desk.model.figures import figures_of
from grader.desk.model.snapshot import Snapshot
from grader.desk.pages import check_view, class_view, manual_view, more_views, posts, similar_view, work_view
from grader.desk.pages.rendering import FILES, here, page, safe_address, warm_up
from grader.errors import GraderError
from grader.gradebook import open_book
from grader.gradebook.adjustments import LANGUAGE
from grader.gradebook.together.actions import Outdated
from grader.language import ENGLISH, counting

_WEEK = "{person:int}/{week}"
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Settings:
    """What a desk is opened with. Without a course and judges nothing is graded again."""

    out: Path
    address: Address
    sessions: Sessions
    course: Course | None = None
    backend: Callable[[], Backend] | None = None
    say: Callable[[str], None] = lambda line: None


def make_app(settings: Settings) -> Safety:
    """Make the application of one gradebook."""

    @contextlib.asynccontextmanager
    async def opened(app: Starlette) -> AsyncIterator[None]:
        with open_book(settings.out, shared=True) as book:
            book.keep_copy()
            desk = open_desk(settings, Snapshot(book))
            app.state.desk, app.state.language = desk, book.setting(LANGUAGE) or ENGLISH
            gc.collect()
            gc.freeze()  # the class stays: looking through it for what is not used any more would hold a page up
            mending = Mending(desk.snapshot)
            tasks = [asyncio.create_task(work) for work in (desk.live.watch(), mending.go_on())]
            try:
                yield
            finally:
                gc.unfreeze()
                desk.live.close()
                if desk.regrading:
                    for line in await desk.regrading.close():
                        settings.say(line)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                mending.finish()

    handlers = {HTTPException: _no_page, GraderError: _refusal}
    numbers = [Middleware(Numbers)]
    app = Starlette(routes=_routes(), lifespan=opened, exception_handlers=handlers, middleware=numbers)
    app.state.address, app.state.sessions = settings.address, settings.sessions
    return Safety(app, settings.address, settings.sessions)


class Numbers:
    """Has all answers write numbers as the course's language does; the desk itself speaks English."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with counting(getattr(scope["app"].state, "language", ENGLISH)):
            await self._app(scope, receive, send)


def open_desk(settings: Settings, snapshot: Snapshot) -> Desk:
    """Put a desk together, with all figures worked out, so that the first page does not wait for them."""
    live = Live(snapshot)
    regrading = None
    if settings.course is not None and settings.backend is not None:
        regrading = Regrading(snapshot, live, settings.course, settings.backend)
    figures_of(snapshot)
    class_view.prepare(snapshot)
    for week in snapshot.weeks:
        days_of(snapshot, week)
    warm_up()
    likeness = Likeness(snapshot, settings.course)
    return Desk(settings.out, snapshot.book, snapshot, settings.sessions, live, likeness, regrading)


def _routes() -> list[Route]:
    shown = {
        "/": class_view.show_class,
        f"/work/{_WEEK}": work_view.show_work,
        "/check/{week}": check_view.show_check,
        "/manual/{week}/{part}": manual_view.show_part,
        "/requests": more_views.show_requests,
        "/similar/{week}": similar_view.show_similar,
        "/figures/{week}": more_views.show_figures,
        f"/attempts/{_WEEK}": more_views.show_attempts,
        "/log": more_views.show_log,
        "/phrases": more_views.show_phrases,
        "/sharing": more_views.show_sharing,
        f"/preview/{_WEEK}": more_views.show_preview,
        f"/report/{_WEEK}/report.{{kind}}": more_views.show_report,
        "/next": posts.go_on,
        "/events": _events,
        "/static/{name}": _static,
        ENTRY: _enter,
    }
    done = {
        "/do/points": posts.set_points,
        "/do/comment": posts.write_comment,
        "/do/group": posts.act_on_group,
        "/do/assign": posts.assign,
        "/do/done": posts.mark_done,
        "/do/undo": posts.undo,
        "/do/phrase": posts.change_phrase,
        "/do/ask": posts.ask,
        "/do/import": posts.import_table,
        "/do/answer": posts.answer,
        "/do/again": posts.grade_again,
        "/do/compare": similar_view.compare,
    }
    return [
        *(Route(path, handler, methods=["GET"]) for path, handler in shown.items()),
        *(Route(path, handler, methods=["POST"]) for path, handler in done.items()),
    ]


async def _enter(request: Request) -> Response:
    """Let somebody in by a token. The page goes on by itself: a redirect would leave the cookie behind."""
    address, sessions = request.app.state.address, request.app.state.sessions
    token, session = request.query_params.get("token", ""), request.scope["session"]
    newcomer = sessions.whose(token)
    if session is not None and newcomer not in (None, session.who) and not _is_ours(request):
        return page(request, "swap.html.j2", newcomer=newcomer, to=here(request))
    cookie = sessions.enter(token)
    if not cookie:
        return PlainTextResponse("this address is of an earlier desk; open the one that is printed now", 403)
    response = HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
        '<title>Desk</title><p><a href="/">Go on to the desk</a></p></html>'
    )
    response.set_cookie(
        address.cookie, cookie, httponly=True, samesite="strict", secure=address.scheme == "https", path="/"
    )
    return response


def _is_ours(request: Request) -> bool:
    """Tell whether a link on a page of ours led here. Of pages that are not secure, browsers say it by the referrer."""
    site, referrer = request.headers.get("sec-fetch-site", ""), request.headers.get("referer", "")
    return site == "same-origin" or (not site and any(referrer.startswith(f"{one}/") for one in _origins(request)))


def _origins(request: Request) -> set[str]:
    address: Address = request.app.state.address
    return address.origins


async def _events(request: Request) -> Response:
    lines = desk_of(request).live.lines()
    return StreamingResponse(lines, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _static(request: Request) -> Response:
    file = FILES.get(request.path_params["name"])
    if file is None:
        raise HTTPException(404, "there is no such file")
    return FileResponse(file, headers=_FOREVER)


async def _no_page(request: Request, error: HTTPException) -> Response:
    if request.scope["session"] is None:  # at the entry, where nobody is known yet
        return PlainTextResponse(error.detail, error.status_code, error.headers)
    return page(request, "problem.html.j2", error.status_code, problem=error.detail, to="/")


async def _refusal(request: Request, error: GraderError) -> Response:
    """Say what cannot be done, or show both versions where somebody else was quicker."""
    to = "/"
    if request.method == "POST":
        form = await request.form()
        to = safe_address(str(form.get("back") or "/"))
    if isinstance(error, Conflict):
        again = {name: value for name, value in error.fields.items() if value}
        return page(request, "conflict.html.j2", 409, conflict=error, again=again, action=request.url.path, to=to)
    status = 409 if isinstance(error, Outdated) else 400
    return page(request, "problem.html.j2", status, problem=str(error), to=to)
