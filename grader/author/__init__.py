"""The author's gate: what proves a week's checks right before students see them, and releases it without leaks.

trials      runs of the reference, the skeleton, the variants and the mutants, graded as submissions are
findings    what these runs say about the checks
record      which check caught which mutant when the author last agreed with it
operators   general mistakes in PyTorch code, applied to the reference
show        the matrix of tasks and mutants, on the terminal and as a page
calibration a threshold's margins: a measurement of the reference and of broken programs over many seeds
leaks       solution lines and hidden checks in what students get
release     the student tree, as a folder or a branch
scaffold    a new week
package     bundles for Gradescope and Classroom 50
"""
