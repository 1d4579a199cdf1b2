"""Scores go into Classroom 50's `scores.json` as its teacher page would put them there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grader.cli.main import main
from grader.errors import UsageError
from grader.exports import scores50
from grader.gradebook import Gradebook
from grader.people.person import Person
from grader.results import Report
from tests.exports.schemas import SCORES50, validate
from tests.support.reports import full_report, sample_report

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SLUGS = {"week5": "convnets"}


def person(name: str, login: str) -> Person:
    return Person(name, marks=[("login", login)] if login else [], folder=name)


PEOPLE = {"Ana": person("Ana", "ana-hub"), "Ben": person("Ben", "BEN"), "Cleo": person("Cleo", "")}


def made(
    template: Path | None = None, reports: tuple[Report, ...] = (full_report("Ana"),), **more: Any
) -> scores50.Merged:
    return scores50.merged(template, "dl", more.get("slugs", SLUGS), reports, PEOPLE, more.get("unclear", ()), NOW)


def collected(owner: str, score: int, **more: Any) -> dict[str, Any]:
    """An entry as Classroom 50's collector writes it."""
    record = {
        "schema": "classroom50/result/v1", "classroom": "dl", "assignment_type": "individual", "owner": owner,
        "submission": "submit/1", "commit": "c", "release": "r", "review": "v", "datetime": "2027-01-01T00:00:00Z",
        "score": score, "max-score": 100, "tests": [], "late": False,
    }  # fmt: skip
    return {"owner": owner, "submissions": [record], **more}


def file_of(folder: Path, *entries: dict[str, Any], kind: str = "individual") -> Path:
    file = folder / "scores.json"
    bucket = {"type": kind, "entries": entries, "collected_at": "2026-10-01T00:00:00Z"}
    other = {"type": "individual", "entries": [collected("ana-hub", 1)]}
    file.write_text(
        json.dumps({"schema": "classroom50/scores/v1", "assignments": {"convnets": bucket, "other": other}})
    )
    return file


def entries_of(result: scores50.Merged) -> list[dict[str, Any]]:
    document = json.loads(result.text)
    validate(document, SCORES50)
    found: list[dict[str, Any]] = document["assignments"]["convnets"]["entries"]
    return found


def test_a_new_file_has_an_entry_with_the_mark_by_github_login() -> None:
    (entry,) = entries_of(made())
    (record,) = entry["submissions"]
    assert (entry["owner"], entry["override"], record["score"], record["max-score"]) == ("ana-hub", True, 100, 100)
    assert "assignment" not in record and record["tests"] == []
    assert record["submission"] == record["commit"] == "submit/manual-2026-11-01T12-00-00Z"


def test_an_entry_keeps_what_was_collected_below_the_correction_that_sorts_as_newest(tmp_path: Path) -> None:
    before = collected("Ana-Hub", 12, member_usernames=["ana-hub"], note="kept")
    (entry,) = entries_of(made(file_of(tmp_path, before)))
    assert [record["score"] for record in entry["submissions"]] == [100, 12]
    assert entry["submissions"][0]["datetime"] == "2027-01-01T00:00:01Z"  # a second after a time that lies ahead
    assert entry["submissions"][1] == before["submissions"][0]
    assert (entry["owner"], entry["note"], entry["override"]) == ("Ana-Hub", "kept", True)


def test_all_else_in_the_file_stays(tmp_path: Path) -> None:
    file = file_of(tmp_path, collected("somebody", 3))
    before, after = json.loads(file.read_text()), json.loads(made(file).text)
    assert after["assignments"]["other"] == before["assignments"]["other"]
    assert after["assignments"]["convnets"]["entries"][0] == before["assignments"]["convnets"]["entries"][0]
    assert after["assignments"]["convnets"]["collected_at"] == "2026-10-01T00:00:00Z"


def test_a_second_export_changes_nothing_and_a_changed_score_is_named(tmp_path: Path) -> None:
    first = made(file_of(tmp_path, collected("ana-hub", 12)))
    (tmp_path / "scores.json").write_text(first.text)
    assert made(tmp_path / "scores.json").text == first.text
    lower = replace(full_report("Ana"), checks=full_report().checks[:1])
    changed = made(tmp_path / "scores.json", (lower,))
    assert changed.replaced == ["Ana: 100 → 60"]
    assert [record["score"] for record in entries_of(changed)[0]["submissions"]] == [60, 12]


def test_a_group_is_found_by_its_members_and_has_one_score(tmp_path: Path) -> None:
    group = collected("ana-hub", 12, member_usernames=["ana-hub", "ben"])
    file = file_of(tmp_path, group, kind="group")
    same = made(file, (full_report("Ana"), full_report("Ben")))
    assert [entry["owner"] for entry in entries_of(same)] == ["ana-hub"]
    assert entries_of(same)[0]["submissions"][0]["assignment_type"] == "group"
    other = made(file, (full_report("Ana"), replace(full_report("Ben"), checks=full_report().checks[:1])))
    assert [line.partition(":")[0] for line in other.left_out] == ["Ana", "Ben"]
    assert entries_of(other) == [group]


def test_who_has_no_login_or_no_final_score_is_named() -> None:
    result = made(None, (sample_report("Ana"), full_report("Ben"), full_report("Cleo")), unclear={("Ben", "week5")})
    assert result.left_out == [
        "Ana: not graded for good yet",
        "Ben: not graded for good yet",
        "Cleo: no GitHub login is known; put it into the roster's column `login`",
    ]
    assert json.loads(result.text)["assignments"] == {}


V1 = '{"schema": "classroom50/scores/v1"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        f"{V1}}}",
        '{"schema": "classroom50/scores/v2", "assignments": {}}',
        f'{V1}, "assignments": {{"convnets": {{"entries": [1]}}}}}}',
        f'{V1}, "assignments": {{"convnets": {{"entries": [{{"owner": 1}}]}}}}}}',
    ],
)
def test_a_file_that_is_no_scores_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(text)
    with pytest.raises(UsageError, match=r"scores\.json: is no "):
        made(tmp_path / "scores.json")


def test_an_assignments_name_is_one_of_classroom50s() -> None:
    with pytest.raises(UsageError, match="'Conv nets' is no name in Classroom 50"):
        made(slugs={"week5": "Conv nets"})


def test_the_command_writes_over_the_file_that_it_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = file_of(tmp_path, collected("ana-hub", 12))
    with Gradebook(tmp_path / "reports" / "gradebook.sqlite") as book:
        book.save_people([person("Ana", "ana-hub")])
        book.record(full_report("Ana"))
    words = ["export", str(tmp_path / "reports"), "--to", "classroom50", "--write", str(file)]
    assert main(words) == 2
    assert "--classroom: give the classroom's name" in capsys.readouterr().err
    words += ["--classroom", "dl", "--assignment", "convnets"]
    assert main(words) == 2  # it would lose what is there
    assert "is there already" in capsys.readouterr().err
    assert main([*words, "--template", str(file)]) == 0
    assert "commit it as dl/scores.json" in capsys.readouterr().out
    assert [
        r["score"] for r in json.loads(file.read_text())["assignments"]["convnets"]["entries"][0]["submissions"]
    ] == [100, 12]
