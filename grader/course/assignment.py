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

A folder with a `chapter.toml`, of a `title` and `modules` alone, is a chapter: it has checks that its readers run
themselves, and no grade.
"""

from __future__ import annotations

import ast
import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zoneinfo import ZoneInfo

from grader.course.manual import read_headings, read_manual
from grader.course.material import fingerprint, fixtures_of
from grader.course.settings import FILE, WEEK_NAME, Settings, load_settings
from grader.course.toml_file import TomlFile
from grader.errors import CourseError, UsageError
from grader.results import ManualPart

MEMORY_MB, SECONDS, GPU_MEMORY_MB = 3072, 300, 4096
_PUBLIC = ("assignment.toml", "conftest.py", "probes*.py", "test_*.py")
_HERE = Path(__file__).resolve()
_MODULE = r"[^\W\d]\w*"
_KEYS = ("title", "week", "modules", "due", "time_zone", "limits", "late", "manual")
VARIABLE = "GRADER_COURSE"  # names the course's folder, wherever a command is called
CHAPTER = "chapter.toml"
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
    headings: tuple[tuple[str, tuple[str, ...]], ...] = ()  # of each part what headings of its answer hold

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of public and of hidden checks, which may hold translations of their texts as well."""
        return (self.folder, *([self.hidden_folder] if self.hidden_folder else []))

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
    def workbook(self) -> bytes:
        """The notebook that students may start from instead; nothing where there is none."""
        return self.workbook_file.read_bytes() if self.workbook_file.is_file() else b""

    @property
    def workbook_file(self) -> Path:
        """The place of that notebook. A chapter has no other one, so it is named like the chapter."""
        name = self.week if (self.folder / CHAPTER).is_file() else f"{self.week}_work"
        return self.folder / f"{name}.ipynb"

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
    """A folder with `course.toml` and `assignments/`; those who grade have `solutions/` beside it."""

    root: Path

    @cached_property
    def settings(self) -> Settings:
        """What `course.toml` says, as it was when this was first asked for."""
        return load_settings(self.root)

    @property
    def title(self) -> str:
        """The title of the course; where it has none, the name of its folder."""
        return self.settings.title or self.root.resolve().name

    def assignments(self) -> dict[str, Assignment]:
        """Return the course's weeks in their order: those that `course.toml` lists, else all, by their numbers."""
        files = (self.root / "assignments").glob("*/assignment.toml")
        weeks = self.settings.weeks or sorted((file.parent.name for file in files), key=week_order)
        return {week: self._load(week) for week in weeks}

    def chapters(self) -> dict[str, Assignment]:
        """Return what is read and tried, and never graded, by the names of the folders."""
        files = sorted((self.root / "assignments").glob(f"*/{CHAPTER}"))
        return {file.parent.name: _chapter(file) for file in files}

    def part(self, name: str) -> Assignment:
        """Return a week or a chapter; where there is neither, `UsageError` names the known ones."""
        chapters = self.chapters()
        if name in chapters:
            return chapters[name]
        try:
            return self.assignment(name)
        except UsageError as error:
            also = f"; and, ungraded: {', '.join(chapters)}" if chapters else ""
            raise UsageError(f"{error}{also}") from None

    def assignment(self, week: str) -> Assignment:
        """Return one week; where there is no such week, `UsageError` names the known ones."""
        if not (self._folder(week) / "assignment.toml").is_file():
            known = ", ".join(self.assignments()) or "none"
            raise UsageError(f"there is no week {week!r} in {self.root / 'assignments'}; known weeks: {known}")
        return self._load(week)

    def _folder(self, week: str) -> Path:
        # A week is a plain name, so that no option can point outside the course.
        return self.root / "assignments" / (week if re.fullmatch(WEEK_NAME, week) else "no such week")

    def _load(self, week: str) -> Assignment:
        folder, hidden = self._folder(week), self.root / "solutions" / week
        given = _Table(folder / "assignment.toml")
        given.refuse_unknown(_KEYS)
        if given.text("week", f'"{week}"', required=True) not in ("", week):
            given.fault(f"`week` must be the folder's name, {week!r}", "week")
        modules = given.names("modules", _MODULE, '["lenet"]')
        if "modules" not in given.data or given.data["modules"] == []:
            given.fault('`modules` is missing; write it as in modules = ["lenet"]', "modules")
        zone = given.zone() or self.settings.zone
        read = Assignment(
            week=week,
            title=given.text("title", '"Convolutions"', required=True),
            modules=modules,
            folder=folder,
            hidden_folder=hidden if _parts(hidden, HIDDEN) else None,
            limits=given.limits(),
            due=given.due(zone),
            late=given.late(),
            zone=zone,
            manual=given.manual(),
            headings=given.headings(),
        )
        given.finish()
        return read


def _chapter(file: Path) -> Assignment:
    given = _Table(file)
    given.refuse_unknown(("title", "modules"))
    read = Assignment(
        week=file.parent.name,
        title=given.text("title", '"A primer"', required=True),
        modules=given.names("modules", _MODULE, '["exercises"]'),
        folder=file.parent,
        hidden_folder=None,
        limits=Limits(),
    )
    given.finish()
    return read


def find_course(start: Path | None = None) -> Course:
    """Find the course around `start`; by default the one that `GRADER_COURSE` names, else the one around this folder.

    Where there is none, it is the one that this Python has as `pip install -e` of a course with the engine in it.
    Never start from a submission: a student's checkout is a course as well, with checks that they could edit.
    """
    named = os.environ.get(VARIABLE)
    if start is None and named:
        return named_course(Path(named), VARIABLE)
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if is_course(folder):
            return Course(folder)
    if installed := installed_course():
        return installed
    raise UsageError(
        f"there is no course in {here} or above it: go to the folder that holds `{FILE}` or `assignments/`, name it by "
        f"--course or {VARIABLE}, or begin one: python -m grader new course"
    )


def named_course(folder: Path, by: str) -> Course:
    """Return the course in a folder that somebody has named, `by` an option or a variable."""
    if not is_course(folder):
        raise UsageError(f"{by}: there is no course in {folder}: a course holds `{FILE}` or `assignments/`")
    return Course(folder.resolve())


def installed_course() -> Course | None:
    """Return the course that pip has installed together with this package, by `pip install -e FOLDER`."""
    for found in metadata.distributions(name="torch-autograder"):
        try:
            noted = json.loads(found.read_text("direct_url.json") or "{}")
        except ValueError:
            continue
        url = urlsplit(str(noted.get("url", "")))
        folder = Path(url2pathname(url.path)).resolve()
        is_ours = noted.get("dir_info", {}).get("editable") and url.scheme == "file" and _HERE.is_relative_to(folder)
        if is_ours and is_course(folder):
            return Course(folder)
    return None


def is_course(folder: Path) -> bool:
    """Tell whether a folder is a course: it has a `course.toml`, or at least a week."""
    return (folder / FILE).is_file() or any((folder / "assignments").glob("*/assignment.toml"))


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


class _Table(TomlFile):
    """Reads an assignment.toml; each method notes what is wrong with what it returns."""

    def limits(self) -> Limits:
        return Limits(**self.numbers("limits", ("memory_mb", "seconds", "gpu_memory_mb"), least=1))

    def late(self) -> LatePolicy:
        policy = LatePolicy(**self.numbers("late", ("grace_minutes", "percent_a_day", "cap_percent"), least=0))
        for key in ("percent_a_day", "cap_percent"):
            if getattr(policy, key) > 100:
                self.fault("the percentages under [late] are at most 100", key, "late")
        return policy

    def due(self, zone: ZoneInfo | None) -> datetime | None:
        due = self.data.get("due")
        if due is None or (isinstance(due, datetime) and due.tzinfo):
            return due
        if isinstance(due, datetime) and zone:
            return due.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        wanted = "a time with its offset, as in 2026-10-05T23:59:00+02:00, or stand with a `time_zone`"
        if isinstance(due, str):
            self.fault(f"`due` is a text: write it without quotes, and it must be {wanted}", "due")
        else:
            self.fault(f"`due` must be {wanted}", "due")
        return None

    def manual(self) -> tuple[ManualPart, ...]:
        try:
            return read_manual(self.file, self.data.get("manual", []))
        except CourseError as error:
            self.faults.append(str(error))
            return ()

    def headings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        try:
            return read_headings(self.file, self.data.get("manual", []))
        except CourseError as error:
            self.faults.append(str(error))
            return ()


def is_hidden(file: Path) -> bool:
    """Tell from its name whether a file of checks holds hidden ones."""
    return file.stem == HIDDEN or file.stem.startswith(f"{HIDDEN}_")


def _parts(folder: Path, stem: str) -> list[Path]:
    return sorted({*folder.glob(f"{stem}.py"), *folder.glob(f"{stem}_*.py")})


def week_order(week: str) -> list[tuple[str, int]]:
    """Return a sort key that puts week10 after week9."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", week)]
