"""Runs checks under pytest, at a student's desk and in a judge."""

# What whoever starts a program of ours has told pytest for their own runs. Ours name all that they want.
PYTEST_SETTINGS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
