"""Starts confined processes for students' code, talks to them, and ends them: the outer end of `inside/`."""

from grader.choices import KINDS
from grader.sandbox.bubblewrap import Bubblewrap, bubblewrap
from grader.sandbox.choice import Process, Sandbox, choose

__all__ = ["KINDS", "Bubblewrap", "Process", "Sandbox", "bubblewrap", "choose"]
