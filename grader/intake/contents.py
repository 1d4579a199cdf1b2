"""Reads one entry of a class folder by value: a folder, a zip, a notebook or a module.

Regular files only: no link is followed and no special file is opened. Code is always read, data only below a
folder that is asked for, so that a data set in a student's checkout costs nothing.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionError
from grader.intake.archive import read_zip, unshowable
from grader.intake.encoding import as_python
from grader.intake.folders.container import Container, container_of
from grader.intake.noise import is_noise

MIB = 2**20
LARGEST = {".py": MIB, ".ipynb": 20 * MIB, ".zip": 100 * MIB}
LARGEST_DATA = 5 * MIB
_ADVICE = {".ipynb": "; clear its outputs and save it", ".zip": "; zip the week's folder alone"}
MOST_READ = 200 * MIB
MOST_ENTRIES = 50_000
MOST_JSON = 20  # files that might be notebooks under another name
DEEPEST_FOLDER = 24
DEEPEST_ZIP = 3

_ENVIRONMENT = "pyvenv.cfg"
_ADDED = re.compile(r"(\.(?:py|ipynb))(?:\.(?:txt|json|text|download|py|ipynb))+$", re.IGNORECASE)
_NOTEBOOK = re.compile(rb'\s*+\{(?=.*"nbformat")(?=.*"cells")', re.DOTALL)  # JSON of other things is data


@dataclass
class Contents:
    """Files by POSIX path; those of a zip stand below its own path, as in `hw.zip/week5/lenet.py`.

    `refused` says why files that are there cannot be read, `recoded` from which encoding files were converted; `notes`
    names what was left out on purpose, `unread` the data that nobody asked for.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    recoded: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def read_entry(path: Path, data_below: str | None = None, parts: Sequence[tuple[str, Path]] = ()) -> Contents:
    """Read an entry's code, and the data files below the folder `data_below` ("" is the whole entry).

    With `parts`, (name, file) each, the entry is made of these. Raises `SubmissionError` where it cannot be read.
    """
    return EntryReader(path, parts).contents(data_below)


class EntryReader:
    """Reads one entry, as often as asked, and opens each of its files once.

    `settle` may leave out what does not count. It holds what it has read; drop it as soon as the entry is no longer
    needed.
    """

    def __init__(
        self,
        path: Path,
        parts: Sequence[tuple[str, Path]] = (),
        settle: Callable[[Contents], Contents] = lambda contents: contents,
    ) -> None:
        self._path, self._parts, self._settle = path, parts, settle
        self._opened: dict[Path, bytes] = {}
        self._found: list[tuple[str | None, Contents]] = []

    def contents(self, data_below: str | None = None) -> Contents:
        """Return the contents as `read_entry` does. Callers must not change them, since the next one gets the same."""
        for below, found in self._found:
            if below == data_below or (below is None and not _has_data(found, data_below)):
                return found
        found = self._read(data_below)
        self._found.append((data_below, found))
        return found

    @property
    def size(self) -> int:
        """The number of bytes that it holds of opened files."""
        return sum(map(len, self._opened.values()))

    def _read(self, data_below: str | None) -> Contents:
        reading = _Reading(data_below, self._open)
        path = self._path
        try:
            for name, file in self._parts:
                reading.file(file, unicodedata.normalize("NFC", name))
            if self._parts:
                return self._settle(reading.contents)
            if path.is_symlink():
                raise SubmissionError(f"{path.name} is a symbolic link; put the real file or folder there")
            if inside := container_of(path):
                reading.zipped(*inside)
            elif path.is_dir():
                reading.folder(path, "", DEEPEST_FOLDER)
            elif path.suffix.lower() == ".zip":
                reading.archive(self._open(path, LARGEST[".zip"]), path.name, "", DEEPEST_ZIP)
            else:
                reading.file(path, unicodedata.normalize("NFC", path.name))
        except OSError as error:
            raise SubmissionError(f"{path.name} cannot be read: {_reason(error)}") from error
        return reading.contents

    def _open(self, file: Path, most_bytes: int) -> bytes:
        if file not in self._opened:
            self._opened[file] = read_file(file, most_bytes)
        return self._opened[file]


def _has_data(contents: Contents, below: str | None) -> bool:
    """Tell whether an entry that was read for its code holds data in this folder, too."""
    return below is not None and any(path.startswith(below) for path in contents.unread)


def real_name(path: str) -> str:
    """Return `lenet.py` for `lenet.py.txt`, as browsers and mail programs call what they do not know."""
    return _ADDED.sub(r"\1", path)


class _Reading:
    """One pass over an entry, with what it may still read."""

    def __init__(self, data_below: str | None, opened: Callable[[Path, int], bytes]) -> None:
        self.contents = Contents()
        self.opened = opened
        self.data_below = data_below
        self.entries_left = MOST_ENTRIES
        self.bytes_left = MOST_READ
        self.json_left = MOST_JSON

    def folder(self, folder: Path, prefix: str, depth: int) -> None:
        """Add a folder; what is inside stands below `prefix`."""
        if depth == 0:
            self.contents.notes.append(f"{prefix} left out: folders nested too deeply")
            return
        entries = self._listing(folder)
        if any(entry.name == _ENVIRONMENT for entry in entries):
            return
        for entry in entries:
            if is_noise(entry.name):
                continue
            path = prefix + unicodedata.normalize("NFC", entry.name)
            if entry.is_symlink():
                self.contents.notes.append(f"symbolic link {path} left out")
            elif entry.is_dir():
                self._inner_folder(Path(entry.path), f"{path}/", depth - 1)
            else:
                self.file(Path(entry.path), path)

    def file(self, file: Path, path: str) -> None:
        """Add a file under the name `path`; a zip is opened."""
        try:
            inside = container_of(file)
            if self.wants(path, inside[0].size(inside[1]) if inside else file.lstat().st_size):
                self._take(path, self.opened(file, _largest(path)), DEEPEST_ZIP)
        except OSError as error:
            self.contents.refused[path] = _reason(error)

    def zipped(self, container: Container, name: str) -> None:
        """Add an entry that is a member of a class's zip, or a folder there."""
        own = name.rpartition("/")[2]
        if name in container and own.lower().endswith(".zip"):
            self.archive(container.read(name, LARGEST[".zip"]), own, "", DEEPEST_ZIP)
        elif name in container:
            self._member(container, name, own)
        else:
            self._members(container, name)

    def _member(self, container: Container, name: str, path: str) -> None:
        try:
            if self.wants(path, container.size(name)):
                self._take(path, container.read(name, _largest(path)), DEEPEST_ZIP)
        except OSError as error:
            self.contents.refused[path] = _reason(error)

    def _members(self, container: Container, folder: str) -> None:
        inner = list(container.below(folder))
        environments = tuple(path.removesuffix(_ENVIRONMENT) for path in inner if path.endswith(f"/{_ENVIRONMENT}"))
        for path in inner:
            if not environments or not path.startswith(environments):
                self._member(container, f"{folder}/{path}", path)

    def archive(self, raw: bytes, name: str, prefix: str, depth: int) -> None:
        """Add a zip's members below `prefix`."""
        unpacked = read_zip(raw, name, lambda path, size: self.wants(prefix + path, size), self.bytes_left)
        self.contents.notes += unpacked.notes
        for path, content in unpacked.files.items():
            self._take(prefix + path, content, depth - 1)

    def wants(self, path: str, size: int) -> bool:
        """Tell whether to read a file; one that is wanted but too large is refused or noted."""
        self.entries_left -= 1
        if self.entries_left < 0:
            raise SubmissionError(f"more than {MOST_ENTRIES:,} files: hand in the week's folder alone")
        if any(is_noise(part) for part in path.split("/")):
            return False
        is_code = _ending(path) in LARGEST or self._may_be_notebook(path, size)
        if not is_code and not self._is_wanted_data(path):
            self.contents.unread.append(path)
            return False
        if unshowable(path):
            self.contents.notes.append(f"{ascii(path)[1:-1]} left out: its name cannot be shown")
            return False
        return self._is_small_enough(path, size, is_code)

    def _may_be_notebook(self, path: str, size: int) -> bool:
        """Tell whether to look into a JSON file; a data set may have thousands."""
        self.json_left -= _ending(path) == ".json"
        return _ending(path) == ".json" and self.json_left >= 0 and size <= LARGEST_DATA

    def _is_small_enough(self, path: str, size: int, is_code: bool) -> bool:
        if size <= _largest(path):
            return True
        text = f"{size / MIB:.1f} MB are too large, at most {_largest(path) // MIB} MB{_ADVICE.get(_ending(path), '')}"
        if is_code:
            self.contents.refused[path] = text
        else:
            self.contents.notes.append(f"{path} left out: {text}")
        return False

    def _is_wanted_data(self, path: str) -> bool:
        return self.data_below is not None and path.startswith(self.data_below)

    def _take(self, path: str, content: bytes, depth: int) -> None:
        self.bytes_left -= len(content)
        if self.bytes_left < 0:
            raise SubmissionError(f"more than {MOST_READ // MIB} MB: hand in the week's folder alone")
        if not path.lower().endswith(".zip"):
            self._keep(path, content)
        elif depth == 0:
            self.contents.notes.append(f"{path} left out: zip files nested too deeply")
        else:
            self._inner_archive(content, path, depth)

    def _keep(self, path: str, content: bytes) -> None:
        real = self._real(path, content)
        if real is None:
            self.contents.unread.append(path)
            return
        try:
            content, encoding = as_python(content) if _ending(real) == ".py" else (content, None)
        except SubmissionError as error:
            self.contents.refused[real] = str(error)
            return
        if real != path:
            self.contents.notes.append(f"{path} read as {real}")
        path = real
        self.contents.files[path] = content
        if encoding:
            self.contents.recoded[path] = encoding

    def _real(self, path: str, content: bytes) -> str | None:
        """Return the name that a file should have; None for data that nobody has asked for."""
        real = real_name(path)
        if _ending(path) == ".json" and real == path and _NOTEBOOK.match(content):
            real = f"{path[: -len('.json')]}.ipynb"
        if real != path and real not in self.contents.files:
            return real
        return path if _ending(path) != ".json" or self._is_wanted_data(path) else None

    def _inner_archive(self, raw: bytes, path: str, depth: int) -> None:
        try:
            self.archive(raw, path, f"{path}/", depth)
        except SubmissionError as error:
            self.contents.refused[path] = str(error).removeprefix(f"{path} ")

    def _inner_folder(self, folder: Path, prefix: str, depth: int) -> None:
        try:
            self.folder(folder, prefix, depth)
        except OSError as error:
            self.contents.refused[prefix] = _reason(error)

    def _listing(self, folder: Path) -> list[os.DirEntry[str]]:
        with os.scandir(folder) as entries:
            return sorted(_at_most(entries, self.entries_left), key=lambda entry: entry.name)


def _ending(path: str) -> str:
    return PurePosixPath(real_name(path)).suffix.lower()


def _largest(path: str) -> int:
    return LARGEST.get(_ending(path), LARGEST_DATA)


def _at_most(entries: Iterator[os.DirEntry[str]], most: int) -> Iterator[os.DirEntry[str]]:
    for number, entry in enumerate(entries):
        if number > most:
            raise SubmissionError(f"more than {MOST_ENTRIES:,} files: hand in the week's folder alone")
        yield entry


def read_file(file: Path, most_bytes: int) -> bytes:
    """Read the bytes of a regular file, or of a member of a class's zip. `OSError` where that cannot be done."""
    if inside := container_of(file):
        return inside[0].read(inside[1], most_bytes)
    # With O_NONBLOCK a named pipe cannot make the reader wait.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(file, flags), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(0, "not a regular file")
        content = opened.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(0, f"larger than {most_bytes // MIB} MB")
    return content


def _reason(error: OSError) -> str:
    return "no permission" if isinstance(error, PermissionError) else (error.strerror or type(error).__name__)
