"""The time of a commit is read from any checkout, and no checkout makes git run a command or wait."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.commit import commit_time, parsed
from tests.support import sandboxes

WHEN = datetime(2026, 10, 5, 21, tzinfo=UTC)


def git(folder: Path, *words: str) -> str:
    dates = {**os.environ, "GIT_COMMITTER_DATE": "2026-10-05T23:00:00+02:00"}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    run = subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=True, env=dates, capture_output=True, text=True
    )
    return run.stdout.strip()


@pytest.fixture
def committed_folder(tmp_path: Path) -> Path:
    sandboxes.real()
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "a").write_text("")
    git(folder, "init", "-q")
    git(folder, "add", "a")
    git(folder, "commit", "-qm", "committer x <y> 1 +0000")
    return folder


def test_the_time_is_the_committers(committed_folder: Path) -> None:
    assert commit_time(committed_folder) == WHEN


def test_a_packed_and_detached_checkout_has_its_time_as_well(committed_folder: Path) -> None:
    git(committed_folder, "gc", "-q")
    git(committed_folder, "checkout", "-q", "--detach")
    assert commit_time(committed_folder) == WHEN


PROGRAM = "sh -c 'echo > {mark}; false'"
SETTINGS = ("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "gpg.program", "core.askPass",
            "remote.origin.uploadpack", "remote.origin.vcs", "uploadpack.packObjectsHook", "core.alternateRefsCommand",
            "diff.external", "core.hooksPath", "alias.cat-file", "credential.helper", "pager.cat-file")  # fmt: skip


def hostile(folder: Path, mark: Path) -> None:
    """Name a command in every setting that takes one, and have git miss the commit that it is asked for."""
    for setting in SETTINGS:
        git(folder, "config", setting, PROGRAM.format(mark=mark))
    for name, value in {"extensions.partialClone": "origin", "core.repositoryformatversion": "1",
                        "remote.origin.url": str(folder), "remote.origin.promisor": "true",
                        "log.showSignature": "true"}.items():  # fmt: skip
        git(folder, "config", name, value)
    for hook in ("post-checkout", "reference-transaction", "fsmonitor-watchman"):
        (folder / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\necho > {mark}\n")
        (folder / ".git" / "hooks" / hook).chmod(0o755)


@pytest.mark.parametrize("missing", [False, True])
def test_no_setting_of_the_repository_runs_a_command(committed_folder: Path, tmp_path: Path, missing: bool) -> None:
    mark = tmp_path / "ran"
    head = git(committed_folder, "rev-parse", "HEAD")
    hostile(committed_folder, mark)
    if missing:
        (committed_folder / ".git" / "objects" / head[:2] / head[2:]).unlink()
    assert commit_time(committed_folder) == (None if missing else WHEN)
    assert not mark.exists()


def test_a_repository_among_the_files_is_not_asked(committed_folder: Path, tmp_path: Path) -> None:
    bare = committed_folder / "week5"
    shutil.copytree(committed_folder / ".git", bare)
    assert commit_time(bare) is None


@pytest.mark.parametrize("kind", ["a link", "a file that names another folder", "nothing"])
def test_only_a_folder_of_its_own_is_asked(committed_folder: Path, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    if kind == "a link":
        (other / ".git").symlink_to(committed_folder / ".git")
    elif kind != "nothing":
        (other / ".git").write_text(f"gitdir: {committed_folder / '.git'}\n")
    assert commit_time(other) is None


def test_without_a_sandbox_git_is_not_run(committed_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "bwrap" else f"/usr/bin/{name}")
    assert commit_time(committed_folder) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_time_or_none(raw: bytes) -> None:
    parsed(raw)
    for text in (b"committer a <b> ", b"committer > 99999999999 +9999"):
        assert parsed(text + raw) is None or isinstance(parsed(text + raw), datetime)


def test_the_message_cannot_give_the_time() -> None:
    assert parsed(b"tree 0\ncommitter a <b> 1 +0000\n\ncommitter a <b> 2 +0000\n") == datetime.fromtimestamp(1, UTC)
    assert parsed(b"tree 0\n\ncommitter a <b> 2 +0000\n") is None
