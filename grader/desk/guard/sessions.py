"""Lets people in by a token of the printed address, and knows them by a cookie from then on."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST = 500  # sessions that are known at a time; the oldest ends before there are more


@dataclass
class Session:
    """Somebody who was let in; `csrf` stands in each form, since another page does not know it."""

    who: str
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    told: list[tuple[str, int]] = field(default_factory=list)  # what the next page says, each with its action
    redo: int = 0  # the action that was undone last


class Sessions:
    """Who may come in, each with a token of their own, and who is in."""

    def __init__(self, names: Iterable[str]) -> None:
        self.tokens: Mapping[str, str] = {name: secrets.token_urlsafe(24) for name in names}
        self._open: dict[str, Session] = {}

    @property
    def names(self) -> list[str]:
        return list(self.tokens)

    def enter(self, token: str) -> str:
        """Return the cookie of a new session; empty where the token is nobody's."""
        name = self.whose(token)
        if name is None:
            return ""
        cookie = secrets.token_urlsafe(32)
        self._open[cookie] = Session(name)
        while len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        return cookie

    def whose(self, token: str) -> str | None:
        """Say who comes in by a token; None where it is nobody's."""
        given = token.encode("utf-8", "replace")
        return next((name for name, known in self.tokens.items() if hmac.compare_digest(given, known.encode())), None)

    def of(self, cookie: str) -> Session | None:
        """Return the session that a cookie belongs to."""
        return self._open.get(cookie)
