"""Takes what pages send: each form is read, done as one step, and answered by the page that it came from."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grader.desk.acting import comments, decisions, groups, importing, phrases, requests, sharing, tables, undoing
from grader.desk.desk import desk_of
from grader.desk.guard.forms import Form, changes, number_of
from grader.desk.guard.safety import session_of
from grader.desk.model.filters import Filter
from grader.desk.pages.rendering import address, back, page
from grader.errors import UsageError
from grader.intake.tables.decoding import Text


def _to(form: Form) -> str:
    return form.text("back") or "/"


@changes
async def set_points(request: Request, form: Form) -> Response:
    """Decide about a task, a part or a week."""
    items = [name for name in form.all("item") if name]
    words = form.text("points") or "; ".join(items)
    if not words:
        raise UsageError("say how many points" + (", or tick what applies" if form.text("rubric") else ""))
    wish = decisions.Wish(
        form.number("person"), form.text("week"), form.text("task"), words, form.text("why"), form.text("revision"),
        form.text("alone") == "yes",
    )  # fmt: skip
    desk = desk_of(request)
    return back(request, _to(form), decisions.decide(desk, session_of(request).who, wish))


@changes
async def write_comment(request: Request, form: Form) -> Response:
    """Write a comment, or change one."""
    desk, who = desk_of(request), session_of(request).who
    if form.text("id"):
        said = comments.change_comment(desk, who, form.number("id"), form.number("edition"), form.text("text"))
    else:
        line = form.number("line") if form.text("line") else 0
        about = comments.about_of(form.text("about"))
        place = comments.Place(form.number("person"), form.text("week"), about, form.text("target"), line)
        said = comments.comment(desk, who, place, form.text("text"), form.text("alone") == "yes")
    return back(request, _to(form), said)


@changes
async def act_on_group(request: Request, form: Form) -> Response:
    """Comment on a check and correct it for several students."""
    members = []
    for one in form.all("member"):
        person, _, revision = one.partition(":")
        members.append((number_of(person), revision))
    wanted = groups.Correction(form.text("week"), form.text("check"), form.text("text"), _points_for_group(form))
    said = groups.for_group(desk_of(request), session_of(request).who, members, wanted)
    return back(request, _to(form), said)


def _points_for_group(form: Form) -> str:
    """Return what to do about points; what is typed and not chosen, or chosen and not typed, is refused."""
    give, points = form.text("give"), form.text("points")
    if give == "set" and not points:
        raise UsageError("say how many points to set the task to")
    if give != "set" and points:
        raise UsageError(f"{points} points are typed in, and not chosen: choose `set the task to`, or empty the field")
    if give not in ("", groups.GIVE_BACK, "set"):
        raise UsageError("points stay as they are, are given back, or are set")
    return points or give


@changes
async def assign(request: Request, form: Form) -> Response:
    """Have somebody look after a student's week, or share a week out."""
    desk, who = desk_of(request), session_of(request).who
    if form.text("person"):
        said = sharing.assign(desk, who, [(form.number("person"), form.text("week"))], form.text("ta"))
    else:
        names = [name for text in form.all("ta") for name in text.replace("\n", ",").split(",")]
        said = sharing.spread(desk, who, form.text("week"), names, form.text("how"), form.text("of"))
    return back(request, _to(form), said)


@changes
async def mark_done(request: Request, form: Form) -> Response:
    """Note that a student's week is done, and go on to the next one where that is asked for."""
    desk, who = desk_of(request), session_of(request).who
    key = (form.number("person"), form.text("week"))
    query = urlsplit(_to(form)).query
    wanted = Filter.of(dict(parse_qsl(query)))
    order = sharing.queue(desk, wanted)  # before it is done, as a filter may choose what is not
    said = sharing.mark_done(desk, who, key, form.text("done") == "yes")
    ta = wanted.ta if wanted.ta in desk.tas else who
    if form.text("then") == "next" and (following := sharing.next_of(desk, ta, key, order)):
        return back(request, f"/work/{following[0]}/{following[1]}{f'?{query}' if query else ''}", said)
    return back(request, _to(form), said)


@changes
async def change_phrase(request: Request, form: Form) -> Response:
    """Remove a saved comment, or give it a digit."""
    desk, who, number = desk_of(request), session_of(request).who, form.number("id")
    if form.text("remove"):
        return back(request, _to(form), phrases.forget_phrase(desk, who, number))
    return back(request, _to(form), phrases.pin_phrase(desk, who, number, form.text("digit")))


@changes
async def undo(request: Request, form: Form) -> Response:
    """Take an action back."""
    number = form.number("id") if form.text("id") else 0
    return back(request, _to(form), undoing.undo(desk_of(request), session_of(request).who, number))


@changes
async def ask(request: Request, form: Form) -> Response:
    """Enter a request."""
    fields = (form.text(name) for name in ("student", "week", "task", "text"))
    return back(request, _to(form), requests.ask(desk_of(request), session_of(request).who, *fields))


@changes
async def import_table(request: Request, form: Form) -> Response:
    """Enter a table of requests; where its columns are not known yet, or a line makes no sense, ask first."""
    desk = desk_of(request)
    sent = form.text("table")
    read_as = Text(sent) if sent else tables.decoded(form.file("table"))
    text, said = read_as.content, " ".join(read_as.said())
    if not text.strip():
        raise UsageError("choose a file that holds a table")
    table = tables.read_table(text)
    roles = form.all("role")
    if len(roles) == len(table.header) and set(roles) <= set(importing.Role):
        mapping = importing.Mapping(tuple(map(importing.Role, roles)), form.text("week"))
    else:
        mapping = importing.guessed(desk, table)
    read = importing.read_requests(desk, table, mapping) if not mapping.lacks else importing.Read()
    is_clear = mapping.is_sure and not mapping.lacks and not read.wrong
    if is_clear or (form.text("then") == "import" and not mapping.lacks):
        done = importing.import_requests(desk, session_of(request).who, table, mapping, read)
        done = replace(done, said=f"{done.said} ({said})") if said else done
        return back(request, _to(form), done)
    return page(request, "importing.html.j2", table=table, text=text, mapping=mapping, read=read, said=said)


@changes
async def answer(request: Request, form: Form) -> Response:
    """Answer a request."""
    desk, who = desk_of(request), session_of(request).who
    said = requests.answer(desk, who, form.number("id"), form.number("edition"), form.text("state"), form.text("text"))
    return back(request, _to(form), said)


@changes
async def grade_again(request: Request, form: Form) -> Response:
    """Have a student's week graded again, or one check of it."""
    desk = desk_of(request)
    if desk.regrading is None:
        raise UsageError("this desk was opened without a course; open it in the course's folder, or with --course")
    key = (form.number("person"), form.text("week"))
    return back(request, _to(form), desk.regrading.start(key, session_of(request).who, form.text("check")))


async def go_on(request: Request) -> Response:
    """Go to the next student's week of one's own that needs a look."""
    desk, who = desk_of(request), session_of(request).who
    person, of = request.query_params.get("person", ""), request.query_params.get("of", "")
    after = (number_of(person), of) if person else None
    wanted = Filter.of(request.query_params)
    query = wanted.address() if wanted.address() != "?" else ""
    ta = wanted.ta if wanted.ta in desk.tas else who
    key = sharing.next_of(desk, ta, after, sharing.queue(desk, wanted))
    if key is None:
        left = "nothing of yours is left to look at" if ta == who else f"nothing of {ta}'s is left to look at"
        return back(
            request, f"/{query}" if query else address("/", work="open"), left + (" among these" if query else "")
        )
    return back(request, f"/work/{key[0]}/{key[1]}{query}")


async def refuse(request: Request) -> Response:
    """Say that there is no such page."""
    raise HTTPException(404, "there is no such page")
