"""Imports what runs of pytest in the tests' own process share.

pytester forgets after each run what was first imported in it, and msgpack's compiled types do not bear a second import.
"""

import grader.checks.show
import grader.intake
import grader.pytest_plugin.local
import grader.pytest_plugin.verdict  # noqa: F401
