"""Runs the whole list of attacks, one after the other, and words what came of each."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator

from grader.errors import SandboxError
from grader.sandbox.attack import channels, endings, files, kernel, memory, network, processes, surroundings
from grader.sandbox.attack.findings import Attack, CannotTry, Finding, Group, Promised, Seen, Verdict
from grader.sandbox.attack.ground import Ground, Unclear
from grader.sandbox.choice import Sandbox
from grader.sandbox.worker_client import KeeperDied

GROUPS = (
    network.GROUP,
    files.GROUP,
    surroundings.GROUP,
    processes.GROUP,
    memory.GROUP,
    kernel.GROUP,
    *channels.GROUPS,
    endings.GROUP,
    processes.LAST,  # it kills the sandbox
)
WORST = 250  # characters of what was seen


def attack(sandbox: Sandbox, groups: Iterable[Group] = GROUPS, cores: Collection[int] = ()) -> Iterator[Finding]:
    """Attack the sandbox; yield what came of each attack. `SandboxError` where it does not start."""
    with Ground(sandbox, cores or _one_core()) as ground:
        for group in groups:
            for one in group.attacks:
                verdict, saw = _verdict(one, ground)
                yield Finding(group.name, group.promise, one.tries, verdict, saw[:WORST])


def failed(findings: Iterable[Finding]) -> bool:
    """Tell whether a promise did not hold, or nobody knows."""
    return any(finding.verdict in (Verdict.NOT_HELD, Verdict.UNCLEAR) for finding in findings)


def _verdict(one: Attack, ground: Ground) -> tuple[Verdict, str]:
    if time.monotonic() > ground.end_at:
        return Verdict.UNCLEAR, "no time was left for it"
    try:
        seen = one.run(ground)
    except CannotTry as why:
        return Verdict.UNTRIED, str(why)
    except (Unclear, OSError, SandboxError, KeeperDied) as error:
        return Verdict.UNCLEAR, str(error) or type(error).__name__
    return _judged(seen, is_promised(one, ground.sandbox)), seen.saw


def is_promised(one: Attack, sandbox: Sandbox) -> bool:
    """Tell whether this sandbox promises that the attack fails."""
    return one.promised is Promised.ALWAYS or (one.promised is Promised.CONFINED and sandbox.confined)


def _judged(seen: Seen, promised: bool) -> Verdict:
    if seen.held:
        return Verdict.HELD
    return Verdict.NOT_HELD if promised else Verdict.OPEN


def _one_core() -> set[int]:
    """Return the first core of those that this process may use, as a judge's submission has one."""
    return {min(os.sched_getaffinity(0))}
