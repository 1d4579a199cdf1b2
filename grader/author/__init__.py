"""Proves a week's checks right before students see them, and releases it without leaks.

proof/      validate     the proof, step by step: `validate(week)` gives its matrix
            trials       runs of the reference, the skeleton, the variants and the mutants, graded as submissions are
            findings     what these runs say about the checks
            record       which check caught which mutant when the author last agreed with it
            mutants      known mistakes of a week; `operators` makes general ones, `survivors` says which may survive
            matrix       tasks and mutants, on the terminal and as a page
            calibration  a threshold's margins: a measurement of the reference and of broken programs over many seeds
release/    skeleton     the skeletons, cut from the references
            lessons      the notebooks of pictures; `workbook` makes those in which a week is done
            tree         the student tree, as a folder or a branch; `leaks` finds solution lines and hidden checks in it
            scaffold     a new week
            package      bundles for Gradescope and Classroom 50
site/       writing      the lessons' pages: run, drawn, and put together as a site
"""
