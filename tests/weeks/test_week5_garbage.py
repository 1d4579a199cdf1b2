"""Week 5's functions may return or raise anything: no check crashes or gives a point, and messages can be read.

Each submission gives each function another kind of garbage, in turn. A few submissions by default; with
GRADER_ALL=1 in the environment every function meets every kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.judging.job import Job, Ungraded
from grader.judging.pool import Pool
from grader.results import CheckResult, Outcome, Report
from grader.sandbox import choose
from tests.support import amount

ROOT = Path(__file__).parents[2]
WEEK = "week5"
FUNCTIONS = {
    "lenet": ["conv_output_size", "pool_output_size"],
    "training": ["make_transforms", "split_with_transforms", "train", "validate"],
    "inspection": ["apply_filter", "subsample", "get_predictions", "most_incorrect", "plot_filter",
                   "plot_confusion_matrix", "plot_most_incorrect"],
}  # fmt: skip

HELPERS = '''
import math, sys
import numpy as np, torch
from torch import nn
import matplotlib.figure

class Evil:
    """Every question about it raises."""
    def _no(self, *args, **kwargs):
        raise RuntimeError("evil")
    __eq__ = __ne__ = __lt__ = __gt__ = __len__ = __iter__ = __bool__ = __getitem__ = __call__ = __hash__ = _no
    __float__ = __int__ = __index__ = __contains__ = __repr__ = __str__ = __array__ = _no
    def __getattr__(self, name):
        raise RuntimeError(name)

class Agreeable:
    """Says yes to everything, and is its own part."""
    __class__ = int
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __iter__(self): return iter([self, self])
    def __len__(self): return 2
    def __getitem__(self, index): return self
    def __bool__(self): return True
    def __index__(self): return 1

class Claims(list):
    """A list of one length that says another."""
    def __len__(self): return 2
    def __getitem__(self, index): return self

class TensorInDisguise(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("not today")

class Unprintable(Exception):
    def __str__(self): raise RuntimeError("no text")
    __repr__ = __str__

class Base(BaseException):
    pass

def fail(error):
    raise error

def deep():
    return deep()

def own():
    loop = []
    loop.append(loop)
    return loop
'''

# Expressions, evaluated at each call.
VALUES = [
    "None", "0", "-1", "-0.5", "True", "'x'", "b'x'", "[]", "()", "{}", "set()", "object()", "10**30", "2**63", "1j",
    "math.nan", "math.inf", "...", "NotImplemented", "int", "print", "lambda *a, **k: None", "(i for i in range(2))",
    "range(2)", "[None, None]", "(1, 2)", "(0.5, 50.0)", "('a', 'b', 'c')", "[[1], [2]]", "[[[[[]]]]] * 3",
    "{'logits': 1, 'hidden': 2}", "{1: 2}", "{(1, 2): 3}", "own()", "torch.tensor(1)", "torch.tensor(math.nan)",
    "torch.zeros(0)", "torch.full((2, 2), math.nan)", "torch.zeros(2, 1, 4, 4)",
    "torch.zeros(2, dtype=torch.complex64)",
    "torch.zeros(3, 3).to_sparse()", "torch.zeros(2, dtype=torch.bool)", "torch.zeros(2, device='meta')",
    "torch.ones(2, requires_grad=True)", "(torch.zeros(3), torch.zeros(3), torch.zeros(3))",
    "(torch.zeros(2, 1, 2, 2), torch.zeros(2, dtype=torch.long), torch.zeros(2, 3))",
    "[(torch.zeros(1, 4, 4), 0, torch.zeros(3))] * 5", "[(torch.zeros(1, 4, 4), 'a', None)] * 2",
    "torch.zeros(2).as_subclass(TensorInDisguise)", "nn.Parameter(torch.zeros(1))", "nn.Linear(1, 1)",
    "torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.quint8)",
    "np.float64(1)", "np.array([])", "np.array(['a'])", "np.array([None])", "np.zeros(2, dtype='datetime64[s]')",
    "Evil()", "[Evil(), Evil()]", "Agreeable()", "[Agreeable(), Agreeable()]", "Claims()", "Claims([1])", "Evil",
    "matplotlib.figure.Figure()", "matplotlib.figure.Figure", "float", "'a' * 10_000_000",
    "fail(ValueError())", "fail(ValueError('max, mean?'))", "fail(KeyboardInterrupt())", "fail(SystemExit(0))",
    "fail(GeneratorExit())", "fail(StopIteration())", "fail(Base('mine'))", "fail(Unprintable())", "deep()",
    "fail(NotImplementedError())", "fail(MemoryError())", "fail(AssertionError('it is right'))",
    "fail(ExceptionGroup('two', [ValueError(), TypeError()]))", "fail(UnicodeDecodeError('utf8', b'', 0, 1, 'x'))",
    "fail(OSError(28, 'full'))", "fail('a string')", "fail(ImportError('No module named lenet'))",
]  # fmt: skip

# What stands where a function should: a line of code, with the function's name for {name}.
STANDINS = ["{name} = None", "{name} = 3", "{name} = Evil()", "{name} = Agreeable()", "pass", "{name} = int",
            "def {name}(): return 1", "class {name}: pass", "async def {name}(*a, **k): return 1",
            "def {name}(*a, **k): yield 1"]  # fmt: skip

LAYERS = """
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc_1, self.fc_2, self.fc_3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, n)
"""
MODULE = "class LeNet(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
NETS = [
    "LeNet = None", "class LeNet: pass", "LeNet = Evil()", "LeNet = Agreeable()", "LeNet = nn.Module", "pass",
    "class LeNet(nn.Module): pass", "def LeNet(n): return 'a network'", "def LeNet(n): return Evil()",
    "def LeNet(n): return Agreeable()", "def LeNet(n): return nn.Identity()", "def LeNet(): return nn.Identity()",
    *(MODULE + LAYERS + f"    def forward(self, x): return {value}\n" for value in (
        "None", "'x'", "{'logits': x, 'hidden': x}", "(None, None)", "('a', 'b')", "(x, x, x)", "(Evil(), Evil())",
        "Claims()", "(Agreeable(), Agreeable())", "torch.zeros(len(x), 10) * math.nan",
        "(torch.full((len(x), 10), math.nan), torch.zeros(len(x), 256))", "(torch.zeros(0), torch.zeros(0))",
        "(torch.zeros(len(x), 10).to_sparse(), x)", "(torch.tensor(1), torch.tensor(2))", "fail(Unprintable())",
        "(torch.zeros(len(x), 10, dtype=torch.complex64), torch.zeros(len(x), 256, dtype=torch.int))",
        "(torch.zeros(len(x), 10, dtype=torch.bool, ), torch.zeros(len(x), 256))", "x.foo", "sys.exit(0)", "deep()",
    )),
    *(MODULE + f"        self.conv1 = self.conv2 = self.fc_1 = self.fc_2 = self.fc_3 = {layer}\n"
      "    def forward(self, x): return (x.flatten(1)[:, :10], x.flatten(1)[:, :256])\n" for layer in (
        "None", "'conv'", "Evil()", "Agreeable()", "nn.ReLU()", "nn.Linear(1, 1)", "nn.Conv2d(1, 1, 1, bias=False)",
        "nn.Linear(2, 2, dtype=torch.complex64)", "nn.Linear(2, 2, dtype=torch.float64)", "nn.LazyLinear(3)",
        "nn.ParameterList()", "type('L', (), {'weight': 'w', 'bias': 1})()", "nn.Linear(2, 2, device='meta')",
    )),
]  # fmt: skip


def submission(number: int) -> dict[str, bytes]:
    """Modules in which neighbouring functions return neighbouring kinds of garbage."""
    kinds = [f"def {{name}}(*args, **kwargs): return {value}" for value in VALUES] + STANDINS
    files, place = {}, number
    for module, names in FUNCTIONS.items():
        lines = [HELPERS]
        for name in names:
            lines.append(kinds[place % len(kinds)].replace("{name}", name))
            place += 7
        if module == "lenet":
            lines.append(NETS[number % len(NETS)])
        files[f"{module}.py"] = "\n".join(lines).encode()
    return files


def graded(numbers: list[int]) -> Iterator[tuple[int, CheckResult]]:
    jobs = [Job(str(number), WEEK, submission(number), "", (), seed=number) for number in numbers]
    for done in Pool(ROOT, [WEEK], 2, choose("auto")).run(jobs):
        assert isinstance(done, Report), done.message if isinstance(done, Ungraded) else done
        yield from ((int(done.student), check) for check in done.checks)


# Those that once crashed a check, or got a point: raw bool logits, a refusal of every name, a constant network.
ONCE_FOUND = [7, 20, 28, 35, 60]


# What a student must not see: frames of the grader and of probes, folders of the machine that grades.
INTERNAL = re.compile(r"Traceback|probes\w*\.py|grader[/_.]|site-packages|test_\w+\.py|/tmp/|/work/|(expect|codec)\.py")


def faults(check: CheckResult) -> Iterator[str]:
    earned = check.points > 0 and not check.id.endswith("::test_lenet_layers")  # the layers of many a NET are right
    if check.is_broken or earned:
        yield "broken" if check.is_broken else "a point for garbage"
    if check.outcome is not Outcome.PASSED and not check.message.strip():
        yield "no message"
    if INTERNAL.search(check.message) or len(check.message) > 3000:
        yield "a message that is no student's business"


@pytest.fixture(scope="module")
def numbers() -> list[int]:
    everything = range(len(VALUES) + len(STANDINS))
    return list(everything) if amount.ALL else ONCE_FOUND


def test_garbage_earns_nothing_and_breaks_no_check(numbers: list[int]) -> None:
    found = [f"submission {number}: {check.task} {check.title} [{check.outcome}]: {fault}: {check.message}"
             for number, check in graded(numbers) for fault in faults(check)]  # fmt: skip
    assert not found, "\n".join(found)


def test_every_submission_compiles(numbers: list[int]) -> None:
    for number in numbers:
        for name, source in submission(number).items():
            compile(source, name, "exec")
