"""Runs as the process that reads submissions: answers requests, each within limits that the system enforces.

It runs no student's code. A request that needs too much time ends it; one that needs too much memory is answered so.
Windows has no such limits; there whoever asks ends it once it takes too long.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgpack

from grader.errors import DownloadTooLarge, SubmissionError
from grader.inside import wire

with contextlib.suppress(ImportError):  # Windows has none
    import resource


class Service(Protocol):
    """What a process can be asked for."""

    def answer(self, request: dict[str, Any]) -> Iterator[Any]:
        """Yield plain data. Raises `SubmissionError` for what cannot be read."""


def main(connection: socket.socket, service: Service, seconds: int, memory: int) -> None:
    """Serve until the connection closes."""
    with contextlib.suppress(OSError):  # whoever has asked is gone
        wire.send(connection, b"ready")
        while True:
            request = msgpack.unpackb(wire.receive(connection), unicode_errors="surrogatepass")
            limit(seconds, memory)
            for message in _messages(service, request):
                wire.send(connection, message)


def limit(seconds: int, memory: int) -> None:
    """Let this process compute for so many seconds more, and take so many bytes more."""
    if "resource" not in globals():
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + seconds)  # SIGXCPU ends it there
    with contextlib.suppress(OSError):  # other systems have no such file, and many of them no such limit
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def connected(where: str) -> socket.socket:
    """Return the connection `open:NUMBER`; or make one to `port:NUMBER` here, and show the key from standard input."""
    kind, _, number = where.partition(":")
    if kind == "open":
        return socket.socket(fileno=int(number))
    connection = socket.create_connection(("127.0.0.1", int(number)))
    wire.send(connection, sys.stdin.buffer.read())
    return connection


def _messages(service: Service, request: dict[str, Any]) -> Iterator[bytes]:
    try:
        for part in service.answer(request):
            yield _packed("part", part)
        last: tuple[str, str | None] = ("end", None)
    except SubmissionError as error:
        last = ("large" if isinstance(error, DownloadTooLarge) else "refused", str(error))
    except MemoryError:
        last = ("memory", None)
    except RecursionError:
        last = ("deep", None)
    except Exception as error:
        last = ("failed", _place(error))
    yield _packed(*last)


def _packed(kind: str, body: Any) -> bytes:
    return bytes(msgpack.packb((kind, body), unicode_errors="surrogatepass"))


def _place(error: Exception) -> str:
    """Name an error of ours and where it happened, without a word of what was read."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"


if __name__ == "__main__":
    place, name, most_seconds, most_memory = sys.argv[1:]
    if "resource" in globals():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with connected(place) as opened:
        main(opened, importlib.import_module(name).Service(), int(most_seconds), int(most_memory))
