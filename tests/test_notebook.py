"""What of a notebook becomes a module."""

import json

import pytest

from grader.errors import SubmissionError
from grader.notebook import modules_from_notebook

MODULES = ("lenet", "training")


def convert(*cells, tags=(), present=()):
    made = [
        {"cell_type": "code", "source": c, "metadata": {"tags": list(tags)}, "outputs": [], "execution_count": None}
        for c in cells
    ]
    raw = json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()
    files, notes = modules_from_notebook(raw, "hw.ipynb", MODULES, present)
    return {path: content.decode() for path, content in files.items()}, notes


def test_definitions_imports_and_the_constants_they_use_go_to_every_module():
    files, notes = convert("import torch\nSIZE = 3\nBASE = SIZE + 1\nUNUSED = 9", "def f(x=BASE):\n    return x", "f()")
    assert set(files) == {"lenet.py", "training.py"}
    names: dict = {}
    exec(files["lenet.py"].replace("import torch\n", ""), names)
    assert names["f"]() == 4
    assert "UNUSED" not in files["lenet.py"]
    assert notes == ["notebook hw.ipynb converted: 1 definition; left out: 1 other statement"]


def test_nothing_is_executed_and_work_at_the_top_level_stays_out(tmp_path):
    target = tmp_path / "made"
    files, _ = convert(f"open({str(target)!r}, 'w')", "def f():\n    return data", "data = open('x')")
    assert not target.exists()
    assert "open" not in files["lenet.py"]


def test_magics_shell_escapes_and_help_are_taken_out():
    files, _ = convert("%matplotlib inline\n!pip install x\nf?\ndef f():\n    return 7 % 2")
    assert "pip" not in files["lenet.py"] and "matplotlib" not in files["lenet.py"]
    assert "7 % 2" in files["lenet.py"]


@pytest.mark.parametrize("head", ["# lenet.py", "%%writefile lenet.py"])
def test_a_labelled_cell_belongs_to_its_module_alone(head):
    files, _ = convert(f"{head}\nclass LeNet: ...", "def train(): ...")
    assert "LeNet" in files["lenet.py"]
    assert "LeNet" not in files["training.py"]


def test_a_tagged_cell_belongs_to_its_module_alone():
    assert set(convert("class LeNet: ...", tags=["module:lenet"])[0]) == {"lenet.py"}


def test_the_later_definition_wins():
    names: dict = {}
    exec(convert("def f(): return 1", "def f(): return 2")[0]["lenet.py"], names)
    assert names["f"]() == 2


def test_what_the_notebook_defines_is_not_imported_from_the_weeks_modules():
    files, _ = convert("from lenet import LeNet, other as same", "class LeNet: ...", "def train(): LeNet, same")
    assert "import" not in files["lenet.py"].partition("\n")[2]
    assert "import" not in files["training.py"].partition("\n")[2]


def test_what_only_a_module_beside_the_notebook_has_is_imported_from_it():
    cells = "from .lenet import LeNet, other as same", "class LeNet: ...", "def train(): LeNet, same"
    files, _ = convert(*cells, present=["lenet"])
    assert set(files) == {"training.py"}
    assert "from .lenet import other as same" in files["training.py"]
    assert "import LeNet" not in files["training.py"]


def test_a_cell_that_does_not_parse_is_named():
    files, notes = convert("def f(): ...", "def broken(:")
    assert "def f" in files["lenet.py"]
    assert any("cell 2" in note for note in notes)


def test_no_definitions_no_files():
    assert convert("print(1)")[0] == {}


def test_a_damaged_notebook_is_refused_in_one_line():
    with pytest.raises(SubmissionError, match=r"hw\.ipynb") as caught:
        modules_from_notebook(b"{", "hw.ipynb", MODULES)
    assert "\n" not in str(caught.value)
