"""Runs some checks in warm processes, two at a time; what hangs or ends a process costs that check alone."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from grader.pytest_plugin.deadline import IMPORT_SECONDS, OWN_SECONDS
from grader.results import CheckResult, Outcome
from grader.watching import wire
from grader.watching.spares import Check, Spares, Warm

GRACE = 5.0  # seconds until a process that says nothing is killed, beyond what its code may take
ENDED = "the process ended in the middle: your code crashed it, or called os._exit"


class Run:
    """One run of some checks, from a save to the last result. `tell` gets each result, and None at the end."""

    def __init__(
        self,
        spares: Spares,
        modules: Iterable[str],
        checks: Iterable[Check],
        tell: Callable[[CheckResult | None], None],
    ) -> None:
        self._spares = spares
        self._modules = list(modules)
        self._waiting = deque(checks)
        self._tell = tell
        self._lock = threading.Lock()
        self._ended: dict[str, tuple[str, str]] = {}  # modules whose import has ended a process
        self._working: set[int] = set()
        self._warm: dict[int, Warm] = {}
        self._cancelled = False
        self._lanes = [
            threading.Thread(target=self._work, args=(lane,), daemon=True)
            for lane in range(min(spares.lanes, len(self._waiting)))
        ]
        self._working.update(range(len(self._lanes)))
        for thread in self._lanes:
            thread.start()

    def cancel(self) -> None:
        """End the run at once: the files have changed again."""
        with self._lock:
            self._cancelled = True
            self._waiting.clear()
            warm = list(self._warm.values())
        for one in warm:
            one.end()

    def _work(self, lane: int) -> None:
        with contextlib.suppress(Exception):  # `spares` says why there is no process, to who asks next
            while (check := self._next(lane)) is not None:
                result = self._result(lane, check)
                if result is not None and not self._cancelled:
                    self._tell(result)
        self._release(lane)
        with self._lock:
            self._working.discard(lane)
            is_last = not self._working
        if is_last and not self._cancelled:
            self._tell(None)

    def _next(self, lane: int) -> Check | None:
        """Take the first check, on the second lane the last one: what trains a network stands at the end."""
        with self._lock:
            if not self._waiting:
                return None
            return self._waiting.popleft() if lane == 0 else self._waiting.pop()

    def _result(self, lane: int, check: Check) -> CheckResult | None:
        for _ in range(len(self._modules) + 1):  # each module may end one process when it is imported
            warm = self._warm.get(lane) or self._open(lane)
            if warm is None:
                continue
            try:
                wire.send(warm.connection, kind=wire.CHECK, check=check.id)
                return CheckResult.from_dict(self._answer(warm, check.seconds + GRACE)["result"])
            except TimeoutError:
                self._release(lane)
                from grader.pytest_plugin.verdict import timeout_text  # noqa: PLC0415 - imports torch, which is there by now

                return _lost(check, Outcome.TIMEOUT, timeout_text(check.seconds))
            except (EOFError, OSError):
                self._release(lane)
                return None if self._cancelled else _lost(check, Outcome.KILLED, ENDED)
        return None

    def _open(self, lane: int) -> Warm | None:
        """Take a warm process that imports the student's modules; None if that ends it."""
        warm = self._spares.take()
        self._spares.replace()
        with self._lock:
            if self._cancelled:
                warm.end()
                raise EOFError
            self._warm[lane] = warm
        module = ""
        try:
            wire.send(warm.connection, kind=wire.OPEN, modules=self._modules, ended=self._ended)
            while module := self._answer(warm, OWN_SECONDS + IMPORT_SECONDS + GRACE, signs=True).get("importing", ""):
                pass
        except (EOFError, OSError) as error:  # a TimeoutError is one
            self._release(lane)
            if self._cancelled:
                raise EOFError from None
            if module:
                self._note_end(module, isinstance(error, TimeoutError))
            return None
        return warm

    def _note_end(self, module: str, hung: bool) -> None:
        how = "did not end in time" if hung else "ended the process"
        outcome = Outcome.TIMEOUT if hung else Outcome.KILLED
        self._ended[module] = (str(outcome), f"importing {module}.py {how}")

    def _answer(self, warm: Warm, seconds: float, signs: bool = False) -> dict[str, Any]:
        """Return the next message, or the next that is no sign of life; raise TimeoutError where none comes."""
        while True:
            if not warm.connection.poll(seconds):
                raise TimeoutError
            message = wire.receive(warm.connection)
            if signs or message["kind"] != wire.SIGN:
                return message

    def _release(self, lane: int) -> None:
        with self._lock:
            warm = self._warm.pop(lane, None)
        if warm is not None:
            warm.end()


def _lost(check: Check, outcome: Outcome, message: str) -> CheckResult:
    return CheckResult(check.id, check.task, check.title, False, 0, check.max_points, outcome, message)
