"""Finds what works on a student's computer, and would fail where the work is graded: `submit-check`."""

from grader.intake.handing_in.reading import findings

__all__ = ["findings"]
