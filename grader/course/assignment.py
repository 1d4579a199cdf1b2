"""Reads a course: its folder, and one `Assignment` a week from `assignments/weekN/assignment.toml`.

title = "Convolutional networks"
week = "week5"
modules = ["lenet", "training", "inspection"]
due = 2026-10-05T23:59:00+02:00     # optional
time_zone = "Europe/Berlin"         # optional; days of lateness and of extensions are calendar days there

[limits]                            # optional
memory_mb = 3072                    # for each process that runs a student's code
seconds = 300                       # for a student's code in all checks together
gpu_memory_mb = 4096                # GPU memory for torch in each process, with `--device cuda`

[late]                              # optional; without it lateness is shown, and costs nothing
grace_minutes = 15                  # up to this much later is still in time
percent_a_day = 10                  # of the points, for each day that has begun
cap_percent = 50                    # and never more than that

`[[manual]]` declares what people grade: see `manual`.
"""

from __future__ import annotations

import ast
import re
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.course.manual import read_manual
from grader.course.material import fingerprint, fixtures_of
from grader.errors import CourseError, UsageError
from grader.results import ManualPart

MEMORY_MB, SECONDS, GPU_MEMORY_MB = 3072, 300, 4096
_PUBLIC = ("assignment.toml", "conftest.py", "probes*.py", "test_*.py")
HIDDEN = "test_hidden"  # the beginning of the names of hidden checks' files


@dataclass(frozen=True)
class Limits:
    """The limits of one submission; what a single check may compute is set on the check."""

    memory_mb: int = MEMORY_MB
    seconds: int = SECONDS
    gpu_memory_mb: int = GPU_MEMORY_MB


@dataclass(frozen=True)
class LatePolicy:
    """The cost of lateness, in percent of the points, for each day that has begun after the grace period."""

    grace_minutes: int = 0
    percent_a_day: int = 0
    cap_percent: int = 100

    def percent(self, days: int) -> int:
        """Return what this many days cost, in percent."""
        return min(days * self.percent_a_day, self.cap_percent)


@dataclass(frozen=True)
class Assignment:
    """One week. `hidden_folder` is None where the hidden checks are absent, as in a student's copy of the course."""

    week: str
    title: str
    modules: tuple[str, ...]
    folder: Path
    hidden_folder: Path | None
    limits: Limits
    due: datetime | None = None
    late: LatePolicy = LatePolicy()
    zone: ZoneInfo | None = None
    manual: tuple[ManualPart, ...] = ()

    @property
    def check_files(self) -> tuple[Path, ...]:
        """Files of checks: first public ones, `test_weekN.py` or parts like `test_weekN_data.py`, then hidden ones."""
        public = _parts(self.folder, f"test_{self.week}")
        if not public:
            missing = self.folder / f"test_{self.week}.py"
            raise CourseError(f"{missing}: there is no such file; the public checks belong there")
        return (*public, *(_parts(self.hidden_folder, HIDDEN) if self.hidden_folder else ()))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a grade; lessons and the skeletons cannot."""
        return fingerprint(b"assignment", self.root, self.material).hexdigest()

    @cached_property
    def salt(self) -> bytes:
        """32 bytes that nobody can compute without the hidden checks, though the digest is public."""
        return fingerprint(b"salt", self.root, self._hidden() or self.material).digest()

    @cached_property
    def skeletons(self) -> Mapping[str, bytes]:
        """The files that students start from: each module as it is in the course."""
        files = {module: self.folder / f"{module}.py" for module in self.modules}
        return {module: file.read_bytes() for module, file in files.items() if file.is_file()}

    @cached_property
    def names(self) -> Mapping[str, frozenset[str]]:
        """The functions and classes that each module must define, as its skeleton shows."""
        return {module: defined_names(self.skeletons.get(module, b"")) for module in self.modules}

    @property
    def all_names(self) -> frozenset[str]:
        """The functions and classes of all modules together."""
        return frozenset().union(*self.names.values())

    @property
    def root(self) -> Path:
        """The course's folder."""
        return self.folder.parent.parent

    @cached_property
    def material(self) -> tuple[Path, ...]:
        """Every file that can change a grade."""
        # By name, since students keep their own modules in this folder, too.
        public = [file for name in _PUBLIC for file in sorted(self.folder.glob(name))]
        checks = [*public, *self._hidden()]
        return (*checks, *fixtures_of(checks, self.root / "fixtures"))

    def _hidden(self) -> list[Path]:
        """Return the hidden checks, their probes and what they share; also the reference, since checks may run it."""
        return sorted(self.hidden_folder.glob("*.py")) if self.hidden_folder else []


@dataclass(frozen=True)
class Course:
    """A folder with `assignments/`; those who grade have `solutions/` beside it."""

    root: Path

    def assignments(self) -> dict[str, Assignment]:
        """Return every week that has an `assignment.toml`, in the order of the weeks' numbers."""
        files = (self.root / "assignments").glob("*/assignment.toml")
        weeks = sorted((file.parent.name for file in files), key=week_order)
        return {week: self._load(week) for week in weeks}

    def assignment(self, week: str) -> Assignment:
        """Return one week; where there is no such week, `UsageError` names the known ones."""
        if not (self._folder(week) / "assignment.toml").is_file():
            known = ", ".join(self.assignments()) or "none"
            raise UsageError(f"there is no week {week!r} in {self.root / 'assignments'}; known weeks: {known}")
        return self._load(week)

    def _folder(self, week: str) -> Path:
        # A week is a plain name, so that no option can point outside the course.
        return self.root / "assignments" / (week if re.fullmatch(r"\w[\w.-]*", week) else "no such week")

    def _load(self, week: str) -> Assignment:
        folder, hidden = self._folder(week), self.root / "solutions" / week
        data = _Table(folder / "assignment.toml")
        if data.take("week", str) != week:
            raise CourseError(f"{data.file}: `week` must be the folder's name, {week!r}")
        return Assignment(
            week=week,
            title=data.take("title", str),
            modules=data.modules(),
            folder=folder,
            hidden_folder=hidden if _parts(hidden, HIDDEN) else None,
            limits=data.limits(),
            due=data.due(),
            late=data.late(),
            zone=data.zone(),
            manual=read_manual(data.file, data.data.get("manual", [])),
        )


def find_course(start: Path | None = None) -> Course:
    """Find the course around `start` (by default the current folder), else the one that this package comes from.

    Never start from a submission: a student's checkout is a course as well, with checks that they could edit.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if any((folder / "assignments").glob("*/assignment.toml")):
            return Course(folder)
    raise UsageError(f"there is no course in {here} or above it: go to the folder that holds `assignments/`")


def defined_names(source: bytes) -> frozenset[str]:
    """Find the functions and classes at the top level of a module; where it does not parse, what looks like them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = re.findall(rb"^(?:async\s+)?(?:def|class)\s+(\w+)", source, re.MULTILINE)
        return frozenset(name.decode("ascii", "replace") for name in found)
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in tree.body if isinstance(node, definitions))


class _Table:
    """Reads an assignment.toml; each method checks what it returns."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self.data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:  # bad TOML and bad UTF-8 are ValueErrors
            raise CourseError(f"{file}: cannot be read ({error}); mend it") from error

    def take(self, key: str, kind: type) -> Any:
        value = self.data.get(key)
        if not isinstance(value, kind) or not value:
            raise CourseError(f"{self.file}: `{key}` is missing or not a {kind.__name__}; add it")
        return value

    def modules(self) -> tuple[str, ...]:
        names = self.take("modules", list)
        if not all(isinstance(name, str) and name.isidentifier() for name in names):
            raise CourseError(f'{self.file}: `modules` must list names of modules, as in ["lenet"]')
        if len(set(names)) < len(names):
            raise CourseError(f"{self.file}: `modules` names a module twice")
        return tuple(names)

    def limits(self) -> Limits:
        return Limits(**self._numbers("limits", ("memory_mb", "seconds", "gpu_memory_mb"), least=1))

    def late(self) -> LatePolicy:
        policy = LatePolicy(**self._numbers("late", ("grace_minutes", "percent_a_day", "cap_percent"), least=0))
        if max(policy.percent_a_day, policy.cap_percent) > 100:
            raise CourseError(f"{self.file}: the percentages under [late] are at most 100")
        return policy

    def _numbers(self, table: str, keys: tuple[str, ...], least: int) -> dict[str, int]:
        given = self.data.get(table, {})
        if not isinstance(given, dict) or not given.keys() <= set(keys):
            names = ", ".join(f"`{key}`" for key in keys[:-1])
            raise CourseError(f"{self.file}: [{table}] holds {names} and `{keys[-1]}`, and nothing else")
        for key, number in given.items():
            if type(number) is not int or number < least:
                above = f"above {least - 1}" if least else "of at least 0"
                raise CourseError(f"{self.file}: `{key}` under [{table}] must be a whole number {above}")
        return given

    def due(self) -> datetime | None:
        due, zone = self.data.get("due"), self.zone()
        if due is None or (isinstance(due, datetime) and due.tzinfo):
            return due
        if isinstance(due, datetime) and zone:
            return due.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        raise CourseError(
            f"{self.file}: `due` must be a time with its offset, as in 2026-10-05T23:59:00+02:00, or stand with a "
            f"`time_zone`"
        )

    def zone(self) -> ZoneInfo | None:
        name = self.data.get("time_zone")
        try:
            return None if name is None else ZoneInfo(name)
        except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
            raise CourseError(
                f'{self.file}: there is no `time_zone` {name!r}; it is written as in "Europe/Berlin"'
            ) from None


def is_hidden(file: Path) -> bool:
    """Tell from its name whether a file of checks holds hidden ones."""
    return file.stem == HIDDEN or file.stem.startswith(f"{HIDDEN}_")


def _parts(folder: Path, stem: str) -> list[Path]:
    return sorted({*folder.glob(f"{stem}.py"), *folder.glob(f"{stem}_*.py")})


def week_order(week: str) -> list[tuple[str, int]]:
    """Return a sort key that puts week10 after week9."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", week)]
