"""Examines what this machine offers for grading, and says how to get what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import DeviceError, SandboxError
from grader.sandbox import gpus, views
from grader.sandbox.bubblewrap import bubblewrap
from grader.sandbox.cgroups import home as cgroup_home
from grader.sandbox.cgroups.group import NoCgroup
from grader.sandbox.choice import choose
from grader.scratch import held, last_lines, new_log

# What students' code may import besides Python's own modules (assignments/README.md says so), and what checks need.
FOR_STUDENTS = ("torch", "torchvision", "numpy", "pillow", "matplotlib", "scikit-learn", "scipy", "tqdm")
_MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}  # where a library has another name than its module
_LIBRARIES = (*FOR_STUDENTS, "hypothesis", "pytest")
SETTINGS = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's output: what was looked at, whether it is as it should be, and what to do if not."""

    what: str
    good: bool
    says: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"\n     to do: {self.advice}" if self.advice else ""
        return f"{'ok  ' if self.good else 'BAD '} {self.what}: {self.says}{advice}"


def examine() -> Iterator[Finding]:
    """Examine everything worth knowing, the sandbox first and a real worker last, which takes some seconds."""
    yield _sandbox()
    yield _memory()
    yield from _libraries()
    yield _gpu()
    yield _machine()
    yield _worker()


def _sandbox() -> Finding:
    try:
        return Finding("sandbox", True, f"{bubblewrap().program} works; --sandbox auto takes it")
    except SandboxError as error:
        return Finding("sandbox", False, f"{error}; --sandbox auto would grade WITHOUT one", _advice())


def _worker() -> Finding:
    """Start a worker as `batch` does, train a network in it, and tell what came of it, in the worker's own words."""
    from grader.sandbox import worker_trial  # noqa: PLC0415 - it imports torch

    sandbox = choose("auto")
    place = "in the sandbox" if sandbox.confined else "without a sandbox"
    with held(), new_log() as said:
        begin = time.monotonic()
        try:
            version = worker_trial.version(sandbox, said)
        except worker_trial.FAILURES as error:
            advice = "mend what it says; `pip install` into this Python's own folders is always found"
            return Finding("worker", False, f"does not work {place}: {error}{last_lines(said)}", advice)
        seconds = time.monotonic() - begin
        return Finding(
            "worker", True, f"torch {version} trained a network {place} after {seconds:.1f} s{last_lines(said)}"
        )


def _memory() -> Finding:
    """Say how the memory of a submission is limited; all is good, as the limits hold in both ways."""
    try:
        return Finding(
            "memory", True, f"each submission has a control group of its own, from {cgroup_home.find().says}"
        )
    except NoCgroup as why:
        otherwise = "what would hide memory is refused, and the rest is counted; pipes and such are in no count"
        return Finding("memory", True, f"no control group can be had ({why}): {otherwise}")


def _advice() -> str:
    if shutil.which("bwrap") is None:
        return ""  # the finding itself says how to install it
    found = [advice for file, bad, advice in SETTINGS if _read(file) == bad]
    return "; ".join(found) or "allow user namespaces to this user; in a container, start it with those allowed"


def _read(file: str) -> str:
    try:
        with open(file, encoding="ascii") as setting:
            return setting.read().strip()
    except OSError:
        return ""


def _libraries() -> Iterator[Finding]:
    for name in _LIBRARIES:
        role = "; students' code may use it" if name in FOR_STUDENTS else ""
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", "pip install -e '.[test]' in the course's folder")
            continue
        hidden = _out_of_view(name) if name in FOR_STUDENTS else None
        if hidden:
            advice = f"install it where Python's own packages are: {sys.executable} -m pip install {name}"
            yield Finding(name, False, f"{version} lies in {hidden}, which the sandbox does not show", advice)
        else:
            yield Finding(name, True, f"{version}{role}")


def _out_of_view(name: str) -> Path | None:
    """Return the folder of a library that the sandbox does not show; None where it shows it."""
    spec = importlib.util.find_spec(_MODULES.get(name, name))
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    return file.parent if views.hides(file) else None


def _gpu() -> Finding:
    """Look for a GPU; all is good, as nothing needs one. `batch --device cuda` tries it out, which takes seconds."""
    try:
        cards = ", ".join(gpu.name for gpu in gpus.look())
        return Finding("GPU", True, f"{cards}; batch --device cuda tries whether checks can use it")
    except DeviceError as error:
        return Finding("GPU", True, f"none that checks could use, and none is needed ({error})")


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    judges = f"batch runs {cores} judge{'s' if cores > 1 else ''}"
    return Finding("machine", True, f"{platform.machine()}, {cores} cores, {memory:.0f} GiB of memory; {judges}")
