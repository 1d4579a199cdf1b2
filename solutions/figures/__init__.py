"""The lessons' figures, made by code: `python -m solutions.figures` writes them into `assignments/WEEK/figures/`."""
