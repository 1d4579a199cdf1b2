"""Keeps what a student's code prints at the desk: a `while True: print(x)` floods no terminal, and fills no disk."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

MOST = 4000  # characters that are kept


class Output(io.TextIOBase):
    """Stands for standard output and error while a probe runs; keeps the beginning, and drops the rest."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is printed in the block, in place of what was kept before."""
        self.text = ""
        with redirect_stdout(self), redirect_stderr(self):
            yield

    def write(self, text: str) -> int:
        if type(text) is not str:
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if len(self.text) < MOST:
            self.text += text[: MOST - len(self.text)]
        return len(text)

    def writable(self) -> bool:
        return True
