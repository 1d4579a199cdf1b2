"""Exports all that an instructor writes checks with.

They are computed_once, expect, load_beside, load_probes, says, show, task.
"""

from grader.checks import expect, show
from grader.checks.memo import computed_once
from grader.checks.task_mark import load_beside, load_probes, task
from grader.inside import says

__all__ = ["computed_once", "expect", "load_beside", "load_probes", "says", "show", "task"]
