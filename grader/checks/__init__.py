"""Exports all that an instructor writes checks with: computed_once, expect, load_beside, load_probes, show, task."""

from grader.checks import expect, show
from grader.checks.memo import computed_once
from grader.checks.task_mark import load_beside, load_probes, task

__all__ = ["computed_once", "expect", "load_beside", "load_probes", "show", "task"]
