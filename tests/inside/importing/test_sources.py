"""A file that Python cannot read is named, with the line and the reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.inside import probing
from grader.inside.modules import close_modules, open_modules


def described(folder: Path, content: bytes) -> tuple[str, str, int]:
    """The message, file and line of the error that importing this content gives, by way of another module."""
    (folder / "helper.py").write_bytes(content)
    (folder / "lenet.py").write_text("import helper\n")
    student = open_modules(folder, "week5")
    try:
        with pytest.raises(SyntaxError) as caught:
            _ = student.lenet
    finally:
        close_modules(student)
    found = probing.describe(caught.value, folder)
    return found["message"], found["frames"][-1]["file"], found["frames"][-1]["line"]


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"x = 1\ny = 'a\0b'\n", "a NUL byte", 2),
        ("x = 1\n\ny = 2".encode("utf-16-le"), "a NUL byte", 1),
        (b"# coding: nonsense\nx = 1\n", "declared to be nonsense", 1),
        (b"#!/usr/bin/python\n# -*- coding: big4 -*-\n", "declared to be big4", 2),
        (b"x = 1\ny = 'caf\xe9'\n", "this is no UTF-8 text", 2),
        (b"# coding: utf-8\nx = 'caf\xe9'\n", "this is no UTF-8 text", 2),
        (b"def f(:\n", "invalid syntax", 1),
        (b"x = 1\nif x:\nprint(x)\n", "expected an indented block", 3),
        (b"return 3\n", "'return' outside function", 1),
    ],
)
def test_what_python_cannot_read_is_named_with_line_and_reason(tmp_path, content, reason, line):
    message, file, found = described(tmp_path, content)
    assert (reason in message, file, found) == (True, "helper.py", line)


NEWER = [
    ("def first[T](items: list[T]) -> T:\n    return items[0]", 12),
    ("class Box[T]:\n    pass", 12),
    ("type Pair = tuple[int, int]", 12),
    ("""x = f"{"a" + "b"}\"""", 12),
    ('x = t"a"', 14),
    ("try:\n    x = 1\nexcept ValueError, KeyError:\n    pass", 14),
]


@pytest.mark.parametrize(("source", "minor"), NEWER)
def test_syntax_of_a_newer_python_is_told_from_a_mistake(tmp_path, source, minor):
    if sys.version_info >= (3, minor):
        pytest.skip("this Python reads it")
    message, _, _ = described(tmp_path, source.encode())
    here = f"3.{sys.version_info.minor}"
    assert message.endswith(f"(this is syntax of Python 3.{minor}, and you are graded with Python {here})")


@pytest.mark.parametrize("source", ["def f(:", "class C(", "x = f'{a'", "x = ft'a'", "except x"])
def test_a_mistake_is_not_called_newer_syntax(tmp_path, source):
    assert "syntax of Python" not in described(tmp_path, source.encode())[0]
