"""Tells a course's weeks apart: by the names of folders and files, by modules, and by what files define."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from grader.course import Assignment

OTHER_WEEK = ""  # stands for a week that is named, but is none of this course

_WEEK = r"(?<![a-z])(?:week|wk|w)[\s_.-]*0*(\d+)(?!\d)"
_TASK_SHEET = r"(?<![a-z])(?:homework|hw|assignment|lab|exercise|ex|practical|lesson|session)[\s_.-]*0*(\d+)(?!\d)"
_EITHER = re.compile(f"[\\s_.-]*(?:{_WEEK}|{_TASK_SHEET})[\\s_.-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Weeks:
    """The course's weeks, to recognise them by; `expected` are those that are asked for."""

    assignments: Mapping[str, Assignment]
    expected: Collection[str]

    def named(self, path: str) -> str | None:
        """Return the week that the innermost telling part of a path names, `OTHER_WEEK`, or None."""
        parts = (self._in(part) for part in reversed(path.split("/")))
        return next((week for week in parts if week is not None), None)

    def numbered(self, text: str) -> str | None:
        """Return the week whose number a text is, as in `05`."""
        return self._numbers.get(int(text)) if re.fullmatch(r"[0-9]{1,9}", text) else None

    def is_name_of_one(self, part: str) -> bool:
        """Tell whether a folder's name is a week's and nothing else, so that it is no student's."""
        return bool(self._in(part)) and len(re.findall(r"[^\W\d_]+", part)) == 1

    def by_module(self, modules: Collection[str]) -> list[str]:
        """Return the weeks of modules that no other week has."""
        owners = [[w for w, a in self.assignments.items() if module in a.modules] for module in modules]
        return sorted({owner[0] for owner in owners if len(owner) == 1})

    def by_names(self, names: Collection[str]) -> list[str]:
        """Find the one week that has most of these functions and classes, counting those that only one week has."""
        counts = {week: len(own & set(names)) for week, own in self._telling.items()}
        best = max(counts.values(), default=0)
        winners = [week for week, count in counts.items() if count == best]
        return winners if best and len(winners) == 1 else []

    def told(self, path: str, defined: Callable[[], Collection[str]]) -> str | None:
        """Return the week that a path names, unless what is defined there is clearly another week's and none of that.

        Against a name speak two functions that only one week has; one is enough where that week alone is asked for.
        """
        named = self.named(path)
        if named is None:
            return None
        names = defined()
        best = self.by_names(names)
        if not best or best[0] == named:
            return named
        count = len(self._telling[best[0]] & set(names))
        if self._telling.get(named, frozenset()) & set(names):
            return named
        is_asked = best[0] in self.expected and named not in self.expected
        return best[0] if is_asked or (named != OTHER_WEEK and count > 1) else named

    @property
    def modules(self) -> frozenset[str]:
        """The modules of all weeks."""
        return frozenset(module for assignment in self.assignments.values() for module in assignment.modules)

    @property
    def single(self) -> list[str]:
        """The only possible week, where there is only one."""
        possible = self.expected if len(self.expected) == 1 else self.assignments
        return list(possible) if len(possible) == 1 else []

    @cached_property
    def _telling(self) -> dict[str, frozenset[str]]:
        names = {week: assignment.all_names for week, assignment in self.assignments.items()}
        return {
            week: own.difference(*(other for name, other in names.items() if name != week))
            for week, own in names.items()
        }

    @cached_property
    def _numbers(self) -> dict[int, str]:
        numbered = ((re.fullmatch(r"\D*(\d+)", week), week) for week in self.assignments)
        return {int(match[1]): week for match, week in numbered if match}

    def _in(self, part: str) -> str | None:
        text = unicodedata.normalize("NFKC", part).casefold()
        for week in self.assignments:
            if week.casefold() == text:
                return week
        for pattern, unknown in ((_WEEK, OTHER_WEEK), (_TASK_SHEET, None)):
            found = {self._numbers.get(int(number[:9]), unknown) for number in re.findall(pattern, text)}
            if len(found) == 1:
                return found.pop()
        return None


def without_week(stem: str) -> str:
    """Return `lenet` for `lenet_week5` and `hw5-lenet`; a name without a week comes back as it is."""
    return _EITHER.sub("", stem)
