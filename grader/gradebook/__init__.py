"""Keeps every attempt, override and problem of a class in one SQLite file."""

from grader.gradebook.store import Attempt, Gradebook, Problem, ResultKey, copied_book, open_book

__all__ = ["Attempt", "Gradebook", "Problem", "ResultKey", "copied_book", "open_book"]
