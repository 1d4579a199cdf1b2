"""Skeletons are what their references give, and a wrong marker is an error that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.author.release.skeleton import make_skeleton, stale_skeletons, write_skeletons
from grader.course import Course
from grader.errors import CourseError, UsageError
from tests.support.makers import lay_out

ROOT = Path(__file__).parents[3]

REFERENCE = '''"""Doc with # BEGIN SOLUTION 1.1: in a string."""

def double(n: int) -> int:
    """Twice n."""
    # a hint that stays
    # BEGIN SOLUTION 1.1: give back "twice" n
    result = 2 * n
    return result
    # END SOLUTION


# BEGIN SOLUTION
def helper():
    return 1
# END SOLUTION
'''

SKELETON = '''"""Doc with # BEGIN SOLUTION 1.1: in a string."""

def double(n: int) -> int:
    """Twice n."""
    # a hint that stays
    raise NotImplementedError("TODO 1.1: give back \\"twice\\" n")


'''


def test_regions_are_cut_and_everything_else_stays() -> None:
    assert make_skeleton(REFERENCE, "week1.py") == SKELETON


def test_a_skeleton_raises_its_todo() -> None:
    names: dict[str, object] = {}
    exec(make_skeleton(REFERENCE, "week1.py"), names)
    with pytest.raises(NotImplementedError, match=r'^TODO 1\.1: give back "twice" n$'):
        names["double"](3)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n# BEGIN SOLUTION 1.1: do\ny = 2\n", "m.py:2: BEGIN SOLUTION has no END SOLUTION"),
        ("x = 1\n# END SOLUTION\n", "m.py:2: END SOLUTION without"),
        (
            "# BEGIN SOLUTION 1.1: a\n# BEGIN SOLUTION 1.2: b\n# END SOLUTION\n",
            r"m\.py:2: .*inside the region of line 1",
        ),
        ("# BEGIN SOLUTION 1.1\n# END SOLUTION\n", "m.py:1: write the marker as"),
        ("# begin solution 1.1: x\n# END SOLUTION\n", "m.py:1: write the marker as"),
        ("def f():\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n", "does not compile"),
        ("x = (\n", "cannot be read as Python"),
    ],
)
def test_wrong_markers_are_errors_with_their_place(source: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        make_skeleton(source, "m.py")


@pytest.fixture
def unreleased_course(one_check_course: Course) -> Course:
    """A course of one week, whose skeleton has not been written yet."""
    lay_out(one_check_course.root, {"solutions/week1/work.py": REFERENCE})
    (one_check_course.root / "assignments" / "week1" / "work.py").unlink()
    return one_check_course


def test_stale_skeletons_are_found_and_written(unreleased_course: Course) -> None:
    skeleton = unreleased_course.root / "assignments" / "week1" / "work.py"
    assert stale_skeletons(unreleased_course.root, None) == [skeleton]
    assert write_skeletons(unreleased_course.root, "week1") == [skeleton]
    assert skeleton.read_text() == SKELETON
    assert stale_skeletons(unreleased_course.root, "week1") == write_skeletons(unreleased_course.root) == []
    skeleton.write_text(SKELETON + "\n")
    assert stale_skeletons(unreleased_course.root, None) == [skeleton]


def test_an_unknown_week_and_a_missing_reference_are_named(unreleased_course: Course) -> None:
    with pytest.raises(UsageError, match=r"there is no week 'week9' in .*; known weeks: week1"):
        stale_skeletons(unreleased_course.root, "week9")
    (unreleased_course.root / "solutions" / "week1" / "work.py").unlink()
    (unreleased_course.root / "assignments" / "week1" / "work.py").write_text("")
    with pytest.raises(CourseError, match=r"work\.py: the reference cannot be read"):
        stale_skeletons(unreleased_course.root, None)


def test_every_committed_skeleton_is_fresh() -> None:
    assert stale_skeletons(ROOT, None) == []


def test_a_stretch_task_has_a_skeleton_as_well(unreleased_course: Course) -> None:
    root = unreleased_course.root
    lay_out(root, {"solutions/week1/stretch/more.py": REFERENCE})
    made = root / "assignments" / "week1" / "stretch" / "more.py"
    assert made in stale_skeletons(root)
    assert made in write_skeletons(root, "week1")
    assert made.read_text(encoding="utf-8") == SKELETON
    assert stale_skeletons(root) == []
