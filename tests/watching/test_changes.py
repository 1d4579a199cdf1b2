"""Saves are told however an editor makes them, and a folder that goes away is noticed."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import watchfiles

from grader.course import Course
from grader.errors import GraderError, UsageError
from grader.watching import changes, loop
from grader.watching.loop import Desk
from tests.support.courses import copied

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class Followed:
    """A folder that is followed in a thread, with what was told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: queue.Queue[list[str]] = queue.Queue()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=changes.follow, args=(folder, self.ended, self.told.put), daemon=True)
        self.thread.start()
        self.wait_for_the_first()

    def wait_for_the_first(self) -> None:
        """Save until it is told: it takes a moment until the system follows."""
        for number in range(int(PATIENCE / 0.3)):
            (self.folder / "first.py").write_text(f"N = {number}\n")
            try:
                self.told.get(timeout=0.3)
                break
            except queue.Empty:
                continue
        threading.Event().wait(0.5)
        while not self.told.empty():
            self.told.get()

    def next(self) -> list[str]:
        return self.told.get(timeout=PATIENCE)


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    monkeypatch.setattr(changes, "LOOK", 100)
    monkeypatch.setattr(changes, "BACK", 2.0)
    folder = tmp_path / "week1"
    folder.mkdir()
    (folder / "work.py").write_text("N = 1\n")
    one = Followed(folder)
    yield one
    one.ended.set()
    one.thread.join(PATIENCE)
    assert not one.thread.is_alive()


def in_place(file: Path) -> None:
    file.write_text("N = 2\n")


def vim(file: Path) -> None:
    backup = file.with_name(f"{file.name}~")
    file.rename(backup)
    file.write_text("N = 2\n")
    backup.unlink()


def pycharm(file: Path) -> None:
    new, old = (file.with_name(f"{file.name}___jb_{kind}___") for kind in ("tmp", "old"))
    new.write_text("N = 2\n")
    file.rename(old)
    new.rename(file)
    old.unlink()


def atomically(file: Path) -> None:
    new = file.with_name(".work.py.swp")
    new.write_text("N = 2\n")
    new.replace(file)


@pytest.mark.parametrize("save", [in_place, vim, pycharm, atomically])
def test_every_way_to_save_is_told_by_the_files_own_name(followed: Followed, save: Callable[[Path], None]) -> None:
    save(followed.folder / "work.py")
    assert followed.next() == ["work.py"]


def test_a_folder_in_the_place_of_another_is_followed(followed: Followed) -> None:
    followed.folder.rename(followed.folder.with_name("old"))
    followed.folder.mkdir()
    (followed.folder / "other.py").write_text("N = 1\n")
    assert followed.next() == ["other.py"]
    followed.wait_for_the_first()


@pytest.mark.parametrize("lose", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("old"))])
def test_it_ends_where_the_folder_is_gone(
    followed: Followed, lose: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "BACK", 0.1)
    lose(followed.folder)
    followed.thread.join(PATIENCE)
    assert not followed.thread.is_alive()


def test_where_the_system_follows_no_more_folders_they_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*folders: Path, force_polling: bool | None, **rest: Any) -> Any:
        if not force_polling:
            raise OSError(28, "inotify watch limit reached")
        return watchfiles.watch(*folders, force_polling=True, **rest)

    monkeypatch.setattr(changes, "watch", refusing)
    monkeypatch.setattr(changes, "LOOK", 100)
    one = Followed(tmp_path)
    (tmp_path / "work.py").write_text("N = 2\n")
    assert one.next() == ["work.py"]
    one.ended.set()


class NoSpares:
    """Warm processes that have collected no check."""

    lanes = 1

    def __init__(self, *settings: object) -> None: ...

    def take(self) -> Any:
        return SimpleNamespace(checks=())

    def put_back(self, warm: object) -> None: ...

    def close(self) -> None: ...


def test_a_week_that_is_gone_ends_the_watcher_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "Spares", NoSpares)
    root = copied("watched", tmp_path)
    desk = Desk(Course(root), "week1", (), True, lambda shown: shutil.rmtree(root / "assignments/week1"))
    desk.saved(["test_week1.py"])
    desk.gone()
    with pytest.raises(UsageError, match=r"week1: the folder is no longer there .*watch week1$"):
        desk.watch()


def test_saves_that_cannot_be_followed_end_the_watcher_with_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "Spares", NoSpares)
    desk = Desk(Course(copied("watched", tmp_path)), "week1", (), True, lambda shown: None)
    desk.gone("Permission denied")
    with pytest.raises(GraderError, match="saves cannot be followed here \\(Permission denied\\)"):
        desk.watch()


def test_a_chapter_without_a_grade_is_watched_as_weeks_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "Spares", NoSpares)
    chapter = {"assignments/basics/chapter.toml": (ROOT / "assignments/primer/chapter.toml").read_text()}
    weeks = []
    desk = Desk(
        Course(copied("watched", tmp_path, chapter)), "basics", (), True, lambda shown: weeks.append(shown.week)
    )
    desk.end()
    desk.watch()
    assert weeks == ["basics"]
