"""Runs a module of Python as on a system that is not POSIX: `python -m tests.support.windows MODULE ARGUMENTS`.

To the course's own code the modules of POSIX are missing, and to all code forks, alarms and the like. No link can be
made, and a file that this process has open can be neither replaced nor removed. With SIMULATED=macos in the environment
only that is missing which Linux alone has.
"""

from __future__ import annotations

import asyncio  # noqa: F401 - it asks for what is taken away when it is imported
import builtins
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

FORKED = "torch" in sys.modules  # and so it may have others forked
if FORKED:
    from tests.support import warm

    FORKS = ("grader.watching.warm", "grader.intake.reading.process")
MODULES = frozenset(
    ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "crypt", "spwd", "syslog", "nis", "posix")
)
OURS = ("grader", "fixtures", "week4", "week5", "week6", "week7", "primer")
SIGNALS = ("SIGALRM", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGQUIT", "SIGXCPU", "ITIMER_REAL")
CALLS: dict[Any, tuple[str, ...]] = {
    signal: ("setitimer", "alarm", "pthread_sigmask", "sigwait", "pause", "sigtimedwait"),
    os: (
        *("fork", "wait4", "setsid", "killpg", "getpgid", "mkfifo", "memfd_create", "sched_getaffinity", "pidfd_open"),
        *("chown", "fchown", "fchmod", "getloadavg", "statvfs", "pipe2", "O_NOFOLLOW"),
    ),
    socket: ("recv_fds", "send_fds", "MSG_CMSG_CLOEXEC", "SOCK_SEQPACKET", "SO_PEERCRED"),
}
LINUX_ALONE: dict[Any, tuple[str, ...]] = {
    os: ("memfd_create", "sched_getaffinity", "pidfd_open", "pipe2"),
    socket: ("MSG_CMSG_CLOEXEC", "SOCK_SEQPACKET", "SO_PEERCRED"),
}
KEPT = ("SIGINT", "SIGTERM", "SIGABRT", "SIGFPE", "SIGILL", "SIGSEGV")


def refuse() -> None:
    """Take away what a system that is not POSIX lacks."""
    ordinary = builtins.__import__

    def importing(name: str, names: Any = None, *more: Any, **rest: Any) -> Any:
        asks = str((names or {}).get("__name__", "")).partition(".")[0]
        if name.partition(".")[0] in MODULES and asks in OURS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return ordinary(name, names, *more, **rest)

    builtins.__import__ = importing
    for kind in (subprocess.Popen, psutil.Process, *([warm.Program] if FORKED else [])):
        kind.kill = lambda process: os.kill(process.pid, 9)  # type: ignore[method-assign] - without a name for 9
    for name in SIGNALS:
        delattr(signal, name)
    signal.valid_signals = lambda: {getattr(signal, name) for name in KEPT}  # type: ignore[assignment]
    _take_away(CALLS)
    os.symlink = _no_link  # type: ignore[assignment]
    for name in ("replace", "rename", "remove", "unlink"):
        setattr(os, name, _unless_open(getattr(os, name)))


def refuse_linux() -> None:
    """Take away what macOS lacks."""
    _take_away(LINUX_ALONE)


def _take_away(what: dict[Any, tuple[str, ...]]) -> None:
    for module, names in what.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)


def _pass_on() -> None:
    """Have the processes of ours that are started be without it, too."""
    popen, ordinary = subprocess.Popen, subprocess.Popen.__init__

    def start(self: Any, words: Any, *more: Any, **rest: Any) -> None:
        if isinstance(words, list) and "-m" in words and str(words[words.index("-m") + 1]).startswith("grader."):
            words = [sys.executable, "-m", "tests.support.windows", *words[words.index("-m") + 1 :]]
        assert not rest.get("pass_fds") or os.environ.get("SIMULATED") == "macos", "Windows passes no descriptors on"
        ordinary(self, words, *more, **rest)

    def start_or_fork(words: Any, *more: Any, **rest: Any) -> subprocess.Popen[bytes] | warm.Program:
        if not rest.get("pass_fds") and any(name in words for name in FORKS):
            return warm.popen([sys.executable, "-m", "tests.support.windows", *words[words.index("-m") + 1 :]], **rest)
        return popen(words, *more, **rest)

    popen.__init__ = start  # type: ignore[assignment, method-assign]
    if FORKED:
        subprocess.Popen = start_or_fork  # type: ignore[assignment, misc]


def _no_link(*places: Any, **rest: Any) -> None:
    raise OSError(1314, "A required privilege is not held by the client")


def _unless_open(ordinary: Callable[..., None]) -> Callable[..., None]:
    def refusing(*places: Any, **rest: Any) -> None:
        named = {os.path.realpath(place) for place in places if not isinstance(place, int)}
        if not rest and named & {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}:
            raise PermissionError(13, "The process cannot access the file because it is being used", *places[:1])
        ordinary(*places, **rest)

    return refusing


def _begin_anew() -> None:
    """Be as if nothing of ours were imported, and have the encoding that is asked for: this may be a fork."""
    for name in [name for name in sys.modules if name.partition(".")[0] in (*OURS, "tests")]:
        del sys.modules[name]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=os.environ.get("PYTHONIOENCODING"))  # type: ignore[union-attr]


if __name__ == "__main__":
    del sys.argv[0]
    _begin_anew()
    tempfile.gettempdir()
    refuse_linux() if os.environ.get("SIMULATED") == "macos" else refuse()
    _pass_on()
    sys.path.insert(0, "")
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
