"""`submit-check` says before handing in what would be lost, and 0 only where nothing would be."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli.main import cli
from grader.judging import fork_server_client
from tests.support.courses import copied
from tests.support.quick import QUICK


def test_what_would_be_lost_is_named_and_the_rest_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copied("one_check", tmp_path)
    (root / "assignments/week1/work.py").write_text("import pandas\ndef double(n):\n    return 2 * n\n")
    monkeypatch.chdir(root)
    monkeypatch.setattr(fork_server_client, "Shortcuts", lambda: QUICK)  # its one check asks little
    result = CliRunner().invoke(cli, ["submit-check", "week1", "--sandbox", "process"])
    assert result.exit_code == 1
    assert "week1: 1 file, 0 KB (at most " in result.stdout
    assert result.stderr.startswith("Running the public checks")  # what follows takes its time
    assert "look: work.py:1: imports pandas" in result.stdout
    assert "ok: all modules are there: work" in result.stdout
    assert "Public checks: 100 of 100 points." in result.stdout  # a library that nothing uses costs nothing yet
