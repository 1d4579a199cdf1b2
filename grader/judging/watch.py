"""Notices when a submission that runs without a sandbox changes what grades are given by.

Such a submission can write to every file of the person who grades. Judges have loaded their code before it runs, so it
would change the code of the next start, or what is loaded late. The files of the grader and of the graded weeks are
compared with how they were at the start: before each start, and before each grade is given out.

Not watched are Python itself, its libraries and other processes: without a sandbox these are the submission's, too.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import all_suffixes
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode

from grader.course import Course
from grader.errors import GraderError, TamperError
from grader.escape import terminal

PACKAGE = Path(__file__).resolve().parents[1]
_MODULES = tuple(all_suffixes())
_COMPILED = "__pycache__"
_TEMPLATES = re.compile(r"[/\\]templates[/\\]")  # no modules of ours

State = tuple[int, int, bytes]  # a file's kind, size and digest


class Watch:
    """Knows how the files of the grader and of these weeks were when it was made, and which submissions ran since.

    Python takes a compiled file for the source whose time and size stand in it. So the grader's are made here, where
    they are missing, and watched; the fork server does without those of the course.
    """

    def __init__(self, root: Path, weeks: Iterable[str], package: Path = PACKAGE) -> None:
        self._root, self._weeks, self._package = root, tuple(weeks), package
        compileall.compile_dir(str(package), quiet=2, rx=_TEMPLATES, invalidation_mode=PycInvalidationMode.TIMESTAMP)
        self._known = {file: _state(file) for file in self._files()}
        self._one_by_one = threading.Lock()
        self._running: list[str] = []
        self._suspects: list[str] = []  # those that have run since the last look that found nothing
        self._found: Path | None = None

    @contextmanager
    def over(self, submission: str) -> Iterator[None]:
        """Count a submission as running in the block; look at its end, before anybody gets its grade."""
        with self._one_by_one:
            self._running.append(submission)
            self._suspects.append(submission)
        try:
            yield
        finally:
            with self._one_by_one:
                self._running.remove(submission)
        self.look()

    def look(self) -> None:
        """Raise `TamperError` where anything has changed since the start, also if it is as before by now."""
        with self._one_by_one:
            self._found = self._found or self._changed()
            if self._found is not None:
                raise TamperError(self._says(self._found))
            self._suspects = list(self._running)

    def _says(self, file: Path) -> str:
        names = ", ".join(terminal(name) for name in dict.fromkeys(self._suspects)) or "none"
        return (
            f"{terminal(str(file))}: has changed since this run began, without a sandbox, so the run ends here. "
            f"Submissions that may have done it, none of which got a grade: {names}. "
            "Restore the file and look at them; then grade with --sandbox bwrap"
        )

    def _changed(self) -> Path | None:
        files = self._files()
        for file in sorted(files | self._known.keys()):
            if file not in self._known or file not in files:
                return file
            if _state(file, self._known[file]) != self._known[file]:
                return file
        return None

    def _files(self) -> set[Path]:
        """Find all files that judges load: what is new among them counts as well."""
        found = {*_whole(self._package), *_importable(self._root), *_importable(self._root / "fixtures")}
        if self._package.parent.name not in ("site-packages", "dist-packages"):
            found |= {*_importable(self._package.parent)}
        found |= {file for file in [self._root / "course.toml"] if file.exists()}
        for week in self._weeks:
            try:
                found |= {*Course(self._root).assignment(week).material}
            except (GraderError, OSError, ValueError):
                found.add(self._root / "assignments" / week)  # it can no longer be read, or never could
        return found


def _whole(package: Path) -> Iterator[Path]:
    """Yield the files of a package, and those compiled ones that this Python would load."""
    for folder, folders, names in os.walk(package):
        if _COMPILED in folders:
            folders.remove(_COMPILED)
        for file in (Path(folder, name) for name in names):
            yield file
            if file.suffix == ".py" and (compiled := Path(cache_from_source(str(file)))).exists():
                yield compiled


def _importable(folder: Path) -> Iterator[Path]:
    """Yield what makes a name importable in a folder: modules, and the beginnings of packages."""
    for file in folder.iterdir() if folder.is_dir() else ():
        if file.name.endswith(_MODULES):
            yield file
        elif file.is_dir():
            yield from (start for suffix in _MODULES if (start := file / f"__init__{suffix}").exists())


def _state(file: Path, known: State | None = None) -> State | None:
    """Return a file's state, None where it cannot be read. What cannot be the known state is not read to its end."""
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for ever
    except OSError:
        return None
    try:
        status = os.fstat(opened)
        kind, size = stat.S_IFMT(status.st_mode), status.st_size
        if kind != stat.S_IFREG or (known is not None and (kind, size) != known[:2]):
            return kind, 0 if kind == stat.S_IFDIR else size, b""
        with os.fdopen(opened, "rb", closefd=False) as stream:
            return kind, size, hashlib.file_digest(stream, "sha256").digest()
    finally:
        os.close(opened)
