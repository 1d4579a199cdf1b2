"""`--submission` takes what students hand in: a folder, a notebook or a zip, read as `run` reads it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.support.courses import copied

CELLS = ("%load_ext grader\ndef double(n):\n    return 2 * n", "%check 5.1", "def half(n):\n    return n / 3", "half(")


@pytest.fixture(scope="module")
def handed_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course, and beside it one student's work in several forms: 5.1 is right, and 5.2 is not."""
    root = copied("sums", tmp_path_factory.mktemp("course"))
    source = nbformat.writes(new_notebook(cells=[new_code_cell(cell) for cell in CELLS]))
    (root / "homework.ipynb").write_text(source, encoding="utf-8")
    (root / "folder").mkdir()
    (root / "folder" / "my work.ipynb").write_text(source, encoding="utf-8")
    with zipfile.ZipFile(root / "work.zip", "w") as archive:
        archive.writestr("week5/sums.py", "def double(n):\n    return 2 * n\n\ndef half(n):\n    return n / 3\n")
    (root / "damaged.ipynb").write_text("{")
    return root


@pytest.fixture
def desk_run(pytester: pytest.Pytester, handed_root: Path) -> Callable[..., pytest.RunResult]:
    os.chdir(handed_root)
    return lambda *words: pytester.runpytest_inprocess("assignments/week5", "-p", "no:cacheprovider", *words)


@pytest.mark.parametrize("work", ["homework.ipynb", "folder", "work.zip"])
def test_each_form_of_the_same_work_scores_the_same(desk_run: Callable[..., pytest.RunResult], work: str) -> None:
    result = desk_run("--submission", work)
    result.assert_outcomes(passed=1, failed=1)
    said = result.stdout.str()
    assert "half: wrong value; expected 1.5, got 1" in said
    assert f"--submission {work} --task 5.2" in said
    assert ("converted: 2 definitions" in said) == (work != "work.zip")
    assert ("code cell 4" in said) == (work != "work.zip")


def test_what_cannot_be_read_ends_the_run_in_a_line(desk_run: Callable[..., pytest.RunResult]) -> None:
    result = desk_run("--submission", "damaged.ipynb")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "damaged.ipynb is damaged, or not a notebook" in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str()


def test_what_is_not_there_is_a_line(desk_run: Callable[..., pytest.RunResult]) -> None:
    result = desk_run("--submission", "nothing.ipynb")
    assert "nothing.ipynb: there is no such folder or file" in result.stdout.str() + result.stderr.str()
