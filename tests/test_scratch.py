"""A run's temporary folder goes with the run: when it ends, when any of it is killed, at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import janitor, scratch
from grader.errors import GraderError

ROOT = Path(__file__).parents[1]
# Holds the folder with a child, as a run does, and writes into it for ever.
HOLDER = """
import subprocess, sys, time
from pathlib import Path
from grader.scratch import Scratch, held
with held():
    own = Scratch()
    code = "import os, sys, time; os.makedirs(sys.argv[1] + '/a/b'); os.chmod(sys.argv[1] + '/a', 0); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", code, str(own.path)], pass_fds=[own.lock])
    print("works", flush=True)
    number = 0
    while True:
        Path(own.path, str(number)).mkdir()
        number += 1
        time.sleep(0.01)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, of this process and of those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def holder() -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def becomes(state: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not state() and time.monotonic() < end:
        time.sleep(0.02)
    return state()


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def test_the_folder_is_there_as_long_as_somebody_uses_it(temporary: Path) -> None:
    with scratch.held() as run:
        own = scratch.Scratch()
        assert tempfile.gettempdir() == str(run)
        assert own.path.parent == run
        assert run.stat().st_mode & 0o777 == 0o700
        Path(tempfile.mkdtemp(), "file").touch()
    assert own.path.is_dir()
    assert tempfile.gettempdir() == str(temporary)
    own.remove()
    assert is_empty(temporary)


def test_threads_share_one_folder(temporary: Path) -> None:
    found: list[Path] = []
    gate = threading.Barrier(8)

    def use() -> None:
        gate.wait()
        own = scratch.Scratch()
        found.append(own.path.parent)
        gate.wait()
        own.remove()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert is_empty(temporary)


@pytest.mark.parametrize("moment", range(6))
def test_a_run_that_is_killed_at_any_moment_leaves_nothing(temporary: Path, moment: int) -> None:
    process = holder()
    time.sleep(random.Random(moment).uniform(0, 0.6))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert becomes(lambda: is_empty(temporary))


def test_the_folder_stays_while_a_child_of_a_killed_run_uses_it(temporary: Path) -> None:
    process = holder()
    assert process.stdout is not None
    assert process.stdout.readline() == "works\n"
    process.kill()
    process.wait()
    time.sleep(0.5)
    assert not is_empty(temporary)
    os.killpg(process.pid, signal.SIGKILL)
    assert becomes(lambda: is_empty(temporary))


def test_what_is_left_where_the_janitor_was_killed_as_well_goes_with_the_next_run(temporary: Path) -> None:
    left, lock = janitor.new_folder(str(temporary))
    (left / "file").touch()
    with scratch.held():
        assert left.is_dir()  # somebody has its lock
    os.close(lock)
    with scratch.held():
        assert not left.exists()
    assert is_empty(temporary)


def test_a_folder_of_the_same_name_that_is_a_link_is_left_alone(
    temporary: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "file").touch()
    (temporary / f"{janitor.PREFIX}x").symlink_to(other)
    with scratch.held():
        pass
    assert (other / "file").exists()


def test_no_place_for_temporary_files_is_one_sentence(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "nowhere"))
    with pytest.raises(GraderError, match=r"no folder for temporary files .*No such file.*set TMPDIR"):
        scratch.Scratch()
