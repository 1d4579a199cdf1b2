"""git on the course's files runs no program that a repository names, be it the course's own or one around it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from grader.course import git, protected

NAME = "assignments/week1/test_week1.py"
PROGRAMS = ("core.fsmonitor", "core.sshCommand", "core.pager", "remote.origin.uploadpack", "alias.cat-file")


def call(folder: Path, *words: str) -> int:
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True).returncode


def hostile(folder: Path, mark: Path) -> None:
    """A repository that names a program wherever it can, and has another one to fetch from."""
    call(folder, "init", "-q")
    for setting in PROGRAMS:
        call(folder, "config", setting, f"sh -c 'echo > {mark}; false'")
    for name, value in {"extensions.partialClone": "origin", "core.repositoryformatversion": "1",
                        "remote.origin.url": str(folder), "remote.origin.promisor": "true"}.items():  # fmt: skip
        call(folder, "config", name, value)
    for hook in ("reference-transaction", "post-index-change"):
        (folder / ".git" / "hooks").mkdir(exist_ok=True)
        (folder / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\necho > {mark}\n")
        (folder / ".git" / "hooks" / hook).chmod(0o755)


@pytest.mark.parametrize("course", ["checkout/course", "checkout"])
def test_what_was_ever_ours_is_asked_without_running_anything(tmp_path: Path, course: str) -> None:
    """Where the course has no repository of its own, none above it is asked."""
    mark = tmp_path / "ran"
    root = tmp_path / course
    (root / NAME).parent.mkdir(parents=True)
    (root / NAME).write_text("ours = 1\n")
    hostile(tmp_path / "checkout", mark)
    protected.course_digests.cache_clear()
    assert protected.changed_files({NAME: b"theirs = 1\n"}, root) == [NAME]
    assert not mark.exists()
    blob = hashlib.sha1(b"blob 11\0theirs = 1\n").hexdigest()
    call(root, "cat-file", "-e", blob)
    assert mark.exists()  # so a plain git would have run it


def test_a_repository_above_the_course_knows_nothing_of_ours(tmp_path: Path) -> None:
    root = tmp_path / "course"
    (root / NAME).parent.mkdir(parents=True)
    (root / NAME).write_text("ours = 1\n")
    call(tmp_path, "init", "-q")
    (tmp_path / "mine.py").write_text("theirs = 1\n")
    call(tmp_path, "add", "mine.py")
    protected.course_digests.cache_clear()
    assert protected.changed_files({NAME: b"theirs = 1\n"}, root) == [NAME]


HIDDEN = "solutions/week1/test_hidden.py"
SECRET = "def test_sum():\n    assert 1\n" + "# of which no student knows the words\n" * 9


def course_in(folder: Path, hidden: str = SECRET) -> Path:
    """A course below `folder`, whose repository knows an earlier release of a check."""
    root = folder / "teaching" / "course"
    for name, content in {NAME: "first = 1\n", HIDDEN: hidden}.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(content)
    call(folder, "init", "-q")
    call(folder, "add", ".")
    (root / NAME).write_text("second = 1\n")
    call(folder, "add", ".")
    protected.course_digests.cache_clear()
    return root


def test_a_course_in_a_larger_repository_knows_its_earlier_releases(tmp_path: Path) -> None:
    root = course_in(tmp_path)
    assert protected.changed_files({NAME: b"first = 1\n"}, root) == []
    assert protected.changed_files({NAME: b"theirs = 1\n"}, root) == [NAME]
    (root / HIDDEN).write_bytes(SECRET.replace("\n", "\r\n").encode())  # as on another system
    assert protected.changed_files({NAME: b"first = 1\n"}, root) == []


@pytest.mark.parametrize("what", ["another", "guessed", "none", "a link", "nested"])
def test_a_repository_above_without_the_hidden_checks_is_asked_nothing(tmp_path: Path, what: str) -> None:
    """A student's checkout may have a file of that name, an empty one, or the course in one more folder."""
    root = course_in(tmp_path, "# theirs\n" * 99 if what != "guessed" else "x = 1\n")
    if what == "none":
        (root / HIDDEN).unlink()
    elif what != "guessed":
        (root / HIDDEN).write_text(SECRET)
    if what == "a link":
        (tmp_path / ".git" / "index").unlink()
        (tmp_path / ".git" / "index").symlink_to("/dev/zero")
    if what == "nested":
        call(root.parent, "init", "-q")
    assert protected.changed_files({NAME: b"first = 1\n"}, root) == [NAME]


def test_git_calls_no_hook_and_asks_no_monitor(tmp_path: Path) -> None:
    hostile(tmp_path, tmp_path / "ran")
    (tmp_path / "file").write_text("")
    for words in (["status"], ["add", "file"], ["write-tree"], ["ls-files"]):
        subprocess.run(git.command(tmp_path, *words), check=True, capture_output=True, env=dict(os.environ))
    assert not (tmp_path / "ran").exists()
    call(tmp_path, "status")
    assert (tmp_path / "ran").exists()
