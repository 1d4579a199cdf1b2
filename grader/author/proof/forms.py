"""Rewrites correct modules into the forms in which students hand them in: notebooks, scripts, one file, odd names.

A *touch* adds what students' code has around it: values that functions read, helpers with absent libraries, settings,
training runs. A *form* is the way of handing it in. Whatever is composed of these deserves what the modules deserve.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Files = dict[str, bytes]


@dataclass(frozen=True)
class Touch:
    """Code before and after a module's own; `use` is an expression that each of its functions then depends on.

    `wrap` rewrites each definition, of which it gets the name and the code.
    """

    before: str = ""
    use: str = ""
    after: str = ""
    wrap: Callable[[str, str], str] | None = None
    only_in_notebooks: bool = False


@dataclass(frozen=True)
class Delivery:
    """What a student hands in, by path, and the names of the steps that made it."""

    files: Mapping[str, bytes]
    steps: tuple[str, ...]


TOUCHES: Mapping[str, Touch] = {
    # Values that functions read, whatever statement binds them.
    "object": Touch("class Config_:\n    log = True\ncfg_ = Config_()\ncfg_.depth = 3", "cfg_.log and cfg_.depth == 3"),
    "own call": Touch(
        "import torch\ndef pick_():\n    return torch.device('cpu')\ndev_ = pick_()", "dev_.type == 'cpu'"
    ),
    "path": Touch("import os\npath_ = os.path.join('a', 'b')", "path_.endswith('b')"),
    "time": Touch("import time\nstart_ = time.time()", "start_ > 0"),
    "lambda": Touch("twice_ = lambda x: 2 * x\nalias_ = twice_", "alias_(2) == 4"),
    "partial": Touch("from functools import partial\nroot_ = partial(pow, exp=2)", "root_(3) == 9"),
    "in place": Touch("table_ = {}\ntable_['a'] = []\ntable_['a'].append(1)\ntable_.update(b=2)", "len(table_) == 2"),
    "loop": Touch("squares_ = {}\nfor n_ in range(4):\n    squares_[n_] = n_ * n_\n    print(n_)", "squares_[3] == 9"),
    "walrus": Touch(
        "first_ = (second_ := 3) + 1\nmore_ = [last_ := i for i in range(3)]", "(second_, last_) == (3, 2)"
    ),
    "match": Touch("match 3:\n    case 1 | 2:\n        m_ = 'few'\n    case _:\n        m_ = 'many'", "m_ == 'many'"),
    "if": Touch(
        "RUN_ = True\nif RUN_:\n    print('x')\n    def inner_():\n        return 1\nelse:\n    inner_ = None",
        "inner_()",
    ),
    "with": Touch("import torch\nwith torch.no_grad():\n    ones_ = torch.ones(2) * 2", "ones_.sum() == 4"),
    "try": Touch("try:\n    import no_lib_\n    HAS_ = True\nexcept ImportError:\n    HAS_ = False", "HAS_ is False"),
    "redefined": Touch("def f_():\n    return 1\nonce_ = f_()\ndef f_():\n    return 2", "(once_, f_()) == (1, 2)"),
    "deleted": Touch("tmp_ = [1]\nkept_ = tmp_\ndel tmp_", "kept_ == [1]"),
    "registry": Touch(
        "NAMES_ = {}\ndef register_(f):\n    NAMES_[f.__name__] = f\n    return f\n"
        "@register_\ndef known_():\n    return 1",
        "NAMES_['known_']() == 1",
    ),
    "global": Touch("def setup_():\n    global size_\n    size_ = 4\nsetup_()", "size_ == 4"),
    "patched": Touch("class Box_:\n    pass\ndef add_(self):\n    return 5\nBox_.add = add_", "Box_().add() == 5"),
    "closure": Touch(
        "def counter_():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n"
        "    return step\ncount_ = counter_()",
        "count_() > 0",
    ),
    "annotated": Touch("from typing import Optional\nlimit_: Optional[int] = 3\nunset_: int", "limit_ == 3"),
    # Definitions that stand where others do not look for them.
    "under if": Touch(wrap=lambda name, code: f"if 1 < 2:\n    print('x')\n{_indented(code)}"),
    "under with": Touch(
        "import contextlib", wrap=lambda name, code: f"with contextlib.nullcontext():\n{_indented(code)}"
    ),
    "under try": Touch(wrap=lambda name, code: f"try:\n{_indented(code)}\nexcept Exception as e_:\n    raise"),
    "under main": Touch(
        wrap=lambda name, code: f"if __name__ == '__main__':\n{_indented(code)}", only_in_notebooks=True
    ),
    "renamed": Touch(wrap=lambda name, code: f"{code}\nnew_{name} = {name}\ndel {name}\n{name} = new_{name}"),
    "stub first": Touch(wrap=lambda name, code: f"def {name}(*args):\n    raise NotImplementedError('TODO')\n{code}"),
    "copied": Touch(wrap=lambda name, code: f"{code}\nold_{name} = {name}\n{name} = (lambda f: f)(old_{name})"),
    "decorated": Touch("def same_(f):\n    same_.seen = f\n    return f", wrap=lambda name, code: f"@same_\n{code}"),
    # What costs nothing, as nothing that is asked for needs it.
    "absent helper": Touch("import no_lib_ as nl_\ndef frame_(x):\n    return nl_.DataFrame(x)"),
    "absent base": Touch(
        "from no_lib_.core import Module as M_, fast_\nclass Lit_(M_):\n    pass\n@fast_\ndef g_(): ..."
    ),
    "absent call": Touch("import no_lib_\nno_lib_.init(project='x')"),
    "progress bar": Touch("from tqdm.notebook import tqdm as bar_", "[*bar_([1], leave=False)] == [1]"),
    "back end": Touch("import matplotlib as mpl_\nmpl_.use('TkAgg')"),
    "settings": Touch("import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)"),
    "logging": Touch(
        "import logging\nlogging.basicConfig(level='INFO')\nlog_ = logging.getLogger('x')", "log_.name == 'x'"
    ),
    "main block": Touch(after="if __name__ == '__main__':\n    input('go? ')"),
    # What only a notebook can hold.
    "star": Touch("from math import *", only_in_notebooks=True),
    "data": Touch(
        "from torchvision import datasets\ntrain_data = datasets.MNIST('data', download=True)\n"
        "mean = train_data.data.float().mean() / 255\nstd = images = labels = model = mean",
        only_in_notebooks=True,
    ),
    "training": Touch(
        after="losses_ = []\nfor epoch in range(10**9):\n    losses_.append(train(model))\nplt.plot(losses_)",
        only_in_notebooks=True,
    ),
    "magics": Touch(
        "%matplotlib inline\n!pip install torch\n%time made_ = 1 + 1", "made_ == 2", only_in_notebooks=True
    ),
    "shown": Touch("mean", after="display(no_such_name)\nhelp(print)", only_in_notebooks=True),
}


def deliver(modules: Mapping[str, str], week: str, form: str, touches: Sequence[str] = ()) -> Delivery:
    """Hand in modules, by name with their sources, in this form; touches that it cannot have are left out."""
    make, is_notebook = FORMS[form]
    fit = [name for name in touches if is_notebook or not TOUCHES[name].only_in_notebooks]
    cells = {module: _touched(_cells(source), [TOUCHES[name] for name in fit]) for module, source in modules.items()}
    return Delivery(make(cells, week), (form, *fit))


Cells = list[str]


def _cells(source: str) -> Cells:
    """Cut a source where a statement of its top level begins, but for imports, which stay together at the top."""
    lines = source.splitlines()
    statements = ast.parse(source).body
    firsts = [min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) for node in statements]
    parts = ["\n".join(lines[a - 1 : b - 1]) for a, b in zip(firsts, [*firsts[1:], len(lines) + 1], strict=True)]
    is_head = [isinstance(node, (ast.Import, ast.ImportFrom)) for node in statements]
    head = [part for part, first in zip(parts, is_head, strict=True) if first]
    return ["\n".join(head), *(part for part, first in zip(parts, is_head, strict=True) if not first)]


def _touched(cells: Cells, touches: Sequence[Touch]) -> Cells:
    head, *rest = cells
    before: Cells = []
    after: Cells = []
    for touch in touches:
        before += [touch.before] if touch.before else []
        after += [touch.after] if touch.after else []
        rest = [_using(cell, touch.use) for cell in rest] if touch.use else rest
    for wrap in (touch.wrap for touch in touches if touch.wrap):
        rest = [_wrapped(cell, wrap) for cell in rest]
    return [head, *before, *rest, *after]


def _using(cell: str, use: str) -> str:
    """Let each function of a cell depend on an expression."""
    tree = ast.parse(cell)
    lines = cell.splitlines()
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in reversed(functions):
        is_documented = isinstance(function.body[0], ast.Expr) and len(function.body) > 1
        first = function.body[1 if is_documented else 0]
        line = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
        head, text = lines[line].encode()[: first.col_offset].decode(), f"assert {use}, 'a value is another one'"
        if head.strip():  # the whole function stands in one line
            lines[line] = f"{head}{text}; {lines[line].removeprefix(head)}"
        else:
            lines.insert(line, head + text)
    return "\n".join(lines)


def _wrapped(cell: str, wrap: Callable[[str, str], str]) -> str:
    statement = ast.parse(cell).body[0]
    return wrap(statement.name, cell) if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) else cell


def _text(cells: Iterable[str]) -> bytes:
    return ("\n\n\n".join(cells) + "\n").encode()


def _joined(cells: Mapping[str, Cells]) -> Cells:
    return [cell for module in cells.values() for cell in module]


def notebook(cells: Iterable[str]) -> bytes:
    """Write a notebook of code cells."""
    made: list[object] = [
        {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None} for cell in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


def _script(cells: Iterable[str]) -> bytes:
    """Write what `jupyter nbconvert --to script` writes, by nbconvert."""
    import nbformat  # noqa: PLC0415 - a command's own help can do without both
    from nbconvert import PythonExporter  # noqa: PLC0415

    script, _ = PythonExporter().from_notebook_node(nbformat.reads(notebook(cells).decode(), as_version=4))
    return str(script).encode()


def _indented(cell: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in cell.splitlines())


def _prompted(cell: str) -> str:
    return "\n".join(f"{'...' if number else '>>>'} {line}" for number, line in enumerate(cell.splitlines()))


def _named(name: Callable[[str], str]) -> Callable[[Mapping[str, Cells], str], Files]:
    return lambda cells, week: {name(module): _text(own) for module, own in cells.items()}


def _one_renamed(cells: Mapping[str, Cells], week: str) -> Files:
    last = list(cells)[-1]
    return {f"{module}_final.py" if module == last else f"{module}.py": _text(own) for module, own in cells.items()}


def _in_one_module(cells: Mapping[str, Cells], week: str) -> Files:
    return {f"{next(iter(cells))}.py": _text(_joined(cells))}


def _packages(cells: Mapping[str, Cells], week: str) -> Files:
    inner = {f"{module}/code_.py": _text(own) for module, own in cells.items()}
    return inner | {f"{module}/__init__.py": b"from .code_ import *\n" for module in cells}


def _beside(cells: Mapping[str, Cells], week: str) -> Files:
    first, *others = cells
    rest = [cell for module in others for cell in cells[module]]
    return {f"{first}.py": _text(cells[first]), "rest.ipynb": notebook([f"from {first} import *", *rest])}


# How each form is made, and whether what only a notebook can hold may be in it.
FORMS: Mapping[str, tuple[Callable[[Mapping[str, Cells], str], Files], bool]] = {
    "modules": (_named(lambda module: f"{module}.py"), False),
    "copies": (_named(lambda module: f"{module} - Copy (2).py"), False),
    "renamed": (_named(lambda module: f"my {module} v2 FINAL.py"), False),
    "one renamed": (_one_renamed, False),
    "text files": (_named(lambda module: f"{module}.py.txt"), False),
    "wrong week": (_named(lambda module: f"week99/{module}.py"), False),
    "packages": (_packages, False),
    "one file": (lambda cells, week: {"solution.py": _text(_joined(cells))}, False),
    "the week's name": (lambda cells, week: {f"{week}.py": _text(_joined(cells))}, False),
    "one module": (_in_one_module, False),
    "UTF-16": (
        lambda cells, week: {f"{m}.py": _text(own).decode().encode("utf-16-le") for m, own in cells.items()},
        False,
    ),
    "notebook": (lambda cells, week: {"hw.ipynb": notebook(_joined(cells))}, True),
    "notebooks": (lambda cells, week: {f"{module}.ipynb": notebook(own) for module, own in cells.items()}, True),
    "one cell": (lambda cells, week: {"hw.ipynb": notebook(["\n\n".join(_joined(cells))])}, True),
    "indented cells": (lambda cells, week: {"hw.ipynb": notebook(map(_indented, _joined(cells)))}, True),
    "prompts": (lambda cells, week: {"hw.ipynb": notebook(map(_prompted, _joined(cells)))}, True),
    "JSON": (lambda cells, week: {"hw.json": notebook(_joined(cells))}, True),
    "notebook as text": (lambda cells, week: {"hw.ipynb.txt": notebook(_joined(cells))}, True),
    "beside a module": (_beside, False),
    "script": (lambda cells, week: {"hw.py": _script(_joined(cells))}, True),
    "scripts": (lambda cells, week: {f"{module}.py": _script(own) for module, own in cells.items()}, True),
}
