"""Finds what works on a student's computer, and would fail where the work is graded: `submit-check`.

reading      has the sources read, and nothing run
scan         is the program that reads them
importing    has the modules imported where only the allowed libraries are
trial        is the program that imports them
"""

from grader.intake.handing_in.importing import failures
from grader.intake.handing_in.reading import findings

__all__ = ["failures", "findings"]
