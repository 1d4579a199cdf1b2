"""Reads entries by a process that has a budget for each: all that is parsed or unpacked of a student's is so there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.errors import SubmissionError
from grader.intake.collect import Collected
from grader.intake.finding.attempts import Attempts
from grader.intake.layouts.gradescope import About
from grader.intake.layouts.handed import Part
from grader.intake.places import Place
from grader.intake.reading.budget import BudgetedProcess, TooCostly
from grader.intake.reading.plain import (
    Found,
    about_from_plain,
    from_plain,
    modules_from_plain,
    names_from_plain,
    place_to_plain,
)
from grader.intake.reading.refusals import Refusals
from grader.intake.weeks import Weeks


class Desk:
    """Reads one entry after the other. Past its budget an entry is refused, by name, as what cannot be read is."""

    def __init__(self, process: BudgetedProcess) -> None:
        self.process = process
        self.refusals = Refusals()
        self._weeks: Weeks | None = None
        self._number = 0  # of the weeks that are known
        self._looked: dict[Path, list[tuple[str, str]]] = {}
        self._refused: dict[Path, str] = {}

    def look(self, path: Path, weeks: Weeks) -> list[tuple[str, str]]:
        """Return the modules that an entry holds, each with its week; none where it cannot be read.

        Each entry is looked into once, and one that was refused is not read either, so that its budget is not spent
        twice.
        """
        if self._weeks is not weeks or path not in self._looked:
            try:
                found = modules_from_plain(self._ask("look", path, weeks, name=path.name))
            except SubmissionError as error:
                found, self._refused[path] = [], str(error)
            self._looked[path] = found
        return self._looked[path]

    def members(self, file: Path, weeks: Weeks) -> tuple[list[str], list[tuple[str, str]]]:
        """Return what a class's zip holds, and what is refused of it. `SubmissionError` where it is no zip."""
        for what in ("list", "look", "read"):  # what was refused for another question is not opened for this one
            if why := self.refusals.find(file, [], _asked(what, weeks)):
                raise SubmissionError(why)
        try:
            return names_from_plain(self.process.ask({"do": "list", "path": str(file.absolute())}, file.name))
        except TooCostly as error:
            self.refusals.note(file, [], _asked("list", weeks), str(error))
            raise

    def metadata(self, file: Path) -> dict[str, About]:
        """Return what Gradescope says of each folder of an export. `SubmissionError` where it cannot be read."""
        return dict(
            map(about_from_plain, self.process.ask({"do": "metadata", "path": str(file.absolute())}, file.name))
        )

    def first_line(self, file: Path) -> str:
        """Return the first line of a text of a platform's; empty where it cannot be read."""
        try:
            return str(self.process.ask({"do": "first line", "path": str(file.absolute())}, file.name)[0])
        except SubmissionError:
            return ""

    def read(
        self, path: Path, name: str, weeks: Weeks, parts: Sequence[Part] = (), attempts: Attempts = ()
    ) -> list[Found]:
        """Return each week that an entry called `name` holds or should hold. `SubmissionError` if it cannot be read."""
        if self._weeks is weeks and path in self._refused:
            raise SubmissionError(self._refused[path])
        return [from_plain(part) for part in self._ask("read", path, weeks, parts, attempts, name=name)]

    def collect(
        self, path: Path, parts: Sequence[Part], place: Place, weeks: Weeks, attempts: Attempts = ()
    ) -> Collected:
        """Collect the week that lies at `place`. Raises `SubmissionError` for what cannot be graded."""
        answer = self._ask("collect", path, weeks, parts, attempts, place=place_to_plain(place))
        found = [from_plain(part) for part in answer]
        collected = found[0].collected if found else None
        if not isinstance(collected, Collected):
            raise SubmissionError(str(collected))
        return collected

    def rest(self) -> None:
        """End the process, which would only take memory while a class is graded; the next question starts another."""
        self.process.close()

    def _ask(
        self, what: str, path: Path, weeks: Weeks, parts: Sequence[Part] = (), attempts: Attempts = (), **more: Any
    ) -> list[Any]:
        files = [(name, str(file.absolute())) for name, file in parts]
        request = {
            "do": what,
            "path": str(path.absolute()),
            "parts": files,
            "attempts": attempts,
            "weeks": self._known(weeks),
        }
        own, asked = [file for _, file in parts], _asked(what, weeks)
        if why := self.refusals.find(path, own, asked):
            raise SubmissionError(why)
        try:
            return self.process.ask({**request, **more}, path.name)
        except TooCostly as error:
            self.refusals.note(path, own, asked, str(error))
            raise

    def _known(self, weeks: Weeks) -> Mapping[str, Any]:
        """Name the weeks, by a number as well: the same course may be another one when it is asked for anew."""
        if self._weeks is not weeks:
            self._weeks, self._looked, self._refused = weeks, {}, {}
            self._number += 1
        root = next((str(one.root.absolute()) for one in weeks.assignments.values()), "")
        known, expected = list(weeks.assignments), list(weeks.expected)
        return {"number": self._number, "course": root, "known": known, "expected": expected}


def _asked(what: str, weeks: Weeks) -> str:
    return repr((what, [*weeks.assignments], [*weeks.expected]))


# One for all that is read in a row, since starting a process takes longer than reading dozens of entries.
DESK = Desk(BudgetedProcess("grader.intake.reading.service"))
