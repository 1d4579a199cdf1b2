"""Lists what the sandbox shows of this machine, read-only: Python, its packages and the system's libraries.

A virtual environment is shown as /venv, wherever it lies: so the sandbox's /tmp can be the student's own, and the path
of the course stays outside. Packages that lie elsewhere, as a user's own, are shown below /packages.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import packages

SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
_VENV = Path("/venv")
# How installers note where a package's own folder lies, in its clear text and compiled.
_TELLING = ("__editable__*", "__pycache__/__editable__*", "*.egg-link", "*.dist-info/direct_url.json")
_OWN = ("grader", "fixtures", "assignments", "solutions")  # ours, where they are installed and not only linked


def arguments(inside: Path) -> list[str]:
    """Return bubblewrap's arguments for all of it, and for the program in `inside`, shown as /grader_inside."""
    paths = shown_paths()
    if not _is_hidden(inside.parent, paths):
        _refuse(paths, inside.parent.parent)
    words = parents(paths.values())
    for outer, inner in paths.items():
        words += shown(outer, inner)
    for path, inner in _hidden(paths):
        words += ["--tmpfs", str(inner)] if path.is_dir() else ["--ro-bind", "/dev/null", str(inner)]
    return [*words, "--ro-bind", str(inside), "/grader_inside"]


def shown(outer: Path, inner: Path) -> list[str]:
    """Return bubblewrap's arguments that show a path read-only as `inner`; the system's own links stay links."""
    if outer.is_symlink() and outer.parent in (Path("/"), Path("/usr")):
        return ["--symlink", os.readlink(outer), str(inner)]
    return ["--ro-bind", str(outer), str(inner)]


def python() -> str:
    """Return the interpreter's path inside."""
    return str(_inner(_executable()))


def search_path() -> tuple[list[str], list[str]]:
    """Return the folders of packages elsewhere, by their places inside: those before Python's own, and those after."""
    found = packages.elsewhere(_paths())
    return [str(one.inner) for one in found if one.first], [str(one.inner) for one in found if not one.first]


def outside() -> list[str]:
    """Return the folders of packages elsewhere that come before Python's own, where no sandbox moves them."""
    return [str(one.folder) for one in packages.elsewhere(_paths()) if one.first]


def environment() -> dict[str, str]:
    """Return the variables by which Python finds inside what lies elsewhere; none where nothing does."""
    before, _ = search_path()
    libraries = [str(inner) for inner in packages.libraries().values()]
    found = {"PYTHONPATH": ":".join(before), "LD_LIBRARY_PATH": ":".join(libraries)}
    return {name: value for name, value in found.items() if value}


def hides(file: Path) -> bool:
    """Tell whether the sandbox does not show a file of this machine."""
    return not any(file.is_relative_to(path) or file.resolve().is_relative_to(path) for path in shown_paths())


def shows(folder: Path) -> bool:
    """Tell whether the content of this folder can be read in the sandbox, in the same place."""
    return any(folder.is_relative_to(system) for system in SYSTEM)


def shown_paths() -> dict[Path, Path]:
    """Map each path to where it is shown, without those that lie below another one there and so are shown with it."""
    paths = {path: _inner(path) for path in _paths() if path.exists()}
    for one in packages.elsewhere(paths):
        paths |= one.parts
    paths |= packages.libraries()
    below = {p for p, inner in paths.items() for q, other in paths.items() if p != q and inner.is_relative_to(other)}
    return {path: inner for path, inner in paths.items() if path not in below}


def _paths() -> Iterator[Path]:
    yield from map(Path, SYSTEM)
    for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
        for part in ("lib", "lib64", "pyvenv.cfg"):
            yield Path(prefix, part)
    yield _executable()
    yield Path(os.path.realpath(sys.executable))
    yield from _packages()


def _executable() -> Path:
    """Return this Python as its prefix is written: it may have been started as `../venv/bin/python`."""
    return Path(os.path.abspath(sys.executable))


def _packages() -> list[Path]:
    """List this Python's own folders of installed packages."""
    return [Path(folder) for folder in site.getsitepackages()]


def _inner(path: Path) -> Path:
    if sys.prefix != sys.base_prefix and path.is_relative_to(sys.prefix):
        return _VENV / path.relative_to(sys.prefix)
    return path


def _hidden(paths: dict[Path, Path]) -> Iterator[tuple[Path, Path]]:
    """Yield parts of packages that students' code must not see, and their places, in every folder that is shown.

    They are the labels of the digits, the grader itself, and files that say where the course or a home folder lies.
    """
    for folder, inner in _package_folders(paths).items():
        for path in _secrets(folder):
            yield path, inner / path.relative_to(folder)


def _secrets(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _OWN if (folder / name).is_dir())
    yield from folder.glob("sklearn/datasets/data/digits.csv*")
    for pattern in _TELLING:
        yield from (path for path in folder.glob(pattern) if path.is_file())
    yield from (path for path in folder.glob("*.pth") if _names_a_path(path))


def _package_folders(paths: dict[Path, Path]) -> dict[Path, Path]:
    """Map folders of packages, by each path that leads there, to their places: what is hidden must be so at all."""
    own = [*_packages(), *(folder for path in paths for folder in _within(path))]
    others = {one.folder: one.inner for one in packages.elsewhere(_paths())}
    return {folder: _inner(folder) for folder in own} | others


def _within(path: Path) -> Iterator[Path]:
    for pattern in ("python*/*-packages", "lib*/python*/*-packages"):
        yield from (folder for folder in path.glob(pattern) if folder.is_dir())


def _names_a_path(file: Path) -> bool:
    """Tell whether a .pth file names a folder. Others hold a line of Python, which some packages need."""
    try:
        return b"/" in file.read_bytes()
    except OSError:
        return True


def _is_hidden(package: Path, paths: dict[Path, Path]) -> bool:
    """Tell whether the grader lies among installed packages, where an empty folder is shown in its place."""
    folders = {folder.resolve() for folder in _package_folders(paths)}
    return package.name in _OWN and package.parent.resolve() in folders


def refuse_course(root: Path) -> None:
    """Raise `SandboxError` where a course lies in what the sandbox shows: its hidden checks could be read there."""
    _refuse(shown_paths(), root)


def _refuse(paths: dict[Path, Path], course: Path) -> None:
    for outer, inner in paths.items():
        if course.resolve().is_relative_to(outer.resolve()):
            raise SandboxError(f"the course lies in {outer}, which the sandbox has to show; move it elsewhere")
        if inner.is_relative_to("/tmp"):
            raise SandboxError(f"Python lies in {outer}, where the sandbox has a folder of its own; use another Python")


def parents(paths: Iterable[Path]) -> list[str]:
    """Return arguments for the folders above those paths: by itself bubblewrap makes them for root alone."""
    folders = sorted({parent for path in paths for parent in path.parents} - {Path("/")})
    return [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]
