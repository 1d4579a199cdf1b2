"""The bundle for Gradescope starts as its documentation says: unpacked into `source`, built once, run many times."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grader.author.release import package
from grader.cli.main import main
from grader.course import Assignment, Course, LatePolicy
from grader.errors import TooSmall
from grader.exports import gradescope, gradescope_metadata
from grader.exports.gradescope_metadata import Metadata
from grader.results import CheckResult, Measure, Outcome, Report
from grader.sandbox.cgroups import room
from tests.exports.schemas import GRADESCOPE, validate

ROOT = Path(__file__).parents[2]
CHECKS = (
    CheckResult("t::a", "5.1", "A", False, 4, 4, Outcome.PASSED, measures=(Measure("the accuracy", 0.91, 0.5, True),)),
    CheckResult("t::b", "5.2", "B", True, 0, 6, Outcome.FAILED, "wrong", measures=(Measure("the loss", 3, 1, False),)),
)
REPORT = Report("Ana", "week5", 0, "0.1.0", "a" * 64, "b" * 64, CHECKS)

# What the scripts may reach. `python3` is the image's own, too old; `uv` brings another one, and installs nothing but a
# project with all that its pyproject.toml names.
STUBS = {
    "apt-get": 'echo "apt-get $*" >> "$LOG"',
    "python3": """
case "$*" in
    *-m\\ venv*)
        for last in "$@"; do :; done
        mkdir -p "$last/bin"; cp "$STUBS/python3" "$last/bin/python"; cp "$STUBS/uv" "$last/bin/uv" ;;
    *"-m pip install"*uv) echo "pip $*" >> "$LOG" ;;
    *) echo "Python 3.10 runs no grader: $*" >&2; exit 1 ;;
esac""",
    "uv": """
echo "uv $* into $UV_PYTHON_INSTALL_DIR" >> "$LOG"
for last in "$@"; do :; done
case "$*" in
    *venv*) mkdir -p "$last/bin"; cp "$STUBS/newer" "$last/bin/python" ;;
    *pip\\ install*) exec "$PYTHON" "$INSTALLER" "$last" ;;
    *) exit 1 ;;
esac""",
}
STUBS["newer"] = """
case "$*" in *"grader doctor") echo "doctor in $PWD" >> "$LOG"; exit 0 ;; esac
PYTHONPATH="$AUTOGRADER_HOME/source" exec "$PYTHON" "$@"
"""
INSTALLER = """
import sys, tomllib
from pathlib import Path
source = Path(sys.argv[1])
if not (source / "pyproject.toml").is_file():
    sys.exit(f"{source} does not appear to be a Python project")
project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
for name in (project["readme"], *project["license-files"], "grader/__init__.py"):
    if not (source / name).is_file():
        sys.exit(f"{name} is missing")
"""


@pytest.fixture(scope="module")
def tracked_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course as it stands here, committed: what is packaged is what git tracks."""
    folder = tmp_path_factory.mktemp("tracked") / "course"
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0")[:-1]:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return Course(folder)


def image(content: bytes, home: Path) -> dict[str, str]:
    """Lay out /autograder as Gradescope does, and return the environment in which its scripts run."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(home / "source")
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    assert modes["setup.sh"] & 0o100 and modes["run_autograder"] & 0o100
    shutil.copy(home / "source" / "run_autograder", home / "run_autograder")
    (home / "results").mkdir()
    stubs = home.parent / "stubs"
    stubs.mkdir()
    for name, text in STUBS.items():
        (stubs / name).write_text(f"#!/bin/bash\n{text}\n")
        (stubs / name).chmod(0o755)
    (stubs / "installer.py").write_text(INSTALLER)
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB", "PYTHON"))}
    places = {"AUTOGRADER_HOME": str(home), "STUBS": str(stubs), "LOG": str(stubs / "log")}
    programs = {"PYTHON": sys.executable, "INSTALLER": str(stubs / "installer.py")}
    return {**mine, **places, **programs, "PATH": f"{stubs}:{os.environ['PATH']}"}


def script(path: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", str(path)], cwd=path.parent, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


TOLD = {
    "id": 7,
    "created_at": "2026-10-06T10:00:00.365935-07:00",
    "assignment": {"due_date": "2026-10-07T23:00:00.000000-07:00", "total_points": "100.0"},
    "users": [{"id": 1, "email": "ana@x.edu", "name": "Ana"}],
    "previous_submissions": [{"submission_time": "2026-10-01T10:00:00-07:00", "score": "100.0", "results": {}}],
}


def test_the_image_builds_and_grades_with_the_hidden_checks(tracked_course: Course, tmp_path: Path) -> None:
    assignment = tracked_course.assignment("week5")
    content = package.gradescope(tracked_course, assignment)
    assert content == package.gradescope(tracked_course, assignment)
    home = tmp_path / "autograder"
    environment = image(content, home)
    names = {path.relative_to(home / "source").as_posix() for path in (home / "source").rglob("*")}
    assert {"pyproject.toml", "grader/__main__.py", "solutions/week5/test_hidden.py"} <= names
    assert not [name for name in names if "week4" in name or "mutants.toml" in name or "variants" in name]

    script(home / "source" / "setup.sh", environment)
    log = Path(environment["LOG"]).read_text()
    assert "apt-get install -qy bubblewrap" in log
    assert f"doctor in {home}/source" in log
    assert f">=3.11 {home}/venv into {home}/python" in log  # not below root's own folder, which the sandbox cannot read

    shutil.copytree(ROOT / "assignments" / "week5", home / "submission")
    shutil.copy(ROOT / "solutions" / "week5" / "inspection.py", home / "submission" / "inspection.py")
    (home / "submission_metadata.json").write_text(json.dumps(TOLD))
    script(home / "run_autograder", environment)
    results = read(home / "results" / "results.json")
    validate(results, GRADESCOPE)
    assert 0 < results["score"] < 100
    assert sum(test["max_score"] for test in results["tests"]) == 100
    assert "attempt 2. Before: 100 (attempt 1)" in results["output"]
    report = Report.load(home / "report" / "report.json")
    assert report.student == "Ana" and report.delivery is not None and report.delivery.version == 2


def test_a_bundle_for_trusted_students_says_so_in_its_scripts(tracked_course: Course) -> None:
    for sandbox in ("bwrap", "process"):
        content = package.gradescope(tracked_course, tracked_course.assignment("week5"), sandbox)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert f"--sandbox {sandbox} 2>&1" in archive.read("run_autograder").decode()


def test_the_project_file_names_what_the_installer_looks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["readme"] == "README.md" and project["license-files"] == ["LICENSE"]


# Memory


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"memory.max": "805306368\n"}, 805306368),
        ({"memory.max": "max\n"}, None),
        ({"memory/memory.limit_in_bytes": "805306368"}, 805306368),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ({}, None),
        ({"memory.max": "x"}, None),
    ],
    ids=repr,
)
def test_a_containers_memory_is_read_of_both_kinds_of_groups(
    files: dict[str, str], limit: int | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    whole = room.memory(tmp_path / "nothing")
    assert room.memory(tmp_path) == (limit or whole)
    if limit is not None:
        with pytest.raises(TooSmall, match=r"0\.75 GB .* 1\.17 GB; choose a larger one .*1\.5 GB"):
            room.refuse_small(tmp_path)
    room.refuse_small(tmp_path, needed=1)


def test_gradescopes_default_container_is_refused_in_words_and_without_a_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "submission").mkdir()
    monkeypatch.setenv("AUTOGRADER_HOME", str(tmp_path))
    monkeypatch.setattr("grader.cli.single.refuse_small", lambda: room.refuse_small(needed=1 << 60))
    assert main(["ci", "week5", "--host", "gradescope", "--out", str(tmp_path / "out")]) == 1
    assert "choose a larger one" in capsys.readouterr().err
    results = read(tmp_path / "results" / "results.json")
    assert "score" not in results and "tests" not in results
    assert "not yours" in results["output"] and "1.5 GB" in results["output"]


# Metadata

BAD = ("", "{", "[]", "null", "3", '{"users": 3}', '{"users": [3, null, {"name": null}]}', "[" * 100_000)


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:30])
def test_metadata_that_cannot_be_read_costs_nobody_the_grade(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(text)
    assert gradescope_metadata.read(tmp_path / "m.json") == Metadata()
    assert gradescope_metadata.read(tmp_path / "gone.json") == Metadata()


def told(**changes: Any) -> Metadata:
    return Metadata(**changes)


def test_each_field_is_read_for_itself(tmp_path: Path) -> None:
    for name in TOLD:
        for wrong in (None, 3, "x", [], {}, [None], "2026-10-06T10:00:00"):
            (tmp_path / "m.json").write_text(json.dumps({**TOLD, name: wrong}))
            found = gradescope_metadata.read(tmp_path / "m.json")
            assert (found.names == ("Ana",)) is (name != "users")
            assert (found.at is not None) is (name != "created_at")
            assert (found.due is not None) is (name != "assignment")
            assert len(found.earlier) == (1 if name != "previous_submissions" or wrong == [None] else 0)


def test_a_students_own_due_date_counts(tmp_path: Path) -> None:
    users = [{"name": "Ana", "assignment": {"due_date": "2026-10-09T23:00:00+00:00"}}, {"name": "Bo"}]
    (tmp_path / "m.json").write_text(json.dumps({**TOLD, "users": users}))
    assert gradescope_metadata.read(tmp_path / "m.json").due == datetime(2026, 10, 9, 23, tzinfo=UTC)


@pytest.fixture
def policy() -> Assignment:
    return replace(Course(ROOT).assignment("week5"), late=LatePolicy(percent_a_day=10))


DUE = datetime(2026, 10, 5, 22, tzinfo=UTC)


@pytest.mark.parametrize(("hour", "costs"), [(21, []), (22, []), (23, [-1])])
def test_lateness_costs_what_the_week_says_by_gradescopes_due_date(
    policy: Assignment, hour: int, costs: list[int]
) -> None:
    full = replace(REPORT, checks=(replace(CHECKS[0], points=10, max_points=10),))
    metadata = told(at=datetime(2026, 10, 5, hour, tzinfo=UTC), due=DUE, names=("Ana", "Bo"))
    found = gradescope_metadata.noted(full, policy, metadata, ("lenet.py",))
    assert [line.points for line in found.adjustments] == costs
    assert found.score == 10 + sum(costs)
    assert found.delivery is not None
    assert (found.delivery.members, found.delivery.files) == (("Ana", "Bo"), ("lenet.py",))
    assert found.delivery.due == "2026-10-05 22:00 (UTC+00:00)"


def test_the_output_says_what_earlier_attempts_gave() -> None:
    def words(*earlier: float | None) -> str:
        return str(gradescope.results(REPORT, told(earlier=earlier))["output"])

    assert "attempt" not in words()
    assert "This is attempt 4. Before: 4 (attempt 1), no score (attempt 2), 2.5 (attempt 3)." in words(4, None, 2.5)
    assert "gave more" not in words(4, None, 2.5)
    assert "Attempt 1 gave more, 7 points." in words(7, 3)
    assert "…, " in words(1, 1, 1, 1, 1, 1)


def test_tags_and_the_leaderboard_tell_nothing_of_hidden_checks() -> None:
    bad = replace(CHECKS[0], id="t::c", measures=(Measure("the loss", float("nan"), 1, False),))
    results = gradescope.results(replace(REPORT, checks=(*CHECKS, bad)))
    validate(results, GRADESCOPE)
    assert [test["tags"] for test in results["tests"]][:2] == [
        ["task 5.1", "public", "passed"],
        ["task 5.2", "hidden", "failed"],
    ]
    assert results["leaderboard"] == [{"name": "Points", "value": 8}, {"name": "Accuracy", "value": 0.91}]
    json.loads(json.dumps(results), parse_constant=pytest.fail)  # no NaN
