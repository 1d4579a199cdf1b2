"""The version changes with the sources that a verdict depends on, and with no others."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.version import DECISIVE
from grader.version import HARMLESS as UNCOUNTED
from tests.support.rooms import PACKAGE, imported, modules, room

DECIDE = {
    *("inside", "results", "course", "checks", "sandbox", "pytest_plugin", "judging"),
    *("errors.py", "expect.py", "show.py", "answers.py"),
}
SHOW_OR_FIND = {
    *("intake", "people", "gradebook", "reports", "exports", "similarity", "batch", "author", "cli", "kernel"),
    *("watching", "desk", "language"),
    *("__init__.py", "__main__.py", "escape.py", "files.py", "version.py", "scratch.py", "janitor.py", "history.py"),
    "choices.py",
}
# What the decisive rooms import of others, and why no verdict depends on it.
HARMLESS = {
    ("pytest_plugin/plugin.py", "grader.reports.terminal"): "prints a failure at a student's desk",
    ("pytest_plugin/plugin.py", "grader.reports.words"): "the same",
    ("pytest_plugin/ending.py", "grader.reports.terminal"): "prints the table at a student's desk",
    ("pytest_plugin/ending.py", "grader.history"): "notes for a student what passed when",
    ("pytest_plugin/plugin.py", "grader.escape"): "prints what a console cannot show",
    ("pytest_plugin/plugin.py", "grader.language"): "translates what is printed at a student's desk",
    ("pytest_plugin/ending.py", "grader.language"): "the same",
    ("pytest_plugin/options.py", "grader.language"): "the names of languages, as options have them",
    ("course/settings.py", "grader.language"): "the same; a report is kept in English whatever the course speaks",
    ("pytest_plugin/options.py", "grader.choices"): "the names of devices, as options have them",
    ("sandbox/__init__.py", "grader.choices"): "the names of sandboxes, as options have them",
    ("sandbox/choice.py", "grader.choices"): "the same",
    ("pytest_plugin/local.py", "grader.intake"): "reads a homework that is not in modules, at a student's desk",
    ("judging/job.py", "grader.intake"): "the type of a submission; what was read shows in its digest",
    ("judging/fork_server.py", "grader.scratch"): "says where temporary files lie, and removes them",
    ("judging/fork_server_client.py", "grader.scratch"): "the same",
    ("judging/judge_process.py", "grader.scratch"): "holds what processes of ours say",
    ("sandbox/devices.py", "grader.scratch"): "as in judging/fork_server.py",
    ("sandbox/doctor.py", "grader.scratch"): "the same",
    ("sandbox/attack/ground.py", "grader.scratch"): "the same",
    ("judging/watch.py", "grader.escape"): "makes names in an error safe to show",
    ("judging/judge.py", "grader.version"): "the version itself, to note it in the report",
}


def folders() -> list[str]:
    """Every folder with modules in it, and every module of `grader` itself."""
    inner = {file.parent.relative_to(PACKAGE).as_posix() for file in modules()} - {"."}
    return sorted(inner | {file.name for file in PACKAGE.glob("*.py")})


def top(folder: str) -> str:
    return folder.partition("/")[0]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, in which files may be changed."""
    return Path(
        shutil.copytree(
            PACKAGE, tmp_path_factory.mktemp("tree") / "grader", ignore=shutil.ignore_patterns("__pycache__")
        )
    )


def version_of(tree: Path) -> str:
    """Return the version that a copy's own module works out for the copy."""
    return str(runpy.run_path(str(tree / "version.py"))["VERSION"])


@pytest.fixture(scope="module")
def before(tree: Path) -> str:
    return version_of(tree)


def test_a_process_of_a_changed_copy_has_the_copys_version(tree: Path, tmp_path: Path, before: str) -> None:
    copy = Path(shutil.copytree(tree, tmp_path / "grader"))
    (copy / "errors.py").write_bytes((copy / "errors.py").read_bytes() + b"# changed\n")
    program = "import grader.version as v; print(v.__file__, v.VERSION)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    file, version = done.stdout.split()
    assert Path(file).parent.samefile(copy)  # that of the copy, not of the installed package
    assert version == version_of(copy) != before


@pytest.mark.parametrize("folder", folders())
def test_a_changed_file_gives_another_version_only_where_a_verdict_depends_on_it(
    tree: Path, folder: str, before: str
) -> None:
    file = tree / folder if folder.endswith(".py") else max((tree / folder).glob("*.py"))
    assert file.relative_to(tree).as_posix() not in UNCOUNTED
    content = file.read_bytes()
    file.write_bytes(content + b"# changed\n")
    try:
        changed = version_of(tree) != before
    finally:
        file.write_bytes(content)
    assert changed == (top(folder) in DECIDE and folder not in UNCOUNTED)


@pytest.mark.parametrize("name", UNCOUNTED)
def test_a_file_of_a_decisive_room_that_no_grade_passes_through_gives_the_same_version(
    tree: Path, name: str, before: str
) -> None:
    file = tree / name if name.endswith(".py") else max((tree / name).glob("*.py"))
    content = file.read_bytes()
    file.write_bytes(content + b"# changed\n")
    after = version_of(tree)
    file.write_bytes(content)
    assert after == before


def test_a_new_and_a_renamed_file_of_a_decisive_room_give_another_version(tree: Path) -> None:
    versions = [version_of(tree)]
    new = tree / "judging" / "brand_new.py"
    new.write_text("", encoding="utf-8")
    versions.append(version_of(tree))
    new = new.rename(new.with_name("renamed.py"))
    versions.append(version_of(tree))
    new.unlink()
    assert len(set(versions)) == 3
    assert version_of(tree) == versions[0]


def test_line_ends_of_a_checkout_and_templates_give_the_same_version(tree: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tree, tmp_path / "grader"))
    for file in other.rglob("*.py"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    (other / "reports" / "templates" / "style.css").write_text("/* another look */", encoding="utf-8")
    assert version_of(other) == version_of(tree)


def test_every_room_is_decisive_or_said_not_to_be() -> None:
    rooms = {top(folder) for folder in folders()}
    assert rooms == DECIDE | SHOW_OR_FIND
    assert set(DECISIVE) == DECIDE


def test_what_a_decisive_room_imports_is_decisive_too() -> None:
    """The decisive rooms are closed under imports, so what `judge` and `worker` reach by any detour is covered."""
    decisive = {name.removesuffix(".py") for name in DECISIVE} | {"__version__"}
    files = [file for file in modules() if room(file) in decisive]
    assert {PACKAGE / "judging" / "judge.py", PACKAGE / "inside" / "worker.py"} <= set(files)
    others = {
        (file.relative_to(PACKAGE).as_posix(), name)
        for file in files
        for name in imported(file)
        if name.split(".")[1] not in decisive
    }
    assert {(file, harmless(file, name)) for file, name in others} == set(HARMLESS)


def harmless(file: str, name: str) -> str:
    """The entry of `HARMLESS` that an import falls under, or the import itself."""
    return next((one for by, one in HARMLESS if by == file and f"{name}.".startswith(f"{one}.")), name)


def checks_and_what_they_use() -> set[Path]:
    """The files of a course that decide; `solutions/` holds tools of the author beside them."""
    root = PACKAGE.parent
    patterns = ("*/week[0-9]*/test_*.py", "*/week[0-9]*/probes*.py", "fixtures/*.py")
    return {file for pattern in patterns for file in root.glob(pattern)}


def test_what_checks_import_of_the_grader_is_decisive() -> None:
    names = {name for file in checks_and_what_they_use() for name in imported(file)}
    assert {name.split(".")[1] for name in names} <= {name.removesuffix(".py") for name in DECISIVE}
    assert {"grader.checks.task", "grader.expect"} <= names
