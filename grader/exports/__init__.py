"""Writes results in other systems' formats, all made from reports as students may read them.

registry      the formats by name, and what each writes
ci_job        which host a CI job runs on, and what that reads
classroom50   `result.json` of Classroom 50
github        what GitHub Classroom's reporter action reads
gradescope    `results.json` of Gradescope
junit         JUnit XML, which most CI systems show
scores50      corrections in Classroom 50's `scores.json`
canvas        a Canvas gradebook export, filled in
moodle        a Moodle grading worksheet, filled in
fill          the column that both are filled in, and who is left out
feedback      what platforms take in bulk to give students their reports
teacher       pages for teachers: lost checks beside the student's code
target        puts all of it where it was asked for
table         CSV and JSON for everything else

People may give hundredths of points, and every format writes them with a point, as in `87.5`; Classroom 50 alone takes
whole ones, so half a point is rounded up there. Text that students can influence is escaped for where it will be shown.
"""
