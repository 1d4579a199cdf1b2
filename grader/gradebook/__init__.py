"""The gradebook: one SQLite file with every attempt, override and problem of a class."""

from grader.gradebook.store import Attempt, Gradebook, Problem, ResultKey, open_book

__all__ = ["Attempt", "Gradebook", "Problem", "ResultKey", "open_book"]
