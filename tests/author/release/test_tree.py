"""Students get everything that they need, and nothing of the solutions, however it got into the tree."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.author.release import leaks, tree
from grader.cli.main import main
from grader.course import Course, protected
from grader.errors import CourseError, UsageError
from tests.support import warm
from tests.support.makers import lay_out

ROOT = Path(__file__).parents[3]
WEEK = "week7"
SOLUTION = "return (predictions - targets).square().mean()"
HIDDEN = 'expect.close(got, 2 * (predictions - targets) / predictions.numel(), "the gradient")'


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def committed_course(new_course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course of one new week, committed, with what else a course has."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@localhost")
    root = new_course.root
    files = {
        "pyproject.toml": 'testpaths = ["tests"]\n',
        "fixtures/data.py": "x = 1\n",
        "fixtures/submissions/ana/exercise.py": f"# {SOLUTION}\n",
        "tests/test_mutants.py": "y = 1\n",
        "assignments/README.md": "# For students\n",
    }
    lay_out(root, files)
    git(root, "init", "-q", "-b", "main")
    commit(root, "begin")
    return new_course


def commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


def plant(course: Course, name: str, text: str) -> None:
    path = course.root / name
    path.write_text((path.read_text() if path.exists() else "") + text)
    commit(course.root, "plant")


def test_the_tree_has_what_students_need_and_nothing_else(committed_course: Course, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert main(["release", "--to", str(out)]) == 0
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    week = f"assignments/{WEEK}"
    assert names == {
        f"{week}/{WEEK}_work.ipynb",
        *(f"{week}/{name}" for name in ("README.md", "assignment.toml", "exercise.py", "probes.py", f"{WEEK}.ipynb")),
        f"{week}/test_{WEEK}.py", "fixtures/data.py", "pyproject.toml", "README.md", protected.MANIFEST,
        *tree.EDITORS,
    }  # fmt: skip
    assert (out / "pyproject.toml").read_text() == 'testpaths = ["assignments"]\n'
    assert "TODO 7.1" in (out / week / "exercise.py").read_text()
    subprocess.run(["sha256sum", "--check", "--quiet", protected.MANIFEST], cwd=out, check=True)
    # Once more: what is gone from the course goes from the folder, and a student's own file stays.
    (out / "mine.py").write_text("z = 1\n")
    (committed_course.root / "fixtures" / "data.py").unlink()
    commit(committed_course.root, "remove")
    assert main(["release", "--to", str(out)]) == 0
    assert not (out / "fixtures" / "data.py").exists() and (out / "mine.py").exists()


def test_an_editor_finds_the_checks_of_the_tree(committed_course: Course, tmp_path: Path) -> None:
    files = tree.student_tree(committed_course)
    settings = {name: json.loads(files[name]) for name in tree.EDITORS}
    assert settings[".vscode/settings.json"]["python.testing.pytestEnabled"] is True
    tree.write_folder(files, tmp_path / "out")
    arguments = settings[".vscode/settings.json"]["python.testing.pytestArgs"]
    # As the editor's test explorer asks for them.
    command = [sys.executable, "-m", "pytest", "--rootdir", ".", "--collect-only", "-q", *arguments]
    asked = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "--import-mode=importlib -p no:cacheprovider"}
    found = warm.run(command, cwd=tmp_path / "out", env=asked)
    assert f"assignments/{WEEK}/test_{WEEK}.py::" in found.stdout, found.stdout + found.stderr
    container = settings[".devcontainer/devcontainer.json"]
    assert ".venv/bin/python" in container["postCreateCommand"]


def test_a_folder_of_something_else_is_left_alone(committed_course: Course, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="something else than an earlier release"):
        tree.write_folder({"a": b"b"}, tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"assignments/{WEEK}/README.md", f"\nThe trick:\n\n    {SOLUTION}\n"),
        (f"assignments/{WEEK}/README.md", "\n* `return  ( predictions-targets ).square( ).mean()`\n"),
        ("fixtures/data.py", f"\ndef test_gradient(student, rng):\n    {HIDDEN}\n"),
        ("fixtures/data.txt", HIDDEN.replace('"', "'") + "  # as it is judged\n"),
        ("assignments/notes.ipynb", '{"cells": [{"source": ["x = 1\\n", "' + SOLUTION + '"]}]}'),
    ],
)
def test_a_planted_leak_is_refused_and_nothing_is_written(
    committed_course: Course, tmp_path: Path, name, text, capsys
) -> None:
    plant(committed_course, name, text)
    for words in (["--to", str(tmp_path / "out")], ["--branch", "students"]):
        assert main(["release", *words]) == 1
        said = capsys.readouterr().err
        assert "would leak" in said and re.search(rf"{name}(, cell 1)?:\d+ holds what solutions/{WEEK}/", said)
    assert not (tmp_path / "out").exists()
    assert git(committed_course.root, "branch", "--list", "students") == ""


def test_a_harmless_line_may_be_listed(committed_course: Course) -> None:
    plant(committed_course, "fixtures/data.py", SOLUTION + "\n")
    plant(committed_course, "solutions/harmless.txt", f"# anybody's\n{SOLUTION}\n")
    assert "fixtures/data.py" in tree.student_tree(committed_course)


def test_uncommitted_changes_are_refused(committed_course: Course) -> None:
    (committed_course.root / "fixtures" / "data.py").write_text("x = 2\n")
    with pytest.raises(CourseError, match="uncommitted changes"):
        tree.student_tree(committed_course)


def test_a_week_that_git_does_not_know_is_refused(committed_course: Course, capsys, tmp_path: Path) -> None:
    git(committed_course.root, "rm", "-r", "-q", "--cached", f"assignments/{WEEK}")
    git(committed_course.root, "commit", "-q", "-m", "without")
    assert main(["release", "--to", str(tmp_path / "out")]) == 1
    assert f"git does not know assignments/{WEEK} yet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_branch_has_a_history_of_its_own_and_grows_by_one_commit(committed_course: Course, capsys) -> None:
    root, head = committed_course.root, git(committed_course.root, "rev-parse", "HEAD")
    assert main(["release", "--branch", "students"]) == 0
    assert git(root, "rev-list", "--count", "students") == "1"
    assert main(["release", "--branch", "students"]) == 0
    assert "nothing has changed" in capsys.readouterr().out
    plant(committed_course, "fixtures/data.py", "y = 2\n")
    assert main(["release", "--branch", "students", "--message", "More data"]) == 0
    assert git(root, "log", "--format=%s", "students").splitlines() == ["More data", "Release"]
    assert (
        subprocess.run(["git", "-C", str(root), "merge-base", "main", "students"], capture_output=True).returncode == 1
    )
    assert git(root, "status", "--porcelain") == "" and git(root, "rev-parse", "HEAD~1") == head
    everything = git(root, "log", "-p", "students")
    assert "solutions/" not in everything.replace("solutions/README", "") and SOLUTION not in everything


def test_a_branch_with_a_common_or_a_leaking_history_is_refused(committed_course: Course, capsys) -> None:
    root = committed_course.root
    git(root, "branch", "students")
    assert main(["release", "--branch", "students"]) == 1
    assert "shares history with main" in capsys.readouterr().err
    git(root, "branch", "-D", "students")
    assert main(["release", "--branch", "students"]) == 0
    # Somebody commits a solution to the branch, and removes it again.
    git(root, "checkout", "-q", "students")
    plant(committed_course, "hint.txt", SOLUTION)
    git(root, "rm", "-q", "hint.txt")
    commit(root, "oops")
    git(root, "checkout", "-q", "main")
    assert main(["release", "--branch", "students"]) == 1
    assert "the history of students leaks" in capsys.readouterr().err


def test_changed_protected_files_are_known_from_every_version_that_was_ours(committed_course: Course) -> None:
    name, root = f"assignments/{WEEK}/test_{WEEK}.py", committed_course.root
    first = (root / name).read_bytes()
    protected.course_digests.cache_clear()
    assert protected.changed_files({name: first, "exercise.py": b"x"}, root) == []
    assert protected.changed_files({name: first.replace(b"\n", b"\r\n")}, root) == []
    assert protected.changed_files({name: first + b"pass\n"}, root) == [name]
    plant(committed_course, name, "# a later version\n")
    protected.course_digests.cache_clear()
    assert protected.changed_files({name: first}, root) == []


def test_this_course_passes_its_own_leak_check_and_students_can_work_in_it(tmp_path: Path) -> None:
    """The real tree: no `solutions/` is missed by a student's run of all weeks."""
    course = Course(ROOT)
    chosen = {path for path in tree.tracked_files(ROOT) if tree.is_for_students(path)}
    assert "assignments/README.md" in chosen and not any("hidden" in Path(path).name for path in chosen)
    files = {path: (ROOT / path).read_bytes() for path in chosen}
    leaks.check(files, course, "the student tree")
    tree.write_folder(files, tmp_path / "tree")
    done = warm.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "tree", env={**os.environ, "PYTHONPATH": str(tmp_path / "tree")},
    )  # fmt: skip
    weeks = course.assignments()
    assert done.returncode == 1, done.stdout + done.stderr
    primer = (ROOT / "assignments" / "primer" / "test_primer.py").read_text().count("@task(")  # of one point each
    assert (
        f"0/{60 * len(weeks) + primer}" in done.stdout and "Next: task" in done.stdout and "broken" not in done.stdout
    )
    assert [week for week in weeks if f"\n{week[4:]}.1 " not in done.stdout] == []
