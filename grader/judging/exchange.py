"""What judges learn (`grader.judging.replay`), on its way from one to the others of the same fork server.

So a class's first submission of a week is judged in full by one judge, not by each. Only judges pack and unpack it.
"""

from __future__ import annotations

import threading

ROOM = 128 << 20  # bytes that wait for one judge


class Exchange:
    """Keeps what one judge says until each of the others has a job again. All methods may be called from any thread."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._waiting: dict[object, list[bytes]] = {}
        self._lock = threading.Lock()

    def enter(self, judge: object) -> None:
        """Keep from now on what this judge should hear."""
        with self._lock:
            self._waiting[judge] = []

    def leave(self, judge: object) -> None:
        """The judge is no more."""
        with self._lock:
            self._waiting.pop(judge, None)

    def has_others(self, judge: object) -> bool:
        """Whether there is anybody to tell."""
        with self._lock:
            return bool(self._waiting.keys() - {judge})

    def give(self, judge: object, said: bytes) -> None:
        """Keep it for all others; one that has too much waiting misses it, and finds out by itself."""
        with self._lock:
            for other, waiting in self._waiting.items():
                if other is not judge and sum(map(len, waiting)) + len(said) <= self._room:
                    waiting.append(said)

    def take(self, judge: object) -> list[bytes]:
        """What the others have said since it was asked last."""
        with self._lock:
            waiting = self._waiting.get(judge, [])  # nothing for one that has been closed meanwhile
            said = waiting.copy()
            waiting.clear()
            return said
