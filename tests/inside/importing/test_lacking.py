"""A statement of a file that needs what the grading machine lacks costs the code that uses it, and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.inside import probing
from grader.inside.importing.lacking import NotThere
from grader.inside.modules import StudentModules

RIGHT = "def size(n):\n    return n + 1\n"
FAILING = {
    "a file": "rows = open('no such file.csv').read()",
    "a file in a block": "with open('no such file.csv') as file:\n    rows = file.read()",
    "a connection": "import urllib.request\nrows = urllib.request.urlopen('file:///no/such/file').read()",
    "a download": "def fetch():\n    raise RuntimeError('Error downloading train-images.gz')\nrows = fetch()",
    "a data set": "rows = None\nif 1 < 2:\n    rows = None\n    del rows\n    raise RuntimeError('Dataset not found.')",
    "a cause": "try:\n    open('no such file')\nexcept OSError as e:\n    raise ValueError('no data') from e\nrows = 1",
    "somebody": "rows = input('how many? ')",
    "a GPU": "import torch\ndef gpu():\n    raise AssertionError('Torch not compiled with CUDA enabled')\nrows = gpu()",
    "a folder": "import os\nrows = os.listdir('/content/drive/MyDrive')",
}
AFTER = (
    "first, *rest = rows\nprint(len(rows), rows[0].shape)\nfor row in rows:\n    print(row)",
    "if not rows:\n    raise ValueError('no rows')",
    "assert rows",
    "mean = sum(rows) / len(rows)\nloader = [rows[i] for i in range(1, 3)]",
)


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", no_input)


def no_input(*_: object) -> str:
    raise EOFError("EOF when reading a line")


@pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
def test_what_does_not_need_it_works(opened_modules: Callable[..., StudentModules], failing: str) -> None:
    student = opened_modules(
        lenet=f"from __future__ import annotations\n{RIGHT}{failing}\ndef twice(n: NoSuch):\n    return 2 * n"
    )
    assert (student.lenet.size(2), student.lenet.twice(3)) == (3, 6)


@pytest.mark.parametrize("after", AFTER)
def test_what_comes_of_it_beside_functions_costs_nothing(
    opened_modules: Callable[..., StudentModules], after: str
) -> None:
    student = opened_modules(lenet=f"{FAILING['a file']}\n{after}\n{RIGHT}")
    assert student.lenet.size(2) == 3


def test_a_function_that_needs_it_is_told_by_its_name_where_and_why(
    opened_modules: Callable[..., StudentModules], tmp_path: Path
) -> None:
    student = opened_modules(lenet=f"import os\n{FAILING['a file']}\ndef count():\n    return len(rows)\n")
    with pytest.raises(NotThere) as caught:
        student.lenet.count()
    told = probing.describe(caught.value, tmp_path)
    assert told["message"].startswith("lenet.py:2 cannot be run where you are graded (FileNotFoundError: ")
    assert told["message"].endswith("rows is used here")
    assert told["frames"][-1]["line"] == 4


def test_a_helper_of_another_file_may_be_what_needs_it(opened_modules: Callable[..., StudentModules]) -> None:
    student = opened_modules(
        helper="def load():\n    return open('no such file')\n", lenet=f"import helper\nrows = helper.load()\n{RIGHT}"
    )
    assert student.lenet.size(2) == 3


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = 1 / 0", ZeroDivisionError),
        ("x = nothing", NameError),
        ("raise RuntimeError('my own')", RuntimeError),
        ("class Net:\n    rows = open('no such file')", FileNotFoundError),
        ("def f(rows=open('no such file')):\n    pass", FileNotFoundError),
        ("import no_file_of_mine.inner as x\nx = 1 / 0", ZeroDivisionError),
    ],
)
def test_a_mistake_of_the_code_itself_still_ends_the_import(
    opened_modules: Callable[..., StudentModules], source: str, error: type[Exception]
) -> None:
    student = opened_modules(lenet=f"{source}\n{RIGHT}")
    for _ in range(2):
        with pytest.raises(error):
            _ = student.lenet
