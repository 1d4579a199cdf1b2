"""Whatever a student's code raises, its description is plain data of the form that the judge expects."""

from __future__ import annotations

import linecache
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.inside import codec, probing
from grader.inside.modules import ModuleEnded
from grader.pytest_plugin.verdict import exception_end

FOLDER = Path("/tmp/work/week5")


class Odd(str):
    """A text that lies in all that it is asked."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return Odd("lies")

    def __str__(self) -> str:
        raise ValueError("no")

    def __fspath__(self) -> str:
        raise KeyboardInterrupt


class Named(type):
    """A metaclass whose classes are named by anything."""

    @property
    def __name__(cls) -> Any:
        return cls.called


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(),
    st.text(),
    st.floats(),
    st.binary(),
    st.sampled_from([Odd("x"), str, {}, [], -1, 10**30, "/tmp/work/week5/a.py", "/tmp/work/week5", "\ud800"]),
)
BASES = st.sampled_from(
    [SyntaxError, IndentationError, RuntimeError, MemoryError, NotImplementedError, OSError, SystemExit]
)


def assert_plain(error: BaseException) -> None:
    described = probing.describe(error, FOLDER)
    assert codec.decode(bytes(codec.encode(described, kind=b"R"))[1:]) == described
    assert [type(described[name]) for name in ("outcome", "type", "message")] == [str, str, str]
    for frame in described["frames"]:
        assert type(frame["line"]) is int
        assert [type(frame[name]) for name in ("file", "function", "code")] == [str, str, str]
    assert exception_end(described).summary is not None


@given(base=BASES, arguments=st.lists(ANYTHING, max_size=3), attributes=st.dictionaries(
    st.sampled_from(["filename", "lineno", "text", "msg", "offset", "errno", "strerror", "code"]), ANYTHING
), called=ANYTHING, raising=st.booleans())  # fmt: skip
def test_any_exception_is_described(
    base: type[BaseException], arguments: list[Any], attributes: dict[str, Any], called: Any, raising: bool
) -> None:
    def fail(_: object) -> Any:
        raise SystemExit(3)

    kind = Named("Kind", (base,), {"called": called, **({"__str__": fail} if raising else {})})
    try:
        error = kind(*arguments)
    except BaseException:
        error = kind()
    for name, value in attributes.items():
        try:
            setattr(error, name, value)
        except (TypeError, ValueError, AttributeError):
            continue
    try:
        raise error
    except BaseException as caught:
        error = caught
    assert_plain(error)  # here, as pytest cannot show a failure that such an exception is the context of


@pytest.mark.parametrize("name", ["filename", "lineno", "text", "msg", "__traceback__"])
def test_an_attribute_that_raises_or_is_no_value_is_no_way_out(name: str) -> None:
    def fail(_: object) -> Any:
        raise KeyboardInterrupt

    class Failing(SyntaxError):
        pass

    setattr(Failing, name, property(fail))
    assert_plain(Failing("x", ("/tmp/work/week5/a.py", 3, 1, "code")))


def test_the_code_that_raises_may_have_any_names(monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile("def act():\n    raise ValueError\nact()", str(FOLDER / "a.py"), "exec")
    inner = next(part for part in code.co_consts if hasattr(part, "co_name")).replace(co_name=Odd("x"))
    monkeypatch.setattr(linecache, "getline", lambda *_: Odd("x"))
    with pytest.raises(ValueError) as caught:
        FunctionType(inner, {})()
    assert_plain(caught.value)
    assert [frame["line"] for frame in probing.describe(caught.value, FOLDER)["frames"]] == [2]


def test_what_ended_a_module_may_be_anything() -> None:
    error = ModuleEnded("timeout", "why")
    error.outcome = Odd("x")
    assert_plain(error)


def test_a_usual_exception_is_described_as_it_is() -> None:
    described = probing.describe(SyntaxError("bad", (str(FOLDER / "a.py"), 3, 1, " x = = 1 ")), FOLDER)
    place = {"file": "a.py", "line": 3, "function": "", "code": "x = = 1"}
    assert described == {"outcome": "error", "type": "SyntaxError", "message": "bad", "frames": [place]}
    unnamed = probing.describe(SyntaxError("bad"), FOLDER)
    assert (unnamed["message"], unnamed["frames"]) == ("bad", [])
