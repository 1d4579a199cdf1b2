"""The old name of `grader.checks.memo`, kept until 2.0: write `from grader.checks import ...` instead."""

from grader.checks.memo import *  # noqa: F403
