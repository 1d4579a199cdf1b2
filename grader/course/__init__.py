"""Reads a course and its weeks from their folders, and digests what their grades depend on."""

from grader.course.assignment import (
    Assignment,
    Course,
    LatePolicy,
    Limits,
    defined_names,
    find_course,
    is_hidden,
    week_order,
)

__all__ = ["Assignment", "Course", "LatePolicy", "Limits", "defined_names", "find_course", "is_hidden", "week_order"]
