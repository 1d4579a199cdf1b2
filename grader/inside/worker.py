"""The program inside the sandbox: a warm zygote, a fork of it for each submission, a fork of that for each check.

    zygote       imports torch once, touches no student's data, and forks a host for each submission
    └─ host      holds the submission's imported modules, and forks for each check
       └─ check  runs probes and sends evidence until its socket is closed or it is killed

Every request comes from the judge. The descriptors of a job travel through the zygote unread, so that nothing of
one submission is left in it for the next. Nobody in here decides anything: replies are evidence.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _own_package() -> None:
    """Make this folder importable under a name that no student's module has."""
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "grader_inside", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None
    sys.modules["grader_inside"] = importlib.util.module_from_spec(spec)


if __name__ == "__main__":
    _own_package()

from grader_inside import codec, modules, probing, wire  # type: ignore[import-not-found]  # noqa: E402

_SUBREAPER, _DEATH_SIGNAL = 36, 1  # PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG of prctl(2)


def main(control_fd: int) -> None:
    """Serve jobs from the control socket until it closes."""
    _prctl(_SUBREAPER, 1)
    _warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    with socket.socket(fileno=control_fd) as control:
        control.send(b"ready")
        while True:
            message, fds, _, _ = socket.recv_fds(control, 16, 2)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                control.close()
                _become(_Host(socket.socket(fileno=fds[0])).serve, fds[1])
            for fd in fds:
                os.close(fd)
            control.send(pid.to_bytes(4, "big"))


def _warm_up() -> None:
    # Whatever a fork would import on first use, it would import again in every fork: torch._dynamo alone is a
    # second, at the first optimizer step. No operation may run here, for threads do not survive a fork.
    import matplotlib
    import torch
    import torch._dynamo
    import torchvision  # noqa: F401

    matplotlib.use("agg")
    import matplotlib.pyplot

    torch.set_num_threads(1)


def _become(serve: Any, output: int) -> None:
    """Turn a fresh fork into a process of its own that writes to `output`; never returns."""
    status = 70
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (1, 2):
            os.dup2(output, fd)
        os.close(output)
        serve()
        status = 0
    finally:
        # os._exit, so that no handler that a student's module registered runs in a process that is done.
        os._exit(status)


class _Host:
    """One submission: its files on disk, its modules imported, a fork for each check."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.student: Any = None
        self.folder = Path()

    def serve(self) -> None:
        _prctl(_SUBREAPER, 1)
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        while True:
            command, fds, _, _ = socket.recv_fds(self.connection, 1, 2)
            if command == b"O":
                self.open(codec.decode(wire.receive(self.connection)))
            elif command == b"I":
                self.load(codec.decode(wire.receive(self.connection)))
            elif command == b"C":
                self.fork_check(fds)
            elif command == b"E":
                self.end_check(int(codec.decode(wire.receive(self.connection))))
            else:
                return

    def open(self, job: dict[str, Any]) -> None:
        self.folder = Path(job["folder"])
        for name, content in job["files"].items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        os.chdir(self.folder)
        _limit(job["memory"])
        ended = {name: modules.ModuleEnded(*end) for name, end in job["ended"].items()}
        self.student = modules.open_modules(self.folder, job["package"], ended)
        self.reply(None)

    def load(self, name: str) -> None:
        """Import one module now, so that checks start with it; its failure shows in the checks that use it."""
        with contextlib.suppress(BaseException):
            getattr(self.student, name)
        _flush()
        self.reply(None)

    def fork_check(self, fds: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            self.connection.close()
            _become(_Check(socket.socket(fileno=fds[0]), self.student, self.folder).serve, fds[1])
        for fd in fds:
            os.close(fd)
        self.reply(pid)

    def end_check(self, pid: int) -> None:
        """Kill what is left of a check, with everything that it started; reply how the process ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # a process that is ending already keeps the status it has
        _, status = os.waitpid(pid, 0)
        _kill_descendants()
        self.reply(os.waitstatus_to_exitcode(status))

    def reply(self, value: Any) -> None:
        wire.send(self.connection, codec.encode(value))


class _Check:
    """One check: answers probe requests until the judge closes the socket."""

    def __init__(self, connection: socket.socket, student: Any, folder: Path) -> None:
        self.connection = connection
        self.student = student
        self.folder = folder
        self.probes: dict[str, ModuleType] = {}

    def serve(self) -> None:
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        while True:
            try:
                message = wire.receive(self.connection)
            except wire.Closed:
                return
            reply = self.answer(codec.decode(message))
            _flush()
            wire.send(self.connection, reply)

    def answer(self, request: dict[str, Any]) -> bytes:
        """Evidence (E…), an exception (R…), or why the result is not plain data (I…)."""
        try:
            probe = getattr(self.probe_module(request), request["probe"])
            evidence = probing.call(probe, self.student, request["seed"], request["args"], request["kwargs"])
            return b"E" + bytes(codec.encode(evidence, "the result"))
        except codec.NotPlainData as error:
            return b"I" + bytes(codec.encode(str(error)))
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too, are an answer
            return b"R" + bytes(codec.encode(probing.describe(error, self.folder)))

    def probe_module(self, request: dict[str, Any]) -> ModuleType:
        name = request["module"]
        if name not in self.probes:
            module = ModuleType(f"grader_{name}")
            exec(compile(request["source"], f"{name}.py", "exec"), module.__dict__)
            self.probes[name] = module
        return self.probes[name]


def _limit(memory: int) -> None:
    """Cap memory (bytes), the size of files, descriptors, and core dumps, for this process and its children."""
    for what, value in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, 64 << 20),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


def _kill_descendants() -> None:
    """SIGKILL every process below this one, until there is none: orphans come back to a subreaper."""
    while children := _children():
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
