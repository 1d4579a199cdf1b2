"""Holds what people grade: a week's manual parts, the items of their rubrics, and remarks without points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from grader.results.points import total


@dataclass(frozen=True)
class RubricItem:
    """A line of a rubric; its comment is the same for everybody to whom it applies."""

    name: str
    title: str
    points: float
    comment: str = ""

    def said_in(self, texts: Mapping[str, str]) -> RubricItem:
        """Return the item as translations say it."""
        title, comment = (texts.get(text, text) for text in (self.title, self.comment))
        return replace(self, title=title, comment=comment)


@dataclass(frozen=True)
class ManualPart:
    """A task that a person grades; `points` is None until somebody has.

    `items` are the rubric, which either gives points, from none on, or takes them off, from full marks on. `given` are
    the items that apply to this work, as they were when it was graded; `why` is what the person wrote, `by` who it was
    and when.
    """

    name: str
    title: str
    max_points: float
    items: tuple[RubricItem, ...] = ()
    points: float | None = None
    given: tuple[RubricItem, ...] = ()
    why: str = ""
    by: str = ""

    def points_for(self, items: Sequence[RubricItem]) -> float:
        """Return the points of a work to which these items apply, from 0 to `max_points`."""
        start = self.max_points if any(item.points < 0 for item in self.items) else 0
        return min(max(total([start, *(item.points for item in items)]), 0), self.max_points)

    @property
    def texts(self) -> list[str]:
        """Return what the course says of the part: its title, and those and the comments of its rubric."""
        return [self.title, *(text for item in self.items for text in (item.title, item.comment) if text)]

    def for_student(self) -> ManualPart:
        """Return the part without the items that do not apply."""
        return replace(self, items=())

    def said_in(self, texts: Mapping[str, str]) -> ManualPart:
        """Return the part with its titles and comments as translations say them; what people wrote stays."""
        items, given = (tuple(item.said_in(texts) for item in both) for both in (self.items, self.given))
        return replace(self, title=texts.get(self.title, self.title), items=items, given=given)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ManualPart:
        items = {key: tuple(RubricItem(**item) for item in data.get(key, ())) for key in ("items", "given")}
        return cls(**{**data, **items})


@dataclass(frozen=True)
class Remark:
    """What a person wrote about a task, or about the whole week where `task` is empty; it changes no points.

    `check` is the title of the check that it is about, if that is one. A remark on a line has its `file` and `line`,
    and in `code` what stood there.
    """

    text: str
    by: str
    task: str = ""
    check: str = ""
    file: str = ""
    line: int = 0
    code: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what is known, as JSON holds it."""
        return {"task": self.task, **{name: value for name, value in asdict(self).items() if value}}
