"""Serves the desk: finds out where, prints the address for each who may come in, and runs until it is stopped."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from grader.batch.backend import Backend
from grader.course import Course
from grader.desk.app import Settings, make_app
from grader.desk.guard.safety import ENTRY, Address
from grader.desk.guard.sessions import Sessions
from grader.errors import GraderError, UsageError
from grader.gradebook import open_book

HEAD_SECONDS = 30.0  # in which a request's first lines have to come
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Where:
    """Where a desk is to be found, as the command line says; port 0 is one that is free."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    without_tls: bool = False

    @property
    def is_local(self) -> bool:
        """Tell whether nobody but this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


class Hearing(H11Protocol):
    """A connection. One that sends half a request and no more is ended, as it would be held for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting as long as what came is no whole request yet."""
        super().data_received(data)
        self._wait()

    def _wait(self) -> None:
        if self._is_busy():
            if self._late is not None:
                self._late.cancel()
                self._late = None
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._end)

    def _end(self) -> None:
        self._late = None
        if not self._is_busy() and not self.transport.is_closing():
            self.transport.close()

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


def check_where(where: Where, names: Sequence[str]) -> None:
    """Refuse what is not safe: beyond this machine it takes TLS, or the explicit word, and a name for each person."""
    if (where.certificate is None) != (where.key is None):
        raise UsageError("--tls-certificate and --tls-key belong together; give both")
    if where.is_local:
        return
    if where.certificate is None and not where.without_tls:
        raise UsageError(
            f"--host {where.host} can be reached from other machines, so give --tls-certificate and --tls-key; "
            "or say --without-tls where something in front of it does that"
        )
    if not names:
        raise UsageError(f"--host {where.host} can be reached by others, so name each who grades: --ta NAME")


def serve(
    out: Path, where: Where, names: Sequence[str], say: Callable[[str], None], course: Course | None = None,
    backend: Callable[[], Backend] | None = None,
) -> None:  # fmt: skip
    """Serve a gradebook's desk until it is stopped."""
    check_where(where, names)
    _check_certificate(where)
    open_book(out, shared=True).close()  # what is wrong with it is said before anything listens
    listening = _listening(where)
    try:
        port = listening.getsockname()[1]
        scheme = "https" if where.certificate else "http"
        host = f"[{where.host}]" if ":" in where.host else where.host
        hosts = [f"{name}:{port}" for name in dict.fromkeys([host, *(LOOPBACK if where.is_local else ())])]
        sessions = Sessions(names)
        app = make_app(Settings(out, Address(scheme, hosts), sessions, course, backend, say))
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, date_header=False, lifespan="on",
            proxy_headers=False, ws="none", http=Hearing, timeout_graceful_shutdown=3,
            ssl_certfile=where.certificate, ssl_keyfile=str(where.key) if where.key else None,
        )  # fmt: skip
        for name, token in sessions.tokens.items():
            say(
                f"open {scheme}://{hosts[0]}{ENTRY}?token={token}"
                + (f"   (for {name} alone)" if len(names) > 1 else "")
            )
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def _check_certificate(where: Where) -> None:
    """Refuse files that are no certificate with its key, before anything listens."""
    if where.certificate is None or where.key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(where.certificate, where.key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--tls-certificate {where.certificate} and --tls-key {where.key}: not a certificate in PEM and its key "
            f"({error.strerror or error})"
        ) from None


def _listening(where: Where) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    # Of TCP by name: else nothing tells asyncio to send at once, and each page waits 40 ms for the browser's word.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((where.host.strip("[]"), where.port))
        listening.listen()  # who opens the address while the gradebook is still read waits, and is not refused
    except OSError as error:
        listening.close()
        raise GraderError(
            f"--host {where.host} --port {where.port}: cannot listen there ({error.strerror}); choose another port"
        ) from error
    return listening
