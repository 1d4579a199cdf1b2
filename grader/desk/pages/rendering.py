"""Renders pages from templates: whatever a student or a person wrote is text, whatever it holds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jinja2
import markupsafe
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from grader import escape
from grader.desk.acting.phrases import offered
from grader.desk.desk import Desk, Done, desk_of
from grader.desk.guard.safety import session_of
from grader.reports import words
from grader.reports.pages import TEMPLATES as REPORTS
from grader.reports.pages import teach, visible
from grader.results.points import signed

ANONYMOUS = "anonymous"  # what stands in the address of a page without names
_LINE = Markup(
    '<div class="line{}" id="f{}-{}"><span class="no" data-no="{}">{}</span><code>{}</code></div>\n'
)  # which escapes what is put into it
_CELL_LINE = Markup('<div class="line"><span class="no">{}</span><code>{}</code></div>\n')
LONGEST_LINE = 200
HERE = Path(__file__).parents[1]
STATIC = HERE / "static"
FILES = {"style.css": REPORTS / "style.css", "desk.css": STATIC / "desk.css", "desk.js": STATIC / "desk.js"}


def page(request: Request, template: str, status: int = 200, **contents: Any) -> Response:
    """Render a page for whoever asks."""
    session, desk = session_of(request), desk_of(request)
    told, session.told = session.told, []
    to = str(contents.get("to", ""))
    nameless = _nameless(desk_of(request)) if _hides_names(here(request)) or _hides_names(to) else str
    text = (
        environment()
        .get_template(template)
        .render(
            me=session.who,
            csrf=session.csrf,
            told=[(nameless(line), action) for line, action in told],
            nameless=nameless,
            here=here(request),
            weeks=desk.snapshot.weeks,
            revision=desk.snapshot.revision,
            waiting=sum(one.state == "open" for one in desk.snapshot.requests),
            **contents,
        )
    )
    return HTMLResponse(text, status)


def here(request: Request) -> str:
    """Return the address of this page, without the name of the machine."""
    path, query = str(request.url.path), str(request.url.query)
    return f"{path}?{query}" if query else path


def back(request: Request, address: str, done: Done | str = "") -> Response:
    """Go to an address of ours, and say there what was done; only what an action did can be undone from there."""
    if done:
        told = (done, 0) if isinstance(done, str) else (done.said, done.action)
        session_of(request).told.append(told)
    return RedirectResponse(safe_address(address), 303)


def safe_address(address: str) -> str:
    """Return an address of ours as it is, and the first page for all others."""
    is_ours = re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", address) is not None
    return address if is_ours and len(address) < 2_000 else "/"


def address(path: str, **query: str | int) -> str:
    """Return an address with a query."""
    said = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(said, errors='backslashreplace')}" if said else path


def _hides_names(address: str) -> bool:
    return parse_qs(urlsplit(address).query).get(ANONYMOUS) == ["yes"]


def _nameless(desk: Desk) -> Callable[[str], str]:
    """Return what takes the names of the class out of a text: whoever grades without names is told none."""
    names = sorted((person.name for person in desk.snapshot.people.values() if person.name), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)" if names else r"(?!)")
    return lambda text: pattern.sub("the student", text)


def warm_up() -> None:
    """Compile all templates, so that nobody's first page waits for that."""
    for template in sorted((HERE / "templates").iterdir()):
        environment().get_template(template.name)


@cache
def environment() -> jinja2.Environment:
    """Return where templates come from, and what they know."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([HERE / "templates", REPORTS]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        finalize=visible,
    )
    teach(found)
    found.filters["exact"] = exact
    found.globals.update(
        address=address,
        asset=asset,
        cell_lines=cell_lines,
        code_lines=code_lines,
        first_line=first_line,
        long_text=long_text,
        picture=picture,
        counted=words.counted,
        offered=offered,
        signed=signed,
    )
    return found


def code_lines(lines: Sequence[str], first: int, file: int, is_here: bool) -> Markup:
    """Return lines of code as HTML, the number of the first being `first`; with `is_here` the last one stands out."""
    last = first + len(lines) - 1
    return Markup("").join(
        _LINE.format(" here" if is_here and number == last else "", file, number, number, number, escape.plain(text))
        for number, text in enumerate(lines, first)
    )


def exact(value: object) -> Markup:
    """Return what a field holds as HTML, to the letter and however long it is: what is sent back must be the same."""
    return markupsafe.escape(value)


def cell_lines(text: str) -> Markup:
    """Return the lines of a notebook's cell as HTML; nobody comments on them."""
    return Markup("").join(
        _CELL_LINE.format(number, escape.plain(line)) for number, line in enumerate(text.split("\n"), 1)
    )


def long_text(text: str) -> Markup:
    """Return a text as HTML, line by line, so that all of it is shown."""
    return Markup("\n").join(map(escape.plain, text.split("\n")))


def first_line(text: str) -> str:
    """Return the first line of a message, cut to what stands beside others."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def picture(form: str, content: str) -> Markup:
    """Return the address of a picture that is in base64, whole, however long it is."""
    return Markup("data:image/{};base64,{}").format(form, content)


@cache
def asset(name: str) -> str:
    """Return the address of a style or a script, which changes with its content."""
    return f"/static/{name}?{hashlib.sha256(FILES[name].read_bytes()).hexdigest()[:12]}"
