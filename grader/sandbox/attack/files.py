"""Attacks the promise that nothing of this machine can be read, and nothing be written but two folders in memory."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grader.sandbox.attack.findings import Attack, CannotTry, Group, Seen, nothing
from grader.sandbox.attack.ground import Ground

COURSE = Path(__file__).resolve().parents[3]


def _others(ground: Ground) -> Seen:
    """Lay out what a class has: a gradebook, hidden checks, another submission."""
    names = ("gradebook.sqlite", "solutions/week1/test_hidden.py", "submissions/ada/lenet.py")
    for name in names:
        (ground.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (ground.folder / name).write_text(ground.token)
    found = ground.act("files", "read", [str(ground.folder / name) for name in names])
    return nothing([path for path, text in found.items() if ground.token in text], "none of them is there")


def _home(ground: Ground) -> Seen:
    with _file(Path.home(), ground) as path:
        found = ground.act("files", "read", [str(path)])
    return nothing(list(found), "a file that was put there is not to be seen")


def _course(ground: Ground) -> Seen:
    parts = [COURSE / name for name in ("grader/judging", "solutions", "assignments", "tests", ".git", "grader")]
    found = ground.act("files", "read", [str(path) for path in parts] + [str(Path(__file__).resolve())])
    return nothing([path for path, text in found.items() if text], "neither its folders nor the grader's own files")


def _system(ground: Ground) -> Seen:
    """A folder that Python itself lies in shows that much, so folders that may hold it are left to `home`."""
    paths = ["/etc/shadow", "/etc/passwd", "/etc/hostname", "/etc/ssh", "/var/log", "/var/lib", "/run", "/boot"]
    found = ground.act("files", "read", [path for path in paths if os.path.exists(path)])
    return nothing([path for path, text in found.items() if text], "none of /etc/shadow, /etc/passwd, /var, /run, …")


def _detours(ground: Ground) -> Seen:
    target = ground.folder / "target"
    target.write_text(ground.token)
    found = ground.act("files", "detours", str(target))
    return nothing([way for way, text in found.items() if ground.token in text], "none leads out")


def _kernel_files(ground: Ground) -> Seen:
    return nothing(ground.act("files", "kernel_files"), "both are empty or missing")


def _devices(ground: Ground) -> Seen:
    return nothing(ground.act("files", "devices"), "only null, zero, random and the like; no new one can be made")


def _labels(ground: Ground) -> Seen:
    size = ground.act("files", "labels")
    if size is None:
        raise CannotTry("scikit-learn is not installed")
    return Seen(size == 0, "the labels are there" if size else "the file is empty or missing")


def _change(ground: Ground) -> Seen:
    """Judge by files of this machine: what they hold, and their rights, times and names."""
    files = [ground.folder / "harm" / name for name in ("gradebook.sqlite", "lenet.py")]
    files[0].parent.mkdir()
    for file in files:
        file.write_text(ground.token)
    before = [_state(file) for file in files]
    ground.act("files", "harm", [str(file) for file in files])
    return nothing([file.name for file, was in zip(files, before, strict=True) if _state(file) != was], "all unchanged")


def _state(file: Path) -> object:
    with contextlib.suppress(OSError):
        now = file.stat()
        return file.read_text(), now.st_mode, now.st_mtime_ns
    return None


def _create(ground: Ground) -> Seen:
    """Judge by folders of this machine."""
    folders = ["/", "/etc", "/usr", "/usr/lib", "/var/tmp", "/run", "/dev/shm", "/root", tempfile.gettempdir()]
    folders += [
        str(Path.home()),
        os.getcwd(),
        sys.prefix,
        str(COURSE),
        str(ground.folder),
        os.path.dirname(os.__file__),
    ]
    names = [Path(folder) / f"{ground.token}.txt" for folder in dict.fromkeys(folders)]
    try:
        ground.act("files", "create", [str(name) for name in names])
        return nothing(
            [str(name) for name in names if os.path.exists(name)], f"no new file in any of {len(names)} folders"
        )
    finally:
        for name in names:
            with contextlib.suppress(OSError):
                name.unlink()


def _writable(ground: Ground) -> Seen:
    found = ground.act("files", "writable")
    return nothing(found[:5], "only /tmp and /dev/shm, which are its own")


def _set_user(ground: Ground) -> Seen:
    found = ground.act("files", "set_user_programs")
    privileged = ground.act("kernel", "privileges")
    if not found:
        return Seen(True, "there is none where it would count")
    harmless = "new privileges by a program" not in privileged
    return Seen(harmless, f"{len(found)} are there, and {'give nothing' if harmless else 'may give privileges'}")


@contextlib.contextmanager
def _file(folder: Path, ground: Ground) -> Iterator[Path]:
    """Put a file into a folder of this machine for a moment."""
    path = folder / f".grader-{ground.token}"
    try:
        path.write_text(ground.token)
    except OSError as error:
        raise CannotTry(f"nothing can be put into {folder} ({error.strerror})") from None
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


GROUP = Group(
    "files",
    "Student code sees no file of yours, and can write only to two folders in memory",
    (
        Attack("a gradebook, hidden checks and another submission", _others),
        Attack("the home folder", _home),
        Attack("the course", _course),
        Attack("files of the system", _system),
        Attack("links, folders of processes and open descriptors as detours", _detours),
        Attack("/proc and /sys", _kernel_files),
        Attack("device files", _devices),
        Attack("the labels of the digits", _labels),
        Attack("changes of files of this machine", _change),
        Attack("new files in folders of this machine", _create),
        Attack("all folders that are shown, for one that can be written to", _writable),
        Attack("programs that run as another user", _set_user),
    ),
)
