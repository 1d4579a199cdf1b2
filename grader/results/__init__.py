"""Holds what grading yields, as plain data: outcomes of checks, reports, exhibits, adjustments."""

from grader.results.adjustments import BONUS, LATENESS, PENALTY, WHOLE_WEEK, Kind, Late, Override, adjust
from grader.results.check import CheckResult, Measure, Outcome, Reason
from grader.results.delivery import Delivery
from grader.results.manual import ManualPart, Remark, RubricItem
from grader.results.overtaken import find_overtaken
from grader.results.report import TODO_TEXT, WEEK, Adjustment, Overtaken, Report
from grader.results.tasks import TaskScore, task_order, tasks_of, told_once

__all__ = [
    "BONUS",
    "LATENESS",
    "PENALTY",
    "TODO_TEXT",
    "WEEK",
    "WHOLE_WEEK",
    "Adjustment",
    "CheckResult",
    "Delivery",
    "Kind",
    "Late",
    "ManualPart",
    "Measure",
    "Outcome",
    "Override",
    "Overtaken",
    "Reason",
    "Remark",
    "Report",
    "RubricItem",
    "TaskScore",
    "adjust",
    "find_overtaken",
    "task_order",
    "tasks_of",
    "told_once",
]
