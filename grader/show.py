"""The old name of `grader.checks.show`, kept for one release: write `from grader.checks import ...` instead."""

from grader.checks.show import *  # noqa: F403
