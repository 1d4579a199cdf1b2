"""Tests whether this machine can confine a submission; inside the sandbox it prints `works`, or what failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

sys.path.insert(0, "/")  # the sandbox shows this folder as /grader_inside

from grader_inside import confine


def main(gpu: bool, user: int | None) -> None:
    """Confine forks as a submission is confined, step by step from namespaces to the filter."""
    confine.drop_root(gpu, user)
    confine.prepare(gpu)
    _in_fork(_apart)
    print("works")


def _apart() -> None:
    confine.leave_namespaces()
    _in_fork(_keeper)


def _keeper() -> None:
    confine.map_user()
    confine.hide_proc()
    confine.fresh_folders(1 << 20)
    _in_fork(_check)


def _check() -> None:
    confine.limit(1 << 30, confined=True)
    confine.drop_privileges()


def _in_fork(body: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            body()
        except Exception as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        except SystemExit:
            os._exit(1)  # a fork of this one has said why
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit(1)


if __name__ == "__main__":
    sandbox, *who = sys.argv[1:]
    main(sandbox == "gpu", int(who[0]) if who else None)
