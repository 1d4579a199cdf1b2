"""Finds hidden checks that draw nothing, by handing one run's evidence to another."""

from grader.author.proof.drawing.comparison import beside, fixed_checks

__all__ = ["beside", "fixed_checks"]
