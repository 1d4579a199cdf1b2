"""Takes submissions in: `survey` finds who handed in which week, `load` reads one of these by value.

In the order in which an entry passes through:

    layouts       whose an entry is, in a platform's download
    classfolder   which entries of a class folder are students'
    contents      everything that one entry holds, read by value (`archive`: zip files)
    places        where in it each week lies, whatever folders and files are called (`weeks`: which week is meant)
    collect       the files of one week, with what they need (notebooks: `grader.intake.notebook`)

`survey` and `submission` put these together; `naming` is about students' names. What cannot be read
becomes a clear problem of that student and stops nobody else.
"""

from grader.intake.naming import safe_name
from grader.intake.submission import Submission, empty_submission, load, load_folder, surveyed_digest
from grader.intake.survey import Candidate, Survey, survey

__all__ = [
    "Candidate",
    "Submission",
    "Survey",
    "empty_submission",
    "load",
    "load_folder",
    "safe_name",
    "survey",
    "surveyed_digest",
]
