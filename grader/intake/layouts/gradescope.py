"""Reads an export from Gradescope: folders, and `submission_metadata.yml`, which says whose they are and when."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from grader.errors import SubmissionError, UsageError
from grader.inside import says
from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed
from grader.people.identity import Identity

METADATA = "submission_metadata.yml"


@dataclass(frozen=True)
class About:
    """What the metadata says of a folder: the name, number and address of each submitter, and the time."""

    people: tuple[tuple[str, str, str], ...]
    at: datetime | None = None


Metadata = Callable[[Path], Mapping[str, About]]  # reads the file; `SubmissionError` where that cannot be done


def fits(folder: Entry, entry: Entry) -> bool:
    """Tell whether it is the metadata, without which there is no such export."""
    return entry.path.name == METADATA


def read(entries: Sequence[Entry], metadata: Metadata) -> Found:
    """Read whose the folders are; every member of a group is credited."""
    file = next((entry.path for entry in entries if entry.path.name == METADATA), Path(METADATA))
    try:
        data = metadata(file)
    except SubmissionError as error:
        raise UsageError(f"{file}: {error}; export the submissions again") from None
    found, ignored = [], []
    for entry in entries:
        about = data.get(entry.path.name)
        if about is not None and about.people:
            found += [(_handed(entry.path, about, one), _number(entry.path, one)) for one in about.people]
        elif entry.path.name != METADATA:
            why = f"{METADATA} does not have it" if about is None else f"{METADATA} names nobody for it"
            ignored.append((entry.path.name, why))
    return found, ignored


def _handed(path: Path, about: About, one: tuple[str, str, str]) -> Handed:
    name, sid, email = one
    group = ", ".join(member[0] for member in about.people)
    notes = (says(f"handed in by a group: {group}"),) if len(about.people) > 1 else ()
    who = Identity(name, "gradescope", sid, email=email)
    return Handed(name or email or path.name, path, at=about.at, notes=notes, who=who)


def _number(path: Path, one: tuple[str, str, str]) -> str:
    return one[1] or one[2] or path.name


def parsed(raw: bytes) -> dict[str, About]:
    """Parse the metadata. What it holds beside submitters and times may be anything: local tags are passed over.

    Raises `SubmissionError` where it cannot be parsed.
    """
    import yaml  # noqa: PLC0415 - Gradescope's downloads alone need it

    class Loader(yaml.SafeLoader):
        """Reads Ruby's own tags as the plain data that stands behind them."""

    Loader.add_multi_constructor("!", _plain)
    try:
        data = yaml.load(raw.decode("utf-8"), Loader)  # noqa: S506 - a safe loader
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise SubmissionError(f"cannot be read ({reason})") from None
    if not isinstance(data, dict):
        raise SubmissionError("says nothing about submissions")
    return {str(key): _about(value) for key, value in data.items()}


def _plain(loader: Any, tag: str, node: Any) -> Any:
    """Construct what a local tag stands before; `!binary` is text in base 64."""
    if node.id == "mapping":
        return loader.construct_mapping(node, deep=True)
    if node.id == "sequence":
        return loader.construct_sequence(node, deep=True)
    if tag != "binary":
        return node.value
    try:
        return base64.b64decode(node.value).decode("utf-8", "replace")
    except binascii.Error:
        return node.value


def _about(value: Any) -> About:
    about = value if isinstance(value, Mapping) else {}
    named = about.get(":submitters")
    people = [one for one in named if isinstance(one, Mapping)] if isinstance(named, list) else []
    return About(tuple((_text(one, ":name"), _text(one, ":sid"), _text(one, ":email")) for one in people), _at(about))


def _text(one: Mapping[Any, Any], key: str) -> str:
    value = one.get(key)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _at(about: Mapping[Any, Any]) -> datetime | None:
    at = about.get(":created_at")
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return None
    if isinstance(at, datetime):
        return at.replace(tzinfo=at.tzinfo or UTC)
    return None if not isinstance(at, date) else datetime(at.year, at.month, at.day, tzinfo=UTC)
