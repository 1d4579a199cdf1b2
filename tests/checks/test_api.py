"""The page of the public API: its examples run, and it names everything that a check may use."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from grader import checks
from grader.checks import expect, figures, layers, loops, oracles, predictions, seeds, show, splits, twins
from grader.inside import kit, modules

PAGE = Path(__file__).parents[2] / "solutions" / "API.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_example_of_the_page_gives_what_stands_below_it() -> None:
    lines = re.sub(r"^```.*$", "", TEXT, flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(lines, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) > 30
    said: list[str] = []
    doctest.DocTestRunner().run(test, out=said.append)
    expect.take_measures()
    show.take()
    assert "".join(said) == ""


MODULES = [expect, figures, layers, loops, oracles, predictions, seeds, show, splits, twins]


@pytest.mark.parametrize("module", MODULES)
def test_the_page_names_every_function(module: ModuleType) -> None:
    own = f"{module.__name__}."
    public = [name for name, one in vars(module).items()
              if inspect.isfunction(one) and f"{one.__module__}.".startswith(own)]  # fmt: skip
    named = set(re.findall(r"`(\w+)[`(]", TEXT))
    assert [name for name in public if not name.startswith("_") and name not in named] == []
    used = set(re.findall(rf"\b{module.__name__.rpartition('.')[2]}\.(\w+)", TEXT))
    assert used <= {*public, "CheckFailed", "SEEDS", "Network", "LEVELS"}


def test_the_page_names_all_that_probes_record_with() -> None:
    named = set(re.findall(r"`kit\.(\w+)", TEXT))
    assert named == {*kit.__all__}
    assert all(hasattr(kit, name) for name in re.findall(r"\bkit\.(\w+)", TEXT))


def test_the_page_names_what_checks_import_and_what_probes_have() -> None:
    assert [name for name in checks.__all__ if f"`{name}" not in TEXT and f"`@{name}" not in TEXT] == []
    for name in re.findall(r"`student\.(\w+)", TEXT.partition("## In a probe")[2]):
        assert name == "lenet" or hasattr(modules.StudentModules, name)
