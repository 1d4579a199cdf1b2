"""Offers a service that does what a parser may be made to do; it runs in the process that reads submissions."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.errors import SubmissionError


class Service:
    """Does what the request asks for."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def answer(self, request: dict[str, Any]) -> Iterator[Any]:
        yield from getattr(self, request["do"])(request)

    def echo(self, request: dict[str, Any]) -> Iterator[Any]:
        yield from request["parts"]

    def pid(self, request: dict[str, Any]) -> Iterator[Any]:
        yield os.getpid()

    def spin(self, request: dict[str, Any]) -> Iterator[Any]:
        while True:
            pass
        yield None

    def sleep(self, request: dict[str, Any]) -> Iterator[Any]:
        time.sleep(600)
        yield None

    def hoard(self, request: dict[str, Any]) -> Iterator[Any]:
        while True:
            self._held.append(bytes(2**22))
        yield None

    def recurse(self, request: dict[str, Any]) -> Iterator[Any]:
        yield from self.recurse(request)

    def refuse(self, request: dict[str, Any]) -> Iterator[Any]:
        yield "a part"
        raise SubmissionError("it cannot be read")

    def fail(self, request: dict[str, Any]) -> Iterator[Any]:
        raise KeyError(request["text_of_a_student"])
        yield None

    def crash(self, request: dict[str, Any]) -> Iterator[Any]:
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGSEGV)
        yield None

    def crash_once(self, request: dict[str, Any]) -> Iterator[Any]:
        mark = Path(request["mark"])
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield "read"

    def flood(self, request: dict[str, Any]) -> Iterator[Any]:
        while True:
            yield "a part"

    def talk(self, request: dict[str, Any]) -> Iterator[Any]:
        yield bytes(66 * 2**20)
