"""`progress` says in words how far the deadline is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli.main import cli
from tests.support.courses import copied


@pytest.mark.parametrize(
    ("minutes", "language", "says"),
    [
        (65, "en", "1 hour to the deadline"),
        (10 * 60, "en", "10 hours to the deadline"),
        (75 * 60, "en", "3 days to the deadline"),
        (-75 * 60, "en", "the deadline was 3 days ago"),
        (-75 * 60, "de", "die Frist ist um 3 Tage überschritten"),
    ],
)
def test_the_time_to_the_deadline_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int, language: str, says: str
) -> None:
    root = copied("one_check", tmp_path)
    due = datetime.now(UTC) + timedelta(minutes=minutes)
    with (root / "assignments/week1/assignment.toml").open("a", encoding="utf-8") as file:
        file.write(f"due = {due.isoformat(timespec='seconds')}\n")
    monkeypatch.chdir(root)
    result = CliRunner().invoke(cli, ["progress", "--language", language])
    assert f"; {says}" in result.stdout
