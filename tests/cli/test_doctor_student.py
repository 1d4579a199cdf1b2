"""`doctor --student` names what is missing, and the line that installs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import doctor
from grader.cli.main import cli
from grader.language import VARIABLE


def test_what_is_missing_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = CliRunner().invoke(cli, ["doctor", "--student"])
    assert (whole.exit_code, whole.stdout.splitlines()[-1]) == (0, "Everything that the checks need is there.")
    monkeypatch.setattr(doctor, "NEEDED", ("pytest", "no_such_library"))
    result = CliRunner().invoke(cli, ["doctor", "--student"])
    assert result.exit_code == 1
    assert "look: no_such_library is not installed" in result.stdout
    assert "pip install -e '.[student]'" in result.stdout


def test_a_student_is_answered_in_the_language_asked_for_without_a_course_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "NEEDED", ("pytest", "no_such_library"))
    result = CliRunner().invoke(cli, ["doctor", "--student", "--language", "de"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines()[1:] == [
        "ok:      pytest",
        "beachte: no_such_library ist nicht installiert",
        "Installiere, was fehlt:  python -m pip install -e '.[student]'",
    ]
    monkeypatch.setenv(VARIABLE, "de")
    assert CliRunner().invoke(cli, ["doctor", "--student"]).stdout == result.stdout
