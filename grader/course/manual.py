"""Reads a week's manual parts, which people grade, from its assignment.toml.

[[manual]]
title = "Code quality"
points = 10                         # at most two decimal places, here and below
name = "style"                      # optional: what commands call it; by default made of the title
cells = ["Discussion", "5.4"]       # optional: what headings of its answer in a notebook hold; [] where there is none

[[manual.items]]                    # optional: a rubric
title = "Names say what they hold"
points = 4                          # all items give points, or all take them off (`-2`)
comment = "Names like x1 and tmp tell a reader nothing."    # optional: students read it where the item applies
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.errors import CourseError
from grader.results import WHOLE_WEEK, ManualPart, RubricItem
from grader.results.points import PLACES, has_two_places, total

# Words that commands take in place of a part's name, or of items.
_RESERVED = {*WHOLE_WEEK, "back", "comment", "uncomment", "excused", "waived", "none", "task"}
_NAME = re.compile(r"[^\W\d_][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)+")  # of a task


def read_manual(file: Path, given: object) -> tuple[ManualPart, ...]:
    """Return the parts that `[[manual]]` declares; `CourseError` says what is wrong with it."""
    if not isinstance(given, list) or not all(isinstance(table, dict) for table in given):
        raise CourseError(f"{file}: `manual` must be tables, each begun by [[manual]]")
    parts = tuple(_part(file, table, f"[[manual]] number {n}") for n, table in enumerate(given, 1))
    _refuse_twice(file, "[[manual]]", [part.name for part in parts])
    return parts


def read_headings(file: Path, given: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each part by its name, with the words by which its answer is found: its `cells`, or what it is called.

    Raises `CourseError` where `cells` are wrong; what else is wrong, `read_manual` says.
    """
    try:
        parts = read_manual(file, given)
    except CourseError:
        return ()
    assert isinstance(given, list)
    return tuple((part.name, _headings(file, table, part)) for part, table in zip(parts, given, strict=True))


def _headings(file: Path, table: Mapping[str, Any], part: ManualPart) -> tuple[str, ...]:
    words = table.get("cells")
    if words is None:
        names = [part.title, part.name.replace("-", " "), *_NUMBER.findall(part.title)]
        return tuple(dict.fromkeys(name for name in names if re.search(r"\w", name)))
    if not isinstance(words, list) or not all(isinstance(one, str) and re.search(r"\w", one) for one in words):
        raise CourseError(
            f'{file}: `cells` of {part.title!r} must be words that headings hold, as in ["Discussion"], or []'
        )
    return tuple(one.strip() for one in words)


def _part(file: Path, table: Mapping[str, Any], where: str) -> ManualPart:
    _refuse_unknown(file, table, where, ("title", "points", "name", "items", "cells"))
    title = _text(file, table, "title", where)
    most = _points(file, table, where)
    if most <= 0:
        raise CourseError(f"{file}: `points` of {where} must be above 0")
    items = table.get("items", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CourseError(f"{file}: `items` of {where} must be tables, each begun by [[manual.items]]")
    rubric = tuple(_item(file, item, f"item {n} of {title!r}") for n, item in enumerate(items, 1))
    _check_rubric(file, title, most, rubric)
    return ManualPart(_name(file, table, title, where), title, most, rubric)


def _item(file: Path, table: Mapping[str, Any], where: str) -> RubricItem:
    _refuse_unknown(file, table, where, ("title", "points", "name", "comment"))
    title = _text(file, table, "title", where)
    comment = _text(file, table, "comment", where) if "comment" in table else ""
    return RubricItem(_name(file, table, title, where), title, _points(file, table, where), comment)


def _check_rubric(file: Path, title: str, most: float, items: Sequence[RubricItem]) -> None:
    _refuse_twice(file, f"the items of {title!r}", [item.name for item in items])
    if len({item.points < 0 for item in items if item.points}) > 1:
        raise CourseError(f"{file}: of the items of {title!r} some give points and some take them off; choose one")
    gives = total(item.points for item in items)
    if 0 < gives < most:
        raise CourseError(f"{file}: the items of {title!r} give {gives} points in all, and the part has {most}")


def _name(file: Path, table: Mapping[str, Any], title: str, where: str) -> str:
    """Return the name that is given, else one made of the title: `code-quality`."""
    if "name" not in table:
        made = "-".join(re.findall(r"\w+", title.casefold()))
        name = made if _NAME.fullmatch(made) else f"part-{made}"
    else:
        name = _text(file, table, "name", where)
    if not _NAME.fullmatch(name) or name.casefold() in _RESERVED:
        raise CourseError(
            f"{file}: {name!r} cannot be the `name` of {where}; use letters, digits and `-`, as in `style`"
        )
    return name


def _text(file: Path, table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise CourseError(f"{file}: `{key}` of {where} is missing or not a text; add it")
    return value.strip()


def _points(file: Path, table: Mapping[str, Any], where: str) -> float:
    points = table.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float) or not has_two_places(points):
        raise CourseError(f"{file}: `points` of {where} is missing or not {PLACES}; add it")
    return total([points])


def _refuse_unknown(file: Path, table: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            names = ", ".join(f"`{name}`" for name in known)
            raise CourseError(f"{file}: there is no `{key}` in {where}; it has {names}")


def _refuse_twice(file: Path, where: str, names: Sequence[str]) -> None:
    folded = [name.casefold() for name in names]
    for name in names:
        if folded.count(name.casefold()) > 1:
            raise CourseError(f"{file}: two of {where} are called {name!r}; give one of them another `name`")
