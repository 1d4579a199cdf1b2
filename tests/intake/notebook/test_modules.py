"""A notebook's definitions become modules, together with what they use; other work is left out."""

import ast
import io
import tokenize
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake.notebook import modules_from_notebook
from tests.support.makers import notebook

ANY = {"lenet": (), "training": ()}  # whatever is defined


def convert(*cells, tags=(), present=()):
    raw = notebook(*cells, tags=tags)
    files, notes = modules_from_notebook(raw, "hw.ipynb", ANY, present)
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


def test_a_notebook_without_definitions_gives_no_files():
    assert convert("print(1)")[0] == {}


def test_a_damaged_notebook_is_refused_in_one_line():
    with pytest.raises(SubmissionError, match=r"hw\.ipynb") as caught:
        modules_from_notebook(b"{", "hw.ipynb", ANY)
    assert "\n" not in str(caught.value)


def run(*cells, module="lenet", **more):
    """The namespace of the module that these cells make, executed."""
    names: dict[str, Any] = {"__name__": module}
    exec(compile(convert(*cells, **more)[0][f"{module}.py"], f"{module}.py", "exec"), names)
    return names


@pytest.mark.parametrize(
    "value",
    [
        "3",
        "[[1, 2], [3, 4]]",
        "'a' * 3",
        "-1.5 if True else 2",
        "{'a': (1, 2)}",
        "f'{2:03d}'",
        "[i * i for i in range(3)]",
        "lambda x: x + 1",
        "len('abc') > 2",
        "dict(a=1)",
        "math.sqrt(4.0)",
        "' a '.strip()",
        "partial(max, 1)",
        "(x := 3)",
    ],
)
def test_a_simple_value_that_a_function_uses_is_kept(value):
    names = run("import math\nfrom functools import partial", f"VALUE = {value}", "def f():\n    return VALUE")
    assert names["f"]() is names["VALUE"]


@pytest.mark.parametrize(
    "value",
    [
        "open('x').read()",
        "input()",
        "torch.load('x.pt')",
        "datasets.MNIST('.')",
        "train()",
        "plt.figure()",
        "model.fit()",
        "torch.hub.load('a', 'b')",
        "DataLoader(data)",
        "unknown",
        "other.value",
        "subprocess.run('ls')",
    ],
)
def test_a_value_that_works_loads_or_shows_is_left_out(value):
    imports = "import torch, subprocess\nimport matplotlib.pyplot as plt\nfrom torchvision import datasets"
    files, _ = convert(imports, "def train(): ...", f"VALUE = {value}", "def f():\n    return VALUE")
    assert "VALUE =" not in files["lenet.py"]
    assert "def f" in files["lenet.py"]


def test_values_are_kept_in_the_order_in_which_they_were_given():
    assert run("A = 1\nB = A + 1\nA = 10\nunused = 5", "def f():\n    return A, B")["f"]() == (10, 2)


def test_a_value_that_rests_on_something_left_out_is_left_out_as_well():
    files, _ = convert("data = open('x')\nsize = data.size\nhalf = size / 2", "def f():\n    return half")
    assert "half =" not in files["lenet.py"]


def test_a_default_from_the_notebooks_own_function_is_kept():
    names = run("def size():\n    return 5", "SIZE = size()\nHALF = SIZE - 2", "def f(x=HALF):\n    return x")
    assert names["f"]() == 3


def test_the_result_of_an_own_function_is_not_computed_for_a_functions_body():
    files, _ = convert("def main():\n    ...", "history = main()", "def f():\n    return history")
    assert "history =" not in files["lenet.py"]


def test_a_definition_that_cannot_be_made_does_not_spoil_the_others():
    cells = "loader = open('x')", "def g(x=loader): ...", "def f():\n    return 1"
    names = run(*cells)
    assert names["f"]() == 1 and "g" not in names
    assert convert(*cells)[1][1] == (
        "code cell 2 of hw.ipynb: g left out: it needs loader, which no import or definition before it gives "
        "(loader: code cell 1 was left out: it is a loading step)"
    )


def test_what_nobody_misses_is_counted_and_not_named():
    cells = "full = open('x')\nparts = full, 1", "for x in parts:\n    x.train()", "def f(x):\n    return x"
    assert [note for note in convert(*cells)[1] if "it is a" in note or "it needs" in note] == []


def test_decorators_bases_and_class_bodies_come_with_what_they_need():
    names = run(
        "import functools\nSIZE = 4",
        "def twice(f):\n    return lambda: 2 * f()",
        "class Base:\n    width = SIZE\n    class Inner: ...\n    kind = Inner",
        "@twice\ndef f():\n    return Net.width\n\n@functools.total_ordering\nclass Net(Base):\n    __lt__ = None",
    )
    assert names["f"]() == 8


def test_a_method_added_to_a_class_afterwards_is_kept():
    names = run("class LeNet: ...", "def forward(self):\n    return 7", "LeNet.forward = forward")
    assert names["LeNet"]().forward() == 7


def test_blocks_of_imports_definitions_and_values_are_kept_whole():
    names = run(
        "try:\n    import no_such_module as m\nexcept ImportError as error:\n    m = None",
        "import math\nif math.pi > 3:\n    def f():\n        return m, N\nelse:\n    f = None",
        "if math.pi > 3:\n    N = 1\nelse:\n    N = 2",
    )
    assert names["f"]() == (None, 1)


def test_what_runs_at_the_top_level_is_left_out_and_counted():
    files, notes = convert(
        "def train(): ...\ndef f(): ...",
        "if __name__ == '__main__':\n    train()",
        "for epoch in range(3):\n    train()\n    !nvidia-smi",
        "print('done')\nplt.plot([1])\nassert f() is None\nf",
        "'''text'''",
        "%%bash\nls",
    )
    assert ast.dump(ast.parse(files["lenet.py"])) == ast.dump(ast.parse("def train(): ...\ndef f(): ..."))
    assert notes == [
        "notebook hw.ipynb converted: 2 definitions; left out: 1 magic cell, 1 other statement, 1 plot, 1 print, "
        "1 shell line, 2 training runs"
    ]


def test_imports_that_nothing_uses_are_left_out():
    files, _ = convert("import os, math as m\nfrom google.colab import drive, files", "def f():\n    return m.pi")
    assert "import math as m\n" in files["lenet.py"]
    assert "os" not in files["lenet.py"] and "google" not in files["lenet.py"]


def test_star_and_future_imports_are_kept_the_latter_first():
    cells = "X = 1", "from math import *", "from __future__ import annotations", "def f(x: Unknown = X):\n    return pi"
    assert 3 < run(*cells)["f"]() < 4


def test_a_labelled_cells_module_gets_what_it_needs_from_other_cells():
    cells = (
        "# lenet.py\nimport math\nSIZE = 2\ndef area(r):\n    return SIZE * r\ndef other(): ...",
        "# training.py\ndef train():\n    return math.floor(area(2.5))",
    )
    names = run(*cells, module="training")
    assert names["train"]() == 5 and "other" not in names
    assert "train" not in run(*cells)


def test_a_module_keeps_its_own_definition_of_a_name_that_another_has_too():
    own = "# training.py\ndef helper():\n    return 2\ndef f(): return helper()"
    assert run("# lenet.py\ndef helper():\n    return 1", own, module="training")["f"]() == 2
    assert run(own, "# lenet.py\ndef helper():\n    return 1", module="training")["f"]() == 2


def test_a_written_module_stands_alone_and_the_others_may_import_it():
    files, notes = convert(
        "%%writefile lenet.py\nclass LeNet: ...\n", "from lenet import LeNet", "def train():\n    return LeNet"
    )
    assert files["lenet.py"] == "class LeNet: ...\n"
    assert "from lenet import LeNet" in files["training.py"]
    assert notes == ["notebook hw.ipynb converted: 1 definition, 1 written file"]


def test_no_encoding_that_takes_hours_gets_into_a_module():
    files, notes = convert("%%writefile lenet.py\n# coding: punycode\nx = 1\n", "def train(): ...")
    assert set(files) == {"training.py"}
    assert "lenet.py, which hw.ipynb writes, left out: its first lines declare the encoding punycode" in notes[1]
    files, _ = modules_from_notebook(notebook("def f(): ..."), "coding: punycode /hw.ipynb", ANY)
    assert tokenize.detect_encoding(io.BytesIO(files["lenet.py"]).readline)[0] == "utf-8"


def test_several_statements_on_a_line_and_continued_ones_are_told_apart():
    names = run("a = 1; b = [\n  2]; print(a)", "@staticmethod\n# why\ndef f(): return (a,\n  b)  # done")
    assert names["f"]() == (1, [2])


def test_text_in_other_scripts_survives():
    assert run("GRÖSSE = 'größe 大小'; X = 'ü'; Y = X", "def f(): return GRÖSSE, Y")["f"]() == ("größe 大小", "ü")


def test_a_cell_that_is_nested_too_deeply_is_named():
    chain = "if x:\n a = 1\n" + "".join(f"elif x:\n a = {n}\n" for n in range(1500))
    files, notes = convert(chain, "def f(): ...")
    assert "def f" in files["lenet.py"]
    assert any("code cell 1 of hw.ipynb left out" in note for note in notes)


LINES = "import math|from lenet import *|x = 1|y = x|def f(a=x):|    return y|class C(B):|    z = x|@f|!ls|%time|if x:"
LINES += "|else:|try:|C.f = f|for i in y:|'''|(|;|# lenet.py|lambda: x|x: int = y|from __future__ import annotations"


@given(st.lists(st.lists(st.sampled_from(LINES.split("|")), max_size=6).map("\n".join), max_size=6))
def test_whatever_the_cells_are_the_modules_parse(cells):
    for source in convert(*cells)[0].values():
        compile(source, "module.py", "exec")


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_text_is_converted_or_noted(cells):
    _, notes = convert(*cells)
    assert all(isinstance(note, str) for note in notes)


@pytest.mark.parametrize("text", ["import os\n", "", "LIMIT = 3\n"])
def test_a_written_module_without_what_is_asked_for_gives_way_to_cells(text):
    raw = notebook(f"%%writefile lenet.py\n{text}", "class LeNet:\n    depth = 3")
    files, notes = modules_from_notebook(raw, "hw.ipynb", {"lenet": ["LeNet"], "training": ["train"]})
    assert b"class LeNet" in files["lenet.py"]
    assert any(note.startswith("lenet.py, which hw.ipynb writes, left out") for note in notes)
