"""Runs the command `doctor`: prints what this machine offers, or what its sandbox holds against attacks."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from grader.choices import HAS_JUDGES
from grader.cli.console import students_language, warn_unconfined
from grader.cli.options import command, language_option, sandbox_option
from grader.errors import UsageError
from grader.escape import plain, terminal
from grader.language import speaking, tr

if TYPE_CHECKING:
    from grader.sandbox.attack import Finding


OLDEST = (3, 11)
NEEDED = (  # as they are imported
    *("torch", "torchvision", "numpy", "matplotlib", "sklearn", "PIL", "tqdm", "pytest", "hypothesis", "rich"),
    *("watchfiles", "nbformat", "nbconvert", "ipykernel"),
)


@command("doctor --attack")
@click.option("--attack", "attacks", is_flag=True, help="Attack the sandbox with harmless probes; say what held.")
@click.option("--student", is_flag=True, help="Say what a student's computer lacks for the checks.")
@sandbox_option
@click.option("--json", "as_json", is_flag=True, help="With --attack: print one JSON object for scripts.")
@language_option
def doctor(attacks: bool, student: bool, sandbox: str, as_json: bool) -> int:
    """Say what this machine offers, and how to get the rest.

    The exit code is 1 where grading untrusted code is not possible. A real worker is started, and trains a network.

    With --student it says instead what the checks need on a student's own computer, where nothing is confined.

    With --attack, harmless probes run as a submission's checks do, and try what .github/SECURITY.md promises cannot be
    done. The exit code is 1 where a promise of this sandbox did not hold, or an attack came to no end.
    """
    if attacks and HAS_JUDGES:
        return _attack(sandbox, as_json)
    if student:
        with speaking(students_language()):
            return _student()
    if not HAS_JUDGES:
        print("BAD  strangers' code cannot be graded on this system: that takes Linux, or Linux in a virtual machine.")
        print("     Your own work runs here; what that takes:\n")
        with speaking(students_language()):
            _student()
        return 1
    if as_json or sandbox != "auto":
        raise UsageError("doctor: --json and --sandbox go with --attack")
    from grader.sandbox.doctor import examine  # noqa: PLC0415 - it needs POSIX, and students do without

    good = True
    for finding in examine():
        print(plain(str(finding)), flush=True)
        good = good and finding.good
    return 0 if good else 1


def _student() -> int:
    lacking = [name for name in NEEDED if find_spec(name) is None]
    has_python = sys.version_info >= OLDEST
    version = ".".join(map(str, sys.version_info[:3]))
    good, bad = (f"{tr(word)}:" for word in ("ok", "look"))
    wide = max(len(good), len(bad))
    too_old = tr("Python {version} is too old: 3.11 or newer is needed", version=version)
    print(f"{good:{wide}} Python {version}" if has_python else f"{bad:{wide}} {too_old}")
    for name in NEEDED:
        lacks = name in lacking
        print(f"{bad:{wide}} {tr('{name} is not installed', name=name)}" if lacks else f"{good:{wide}} {name}")
    if lacking:
        print(f"{tr('Install what is missing:')}  python -m pip install -e '.[student]'")
    elif has_python:
        print(tr("Everything that the checks need is there."))
    return 0 if has_python and not lacking else 1


def _attack(kind: str, as_json: bool) -> int:
    from grader.sandbox import choose  # noqa: PLC0415 - it needs POSIX, and students do without
    from grader.sandbox.attack import attack, failed  # noqa: PLC0415 - imports torch, which `doctor` alone does not need

    sandbox = choose(kind)
    warn_unconfined(sandbox)
    begin = time.monotonic()
    found = list(attack(sandbox) if as_json else _printed(attack(sandbox)))
    seconds = time.monotonic() - begin
    if as_json:
        text = {"sandbox": sandbox.name, "held": not failed(found), "findings": [asdict(finding) for finding in found]}
        print(json.dumps(text, indent=1))
    else:
        print(f"\n{_summary(found)}; {seconds:.0f} s")
    return 1 if failed(found) else 0


def _printed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Print each finding as it comes, under its promise."""
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            print(f"\n{finding.promise} ({group})")
        print(f"  {finding.verdict:<20}  {finding.tries}: {terminal(finding.saw)}")
        sys.stdout.flush()
        yield finding


def _summary(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.verdict for finding in findings)
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items(), key=lambda item: -item[1]))
