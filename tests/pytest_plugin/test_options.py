"""The checks' options meet no other plugin's: they are there in courses alone, and leave every name that is taken."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch.utils.data  # noqa: F401 - runs in this process unload what they import, and torch cannot be loaded twice

from grader.checks import describe, diagnose, expect, show  # noqa: F401 - as above
from grader.pytest_plugin import local, options, verdict  # noqa: F401 - as above
from grader.reports import terminal  # noqa: F401 - as above
from tests.support.courses import copied

NAMES = ("task", "submission", "seed", "device")
WAYS = {
    "a name": 'parser.addoption("--{name}", default="theirs")',
    "a name in a group": 'parser.getgroup("theirs").addoption("--{name}", default="theirs")',
    "a name and another destination": 'parser.addoption("--{name}", dest="other_{name}", default="theirs")',
    "a destination": 'parser.addoption("--other-{name}", dest="{name}", default="theirs")',
    "a flag": 'parser.addoption("--{name}", action="store_true")',
    "the long name as well": 'parser.addoption("--{name}", "--grader-{name}", default="theirs")',
}
THEIRS = """
    def pytest_addoption(parser):
        {lines}
"""


@pytest.fixture(scope="module")
def course_with_options(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("desk", tmp_path_factory.mktemp("course"))


def run(pytester: pytest.Pytester, course: Path, *arguments: str) -> pytest.RunResult:
    os.chdir(course)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "assignments/week1", *arguments)


def plugin(pytester: pytest.Pytester, way: str, names: tuple[str, ...] = NAMES) -> str:
    """Write a plugin that takes these names, and return its own."""
    module = "theirs_" + re.sub(r"\W", "_", way)
    lines = "\n        ".join(WAYS[way].format(name=name) for name in names)
    pytester.makepyfile(**{module: THEIRS.format(lines=lines)})
    pytester.syspathinsert()
    return module


@pytest.mark.parametrize(
    ("way", "names"), [(way, NAMES) for way in WAYS] + [("a name", (name,)) for name in NAMES], ids=str
)
def test_a_plugin_that_has_a_name_keeps_it_and_checks_run(
    pytester: pytest.Pytester, course_with_options: Path, way: str, names: tuple[str, ...]
) -> None:
    result = run(pytester, course_with_options, "-p", plugin(pytester, way, names))
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=2)
    taken = "task" in names and way != "a destination"
    assert ("--grader-task 1.1" if taken else "week1 --task 1.1") in result.stdout.str()


def test_what_is_taken_has_a_longer_name(pytester: pytest.Pytester, course_with_options: Path) -> None:
    named = plugin(pytester, "a name")
    own = ("--grader-task", "1.1", "--grader-task", "1.3", "--grader-submission", "other", "--grader-seed", "3")
    result = run(pytester, course_with_options, "-p", named, *own, "--task", "theirs", "--seed", "x")
    assert result.ret == 0
    result.assert_outcomes(passed=2, deselected=4)


@pytest.mark.parametrize("way", WAYS)
def test_a_conftest_of_the_course_may_have_the_names_too(
    pytester: pytest.Pytester, course_with_options: Path, way: str
) -> None:
    lines = "\n    ".join(WAYS[way].format(name=name) for name in NAMES)
    conftest = course_with_options / "assignments" / "week1" / "conftest.py"
    conftest.write_text(f"def pytest_addoption(parser):\n    {lines}\n")
    try:
        run(pytester, course_with_options).assert_outcomes(passed=2, failed=2)
    finally:
        conftest.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_a_project_without_checks_has_none_of_the_options(pytester: pytest.Pytester, name: str) -> None:
    pytester.makepyfile("def test_a(): pass")
    result = pytester.runpytest_inprocess(f"--{name}", "1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"unrecognized arguments: --{name}" in result.stderr.str()
    assert f"--{name}" not in pytester.runpytest_inprocess("--help").stdout.str()


def test_help_shows_the_options_in_a_course(pytester: pytest.Pytester, course_with_options: Path) -> None:
    text = run(pytester, course_with_options, "--help").stdout.str()
    assert all(f"--{name}, --grader-{name}" in text or f"--{name}=" in text for name in NAMES), text


def test_a_submissions_conftest_is_not_loaded(pytester: pytest.Pytester, course_with_options: Path) -> None:
    """The folder after `--submission` is no place of tests."""
    other = course_with_options / "other" / "conftest.py"
    other.write_text("raise SystemExit('loaded')\n")
    try:
        for option in ("--submission", "--grader-submission"):
            result = run(pytester, course_with_options, option, "other", "--task", "1.1")
            assert result.ret == 0
    finally:
        other.unlink()


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (["a", "--task", "1.1", "-x"], ["a", "-x"]),
        (["--submission=b", "--seed", "3", "a"], ["a"]),
        (["a", "--device", "cuda", "--", "c"], ["a", "--", "c"]),
        (["a", "--task"], ["a", "--task"]),
        (["--grader-task", "2", "--tasks", "3"], ["--tasks", "3"]),
    ],
)
def test_values_of_the_options_are_no_places(given: list[str], left: list[str]) -> None:
    assert options.without_values(given) in (left, [word for word in left if word != "--"])


def test_a_course_is_found_from_within_and_from_above(course_with_options: Path, tmp_path: Path) -> None:
    inside = course_with_options / "assignments" / "week1"
    for place in (course_with_options, inside, inside / "probes.py", course_with_options / "other"):
        assert options.is_in_course([tmp_path, place])
    assert not options.is_in_course([tmp_path])
