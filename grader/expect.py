"""The old name of `grader.checks.expect`, kept for one release: write `from grader.checks import ...` instead."""

from grader.checks.expect import *  # noqa: F403
