"""Turns away what no page of ours asked for, before anything else looks at a request.

A browser on this machine can be made to send requests by any page that it shows, also under a name that resolves to
this machine. So the name, the page that a request comes from, and the session are checked; forms carry a secret, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.desk.guard.sessions import Session, Sessions

MOST_BYTES = 4_000_000  # of a request's body
PATIENCE = 60.0  # seconds for which more of a form is waited for
ENTRY = "/enter"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with none at all, forms would not say that they come from here
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Address:
    """Where the desk is found: the scheme, and the names with port by which browsers may call it."""

    scheme: str
    hosts: Collection[str]

    @property
    def origins(self) -> set[str]:
        return {f"{self.scheme}://{host}" for host in self.hosts}

    @property
    def cookie(self) -> str:
        """The cookie's name: browsers do not tell ports apart, so two desks on one machine need two names."""
        port = next(iter(self.hosts)).rpartition(":")[2]
        return f"desk-{port}"


class Safety:
    """The outermost part of the application: whatever it lets through has a session, or asks for one."""

    def __init__(self, app: ASGIApp, address: Address, sessions: Sessions) -> None:
        self.inner = app
        self._address = address
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here: the server answers with an error
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, _hardened(send))
            return
        await self._within_bounds(scope, receive, _hardened(send))

    async def _within_bounds(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, is_whole = 0, False

        async def counted() -> Message:
            nonlocal size, is_whole
            try:
                message = await asyncio.wait_for(receive(), None if is_whole else PATIENCE)
            except TimeoutError:
                raise HTTPException(408, "the rest of the form did not come") from None
            is_whole = not message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise HTTPException(413, "this is larger than any form of the desk")
            return message

        await self.inner(scope, counted, send)

    def _refused(self, scope: Scope) -> Response | None:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if headers.getlist("host") not in [[host] for host in self._address.hosts]:
            return PlainTextResponse("the desk is not known under this name; open the printed address", 421)
        if method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("the desk knows no such method", 405, {"allow": "GET, HEAD, POST"})
        if problem := self._strange(headers, method):
            return PlainTextResponse(problem, 403)
        session = self._session(headers)
        scope["session"] = session
        if session is None and path != ENTRY:
            return PlainTextResponse("who are you? open the address that `grader desk` printed", 401)
        return None

    def _session(self, headers: Headers) -> Session | None:
        """Find the session among all cookies of this name: other programs on this machine set some, too."""
        cookies = _cookies(headers, self._address.cookie)
        return next(filter(None, map(self._sessions.of, cookies)), None)

    def _strange(self, headers: Headers, method: str) -> str:
        """Say why a request can come from no page of ours; empty where it can."""
        site, origin = headers.get("sec-fetch-site", ""), headers.get("origin")
        if method == "POST":
            if origin not in self._address.origins:
                return "only the desk's own pages may change anything"
            if site not in ("", "same-origin"):
                return "only the desk's own pages may change anything"
            if headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
                return "the desk takes forms alone"
            return ""
        if origin is not None and origin not in self._address.origins:
            return "other pages may not read the desk"
        if site not in ("", "same-origin", "none") and headers.get("sec-fetch-mode") != "navigate":
            return "other pages may not read the desk"
        if headers.get("sec-fetch-dest", "") in ("embed", "object", "frame"):
            return "the desk stands in no other page"
        return ""


def session_of(request: Request) -> Session:
    """Return who is asking."""
    found: Session = request.scope["session"]
    return found


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    """Yield the values of a name. Cookies that follow no grammar are passed over: they are not ours."""
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                yield value


def _hardened(send: Send) -> Send:
    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return hardened
