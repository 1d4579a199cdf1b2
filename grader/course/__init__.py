"""Reads a course and its weeks from their folders, and digests what their grades depend on."""

from grader.course.assignment import (
    VARIABLE,
    Assignment,
    Course,
    LatePolicy,
    Limits,
    defined_names,
    find_course,
    installed_course,
    is_course,
    is_hidden,
    named_course,
    week_order,
)
from grader.course.settings import Settings

__all__ = [
    "VARIABLE",
    "Assignment",
    "Course",
    "LatePolicy",
    "Limits",
    "Settings",
    "defined_names",
    "find_course",
    "installed_course",
    "is_course",
    "is_hidden",
    "named_course",
    "week_order",
]
