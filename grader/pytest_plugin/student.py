"""Runs probes for a check: `student.run(probe, …)` gives evidence, wherever the probe runs.

`LocalStudent` runs probes in this process, for students at their own desk: breakpoints and prints work, and the
arguments and the evidence still pass through the codec. `grader.judging.remote_student` runs them in a sandboxed
worker; only such runs give a grade.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from grader.inside import codec, probing
from grader.inside.modules import StudentModules
from grader.pytest_plugin import calls
from grader.pytest_plugin.calls import Asked
from grader.pytest_plugin.deadline import OWN_SECONDS, DeadlineExceeded, deadline
from grader.pytest_plugin.output import Output
from grader.results import Outcome

Probe = Callable[..., Any]

AGAIN_SECONDS = 2.0  # at least, that a function has which has run into a limit before


class Student(Protocol):
    """Runs probes on a submission for one check.

    `asked` is the latest run, `place` the file and line of what it called of the student's. `printed` is what it
    printed, where that was caught.
    """

    @property
    def asked(self) -> Asked | None: ...

    @property
    def place(self) -> str: ...

    @property
    def printed(self) -> str: ...

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        """Return the probe's evidence, or raise what ends the check. All runs of one check share a process."""
        ...

    def run_fresh(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        """Do as `run`, in a process that no other run has touched, and that no later run of this check uses."""
        ...


@dataclass
class ProbeEnded(Exception):
    """Says that a probe in a worker gave no evidence. `summary` names only the kind of end.

    `says` is what the exception says, `frames` are the student's lines, `place` the innermost of them, and `raised` the
    exception's type. `reached` tells whether the probe came as far as the student's function.
    """

    outcome: Outcome
    summary: str
    says: str = ""
    frames: str = ""
    place: str = ""
    raised: str = ""
    reached: bool = True

    def __str__(self) -> str:
        return self.summary


class LocalStudent:
    """Runs probes in this process. `raised` holds the latest exceptions of the student's code.

    With `output` what a run prints is kept there, up to a limit, and the next run begins anew; without it, it is shown
    as it comes. `before_run` is called before each run. `hung` holds which functions have run into a limit before: the
    other checks of one wait for it only as long as it takes to see that it hangs.
    """

    def __init__(
        self,
        modules: StudentModules,
        folder: Path,
        seed: int,
        seconds: float,
        output: Output | None = None,
        hung: set[calls.Path] | None = None,
    ) -> None:
        self.asked: Asked | None = None
        self.folder = folder
        self.raised: deque[BaseException] = deque(maxlen=64)
        self.before_run: Callable[[], None] = _nothing
        self._modules = modules
        self._seed = seed
        self._seconds = seconds
        self._output = output
        self._hung: set[calls.Path] = set() if hung is None else hung

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        import torch  # noqa: PLC0415 - checks have imported it; collecting them can do without

        own = os.getpid()
        self.before_run()
        self.asked = Asked(probe, args, kwargs)
        torch.set_grad_enabled(True)  # whatever an earlier check's code has left behind
        self.import_first(self.asked.modules)
        args, kwargs = codec.decode(codec.encode((args, kwargs), "the probe's arguments"))
        try:
            with self._output.kept() if self._output else nullcontext(), deadline(self._limit(), self.folder):
                evidence = probing.call(probe, self._modules, self._seed, args, kwargs)
                message = codec.encode(evidence, "the result")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too, comes from the student's code
            self.raised.append(error)
            if isinstance(error, DeadlineExceeded) and not error.slow:
                self._hung.update(self.asked.paths)
            raise
        finally:
            if os.getpid() != own:
                os._exit(0)  # their code has forked: what its copy would go on with is this process's business
        return codec.decode(message)

    run_fresh = run

    def _limit(self) -> float:
        hangs = self.asked is not None and not self._hung.isdisjoint(self.asked.paths)
        return min(self._seconds, max(AGAIN_SECONDS, self._seconds / 5)) if hangs else self._seconds

    def run_again(self) -> None:
        """Run the latest probe once more with its arguments: without a limit, and with all that it prints shown."""
        assert self.asked is not None
        args, kwargs = codec.decode(codec.encode((self.asked.args, self.asked.kwargs), "the probe's arguments"))
        probing.call(self.asked.probe, self._modules, self._seed, args, kwargs)

    def asked_for(self) -> Iterator[Any]:
        """Yield the student's functions and classes that the latest probe uses, as far as they are there."""
        for module, name in self.asked.paths if self.asked else ():
            with suppress(Exception):
                yield getattr(getattr(self._modules, module), name)

    def import_first(self, modules: list[str]) -> None:
        """Import modules within a limit of their own, as in grading: a library's first import may take long.

        A failure is raised again where the probe asks for the module.
        """
        for module in modules:
            try:
                with self._output.kept() if self._output else nullcontext(), deadline(OWN_SECONDS, self.folder):
                    getattr(self._modules, module)
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: S112 - see above
                continue

    @property
    def printed(self) -> str:
        return self._output.text if self._output else ""

    @property
    def place(self) -> str:
        return self.asked.place(self._text_of) if self.asked else ""

    def _text_of(self, file: str) -> str:
        path = self.folder / file
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _nothing() -> None:
    """Do nothing before a run."""
