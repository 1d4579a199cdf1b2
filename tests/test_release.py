"""The version, the changelog and the stated API agree; what is to go is announced in both, and still works."""

from __future__ import annotations

import importlib
import re
from datetime import date

import pytest

from grader import __version__
from tests.support.rooms import OLD_NAMES, PACKAGE

CHANGELOG = (PACKAGE.parent / "CHANGELOG.md").read_text(encoding="utf-8")
API = (PACKAGE.parent / "solutions" / "API.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", CHANGELOG, re.MULTILINE)
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
OLD = re.findall(r"^\| `(grader[\w.]+)` \| (\S+) \| (.+) \|$", API, re.MULTILINE)


def released(version: str) -> str:
    return CHANGELOG.split(f"\n## [{version}]")[1].split("\n## [")[0]


def section(version: str, kind: str) -> str:
    return released(version).split(f"\n### {kind}\n")[1].split("\n### ")[0]


def test_the_version_is_that_of_the_latest_release() -> None:
    assert RELEASES[0][0] == __version__
    assert f"as of version {__version__}" in API
    numbers = [tuple(map(int, number.split("."))) for number, _ in RELEASES]
    assert numbers == sorted(numbers, reverse=True)
    assert [date.fromisoformat(day).isoformat() for _, day in RELEASES] == [day for _, day in RELEASES]


def test_the_changelog_begins_with_what_is_unreleased_and_has_sections_of_the_format() -> None:
    assert re.findall(r"^## \[(.+?)\]", CHANGELOG, re.MULTILINE)[0] == "Unreleased"
    for version in ("Unreleased", *(number for number, _ in RELEASES)):
        kinds = re.findall(r"^### (.+)$", released(version), re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds], version


def test_what_is_to_go_is_announced_in_the_changelog_of_its_release() -> None:
    assert {name.removeprefix("grader.") for name, _, _ in OLD} >= OLD_NAMES
    for name, since, _ in OLD:
        assert f"`{name}`" in section(since, "Deprecated")


@pytest.mark.parametrize(("name", "instead"), [(name, instead) for name, _, instead in OLD])
def test_what_is_to_go_still_works_and_so_does_what_takes_its_place(name: str, instead: str) -> None:
    old = {key for key in vars(importlib.import_module(name)) if not key.startswith("_")}
    words = re.findall(r"`([^`]+)`", instead)[0]
    module = words if words.startswith("grader") else "grader.checks"
    known = importlib.import_module(module)
    if found := re.search(r"import (\w+)", words):
        assert hasattr(known, found[1])
    assert old
