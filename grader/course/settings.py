"""Reads `course.toml`, which marks a course's folder and says what holds for all of its weeks.

title = "Deep learning with PyTorch"
weeks = ["week4", "week5", "week6"]     # optional, in their order; by default all folders, by their numbers
language = "en"                         # optional: the language of what students read
time_zone = "Europe/Berlin"             # optional: of every week that names none of its own
libraries = ["torch", "numpy"]          # optional: what students' code and probes may import besides Python's modules
contact = "help@uni.example"            # optional: whom students tell when grading itself fails
repository = "https://github.com/me/x"  # optional: where students get the course; notebooks can then be opened in Colab

[points]                                # optional: what the public and the hidden checks of a week are worth
public = 60
hidden = 40

A folder without a `course.toml` is a course as well, if it holds `assignments/WEEK/assignment.toml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from grader.course.toml_file import TomlFile
from grader.language import LANGUAGES

FILE = "course.toml"
WEEK_NAME = r"\w[\w.-]*"  # a plain name, so that no option or list can point outside the course
_KEYS = ("title", "weeks", "language", "time_zone", "libraries", "contact", "repository", "points")
_LIBRARIES = ("torch", "torchvision", "numpy", "PIL", "matplotlib", "sklearn", "scipy", "tqdm")
_LIBRARY = r"[A-Za-z_]\w*"
_REPOSITORY = r"https://[\w.-]+(?:/[\w.-]+){2,}"  # it stands in a command, so nothing that a shell would read


@dataclass(frozen=True)
class Settings:
    """What holds for all weeks of a course. `weeks` is empty where every folder counts, by its number."""

    title: str = ""
    weeks: tuple[str, ...] = ()
    public: int = 60
    hidden: int = 40
    language: str = "en"
    zone: ZoneInfo | None = None
    libraries: tuple[str, ...] = _LIBRARIES
    contact: str = ""
    repository: str = ""


def load_settings(root: Path) -> Settings:
    """Read the `course.toml` of a course, if there is one; `CourseError` names each fault by file and line."""
    if not (root / FILE).is_file():
        return Settings()
    given = TomlFile(root / FILE)
    given.refuse_unknown(_KEYS)
    points = given.numbers("points", ("public", "hidden"), least=0)
    settings = Settings(
        title=given.text("title", '"Deep learning"', required=True),
        weeks=_weeks(given, root),
        public=points.get("public", Settings.public),
        hidden=points.get("hidden", Settings.hidden),
        language=_language(given),
        zone=given.zone(),
        libraries=given.names("libraries", _LIBRARY, '["torch", "numpy"]') or Settings.libraries,
        contact=given.text("contact", '"help@uni.example"'),
        repository=_repository(given),
    )
    given.finish()
    return settings


def _weeks(given: TomlFile, root: Path) -> tuple[str, ...]:
    weeks = given.names("weeks", WEEK_NAME, '["week1", "week2"]')
    for week in weeks:
        if not (root / "assignments" / week / "assignment.toml").is_file():
            text = (
                f"`weeks` names {week}, and there is no assignments/{week}/assignment.toml; make it, or drop the name"
            )
            given.fault(text, "weeks")
    return weeks


def _repository(given: TomlFile) -> str:
    address = given.text("repository", '"https://github.com/me/course"')
    if address and not re.fullmatch(_REPOSITORY, address):
        given.fault('`repository` is the address of one, as in "https://github.com/me/course"', "repository")
    return address


def _language(given: TomlFile) -> str:
    language = given.text("language", '"en"') or Settings.language
    if language not in LANGUAGES:
        given.fault(f"`language` {language!r} is not there yet; there is {', '.join(LANGUAGES)}", "language")
    return language
