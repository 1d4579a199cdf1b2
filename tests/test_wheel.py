"""The engine is a wheel, and any folder with a `course.toml` is a course: made, proved, released and graded from it."""

from __future__ import annotations

import csv
import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import amount
from tests.support.courses import copied

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
REFERENCE = "solutions/week1/windows.py"


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it, and a course of its own beside no engine."""

    python: Path
    course: Path

    def run(self, *words: str | Path, cwd: Path | None = None, status: int = 0, module: str = "grader") -> str:
        # Neither the working folder nor a variable leads to the engine's sources.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GRADER", "GIT_"))}
        done = subprocess.run(
            [self.python, "-P", "-m", module, *map(str, words)],
            cwd=cwd or self.course, env=kept, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel of a copy of the sources, and install it beside the libraries that are here already."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        source.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "grader", source / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD, folder], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("torch_autograder-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)  # what pip does with a wheel of Python alone
    # Their .pth files are not read again, so the editable engine of this environment is not there.
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
    shutil.rmtree(source)
    return Installed(folder / "venv" / "bin" / "python", committed(copied("plain_numpy", folder / "course")))


def committed(root: Path) -> Path:
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "begin"]):
        person = ["-c", "user.name=Ada", "-c", "user.email=ada@localhost"]
        subprocess.run(["git", "-C", root, *person, *words], check=True, capture_output=True)
    return root


@amount.in_full("tests/author prove weeks, and here a class is graded by the wheel")
def test_a_course_is_proved_by_the_wheel(installed: Installed) -> None:
    said = installed.run("validate", "week1", "--seeds", "2", "--jobs", "1")
    assert "2 mutants, 0 faults" in said and "points: 50 public, 50 hidden" in said


def test_a_released_tree_needs_the_published_engine_alone(installed: Installed, tmp_path: Path) -> None:
    installed.run("release", "--to", tmp_path / "tree")
    names = {path.relative_to(tmp_path / "tree").as_posix() for path in (tmp_path / "tree").rglob("*")}
    assert {"course.toml", "pyproject.toml", "assignments/week1/windows.py", "fixtures/numbers.py"} <= names
    assert not any(name.startswith(("grader", "solutions")) or "hidden" in name for name in names)
    assert "torch-autograder" in (tmp_path / "tree" / "pyproject.toml").read_text()
    said = installed.run(
        "assignments/week1", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "tree", module="pytest", status=1
    )
    assert "0/50" in said and "Next: task 1.1" in said


def test_a_class_is_graded_from_outside_of_the_course(installed: Installed, tmp_path: Path) -> None:
    for name, file in (("ana", REFERENCE), ("bo", "assignments/week1/windows.py")):
        (tmp_path / "submissions" / name).mkdir(parents=True)
        shutil.copy(installed.course / file, tmp_path / "submissions" / name / "windows.py")
    words = ["batch", "submissions", "--course", installed.course, "--out", "out", "--jobs", "1"]
    installed.run(*words, cwd=tmp_path)
    with (tmp_path / "out" / "grades.csv").open(newline="") as file:
        assert {row["student"]: row["week1"] for row in csv.DictReader(file)} == {"ana": "100", "bo": "0"}
    said = installed.run("ci", "week1", "--sandbox", "process", cwd=tmp_path / "submissions" / "ana", status=2)
    assert "there is no course in" in said and "GRADER_COURSE" in said


def test_a_bundle_carries_the_engine_and_one_week(installed: Installed, tmp_path: Path) -> None:
    installed.run("package", "week1", "--for", "gradescope", "--to", tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        names = {name.removeprefix("source/") for name in bundle.namelist()}
        project = next(name for name in bundle.namelist() if name.endswith("pyproject.toml"))
        needed = bundle.read(project).decode()
    assert {"grader/cli/main.py", "grader/py.typed", "solutions/week1/test_hidden.py", "course.toml"} <= names
    assert '"torch>=' in needed and "grader.pytest_plugin.plugin" in needed
    assert not any("templates/week" in name or "mutants.toml" in name for name in names)


def test_a_course_and_its_first_weeks_are_begun(installed: Installed, tmp_path: Path) -> None:
    installed.run("new", "course", tmp_path / "mine", "--title", 'An "odd" \\ title', cwd=tmp_path)
    for week in ("week1", "week2"):
        installed.run("new", week, cwd=tmp_path / "mine")
    assert 'weeks = ["week1", "week2"]' in (tmp_path / "mine" / "course.toml").read_text()
    installed.run("skeleton", "--check", cwd=tmp_path / "mine")
    installed.run("lessons", "--check", cwd=tmp_path / "mine")
    assert "is a course already" in installed.run("new", "course", cwd=tmp_path / "mine", status=2)
