"""A full disk, one that cannot be written, and a stream that cannot: one sentence, a status, and nothing in half."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

from tests.support import amount, warm
from tests.support.courses import copied
from tests.support.makers import lay_out

ROOT = Path(__file__).parents[3]
WORK = "def double(n):\n    return 2 * n\n"
LIBC = ctypes.CDLL(None, use_errno=True)
READ_ONLY, REMOUNT, DETACH = 1, 32, 2  # flags of mount(2) and umount2(2)
# Each command that writes, with FULL for the folder that cannot be written.
WRITING = {
    "batch": ["batch", "submissions", "--out", "FULL/reports"],
    "demo": ["demo", "--out", "FULL/reports"],
    "similar": ["similar", "submissions", "--out", "FULL/similar"],
    "ci": ["ci", "week1", "--submission", "submissions/ana", "--sandbox", "process", "--out", "FULL/ci"],
    "export": ["export", "reports", "--to", "csv", "--write", "FULL/a.csv"],
    "export to a folder": ["export", "reports", "--to", "gradescope", "--write", "FULL/made"],
}


def run(
    *words: str | Path,
    cwd: Path,
    stdout: IO[bytes] | None = None,
    module: str = "tests.support.quick",
    **variables: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a fork of what has torch imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        command = [sys.executable, "-m", module, *map(str, words)]
        status = warm.popen(command, cwd=cwd, env=environment, stdout=stdout or said, stderr=complained).wait(120)
        said.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess(command, status, said.read(), complained.read())


def started(
    *words: str, cwd: Path, program: Sequence[str] = ("-m", "tests.support.quick"), **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Start a command, for what Python settles where it starts."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, *program, *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def graded_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with a class that is graded."""
    root = copied("one_check", tmp_path_factory.mktemp("course"))
    lay_out(
        root, {"submissions/ana/work.py": WORK, "submissions/bo/work.py": WORK, "fixtures/submissions/x/work.py": WORK}
    )
    assert run("batch", "submissions", cwd=root).returncode == 0
    return root


@contextlib.contextmanager
def disk(folder: Path, size: str, read_only: bool = False) -> Iterator[Path]:
    """Mount a small disk; skips where nobody may."""
    folder.mkdir(exist_ok=True)
    if LIBC.mount(b"none", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()) != 0:
        pytest.skip("no disk can be mounted by this user")
    try:
        if read_only:
            LIBC.mount(b"none", os.fsencode(folder), b"tmpfs", REMOUNT | READ_ONLY, None)
        yield folder
    finally:
        LIBC.umount2(os.fsencode(folder), DETACH)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "fill").open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 4096)


def is_a_sentence(done: subprocess.CompletedProcess[bytes], *words: str) -> None:
    said = done.stderr.decode()
    assert done.returncode in (1, 2), said
    assert "Traceback" not in said
    last = said.strip().splitlines()[-1]
    assert last.startswith("grader: ")
    assert any(word in last for word in words), last


@pytest.mark.parametrize("read_only", [False, True], ids=["full", "read-only"])
@pytest.mark.parametrize("words", WRITING.values(), ids=WRITING)
def test_a_disk_that_takes_nothing_is_one_sentence(
    graded_root: Path, tmp_path: Path, words: list[str], read_only: bool
) -> None:
    words = [word.replace("FULL", str(tmp_path / "disk")) for word in words]
    with disk(tmp_path / "disk", "40k", read_only) as folder:
        fill(folder)
        done = run(*words, cwd=graded_root)
        left = [path for path in folder.rglob("*") if path.is_file() and path.name != "fill" and path.stat().st_size]
    is_a_sentence(done, "No space left", "disk is full", "Read-only", "cannot be written")
    assert left == []


@pytest.mark.parametrize("read_only", [False, True], ids=["full", "read-only"])
def test_a_students_course_on_such_a_disk_is_checked_without_a_history(tmp_path: Path, read_only: bool) -> None:
    with disk(tmp_path / "disk", "400k") as folder:
        copied("one_check", folder, {"course.toml": 'title = "Numbers"\n', "assignments/week1/work.py": WORK})
        fill(folder)
        if read_only:
            LIBC.mount(b"none", os.fsencode(folder), b"tmpfs", REMOUNT | READ_ONLY, None)
        checked = run("assignments/week1", cwd=folder, module="pytest")
        assert (checked.returncode, b"100/100" in checked.stdout) == (0, True), checked.stdout
        assert b"no run yet" in run("progress", cwd=folder).stdout
        refused = run("progress", "--off", cwd=folder)
    is_a_sentence(refused, "No space left", "Read-only")
    assert b".grader" in refused.stderr


@pytest.mark.parametrize("words", [["diff"], ["batch", "submissions", "--dry-run"], ["--help"], ["batch", "--help"]])
def test_output_that_cannot_be_written_is_one_sentence(graded_root: Path, words: list[str]) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        done = run(*words, cwd=graded_root, stdout=full)
    is_a_sentence(done, "No space left")


def test_no_place_for_temporary_files_is_one_sentence(graded_root: Path) -> None:
    """As in a container whose disks are all read-only."""
    program = "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/nowhere']; "
    program += "from grader.cli.main import main; sys.exit(main(['run', 'week1', '--submission', 'submissions/ana']))"
    is_a_sentence(started(cwd=graded_root, program=("-c", program)), "no folder for temporary files")


def test_a_disk_that_is_full_for_a_submission_is_named_without_a_sandbox(graded_root: Path, tmp_path: Path) -> None:
    lay_out(tmp_path, {"big/work.py": WORK + "x = 1\n" * 20_000})
    with disk(tmp_path / "disk", "120k") as folder:
        (folder / "some").write_bytes(b"0" * 60_000)
        words = ["run", "week1", "--submission", str(tmp_path / "big"), "--sandbox", "process"]
        done = run(*words, cwd=graded_root, TMPDIR=str(folder))
    is_a_sentence(done, f"the disk is full where temporary files lie ({folder}")


# Locales


NAMES = ("José Müller", "Łukasz Żółć", "山田 太郎", "Ana")
LOCALES = {
    "C": {"LC_ALL": "C"},
    "C without UTF-8 mode": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii output": {"PYTHONIOENCODING": "ascii"},
    "both": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    "latin-1 output": {"PYTHONIOENCODING": "latin-1:strict"},
}
READING = {
    "batch": ["batch", "submissions", "--out", "OUT"],
    "dry run": ["batch", "submissions", "--dry-run"],
    "run": ["run", "week1", "--submission", "submissions/José Müller"],
    "similar": ["similar", "submissions", "--least", "1", "--out", "OUT"],
    "diff": ["diff"],
    "override": ["override", "José Müller", "week1", "1.1", "50", "--why", "größer", "--who", "Zoë"],
    "export": ["export", "--to", "csv", "--write", "OUT/é.csv"],
}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class whose names no ASCII can hold, graded in the usual locale."""
    root = copied("one_check", tmp_path_factory.mktemp("foreign"))
    lay_out(root, {f"submissions/{name}/work.py": f"{WORK}# {name}\n" for name in NAMES})
    assert run("batch", "submissions", "--seed", "1", cwd=root).returncode == 0
    return root


@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_every_command_works_where_neither_names_nor_output_may_hold_more_than_ascii(
    foreign: Path, tmp_path: Path, words: list[str]
) -> None:
    done = started(*(word.replace("OUT", str(tmp_path)) for word in words), cwd=foreign, **LOCALES["both"])
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("locale", amount.of(("C", "both", "latin-1 output"), LOCALES))  # one is two of the others
def test_a_class_has_the_same_students_in_every_locale(foreign: Path, locale: str) -> None:
    before = {path.name for path in (foreign / "reports" / "students").iterdir()}
    done = started("batch", "submissions", cwd=foreign, **LOCALES[locale])
    assert f"graded 0, unchanged {len(NAMES)}, not gradable 0".encode() in done.stdout
    assert {path.name for path in (foreign / "reports" / "students").iterdir()} == before
    assert len(before) == len(NAMES)
