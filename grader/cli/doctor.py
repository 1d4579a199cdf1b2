"""Runs the command `doctor`: prints what this machine offers."""

from __future__ import annotations

from grader.cli.options import command
from grader.sandbox.doctor import examine


@command("doctor")
def doctor() -> int:
    """Say what this machine offers, and how to get the rest.

    The exit code is 1 where grading untrusted code is not possible.
    """
    findings = examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.good for finding in findings) else 1
