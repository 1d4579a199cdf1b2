"""Files are written whole, through no link, and for their owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import files
from grader.errors import GraderError
from grader.files import make_private, without_links, write_atomically


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_the_folders_made_for_them_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    write_atomically(tmp_path / "a" / "b" / "report.md", "text")
    make_private(tmp_path / "a" / "gradebook.sqlite")
    assert [mode(path) for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]
    assert [mode(path) for path in tmp_path.rglob("*.*")] == [0o600, 0o600]


def test_a_file_is_private_while_it_is_written_and_when_it_replaces_a_public_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grades.csv").write_text("old")
    (tmp_path / "grades.csv").chmod(0o666)
    seen = []
    replace = Path.replace

    def watched(half: Path, target: Path) -> Path:
        seen.append(mode(half))
        return replace(half, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_atomically(tmp_path / "grades.csv", "new")
    assert [*seen, mode(tmp_path / "grades.csv")] == [0o600, 0o600]


def test_for_others_the_umask_decides(tmp_path: Path, umask: int) -> None:
    write_atomically(tmp_path / "results" / "results.json", "{}", for_others=True)
    assert mode(tmp_path / "results") == 0o777 & ~umask
    assert mode(tmp_path / "results" / "results.json") == 0o666 & ~umask


@pytest.mark.parametrize("kind", ["link", "file"])
def test_nothing_is_written_through_what_lies_in_the_way_of_a_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "victim").write_text("mine")
    monkeypatch.setattr(files.secrets, "token_hex", lambda count: "guessed")
    half = tmp_path / ".report.md.guessed.tmp"
    half.symlink_to("victim") if kind == "link" else os.link(tmp_path / "victim", half)
    with pytest.raises(GraderError, match="cannot be written"):
        write_atomically(tmp_path / "report.md", "text")
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_half_has_no_name_that_can_be_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda half, target: (names.append(half.name), replace(half, target))[1])
    for _ in range(2):
        write_atomically(tmp_path / "report.md", "text")
    assert len(set(names)) == 2


@pytest.mark.parametrize("link", ["out", "out/a", "out/a/b"])
def test_a_link_at_any_part_below_a_strangers_folder_is_refused(tmp_path: Path, link: str) -> None:
    (tmp_path / "checkout" / "out" / "a" / "b").mkdir(parents=True)
    path = tmp_path / "checkout" / link
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GraderError, match=f"{link}: is a symbolic link"):
        without_links(tmp_path / "checkout" / "out" / "a" / "b", [tmp_path / "checkout"])


def test_a_link_to_nothing_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("gone")
    with pytest.raises(GraderError, match="is a symbolic link"):
        without_links(tmp_path / "out", [tmp_path])


def test_a_link_above_a_strangers_folder_and_in_ones_own_is_followed(tmp_path: Path) -> None:
    for name in ("real/checkout/out", "mine"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "reports").symlink_to("mine")
    strange = [tmp_path / "real" / "checkout"]
    for path in (tmp_path / "link" / "checkout" / "out", tmp_path / "reports" / "week5"):
        assert without_links(path, strange) == path
    (tmp_path / "real" / "checkout" / "bad").symlink_to("out")
    with pytest.raises(GraderError, match="is a symbolic link"):
        without_links(tmp_path / "link" / "checkout" / "bad", strange)


def test_what_two_dots_lead_to_is_not_decided_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/usr/lib")
    assert without_links(tmp_path / "link" / ".." / "out", [tmp_path]) == tmp_path / "out"
