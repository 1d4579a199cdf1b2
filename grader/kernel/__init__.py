"""Checks what is defined in a notebook's kernel: `%load_ext grader` gives `%check`, `%score` and `%submit`.

magics       adds the three to IPython, and finds out which week is meant
session      runs checks by pytest in the kernel's process
cells        gives a check the names of the kernel, and says of a place in which cell it is
shown        shows results as HTML, and as text where there is none
handing_in   writes the file to hand in from the cells that were run

Nothing here gives a grade: what is handed in is graded as any submission is.
"""
