"""Reads entries, in the process that does nothing else: looks for weeks in them, and collects their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.course import Course
from grader.errors import SubmissionError
from grader.intake.collect import Collected, clipped, collect_week
from grader.intake.contents import LARGEST_DATA, MIB, Contents, EntryReader, read_file
from grader.intake.finding.attempts import settler
from grader.intake.folders.container import container_at
from grader.intake.layouts.gradescope import About, parsed
from grader.intake.places import Place, find_places
from grader.intake.reading.plain import Found, about_to_plain, place_from_plain, to_plain
from grader.intake.weeks import Weeks

_TOGETHER = 5_000  # names in one message
_LONGEST_LINE = 1_000  # bytes
_SHOWN = 8  # files of an entry without modules that its problem names


class Service:
    """Answers by `look`, `read` and `collect`, each about one entry. What was looked into is kept for `read`.

    `look` names an entry's modules; a notebook stands for all, as "". `list` names what a class's zip holds, and
    `metadata` reads what Gradescope says of an export, and `first line` that of a text of a platform's.
    """

    def __init__(self) -> None:
        self._key: Any = None
        self._weeks = Weeks({}, ())
        self._readers = Readers()

    def answer(self, request: dict[str, Any]) -> Iterator[Any]:
        """Yield what the entry holds, a week each. Raises `SubmissionError` where the entry cannot be read."""
        path = Path(request["path"])
        if request["do"] == "list":
            container = container_at(path)
            for kind, all_names in (("names", container.names), ("refused", [*container.refused.items()])):
                yield from ((kind, part) for part in _slices(all_names))
        elif request["do"] == "first line":
            yield _first_line(path)
        elif request["do"] == "metadata":
            yield from (about_to_plain(folder, about) for folder, about in _metadata(path).items())
        else:
            self._know(request["weeks"])
            yield from self._about_entry(path, request)

    def _about_entry(self, path: Path, request: dict[str, Any]) -> Iterator[Any]:
        parts = [(name, Path(file)) for name, file in request["parts"]]
        settle = settler(request["attempts"], self._weeks)
        if request["do"] == "look":
            for place in find_places(self._readers.look(path), request["name"], self._weeks)[0]:
                yield [place.week, [""] if path.suffix.lower() == ".ipynb" else list(place.modules)]
        elif request["do"] == "read":
            reader = EntryReader(path, parts, settle) if parts else self._readers.take(path)
            for found in _read(reader, path.name, request["name"], self._weeks):
                yield to_plain(found)
        else:
            place, reader = place_from_plain(request["place"]), EntryReader(path, parts, settle)
            yield to_plain(Found(place.week, place=place, collected=_collected(reader, place, self._weeks)))

    def _know(self, key: dict[str, Any]) -> None:
        """Read the weeks of the course, unless the last request was about the same ones."""
        if key != self._key:
            course = Course(Path(key["course"]))
            self._weeks = Weeks({week: course.assignment(week) for week in key["known"]}, tuple(key["expected"]))
            self._key, self._readers = key, Readers()


def _metadata(file: Path) -> dict[str, About]:
    try:
        return parsed(read_file(file, LARGEST_DATA))
    except OSError as error:
        raise SubmissionError(f"cannot be read ({error.strerror})") from None


def _first_line(file: Path) -> str:
    try:
        raw = read_file(file, LARGEST_DATA)
    except OSError:
        return ""
    return raw[:_LONGEST_LINE].lstrip().partition(b"\n")[0].decode("utf-8-sig", "replace").strip()


def _slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    yield from (items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER))


class Readers:
    """Keeps the readers of entries that were looked into, until they are taken, so that no file is opened twice.

    Looking into a class opens two or three of its entries. Where more are opened, readers are kept up to `MOST_HELD`
    bytes together.
    """

    MOST_HELD = 64 * MIB

    def __init__(self) -> None:
        self._held: dict[Path, EntryReader] = {}
        self._size = 0

    def look(self, path: Path) -> Contents:
        """Return the contents of an entry. Raises `SubmissionError` where it cannot be read."""
        if path in self._held:
            return self._held[path].contents()
        reader = EntryReader(path)
        contents = reader.contents()
        if self._size + reader.size <= self.MOST_HELD:
            self._held[path] = reader
            self._size += reader.size
        return contents

    def take(self, path: Path) -> EntryReader:
        """Hand over the reader of an entry, and hold it no longer."""
        reader = self._held.pop(path, None) or EntryReader(path)
        self._size -= reader.size
        return reader


def _read(reader: EntryReader, own_name: str, name: str, weeks: Weeks) -> Iterator[Found]:
    contents = reader.contents()
    places, unclear = find_places(contents, name, weeks)
    wanted = [place for place in places if not weeks.expected or place.week in weeks.expected]
    for place in wanted:
        yield Found(place.week, place=place, collected=_collected(reader, place, weeks))
    found = {place.week for place in wanted}
    lacking = [week for week in _asked(weeks) if week not in found] if weeks.expected or not found else []
    for week in lacking:
        is_empty = not (places or unclear or contents.refused)
        yield Found(week, clipped(_nothing(own_name, week, contents, unclear, weeks)), is_empty=is_empty)


def _collected(reader: EntryReader, place: Place, weeks: Weeks) -> Collected | SubmissionError:
    try:
        return collect_week(reader, place, weeks)
    except SubmissionError as error:
        return error


def _asked(weeks: Weeks) -> Sequence[str | None]:
    """Return the weeks that an entry should hold: those that were asked for, the only one, or None for not known."""
    return list(weeks.expected) or list(weeks.single) or [None]


def _nothing(name: str, week: str | None, contents: Contents, unclear: Sequence[str], weeks: Weeks) -> str:
    """Say why no submission was found in an entry."""
    known = ", ".join(weeks.assignments)
    if contents.refused:
        where, why = next(iter(contents.refused.items()))
        inside = "" if where == name else f"{name}: "
        return f"{inside}{where} cannot be read: {why}"
    if unclear:
        return f"cannot tell which week {unclear[0]} is for ({known}): put it into a folder named after the week"
    modules = weeks.assignments[week].modules if week else ()
    names = f" (wanted: {', '.join(f'{module}.py' for module in modules)})" if modules else ""
    shown = ", ".join(sorted(contents.files)[:_SHOWN]) + (", …" if len(contents.files) > _SHOWN else "")
    notes = f"; {contents.notes[0]}" if contents.notes else ""
    return f"no Python module of {week or known} found in {name}{names}: it has {shown or 'no code'}{notes}"
