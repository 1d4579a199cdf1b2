"""Reads members of a zip that holds a whole class, each when its turn comes: such a zip may be large.

Whatever a member is, it is read as a file that lies there would be: a student's own zip in it has its limits. Nothing
is unpacked to disk. It is only used in the process that reads submissions.
"""

from __future__ import annotations

import io
import os
import zipfile
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from grader.errors import DownloadTooLarge, SubmissionError
from grader.inside import says
from grader.intake.archive import explained, member_path, why_closed, why_unfit
from grader.intake.folders.window import stored_window
from grader.intake.noise import is_noise

MOST_MEMBERS = 500_000
MOST_NESTED = 256 << 20  # bytes of a compressed download in a zip of downloads, as it is held in memory


class Container:
    """A zip of a class. Raises `SubmissionError` where it is none, or cannot be read."""

    def __init__(self, file: Path, content: IO[bytes] | None = None, around: Container | None = None) -> None:
        """Open a file, or the `content` of one that lies in another zip, which has to stay open for it."""
        self._file = file
        self._around = around
        try:
            self._zip = zipfile.ZipFile(file if content is None else content)
            members = self._zip.infolist()
        except MemoryError:
            raise
        except Exception as error:  # hostile bytes may fail anywhere in the parser
            raise SubmissionError(
                f"{file.name} {explained(_beginning(content or file), error)}; download it again"
            ) from error
        if len(members) > MOST_MEMBERS:
            raise SubmissionError(f"{file.name} holds more than {MOST_MEMBERS:,} files; unpack it, and give the folder")
        self._members = {member_path(member): member for member in members if not member.is_dir()}

    @cached_property
    def names(self) -> list[str]:
        """The members that may be of a submission, by their paths, sorted."""
        return sorted(name for name in self._members if name not in self.refused and not _is_within_noise(name))

    @cached_property
    def refused(self) -> dict[str, str]:
        """The members that are not read, each with the reason."""
        found = ((name, why_unfit(name, one) or why_closed(one)) for name, one in self._members.items())
        return {name: why for name, why in found if why}

    def __contains__(self, name: str) -> bool:
        return name in self._members and name not in self.refused

    def below(self, folder: str) -> Iterator[str]:
        """Yield the members in a folder, by their paths in it."""
        prefix = f"{folder}/"
        for name in islice(self.names, bisect_left(self.names, prefix), None):
            if not name.startswith(prefix):
                return
            yield name.removeprefix(prefix)

    def size(self, name: str) -> int:
        """Return how large a member is when it is unpacked, as the zip says."""
        return self._members[name].file_size

    def nested(self, name: str) -> Container:
        """Open a member that is itself a download.

        Raises `SubmissionError` where it is none, and `DownloadTooLarge` where it is compressed and too large for that.
        """
        own, member = PurePosixPath(name).name, self._members.get(name)
        try:
            if member and self._zip.fp and (window := stored_window(self._zip.fp, member)):
                return Container(self._file / name, io.BufferedReader(window), self)
            return Container(self._file / name, io.BytesIO(self.read(name, MOST_NESTED)))
        except OSError as error:
            kind = DownloadTooLarge if member and member.file_size > MOST_NESTED else SubmissionError
            raise kind(
                says(f"{own} in {self._file.name} is {error.strerror}; unpack {self._file.name}, and give the folder")
            ) from error

    def read(self, name: str, most_bytes: int) -> bytes:
        """Read a member. `OSError` where it is not there, larger, encrypted or damaged."""
        try:
            with self._zip.open(self._members[name]) as opened:
                content = opened.read(most_bytes + 1)
        except MemoryError:
            raise
        except Exception as error:
            raise OSError(0, f"damaged or encrypted in {self._file.name} ({type(error).__name__})") from error
        if len(content) > most_bytes:
            raise OSError(0, f"larger than {most_bytes // 2**20} MB")
        return content


def container_of(path: Path) -> tuple[Container, str] | None:
    """Return the zip in which a path lies, the innermost, and its path there; None for a path on disk."""
    if os.path.lexists(path):
        return None
    around = next((above for above in path.parents if os.path.lexists(above)), path)
    if not os.path.isfile(around):
        return None
    changed, name = around.stat().st_mtime_ns, path.relative_to(around).as_posix()
    container = _container(around, changed)
    for above in reversed(PurePosixPath(name).parents[:-1]):
        if above.suffix.lower() == ".zip" and above.as_posix() in container:
            return _nested(around, changed, above.as_posix()), PurePosixPath(name).relative_to(above).as_posix()
    return container, name


@lru_cache(maxsize=4)  # its members are asked for one after the other
def _container(file: Path, changed: int) -> Container:
    return Container(file)


@lru_cache(maxsize=2)
def _nested(file: Path, changed: int, name: str) -> Container:
    return _container(file, changed).nested(name)


def container_at(file: Path) -> Container:
    """Open a zip that holds a class, also one that lies in another. Raises `SubmissionError` where it is none."""
    if not os.path.lexists(file) and (inside := container_of(file)):
        around = next(above for above in file.parents if os.path.lexists(above))
        return _nested(around, around.stat().st_mtime_ns, inside[1])
    try:
        return _container(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise SubmissionError(f"{file.name} cannot be read: {error.strerror}") from None


def _is_within_noise(name: str) -> bool:
    return any(map(is_noise, name.split("/")[:-1]))


def _beginning(file: Path | IO[bytes]) -> bytes:
    if not isinstance(file, Path):
        file.seek(0)
        return file.read(8)
    with file.open("rb") as opened:
        return opened.read(8)
