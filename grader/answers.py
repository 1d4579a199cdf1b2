"""The old name of `grader.checks.memo`, kept for one release: write `from grader.checks import ...` instead."""

from grader.checks.memo import *  # noqa: F403
