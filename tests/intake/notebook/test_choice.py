"""A module that is made by need has what its functions use, whatever statement bound it, as in the notebook."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.intake.notebook import module_from_script, modules_from_notebook
from tests.support.makers import notebook

WANTED = {"lenet": ("f",)}


def made(*cells: str) -> tuple[str, list[str]]:
    """The module that the notebook becomes, of which the week asks for `f` alone; and the notes."""
    files, notes = modules_from_notebook(notebook(*cells), "hw.ipynb", WANTED)
    return files["lenet.py"].decode(), notes


def run(*cells: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(made(*cells)[0], "lenet.py", "exec"), names)
    return names


def cases() -> Iterator[Any]:
    """Read `needs.txt`: a title, cells, and the value that `f()` has."""
    text = (Path(__file__).parent / "needs.txt").read_text()
    for part in text.split("\n# ")[1:]:
        title, _, rest = part.partition("\n")
        code, _, value = rest.partition("\n=> ")
        yield pytest.param(code.split("\n---\n"), ast.literal_eval(value.strip()), id=title)


@pytest.mark.parametrize(("cells", "value"), list(cases()))
def test_a_function_finds_what_it_found_in_the_notebook(cells, value):
    assert run(*cells)["f"]() == value


LEFT = [
    (
        "data = open('x')\nmean = data.mean()",
        "mean",
        "code cell 1 was left out: it needs data, .* it is a loading step",
    ),
    ("def train():\n    loss.backward()\nmean = train()", "mean", "code cell 1 was left out: it is a training run"),
    ("import matplotlib.pyplot as plt\nmean = plt.figure()", "mean", "code cell 1 was left out: it is a plot"),
    ("mean = [][3]", "mean", "code cell 1 raised IndexError: list index out of range"),
    ("for i in range(3):\n    mean = i / 0", "mean", "code cell 1 raised ZeroDivisionError: division by zero"),
]


@pytest.mark.parametrize(("cell", "name", "why"), LEFT)
def test_what_is_missing_is_said_with_its_cell_and_the_reason(cell, name, why):
    names = run(cell, f"def f():\n    return {name}")
    with pytest.raises(NameError):
        names["f"]()
    assert re.match(why, names["__left_out__"][name])


def test_nothing_else_is_taken():
    text, notes = made("import no_lib\nx = 1\ndef helper():\n    return no_lib.y", "def f():\n    return 1")
    assert text.partition("\n")[2] == "\n# code cell 2\ndef f():\n    return 1\n"
    assert notes == ["notebook hw.ipynb converted: 1 definition; left out: 1 unused definition"]


def test_what_files_beside_it_use_is_taken_too():
    raw = notebook("def helper(): ...", "def other(): ...", "def f(): ...")
    files, _ = modules_from_notebook(raw, "hw.ipynb", WANTED, used=["helper", "torch"])
    assert b"def helper" in files["lenet.py"] and b"other" not in files["lenet.py"]


SCRIPT = b"""#!/usr/bin/env python
# coding: utf-8

# # Homework

# In[1]:


get_ipython().system('pip install torch')
get_ipython().run_line_magic('matplotlib', 'inline')
get_ipython().run_line_magic('time', 'n = 3')


# In[2]:


get_ipython().run_cell_magic('time', '', 'def f():\\n    return n, SIZE\\n')
SIZE = 4


# In[ ]:


for epoch in range(10**9):
    train(epoch)
"""


def test_an_exported_script_is_read_as_the_notebook_was():
    source, _ = module_from_script(SCRIPT, "lenet.py", "lenet", WANTED)
    names: dict[str, Any] = {}
    exec(source, names)
    assert names["f"]() == (3, 4)


def test_a_script_that_defines_nothing_of_the_week_gives_no_module():
    assert module_from_script(b"# In[1]:\nx = 1\n", "lenet.py", "lenet", WANTED)[0] is None
