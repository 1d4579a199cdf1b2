"""The old name of `grader.checks.show`, kept until 2.0: write `from grader.checks import ...` instead."""

from grader.checks.show import *  # noqa: F403
