"""Writes scores into `scores.json`, where Classroom 50's teacher page keeps corrections (`classroom50/scores/v1`).

Each goes there as a correction by that page would: an entry by the owner's GitHub login, marked `override`, with a
record on top that no runner made, and what the collector has found below it. The collector leaves such entries alone.

Its scores are whole numbers: half a point is rounded up, and whoever has one is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.exports.classroom50 import SCHEMA as RESULT
from grader.exports.classroom50 import stamp
from grader.language import decimal
from grader.people.person import Person
from grader.results import Report
from grader.results.points import whole

SCHEMA = "classroom50/scores/v1"
MANUAL = "submit/manual-"
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,99}")

Entry = dict[str, Any]


@dataclass
class Merged:
    """The file's new content, how many scores it has, who was left out and why, and whose correction was replaced.

    `rounded` names whose points were not whole.
    """

    text: str = ""
    count: int = 0
    left_out: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    rounded: list[str] = field(default_factory=list)


def merged(
    template: Path | None, classroom: str, slugs: Mapping[str, str], reports: Collection[Report],
    people: Mapping[str, Person], unclear: Collection[tuple[str, str | None]], now: datetime,
) -> Merged:  # fmt: skip
    """Put reports into the file, or into a new one; `slugs` has the assignments' names in Classroom 50 by week."""
    document: dict[str, Any] = _read(template) if template else {"schema": SCHEMA, "assignments": {}}
    result = Merged()
    for week, slug in slugs.items():
        if not _SLUG.fullmatch(slug):
            raise UsageError(f"--assignment: {slug!r} is no name in Classroom 50: small letters, digits and hyphens")
        bucket = document["assignments"].setdefault(slug, {"type": "individual", "entries": []})
        theirs = [report for report in reports if report.week == week]
        for owner, report in _by_owner(bucket, theirs, people, unclear, result).items():
            _correct(bucket, _Score(owner, classroom, report, people, now), result)
        if not bucket["entries"] and "collected_at" not in bucket:
            del document["assignments"][slug]
    result.text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return result


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{file}: is no JSON; give the classroom's scores.json") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not _is_sound(found.get("assignments")):
        raise UsageError(f"{file}: is no scores.json of Classroom 50 ({SCHEMA}); give the classroom's own")
    return found


def _is_sound(assignments: object) -> bool:
    return isinstance(assignments, dict) and all(
        isinstance(bucket, dict) and isinstance(bucket.get("entries"), list) and all(map(_is_entry, bucket["entries"]))
        for bucket in assignments.values()
    )


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("owner"), str):
        return False
    records, members = entry.get("submissions"), entry.get("member_usernames", [])
    return isinstance(records, list) and all(isinstance(r, dict) for r in records) and isinstance(members, list)


def _by_owner(
    bucket: Entry, reports: Collection[Report], people: Mapping[str, Person],
    unclear: Collection[tuple[str, str | None]], result: Merged,
) -> dict[str, Report]:  # fmt: skip
    """Return reports by the owner of the repository, who in a group is one of its members."""
    found: dict[str, list[Report]] = {}
    for report in reports:
        login = people[report.student].login if report.student in people else ""
        if not _LOGIN.fullmatch(login):
            known = f"{login!r} is no GitHub login" if login else "no GitHub login is known"
            result.left_out.append(f"{report.student}: {known}; put it into the roster's column `login`")
        elif report.final is None or (report.student, report.week) in unclear:
            result.left_out.append(f"{report.student}: {'excused' if report.excused else 'not graded for good yet'}")
        else:
            found.setdefault(_owner(bucket, login), []).append(report)
    for owner, theirs in found.items():
        if len({(report.score, report.max_score) for report in theirs}) > 1:
            scores = " and ".join(f"{report.student} {decimal(report.score)}" for report in theirs)
            result.left_out += [
                f"{one.student}: {owner} has one score for {scores}; enter it by hand" for one in theirs
            ]
            theirs.clear()
    return {owner: theirs[0] for owner, theirs in found.items() if theirs}


def _owner(bucket: Entry, login: str) -> str:
    for entry in bucket["entries"]:
        members = [entry["owner"], *entry.get("member_usernames", [])]
        if login.casefold() in [str(member).strip().casefold() for member in members]:
            return str(entry["owner"])
    return login


@dataclass(frozen=True)
class _Score:
    owner: str
    classroom: str
    report: Report
    people: Mapping[str, Person]
    now: datetime

    @property
    def points(self) -> tuple[int, int]:
        """The score and what the week is worth, in whole points."""
        return whole(self.report.score), whole(self.report.max_score)

    def record(self, kind: str, after: datetime | None) -> Entry:
        """Return a record that sorts as the newest, without `assignment`, which is the bucket's name."""
        tag = MANUAL + stamp(self.now).replace(":", "-")
        at = max(self.now, after + timedelta(seconds=1)) if after else self.now
        points, most = self.points
        places = dict.fromkeys(("submission", "commit", "release", "review"), tag)
        return {
            "schema": RESULT, "classroom": self.classroom, "assignment_type": kind, "owner": self.owner, **places,
            "datetime": stamp(at), "score": points, "max-score": most, "tests": [],
        }  # fmt: skip


def _correct(bucket: Entry, score: _Score, result: Merged) -> None:
    owner = score.owner.strip().casefold()
    entry = next((one for one in bucket["entries"] if one["owner"].strip().casefold() == owner), None)
    if entry is None:
        entry = {"owner": score.owner, "submissions": []}
        bucket["entries"].append(entry)
    result.count += 1
    if score.points != (score.report.score, score.report.max_score):
        given = f"{decimal(score.report.score)} of {decimal(score.report.max_score)}"
        result.rounded.append(f"{score.report.student}: {given} → {score.points[0]} of {score.points[1]}")
    before = entry["submissions"][:1]
    points = [(one.get("score"), one.get("max-score")) for one in before]
    if entry.get("override") is True and points == [score.points]:
        return
    real = [one for one in entry["submissions"] if not str(one.get("submission")).startswith(MANUAL)]
    entry["submissions"] = [score.record(str(bucket.get("type", "individual")), _newest(real)), *real]
    if entry.get("override") is True and before:
        result.replaced.append(f"{score.report.student}: {before[0].get('score')} → {score.points[0]}")
    entry["override"] = True


def _newest(records: Collection[Entry]) -> datetime | None:
    found = []
    for record in records:
        try:
            at = datetime.fromisoformat(str(record.get("datetime")))
        except ValueError:
            continue
        found.append(at if at.tzinfo else at.replace(tzinfo=UTC))
    return max(found, default=None)
