"""Runs a module of Python as on a system that is not POSIX: `python windows.py MODULE ARGUMENTS`.

To the course's own code the modules of POSIX are missing, and to all code forks, alarms and the like.
"""

from __future__ import annotations

import builtins
import os
import runpy
import signal
import sys
from typing import Any

MODULES = frozenset(
    ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "crypt", "spwd", "syslog", "nis", "posix")
)
OURS = ("grader", "fixtures", "week4", "week5", "week6")
SIGNALS = ("SIGALRM", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGQUIT", "SIGXCPU", "ITIMER_REAL")
CALLS = {
    signal: ("setitimer", "alarm", "pthread_sigmask", "sigwait", "pause", "sigtimedwait"),
    os: ("fork", "wait4", "setsid", "killpg", "getpgid", "mkfifo", "memfd_create", "sched_getaffinity", "pidfd_open"),
}


def refuse() -> None:
    """Take away what a system that is not POSIX lacks."""
    ordinary = builtins.__import__

    def importing(name: str, names: Any = None, *more: Any, **rest: Any) -> Any:
        asks = str((names or {}).get("__name__", "")).partition(".")[0]
        if name.partition(".")[0] in MODULES and asks in OURS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return ordinary(name, names, *more, **rest)

    builtins.__import__ = importing
    for name in SIGNALS:
        delattr(signal, name)
    for module, names in CALLS.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)


if __name__ == "__main__":
    del sys.argv[0]
    refuse()
    sys.path.insert(0, "")
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
