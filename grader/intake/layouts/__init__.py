"""Reads learning platforms' downloads by their file names: whose an entry is, which attempt, and whether it is late.

A layout is known by evidence: by the names of most entries (Gradescope's by its metadata file, Classroom 50's by its
marker). What fits the others is read, what does not is named. A class folder that fits none is `plain`.

handed       defines what a layout finds: one student's work, and the entries that are nobody's
blackboard   reads flat files, `Week 5_asilva_attempt_2026-10-05-20-15-30_lenet.py`
brightspace  reads folders, `123001-555 - Ana Silva - Oct 5, 2026 815 PM`
canvas       reads flat files, `silvaana_LATE_1001_5001_lenet.py`
moodle       reads folders or flat files, `Ana Silva_2001_assignsubmission_file_`
gradescope   reads `submission_metadata.yml` and the folders that it names
checkouts    reads checkouts of GitHub Classroom and Classroom 50
detection    tells which of them a folder is, and reads it
"""

from grader.intake.layouts.detection import LAYOUTS, PLAIN, Evidence, called, evidence_of, fits, read, read_all
from grader.intake.layouts.handed import Handed, Part, Read

__all__ = [
    "LAYOUTS",
    "PLAIN",
    "Evidence",
    "Handed",
    "Part",
    "Read",
    "called",
    "evidence_of",
    "fits",
    "read",
    "read_all",
]
