"""Writes the pyproject.toml of a course that has no engine in it: it depends on the published one, and sets up pytest.

A bundle for a host carries the engine itself, so that a class is graded by the version that the week was proved with.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from grader import __version__
from grader.errors import CourseError

ENGINE = "torch-autograder"
_PACKAGE = Path(__file__).parents[2]
_LEFT_OUT = ("author/templates/week/", "author/templates/course/")  # solutions, which no bundle may hold


def project_text(title: str, tests: str = "assignments") -> str:
    """Return the pyproject.toml of a course: `pip install -e .` in it brings the engine, and installs nothing else."""
    return _PROJECT.format(
        name=_name(title), title=json.dumps(title, ensure_ascii=False), engine=f"{ENGINE}>={__version__}", tests=tests
    )


def engine_files(project: bytes) -> dict[str, bytes]:
    """Return the installed engine as a folder `grader/` and the pyproject.toml that installs it, by their paths.

    What the course's own `project` depends on besides the engine is installed as well.
    """
    found = {f"grader/{name}": (_PACKAGE / name).read_bytes() for name in sorted(_names())}
    return {**found, "pyproject.toml": _engine_project(_needed(project)).encode()}


def _needed(project: bytes) -> list[str]:
    try:
        listed = tomllib.loads(project.decode("utf-8")).get("project", {}).get("dependencies", [])
    except ValueError as error:
        raise CourseError(f"pyproject.toml: cannot be read ({error}); mend it") from None
    return [one for one in listed if not one.replace("_", "-").lower().startswith(ENGINE)]


def _names() -> Iterator[str]:
    for path in _PACKAGE.rglob("*"):
        name = path.relative_to(_PACKAGE).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and not name.startswith(_LEFT_OUT):
            yield name


def _engine_project(more: Sequence[str]) -> str:
    """Return a pyproject.toml with what the engine declares that is installed here."""
    try:
        needed = metadata.requires(ENGINE) or []
    except metadata.PackageNotFoundError:
        raise CourseError(f"{ENGINE} is not installed here, so nothing says what it needs; pip install it") from None
    listed = [*(one for one in needed if "extra ==" not in one), *more]
    return _ENGINE.format(
        engine=ENGINE,
        version=__version__,
        needed=json.dumps(listed, indent=4),
        pytest=_PYTEST.format(tests="assignments"),
    )


def _name(title: str) -> str:
    """Make a name that a project may have of a title in any language."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())) or "course"


_PYTEST = """[tool.pytest.ini_options]
testpaths = ["{tests}"]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
"""

_PROJECT = (
    """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "0"
description = {title}
requires-python = ">=3.11"
dependencies = ["{engine}"]

# A course is no package: `pip install -e .` installs what it needs, and nothing of its own.
[tool.setuptools]
packages = []

"""
    + _PYTEST
)

_ENGINE = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{engine}"
version = "{version}"
requires-python = ">=3.11"
dependencies = {needed}

[project.scripts]
grader = "grader.cli.main:main"

[project.entry-points.pytest11]
grader = "grader.pytest_plugin.plugin"

[tool.setuptools.packages.find]
include = ["grader*"]

[tool.setuptools.package-data]
"*" = ["*.j2", "*.js", "*.css", "*.sh", "*.json", "py.typed", "templates/**/*"]

{pytest}"""
