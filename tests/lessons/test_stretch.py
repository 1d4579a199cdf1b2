"""The stretch tasks: the reference passes each check, what students start from passes none, and none gives points."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from grader.author.release.skeleton import make_skeleton
from grader.course import Course

ROOT = Path(__file__).parents[2]
REFERENCES = {file.parents[1].name: file for file in sorted(ROOT.glob("solutions/*/stretch/*.py"))}


def skeleton_of(week: str) -> Path:
    return ROOT / "assignments" / week / "stretch" / REFERENCES[week].name


def loaded(file: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def stretch_checks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """The checks of a week, as they find the module that is handed in."""
    week, handed_in = request.param
    name = handed_in.stem
    monkeypatch.setitem(sys.modules, name, loaded(handed_in, name))
    monkeypatch.setattr(sys, "path", list(sys.path))
    checks = loaded(ROOT / "assignments" / week / "stretch" / "checks.py", f"stretch_{week}")
    return [value for key, value in vars(checks).items() if key.startswith("test_")]


@pytest.mark.parametrize("stretch_checks", REFERENCES.items(), ids=list(REFERENCES), indirect=True)
def test_the_reference_passes_every_check(stretch_checks: list[Callable[[], None]]) -> None:
    assert len(stretch_checks) >= 4
    for check in stretch_checks:
        check()


@pytest.mark.parametrize(
    "stretch_checks", [(w, skeleton_of(w)) for w in REFERENCES], ids=list(REFERENCES), indirect=True
)
def test_the_skeleton_passes_none(stretch_checks: list[Callable[[], None]]) -> None:
    for check in stretch_checks:
        with pytest.raises(NotImplementedError, match=r"^TODO \d\.\d+: "):
            check()


@pytest.mark.parametrize("week", REFERENCES)
def test_the_skeleton_is_what_the_reference_makes(week: str) -> None:
    source = REFERENCES[week].read_text(encoding="utf-8")
    assert skeleton_of(week).read_text(encoding="utf-8") == make_skeleton(source, week)


@pytest.mark.parametrize("week", REFERENCES)
def test_no_points_depend_on_them(week: str) -> None:
    names = {path.parent.name for path in Course(ROOT).assignment(week).check_files}
    assert "stretch" not in names
