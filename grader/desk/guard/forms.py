"""Reads forms: each carries its session's secret, and its values are texts of bounded length."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grader.desk.guard.safety import session_of
from grader.errors import UsageError

MOST_FIELDS = 4_000
LONGEST = 2_000_000  # characters of a field: a table of requests
_DIGITS = 9


class Form:
    """What somebody has filled in."""

    def __init__(self, fields: list[tuple[str, str]], files: Sequence[tuple[str, bytes]] = ()) -> None:
        self._fields = fields
        self._files = files

    def text(self, name: str) -> str:
        """Return a field's text, empty where there is none."""
        return next((value for key, value in self._fields if key == name), "").replace("\r\n", "\n").strip()

    def file(self, name: str) -> bytes:
        """Return what a file holds that was chosen, empty where none was."""
        return next((raw for key, raw in self._files if key == name), b"")

    def all(self, name: str) -> list[str]:
        """Return all texts of a field that may be there several times."""
        return [value for key, value in self._fields if key == name]

    def number(self, name: str) -> int:
        """Return a whole number. `UsageError` where it is none."""
        return number_of(self.text(name), name)


def number_of(text: str, name: str = "number") -> int:
    """Read a whole number of a form or an address. `UsageError` where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise UsageError(f"{name}: a whole number is meant here")
    return int(text)


Handler = Callable[[Request, Form], Awaitable[Response]]


def changes(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Make a handler of forms: it is called with forms alone that one of our pages showed to this very session."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=LONGEST) as data:
            fields = [(key, value) for key, value in data.multi_items() if isinstance(value, str)]
            files: list[tuple[str, bytes]] = []
            for key, value in data.multi_items():
                if not isinstance(value, str):
                    files.append((key, await value.read()))
        form = Form(fields, files)
        given = form.text("csrf").encode("utf-8", "replace")
        if not hmac.compare_digest(given, session_of(request).csrf.encode()):
            raise HTTPException(403, "this form is not of a page that you opened here; load the page again")
        return await handler(request, form)

    guarded.is_change = True  # type: ignore[attr-defined]
    return guarded
