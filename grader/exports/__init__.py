"""Writes results in other systems' formats, all made from reports as students may read them.

registry      the formats by name, and what each writes
ci_job        which host a CI job runs on, and what that reads
classroom50   `result.json` of Classroom 50
github        what GitHub Classroom's reporter action reads
gradescope    `results.json` of Gradescope
junit         JUnit XML, which most CI systems show
canvas        a Canvas gradebook export, filled in
moodle        a Moodle grading worksheet, filled in
table         CSV and JSON for everything else

Points are whole numbers everywhere. Text that students can influence is escaped for where it will be shown.
"""
