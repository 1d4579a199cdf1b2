"""Attacks the sandbox of this machine with harmless probes, and says promise by promise what held."""

from grader.sandbox.attack.findings import Finding, Verdict
from grader.sandbox.attack.suite import GROUPS, attack, failed

__all__ = ["GROUPS", "Finding", "Verdict", "attack", "failed"]
