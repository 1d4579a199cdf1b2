from __future__ import annotations

import importlib
import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from grader.inside import probing
from grader.inside.modules import MissingModule, ModuleEnded, StudentModules, close_modules, open_modules
from grader.pytest_plugin.verdict import exception_end

Open = Callable[..., StudentModules]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """`opened(name=source, …)` writes a submission and opens it; all are closed at the end."""
    current: list[StudentModules] = []
    before = set(sys.modules)

    def write_and_open(files: dict[str, str], folder: str = "one", **ended: ModuleEnded) -> StudentModules:
        root = tmp_path / folder
        for name, source in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        root.mkdir(exist_ok=True)
        while current:
            close_modules(current.pop())
        current.append(open_modules(root, "week5", ended))
        return current[-1]

    yield write_and_open
    while current:
        close_modules(current.pop())
    left = {n for n in set(sys.modules) - before if n.partition(".")[0] in ("week5", "assignments", "lenet", "tools")}
    assert not left


def test_of_two_saves_within_a_second_the_second_runs(opened: Open, tmp_path: Path) -> None:
    """Python takes bytecode for that of a file of the same size and second, and keeps it where it may."""
    assert not sys.dont_write_bytecode
    for value in "123":
        write = {"lenet.py": f"VALUE = {value}\n", "parts/sums.py": f"VALUE = {value}\n"}
        for name, source in write.items():
            (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "one" / name).write_text(source)
            os.utime(tmp_path / "one" / name, (1_000_000_000, 1_000_000_000))
        student = opened({"training.py": "from parts.sums import VALUE\n"})
        assert [int(value)] * 2 == [student.lenet.VALUE, student.training.VALUE]


def test_every_way_to_import_gives_the_same_module(opened: Open) -> None:
    uses = """
import lenet as bare
from . import lenet as relative
from .lenet import VALUE
import week5.lenet
from week5 import lenet as packaged
import assignments.week5.lenet
from assignments.week5 import lenet as assigned
import importlib
every = [bare, relative, packaged, assigned, week5.lenet, assignments.week5.lenet,
         importlib.import_module("assignments.week5.lenet")]
"""
    student = opened({"lenet.py": "runs = []\nruns.append(1)\nVALUE = object()\n", "training.py": uses})
    assert all(module is student.lenet for module in student.training.every)
    assert student.training.VALUE is student.lenet.VALUE
    assert student.lenet.runs == [1]
    assert student.lenet.__name__ == "week5.lenet"
    assert student.lenet.__spec__.name == "week5.lenet"


def test_modules_may_import_each_other_in_a_circle(opened: Open) -> None:
    student = opened({"a.py": "import b\nX = 1\n", "b.py": "import a\ndef x():\n    return a.X\n"})
    assert student.b.x() == 1
    assert student.a.X == 1


def test_helper_modules_and_packages_are_found(opened: Open) -> None:
    student = opened(
        {
            "lenet.py": "import helpers\nfrom tools.shapes import size\nfrom .tools import shapes as s\n"
            "SAME = s.size is size\nVALUE = helpers.VALUE + size(1)\n",
            "helpers.py": "VALUE = 40\n",
            "tools/__init__.py": "",
            "tools/shapes.py": "from .more import ONE\ndef size(n):\n    return n + ONE\n",
            "tools/more.py": "ONE = 1\n",
        }
    )
    assert student.lenet.VALUE == 42
    assert student.lenet.SAME


def test_a_module_that_is_a_package_counts(opened: Open) -> None:
    assert opened({"lenet/__init__.py": "VALUE = 3\n"}).lenet.VALUE == 3


def test_a_missing_module_names_what_is_there(opened: Open) -> None:
    student = opened({"lenet_final.py": "", "lenet (1).py": ""})
    with pytest.raises(MissingModule) as caught:
        _ = student.lenet
    assert str(caught.value) == ("lenet.py is missing from the submission, which has lenet (1).py, lenet_final.py")


def test_an_empty_submission_says_so(opened: Open) -> None:
    with pytest.raises(MissingModule, match="which has no Python file"):
        _ = opened({}).lenet


def test_a_failed_import_fails_alike_each_time_and_runs_once(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "log"
    student = opened({"lenet.py": f"open({str(log)!r}, 'a').write('x')\n1 / 0\n"})
    errors = []
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            _ = student.lenet
        errors.append(caught.value)
    assert errors[0] is errors[1] is errors[2]
    assert log.read_text() == "x"


def test_exit_at_import_fails_alike_each_time(opened: Open) -> None:
    student = opened({"lenet.py": "import sys\nsys.exit(0)\n"})
    for _ in range(2):
        with pytest.raises(SystemExit):
            _ = student.lenet


def test_an_import_error_costs_only_who_asks_for_that_module(opened: Open) -> None:
    student = opened({"lenet.py": "1 / 0", "training.py": "VALUE = 1", "inspection.py": "import lenet"})
    with pytest.raises(ZeroDivisionError):
        _ = student.lenet
    assert student.training.VALUE == 1
    with pytest.raises(ZeroDivisionError):
        _ = student.inspection


DEEP = "nested too deeply, or too long, for Python to compile"
NOT_COMPILED = {
    "unary": ("y = " + "-" * 100_000 + "1\n", DEEP, 0),
    "not": ("y = " + "not " * 100_000 + "1\n", DEEP, 0),
    "powers": ("y = " + "**".join(["x"] * 20_000) + "\n", DEEP, 0),
    "elif": ("if 0: pass\n" + "elif 0: pass\n" * 30_000, DEEP, 0),
    "lambdas": ("y = " + "lambda: " * 20_000 + "1\n", DEEP, 0),
    "attributes": ("y = x" + ".a" * 100_000 + "\n", DEEP, 0),
    "calls": ("y = f" + "()" * 100_000 + "\n", DEEP, 0),
    "sums": ("y = " + "+".join(["1"] * 100_000) + "\n", DEEP, 0),
    "brackets": ("\ny = " + "(" * 5000 + ")" * 5000 + "\n", "too many nested parentheses", 2),
    "null": ("x = 1\ny = '\0'\n", "a NUL byte", 2),
    "cookie": ("# coding: nonsense\n", "declared to be nonsense", 1),
    "plain": ("x = 1\ny = = 2\n", "invalid syntax", 2),
}


@pytest.mark.parametrize("through", ["lenet", "training"])
@pytest.mark.parametrize("name", NOT_COMPILED)
def test_what_cannot_be_compiled_names_its_file_and_why(opened: Open, tmp_path: Path, name: str, through: str) -> None:
    """Python itself says for some of these that memory ran out, and where none of them lies."""
    source, why, line = NOT_COMPILED[name]
    student = opened({"lenet.py": source, "training.py": "from .lenet import LeNet\n"})
    with pytest.raises(SyntaxError) as caught:
        getattr(student, through)
    described = probing.describe(caught.value, tmp_path / "one")
    assert (described["outcome"], described["type"]) == ("error", caught.type.__name__)
    assert why in described["message"]
    place = described["frames"][-1]
    assert (place["file"], place["line"]) == ("lenet.py", line)
    end = exception_end(described)
    assert end.place == (f"lenet.py:{line}" if line else "lenet.py")
    assert end.frames.endswith(place["code"] or end.place)


def test_memory_that_runs_out_in_a_module_is_no_mistake_in_its_form(opened: Open, tmp_path: Path) -> None:
    student = opened({"lenet.py": "x = 1\nraise MemoryError\n"})
    with pytest.raises(MemoryError) as caught:
        student.lenet  # noqa: B018
    assert probing.describe(caught.value, tmp_path / "one")["outcome"] == "memory"


def test_modules_that_ended_are_not_imported_again(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "log"
    ended = ModuleEnded("timeout", "importing lenet.py did not end within 10 s")
    student = opened(
        {"lenet.py": f"open({str(log)!r}, 'a').write('x')", "uses.py": "import lenet", "other.py": "X = 1"},
        lenet=ended,
    )
    for name in ("lenet", "uses"):
        with pytest.raises(ModuleEnded) as caught:
            getattr(student, name)
        assert caught.value is ended
    assert student.other.X == 1
    assert not log.exists()


def test_another_folder_with_the_same_names_starts_afresh(opened: Open) -> None:
    first = opened({"lenet.py": "import helpers\nVALUE = helpers.VALUE", "helpers.py": "VALUE = 1"}, "one")
    assert first.lenet.VALUE == 1
    second = opened({"lenet.py": "import helpers\nVALUE = helpers.VALUE", "helpers.py": "VALUE = 2"}, "two")
    assert second.lenet.VALUE == 2
    third = opened({"lenet.py": "from assignments.week5.helpers import VALUE", "helpers.py": "VALUE = 3"}, "3")
    assert third.lenet.VALUE == 3


def test_closing_forgets_helpers_that_are_found_no_more(opened: Open) -> None:
    assert opened({"lenet.py": "import helpers", "helpers.py": ""}, "one").lenet
    with pytest.raises(ModuleNotFoundError, match="helpers"):
        opened({"lenet.py": "import helpers\ndef f():\n    return helpers.x()"}, "two").lenet.f()


def test_a_students_file_never_replaces_a_library(opened: Open) -> None:
    student = opened(
        {
            "lenet.py": "import random, torch, numpy\nimport torch.nn as nn\nGOT = (random, torch, numpy, nn)\n",
            **dict.fromkeys(
                ("torch.py", "random.py", "numpy.py", "nn.py", "colorsys.py"), "raise RuntimeError('shadowed')"
            ),
        }
    )
    assert student.lenet.GOT[:2] == (random, torch)
    assert importlib.import_module("random") is random
    sys.modules.pop("colorsys", None)  # one that is not imported yet
    assert hasattr(importlib.import_module("colorsys"), "rgb_to_hsv")
    with pytest.raises(RuntimeError, match="shadowed"):
        _ = student.torch  # a module of that name can be asked for by name all the same


def test_the_main_block_does_not_run(opened: Open) -> None:
    student = opened({"lenet.py": "X = 1\nif __name__ == '__main__':\n    raise RuntimeError('ran')\n"})
    assert student.lenet.X == 1


def test_underscored_names_are_attributes_and_never_modules(opened: Open) -> None:
    assert not hasattr(opened({"_secret.py": ""}), "_secret")


def test_a_file_of_the_weeks_own_name_gives_the_package_its_names(opened: Open) -> None:
    uses = """
from week5 import NET
from week5 import *
import week5
from week5 import lenet
SAME = NET is week5.NET is lenet.NET
"""
    files = {"week5.py": "NET = object()\n_hidden = 1\n", "lenet.py": "from week5 import NET", "training.py": uses}
    student = opened(files)
    assert student.training.SAME
    assert not hasattr(student.training, "_hidden")
    with pytest.raises(ImportError, match="cannot import name 'missing'"):
        _ = opened({"week5.py": "", "lenet.py": "from week5 import missing"}, "two").lenet


SETTINGS = [
    ("import torch; torch.set_default_dtype(torch.float64)", "torch.get_default_dtype()"),
    ("import torch; torch.set_default_device('meta')", "torch.zeros(1).device"),
    ("import torch; torch.set_grad_enabled(False)", "torch.is_grad_enabled()"),
    ("import torch; torch.set_num_threads(2)", "torch.get_num_threads()"),
    ("import torch; torch._C._set_deterministic_algorithms(True)", "torch.are_deterministic_algorithms_enabled()"),
    ("import torch; torch.set_float32_matmul_precision('medium')", "torch.get_float32_matmul_precision()"),
    ("import numpy; numpy.seterr(all='raise')", "numpy.geterr()"),
    ("import warnings; warnings.simplefilter('error')", "list(warnings.filters)"),
    ("import os; os.chdir('/')", "os.getcwd()"),
    ("import sys, io; sys.stdout = io.StringIO()", "id(sys.stdout)"),
    ("import multiprocessing as m; m.set_start_method('spawn', True)", "m.get_start_method(allow_none=True)"),
]


@pytest.mark.parametrize(("line", "seen"), SETTINGS)
def test_what_a_module_sets_ends_with_its_import(opened: Open, line: str, seen: str) -> None:
    names: dict[str, object] = {}
    exec("import torch, numpy, warnings, os, sys, multiprocessing as m", names)
    before = eval(seen, names)
    source = f"{line}\nimport torch, numpy, warnings, os, sys, multiprocessing as m\nSEEN = {seen}"
    student = opened({"lenet.py": source})
    assert before != student.lenet.SEEN
    assert eval(seen, names) == before
