"""The fork server takes nothing from the folder that a run is started in, which may be a student's checkout."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from grader.judging.job import Job
from grader.judging.judge_process import JudgeProcess
from tests.support import sandboxes
from tests.support.courses import copied
from tests.support.quick import QUICK, quick


@pytest.mark.parametrize("kind", sandboxes.BOTH)
def test_judges_work_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A `matplotlibrc` in the working folder would be read, and a relative path of the course would still be found."""
    copied("attacked", tmp_path / "course")
    monkeypatch.chdir(tmp_path)
    judge = JudgeProcess(Path("course"), ["week1"], quick(sandboxes.named(kind)), shortcuts=QUICK)
    try:
        code = b"def twice(numbers):\n    return 2 * numbers\n"
        assert judge.grade(Job("ana", "week1", {"work.py": code}, "digest", (), seed=7)).score
        assert judge.pid is not None
        server = psutil.Process(judge.pid).parent()
        assert server is not None
        places = {Path(process.cwd()) for process in (server, *server.children(recursive=True))}
        assert not [place for place in places if place.is_relative_to(tmp_path)]
    finally:
        judge.close()
