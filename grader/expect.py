"""The old name of `grader.checks.expect`, kept until 2.0: write `from grader.checks import ...` instead."""

from grader.checks.expect import *  # noqa: F403
