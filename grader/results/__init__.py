"""Holds what grading yields, as plain data: outcomes of checks, reports, exhibits, adjustments."""

from grader.results.adjustments import Late, Override, adjust
from grader.results.delivery import Delivery
from grader.results.report import (
    TODO_TEXT,
    Adjustment,
    CheckResult,
    Measure,
    Outcome,
    Reason,
    Report,
    TaskScore,
    task_order,
    tasks_of,
    told_once,
)

__all__ = [
    "TODO_TEXT",
    "Adjustment",
    "CheckResult",
    "Delivery",
    "Late",
    "Measure",
    "Outcome",
    "Override",
    "Reason",
    "Report",
    "TaskScore",
    "adjust",
    "task_order",
    "tasks_of",
    "told_once",
]
