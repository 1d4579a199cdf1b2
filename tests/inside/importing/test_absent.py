"""A library that is not installed costs the code that uses it, and no other."""

from __future__ import annotations

import builtins
import sys

import pytest

from grader.inside.importing.absent import NotInstalled
from grader.inside.modules import close_modules, open_modules

ABSENT = "no_such_library"


IMPORTS = [
    (f"import {ABSENT}", ABSENT),
    (f"import {ABSENT} as lib", "lib"),
    (f"import {ABSENT}.inner.most", ABSENT),
    (f"import {ABSENT}.inner as lib", "lib"),
    (f"from {ABSENT} import thing", "thing"),
    (f"from {ABSENT}.inner import thing as lib", "lib"),
    (f"from {ABSENT}.inner import *\nlib = None\nfrom {ABSENT} import lib", "lib"),
    ("from torch.no_such_part import lib", "lib"),
    ("from .no_such_file import lib", "lib"),
]
USES = [
    "{}()", "{}.part()", "{}.a.b.c(1, x=2)", "{}[0]", "{} + 1", "1 + {}", "len({})", "list({})", "1 in {}",
    "-{}", "{} < 3", "int({})", "float({}.x)", "[0][{}]", "{} @ 2", "{} | 2",
]  # fmt: skip
LAID_OUT = [
    "{}.setup(1)",
    "run = {}.init(project='x').id",
    "@{}.compiled\ndef helper(): ...",
    "@{}.compiled(cache=True)\nclass Helper: ...",
    "class Lit({}.Module): ...",
    "class Lit({}.Module, {}.Other, option=1): ...",
    "import torch\nclass Lit(torch.nn.Module, {}.Mixin): ...",
    "class Lit(metaclass={}.Meta): ...",
    "def helper(x: {}.Frame | None, *, y: list[{}.Frame] = {}.default()) -> {}.Frame[int]: ...",
    "for item in {}.items(): raise ValueError",
    "if {}.__version__ >= '2': raise ValueError",
    "with {}.context() as c: ...",
    "frame: {}.Frame = {}.Frame([1])",
    "{}.options['x'] = len({}.things) + int({}.thing)",
    "def start(): return {}.start()\nstarted = start()",
    "lit = type('Lit', (object,), {{}}) if {} else None",
]


@pytest.mark.parametrize(("line", "name"), IMPORTS)
def test_importing_it_costs_nothing_and_using_it_names_it(opened_modules, line, name):
    module = opened_modules(lenet=f"{line}\ndef use():\n    return {name}.read()\ndef other():\n    return 7").lenet
    assert module.other() == 7
    with pytest.raises(NotInstalled, match=r"no_such_\w+.* is not installed where you are graded"):
        module.use()


@pytest.mark.parametrize("use", USES)
def test_whatever_a_function_does_with_it_raises(opened_modules, use):
    module = opened_modules(lenet=f"import {ABSENT} as lib\ndef use():\n    return {use.format('lib')}").lenet
    with pytest.raises(NotInstalled, match=f"^{ABSENT} is not installed where you are graded"):
        module.use()


@pytest.mark.parametrize("line", LAID_OUT)
def test_what_a_file_lays_out_with_it_does_not_cost_the_others(opened_modules, line):
    module = opened_modules(
        lenet=f"import {ABSENT} as lib\n{line.format(*['lib'] * 4)}\ndef other():\n    return 7"
    ).lenet
    assert module.other() == 7


def test_what_is_decorated_with_it_or_derived_from_it_raises_when_it_is_used(opened_modules):
    source = f"import {ABSENT} as lib\n@lib.fast\ndef f(): ...\nclass C(lib.Base):\n    def __init__(self): ...\n"
    module = opened_modules(lenet=f"{source}def make():\n    return C()").lenet
    for use in (module.f, module.make, module.C):
        with pytest.raises(NotInstalled, match=ABSENT):
            use()


def test_nothing_is_of_its_classes_and_it_counts_as_nothing(opened_modules):
    looks = "isinstance(x, lib.Frame), isinstance(x, (int, lib.F)), bool(lib)"
    source = f"import {ABSENT} as lib\ndef f(x):\n    return {looks}"
    assert opened_modules(lenet=source).lenet.f(1) == (False, True, False)


FALLBACKS = [  # `+` stands for the library
    "try:\n    import + as lib\nexcept ImportError:\n    lib = 'mine'",
    "try:\n    from +.part import lib\nexcept ModuleNotFoundError as error:\n    lib = 'mine'",
    "try:\n    import torch\n    if torch:\n        import + as lib\nexcept (OSError, Exception):\n    lib = 'mine'",
    "try:\n    import + as lib\nexcept:\n    lib = 'mine'",
    "lib = 'mine'\nfrom contextlib import suppress\nwith suppress(ImportError):\n    import + as lib",
    "import contextlib, builtins\nlib = 'mine'\nwith contextlib.suppress(builtins.ImportError):\n    import + as lib",
    "import importlib.util\nlib = 'theirs' if importlib.util.find_spec('+') else 'mine'",
    "import importlib\ntry:\n    lib = importlib.import_module('+')\nexcept ImportError:\n    lib = 'mine'",
    "try:\n    import plots as lib\nexcept ImportError:\n    lib = 'mine'",
    "import +\ntry:\n    lib = +.get()\nexcept Exception:\n    lib = 'mine'",
    "def get():\n    import +\n    return +.x\ntry:\n    lib = get()\nexcept ImportError:\n    lib = 'mine'",
]


@pytest.mark.parametrize("source", FALLBACKS)
def test_who_is_ready_for_its_absence_takes_the_other_way(opened_modules, source):
    source = source.replace("+", ABSENT)
    plots = f"import {ABSENT}\nx = {ABSENT}.x"
    assert opened_modules(lenet=source, plots=plots).lenet.lib == "mine"
    inner = "".join(f"    {line}\n" for line in source.splitlines())
    assert opened_modules(training=f"def f():\n{inner}    return lib", plots=plots).training.f() == "mine"


def test_a_handler_of_other_errors_is_no_fallback(opened_modules):
    source = f"try:\n    import {ABSENT} as lib\nexcept ValueError:\n    lib = None\nfinally:\n    x = 1"
    with pytest.raises(NotInstalled):
        opened_modules(lenet=source).lenet.lib()


def test_libraries_still_learn_what_is_not_there(opened_modules, tmp_path_factory, monkeypatch):
    libraries = tmp_path_factory.mktemp("libraries")
    (libraries / "some_library.py").write_text(f"try:\n    import {ABSENT}\nexcept ImportError:\n    HAS = False\n")
    (libraries / "broken_library.py").write_text(f"import {ABSENT}\n")
    monkeypatch.syspath_prepend(libraries)
    module = opened_modules(
        lenet=f"import {ABSENT}, some_library, broken_library\ndef f():\n    broken_library.x()"
    ).lenet
    assert module.some_library.HAS is False
    with pytest.raises(NotInstalled, match=f"broken_library cannot be imported .*No module named '{ABSENT}'"):
        module.f()
    assert ABSENT not in sys.modules
    sys.modules.pop("some_library", None)


def test_an_error_of_the_students_own_is_no_absence(opened_modules):
    student = opened_modules(
        lenet="from torch import no_such_name", training="import lenet", other="raise ImportError('mine')"
    )
    for name, message in (("lenet", "no_such_name"), ("training", "no_such_name"), ("other", "mine")):
        with pytest.raises(ImportError, match=message) as caught:
            getattr(student, name)
        assert not isinstance(caught.value, NotInstalled)


def test_other_files_import_as_ever(tmp_path):
    before = builtins.__import__
    student = open_modules(tmp_path, "week5")
    assert builtins.__import__ is not before
    with pytest.raises(ModuleNotFoundError, match=ABSENT):
        exec(f"import {ABSENT}", {"__name__": "elsewhere"})
    close_modules(student)
    assert builtins.__import__ is before
