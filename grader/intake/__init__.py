"""Takes submissions in: `survey` finds who handed in which week, `load` reads one of these by value.

An entry passes through these modules in this order:

    folders       tells what a class folder is, and which entries are students' (`entries`: on disk or in a zip)
    layouts       tells whose an entry is, in a platform's download
    contents      reads everything that one entry holds, by value (`archive`: zip files)
    places        finds each week in it, whatever folders and files are called (`weeks`: which week is meant)
    completing    finds by definitions what names do not settle (`definitions`: what a source gives)
    collect       collects the files of one week, with what they need (notebooks: `grader.intake.notebook`; `lending`:
                  names that another file defines)

The last four run in a process of its own (`reading`), which has a budget for each entry and can be killed. `survey`
and `submission` put all these together, and `doubts` stops what would make students up. What cannot be read becomes a
clear problem of that student and stops nobody else.
"""

from grader.intake.candidate import Candidate
from grader.intake.submission import Submission, empty_submission, load, load_folder, refuse_class, surveyed_digest
from grader.intake.survey import Survey, survey
from grader.people.naming import safe_name

__all__ = [
    "Candidate",
    "Submission",
    "Survey",
    "empty_submission",
    "load",
    "load_folder",
    "refuse_class",
    "safe_name",
    "survey",
    "surveyed_digest",
]
