"""Attacks the promise that a process finds no secret around it: variables, descriptors, a terminal, names."""

from __future__ import annotations

import getpass
import os
import re

from grader.sandbox.attack.files import COURSE
from grader.sandbox.attack.findings import Attack, CannotTry, Group, Promised, Seen, nothing
from grader.sandbox.attack.ground import Ground
from grader.sandbox.bubblewrap import ENVIRONMENT

# Variables that the sandbox sets by itself, or that name a folder for what is computed once.
_OWN = {*ENVIRONMENT, "HOME", "USER", "TMPDIR", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR"}
_SHORTEST = 6  # characters of a value that can be told from a common word


def _variables(ground: Ground) -> Seen:
    """The judge's environment holds a secret while the sandbox starts."""
    found = ground.act("surroundings", "variables")
    leaks = [name for name, value in found.items() if ground.token in value]
    return nothing(leaks, f"{len(found)} are set, none from outside")


def _inherited(ground: Ground) -> Seen:
    """Look for variables that this process has, with the same value, and that the sandbox does not set by itself."""
    found = ground.act("surroundings", "variables")
    mine = {name for name, value in os.environ.items() if len(value) >= _SHORTEST and found.get(name) == value}
    return nothing(sorted(mine - _OWN), "none of this process's")


def _descriptors(ground: Ground) -> Seen:
    return nothing(ground.act("surroundings", "descriptors"), "null, output twice, and the one to answer on")


def _terminal(ground: Ground) -> Seen:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise CannotTry("this run has no terminal") from None
    why = ground.act("surroundings", "terminal")
    return Seen(bool(why), why or "it opens")


def _host_name(ground: Ground) -> Seen:
    name = ground.act("surroundings", "host_name")
    return Seen(name != os.uname().nodename, f"it says {name}")


def _user_name(ground: Ground) -> Seen:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        raise CannotTry("this user has no name") from None
    lines = ground.act("surroundings", "texts")
    return nothing([line[:80] for line in lines if user in re.split(r"\W+", line)][:2], "it is not said")


def _course_path(ground: Ground) -> Seen:
    lines = ground.act("surroundings", "texts")
    return nothing([line[:80] for line in lines if str(COURSE) in line][:2], "it is not said")


GROUP = Group(
    "environment",
    "Student code finds no environment variable of yours, and nothing that was left open",
    (
        Attack("a secret in the environment of whoever grades", _variables, Promised.ALWAYS),
        Attack("other variables of that environment", _inherited),
        Attack("descriptors that were left open", _descriptors),
        Attack("the terminal of whoever grades", _terminal),
        Attack("the machine's name", _host_name, Promised.NEVER),
        Attack("the user's name", _user_name, Promised.NEVER),
        Attack("the path of the course", _course_path, Promised.NEVER),
    ),
)
