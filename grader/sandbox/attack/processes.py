"""Attacks the promise that other processes are out of reach, and that none is left over or is one too many."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

from grader.inside.confine import PROCESSES
from grader.sandbox.attack.findings import Attack, CannotTry, Group, Promised, Seen, nothing
from grader.sandbox.attack.ground import Ground, Unclear, goes_on

_SETTLE = 5.0  # seconds in which killed processes have to be gone
_MORE = PROCESSES + 16  # few enough to do no harm where nothing stops them


def _see(ground: Ground) -> Seen:
    with ground.victim() as victim:
        return nothing(ground.act("processes", "see", victim.pid), "a process of this machine is not found")


def _disturb(ground: Ground) -> Seen:
    """Judge by the process that was attacked."""
    with ground.victim() as victim:
        before = _state(victim)
        ground.act("processes", "disturb", victim.pid)
        well = _state(victim) == before
    return Seen(well, "it goes on as before" if well else "it was disturbed")


def _state(victim: subprocess.Popen[bytes]) -> object:
    try:
        nice, limits = os.getpriority(os.PRIO_PROCESS, victim.pid), resource.prlimit(victim.pid, resource.RLIMIT_NOFILE)
        stopped = "\nState:\tT" in Path(f"/proc/{victim.pid}/status").read_text()
        return nice, limits, os.sched_getscheduler(victim.pid), stopped, victim.poll()
    except OSError:
        return None


def _spy(ground: Ground) -> Seen:
    with ground.victim() as victim:
        return nothing(ground.act("processes", "spy", victim.pid), "nothing of it can be read")


def _spy_on_parent(ground: Ground) -> Seen:
    return nothing(ground.act("processes", "spy_on_parent"), "nothing of it can be read")


def _kill_parent(ground: Ground) -> Seen:
    """Judge by the keeper: whether it still starts checks."""
    with ground.submission() as submission:
        submission.act("processes", "kill_parent")
        well = goes_on(submission)
    return Seen(well, "it goes on" if well else "it was killed")


def _stay(ground: Ground) -> Seen:
    """Judge by the processes of this machine after the check."""
    with ground.submission() as submission:
        _left_running(ground, submission.act("processes", "stay", ground.token).evidence)
        submission.end_check()
        return _all_gone(ground)


def _left_running(ground: Ground, leave: object) -> None:
    if callable(leave):
        leave()
    end = time.monotonic() + 1
    while not ground.named():
        if time.monotonic() > end:
            raise Unclear("the processes that it should leave were not to be seen outside")
        time.sleep(0.02)


def _all_gone(ground: Ground) -> Seen:
    left = ground.gone(_SETTLE)
    return Seen(not left, f"{len(left)} of them are left" if left else "none is left")


def _forks(ground: Ground) -> Seen:
    """Judge by the processes of this machine."""
    with ground.submission() as submission:
        submission.act("processes", "forks", ground.token, _MORE, seconds=12.0).evidence()
        time.sleep(0.1)
        count = len(ground.named())
    return Seen(count <= PROCESSES, f"{count} at once, of {_MORE} tried")


def _threads(ground: Ground) -> Seen:
    with ground.submission() as submission:
        submission.act("processes", "threads", ground.token, _MORE).evidence()
        count = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in ground.named())
    return Seen(count <= PROCESSES, f"{count} at once, of {_MORE} tried")


def _cores(ground: Ground) -> Seen:
    """Judge by what the kernel says outside of the process's cores."""
    if len(os.sched_getaffinity(0)) == 1:
        raise CannotTry("this run has one core")
    with ground.submission() as submission:
        submission.act("processes", "spread", ground.token, sorted(os.sched_getaffinity(0))).evidence()
        taken = {core for pid in ground.named() for core in os.sched_getaffinity(pid)}
    return Seen(taken <= set(ground.cores), f"it runs on core {', '.join(map(str, sorted(taken)))}")


def _interrupt(ground: Ground) -> Seen:
    """Kill the sandbox's first process while processes that were left run; judge by the processes of this machine."""
    with ground.submission() as submission:
        _left_running(ground, submission.act("processes", "stay", ground.token).evidence)
        os.kill(ground.worker.start().pid, signal.SIGKILL)
        return _all_gone(ground)


GROUP = Group(
    "processes",
    "Student code cannot see, signal, trace or outlive another process, nor have too many",
    (
        Attack("finding a process of this machine", _see),
        Attack("signals, priority and limits of a process of this machine", _disturb),
        Attack("memory, environment and trace of a process of this machine", _spy),
        Attack("memory and trace of the process that holds the submission", _spy_on_parent),
        Attack("killing the process that holds the submission", _kill_parent),
        Attack("staying on after the check, in other sessions", _stay, Promised.ALWAYS),
        Attack("too many processes", _forks),
        Attack("too many threads", _threads),
        Attack("cores of other judges", _cores),
    ),
)
LAST = Group(
    "an interrupted run",
    "An interrupted or killed run leaves no process behind",
    (Attack("staying on after the sandbox was killed", _interrupt),),
)
