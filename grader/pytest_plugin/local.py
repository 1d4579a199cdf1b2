"""Serves students' modules to checks in the same process, at a student's own desk."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.checks.task_mark import TaskMark
from grader.course import Course
from grader.errors import DeviceError, GraderError, UsageError
from grader.inside import says
from grader.inside.modules import ModuleEnded, StudentModules, close_modules, open_modules
from grader.pytest_plugin import calls
from grader.pytest_plugin.output import Output
from grader.pytest_plugin.seeds import check_seed, probe_seed
from grader.pytest_plugin.student import LocalStudent, Student


class LocalStudents:
    """Opens the folder that holds a check's modules: the check's own, or the one given by `--submission`.

    A submission may also be a notebook or a zip. It is then read as `run` reads it, which says in `notes` what it
    left out, and its modules are written to a folder that goes away with this object.
    """

    at_desk = True  # somebody reads what pytest prints

    def __init__(self, submission: Path | None, seed: int, device: str = "cpu", shows_output: bool = False) -> None:
        if submission is not None and not submission.exists():
            raise pytest.UsageError(f"--submission {submission}: there is no such folder or file")
        self.notes: list[str] = []
        self._submission = submission
        self._made: dict[str, tempfile.TemporaryDirectory[str]] = {}  # by the week
        self._seed = seed
        self._device = device
        self._output = None if shows_output else Output()
        self.ended: Mapping[str, ModuleEnded] = {}  # modules that are not to be imported again
        self._open: tuple[Path, StudentModules] | None = None
        self._hung: set[calls.Path] = set()

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        """Return the handle for one check; its modules stay imported until another week's check comes."""
        folder = self._folder(item)
        if self._open is None or self._open[0] != folder:
            self._switch(folder, item.path.parent.name)
        assert self._open is not None
        seed = probe_seed(self.check_seed(item))
        return LocalStudent(self._open[1], folder, seed, mark.seconds, self._output, self._hung)

    def close(self, student: Student) -> None:
        """Do nothing: the process is the student's own."""

    def end(self) -> None:
        """Forget the modules, so that another submission can be opened in this process, and remove what was made."""
        if self._open is not None:
            close_modules(self._open[1])
            self._open = None
        for made in self._made.values():
            made.cleanup()
        self._made.clear()

    def check_seed(self, item: pytest.Item) -> int:
        """Return the check's seed, the same for everybody who runs public checks with this `--seed`."""
        return check_seed(b"public", self._seed, f"{item.path.name}::{item.name}")

    def _folder(self, item: pytest.Item) -> Path:
        week = item.path.parent.name
        if self._submission is None:
            return _beside(item.path.parent)
        inner = self._submission / week
        folder = (inner if inner.is_dir() else self._submission).resolve()
        if folder.is_dir() and any(folder.glob("*.py")):
            return folder
        return self._converted(folder, item.path.parent)

    def _converted(self, submission: Path, checks: Path) -> Path:
        """Return a folder with the modules of a notebook or a zip; the whole run ends where it cannot be read."""
        week = checks.name
        if week not in self._made:
            try:
                files = self._read(submission, checks)
            except GraderError as error:
                pytest.exit(str(error), returncode=int(pytest.ExitCode.USAGE_ERROR))
            self._made[week] = tempfile.TemporaryDirectory(prefix="submission-")
            for path, content in files.items():
                file = Path(self._made[week].name, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        return Path(self._made[week].name).resolve()

    def _read(self, submission: Path, checks: Path) -> Mapping[str, bytes]:
        from grader.intake import load_folder  # noqa: PLC0415 - most runs have no notebook to read

        read = load_folder(submission, Course(checks.parent.parent).assignment(checks.name))
        self.notes += read.notes
        return read.files

    def _switch(self, folder: Path, week: str) -> None:
        if self._open is not None:
            close_modules(self._open[1])
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder")
        # As in grading: sums come out the same, and small networks are slower on several threads than on one.
        import torch  # noqa: PLC0415 - the first check is where a student waits for it

        torch.set_num_threads(1)
        self._hung.clear()
        self._open = (folder, open_modules(folder, week, self.ended, self._device))


def _beside(folder: Path) -> Path:
    """Return the checks' folder; for hidden checks, the working copy under `assignments/`, where the student works."""
    if folder.parent.name == "solutions":
        return folder.parent.parent / "assignments" / folder.name
    return folder


def at_desk() -> tuple[str, str]:
    """Return `cuda` where checks in this process can use a GPU, else `cpu`, and a line about it for the student."""
    import torch  # noqa: PLC0415 - as above

    if torch.cuda.is_available():
        return "cuda", says(f"device: {torch.cuda.get_device_name()}")
    try:
        from grader.sandbox import gpus  # noqa: PLC0415 - it needs POSIX

        gpus.look()
        why = says("CUDA does not start; see: python -m grader doctor")
    except DeviceError as error:
        why = str(error)
    except ImportError:
        why = says("torch finds no CUDA here")
    return "cpu", says(f"NO GPU: networks are trained on the CPU ({why})")
