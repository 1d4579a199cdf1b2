"""Shows the week in a browser: a report on this machine alone, which a newer one takes the place of."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

from grader.language import spoken, tr
from grader.reports.pages import live_html
from grader.results import CheckResult, Report
from grader.version import VERSION

_HERE = "127.0.0.1"
_WAIT = 20.0  # seconds until a browser that waits for news is told that there are none


class Page:
    """Serves the latest report under an address that nobody else can guess."""

    def __init__(self, week: str, contact: str = "", texts: Mapping[str, str] = MappingProxyType({})) -> None:
        self._week, self._contact, self._texts = week, contact, texts
        self._version = 0
        self._html = ""
        self._news = threading.Condition()
        self._secret = secrets.token_urlsafe(16)
        self._server = ThreadingHTTPServer((_HERE, 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return f"http://{self._host}/{self._secret}/"

    @property
    def _host(self) -> str:
        return f"{_HERE}:{self._server.server_address[1]}"

    def show(self, results: Sequence[CheckResult]) -> None:
        """Make these results the latest."""
        report = Report(
            tr("your work"), self._week, 0, VERSION, "", "", tuple(results), language=spoken(), contact=self._contact,
            texts=self._texts,
        )  # fmt: skip
        with self._news:
            self._html = live_html(report)
            self._version += 1
            self._news.notify_all()

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, host: str, path: str) -> tuple[int, str, str]:
        """Return status, type and text; or, with the status of a redirection, where to go."""
        folder = f"/{self._secret}/"
        if host != self._host or not path.startswith(folder):  # another site's script may ask for anything
            return 404, "text/plain", "there is no such page"
        name = path.removeprefix(folder)
        if name.startswith("after-"):
            return 200, "text/plain", str(self._newer(name.removeprefix("after-")))
        if name != str(self._version):
            return 302, f"{folder}{self._version}", ""
        return 200, "text/html", self._html

    def _newer(self, known: str) -> int:
        with self._news:
            self._news.wait_for(lambda: str(self._version) != known, _WAIT)
            return self._version

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, text = page.answer(self.headers.get("Host", ""), self.path)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", kind)
                else:
                    self.send_header("Content-Type", f"{kind}; charset=utf-8")
                content = text.encode("utf-8", "replace")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Write no log: the terminal is for the student."""

        return Handler
