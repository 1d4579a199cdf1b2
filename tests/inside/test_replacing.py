"""A right helper answers in the place of the student's, wherever that was imported, and nowhere after the block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.inside.modules import StudentModules, close_modules, open_modules

WRONG = "def size(n, k):\n    return n - k\n"
TWO = "def two(n, k):\n    return {0}({0}(n, k), k)\n"
# How a function that calls the helper gets at it.
CALLERS = {
    "in the same module": {"lenet.py": WRONG + TWO.format("size")},
    "by name from another": {"lenet.py": "from .tools import size, two\n", "tools.py": WRONG + TWO.format("size")},
    "as another name": {
        "lenet.py": WRONG + "from .tools import two\n",
        "tools.py": "def two(n, k):\n    from .lenet import size as s\n    return s(s(n, k), k)\n",
    },
    "under two names": {"lenet.py": WRONG + "shorter = size\n" + TWO.format("shorter")},
    "by its module": {
        "lenet.py": "from . import tools\nfrom .tools import *\n" + TWO.format("tools.size"),
        "tools.py": WRONG,
    },
}


@pytest.fixture
def with_files(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], StudentModules]]:
    """`with_files(files)` opens a submission of these files."""
    current: list[StudentModules] = []

    def write_and_open(files: dict[str, str]) -> StudentModules:
        for name, source in files.items():
            (tmp_path / name).write_text(source)
        current.append(open_modules(tmp_path, "week5"))
        return current[-1]

    yield write_and_open
    for modules in current:
        close_modules(modules)


def right(own: Callable[..., Any]) -> Callable[..., Any]:
    return lambda n, k: n - k + 1


@pytest.mark.parametrize("files", CALLERS.values(), ids=CALLERS)
def test_the_right_helper_answers_within_the_block_alone(
    with_files: Callable[[dict[str, str]], StudentModules], files: dict[str, str]
) -> None:
    student = with_files(files)
    assert student.lenet.two(10, 3) == 4
    with student.instead("lenet", size=right):
        assert student.lenet.two(10, 3) == 6
    assert student.lenet.two(10, 3) == 4


def test_a_failing_probe_leaves_the_students_helper_in_place(
    with_files: Callable[[dict[str, str]], StudentModules],
) -> None:
    student = with_files({"lenet.py": WRONG})
    own = student.lenet.size
    with pytest.raises(ZeroDivisionError), student.instead("lenet", size=right):
        assert student.lenet.size is not own
        raise ZeroDivisionError
    assert student.lenet.size is own


def test_nothing_is_asked_before_the_helper_is_called_and_once_after(
    with_files: Callable[[dict[str, str]], StudentModules],
) -> None:
    asked: list[Callable[..., Any]] = []

    def ask(own: Callable[..., Any]) -> Callable[..., Any]:
        asked.append(own)
        return own

    student = with_files({"lenet.py": WRONG})
    own = student.lenet.size
    with student.instead("lenet", size=ask):
        assert asked == []
        assert [student.lenet.size(5, 2), student.lenet.size(7, 2)] == [3, 5]
    assert asked == [own]


def test_a_helper_that_is_not_there_is_not_put_there(with_files: Callable[[dict[str, str]], StudentModules]) -> None:
    student = with_files({"lenet.py": "size = 3\n"})
    with student.instead("lenet", size=right, pool=right):
        assert student.lenet.size == 3
        assert not hasattr(student.lenet, "pool")


def test_a_class_is_replaced_by_a_class_wherever_it_stands(
    with_files: Callable[[dict[str, str]], StudentModules],
) -> None:
    made = "from .tools import Layer\ndef made():\n    class Own(Layer):\n        pass\n    return Own, Layer()\n"
    student = with_files({"tools.py": "class Layer:\n    pass\n", "lenet.py": made, "other.py": made})
    layer, homes = student.tools.Layer, [student.lenet, student.other]

    class Right:
        pass

    with student.instead("tools", Layer=lambda own: Right):
        for own, one in (home.made() for home in homes):
            assert issubclass(own, Right)
            assert isinstance(one, Right)
    assert [home.Layer for home in (*homes, student.tools)] == [layer] * 3
