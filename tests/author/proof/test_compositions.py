"""Rewrites that are composed at random leave small programs as they were, however these import and name things."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.author.proof.rewrites import REWRITES, Step, rewritten
from grader.inside.modules import close_modules, open_modules
from tests.support import amount

# Each piece imports what it needs, as if there were no other, and gives the function `ask_…`.
PIECES = """
import math
def ask_plain(x):
    return math.sqrt(x), x


import math as m
HALF = m.pi / 2
def ask_alias(x, scale=m.e):
    return HALF * x, scale


from math import sqrt
def ask_name(x):
    return [sqrt(v) for v in range(x)], x < 2


from math import sqrt as root, floor
TWO = root(4)
def ask_names(x):
    return root(x), floor(x + TWO)


import math, operator
def ask_two(x):
    return operator.add(x, 1), math.pi


import collections
Point = collections.namedtuple('Point', 'x y')
def ask_tuple(x):
    return Point(x, x).y, 1


import dataclasses
@dataclasses.dataclass
class Record:
    x: int = 3
    def grown(self, by):
        return Record(self.x + by).x, by
def ask_record(x):
    return Record().grown(x)


import os.path
def ask_path(x):
    return os.path.basename(f'a/b{x}'), x


import functools
@functools.lru_cache
def ask_cached(x):
    return x + 1, x


def ask_late(x):
    import math
    kept = [v for v in range(x) if math.floor(v) > 0]
    return kept, x


def ask_late_alias(x):
    import math as collections
    return collections.floor(x), x


import math
TAU = 2 * math.pi
def ask_shadowed(x, math=3):
    return math + x, TAU


import operator
def ask_hidden_by_a_local(x):
    math = x
    return math, operator.neg(x)


import math
def ask_inner(x):
    def inner(y):
        return math.floor(y), y
    return inner(x)[0], [inner(v) for v in range(2)]


import math
class Scale:
    factor = math.pi
    def by(self, x):
        return math.ceil(x) * self.factor
def ask_method(x):
    return Scale().by(x), x


class Holder:
    import math
    LIMIT = math.pi
def ask_holder(x):
    return Holder.math.floor(x), x


try:
    import operator as op
except ImportError:
    op = None
def ask_tried(x):
    return op.neg(x), x


if 1 < 2:
    import math as lib
else:
    import operator as lib
def ask_chosen(x):
    return lib.floor(x), x


import operator
count = 0
def ask_global(x):
    global count
    count = operator.add(count, x)
    return count, x


def ask_global_module(x):
    global stat
    import statistics as stat
    return stat.mean([x, x]), x


import math
rounded = lambda x: math.floor(x)
def ask_lambda(x):
    return rounded(x), x


import collections
def ask_hint(x: collections.abc.Sized = 1) -> 'collections.Counter':
    return x, 1


import math
def ask_default(x, *, of=math.floor):
    values = [of(v) for v in (x, 2.5) if v]
    return values, x


import string
string = string.digits
def ask_assigned_again(x):
    return string[x], x


import statistics
MEAN = statistics.mean([1, 2])
del statistics
def ask_deleted(x):
    return MEAN, x


import json
def ask_exception(x):
    try:
        return json.loads('{'), x
    except json.JSONDecodeError as math:
        return math.pos, x


import itertools
def ask_loop(x):
    found = []
    for math, f in itertools.pairwise([x, 1, 2]):
        found.append((math, f))
    return found, x


def twice(x):
    return 2 * x
def ask_helper(x):
    return twice(x), twice(x) == x


floor_at = 2
def ask_default_of_a_local(x, low=floor_at):
    floor_at = x + low
    return floor_at, low


seen = 0
def note(x):
    global seen
    seen += x
    return seen
def ask_counter(x):
    note(x)
    return seen, x


def ceil(x):
    return x + 0.5
def ask_own_ceil(x):
    return ceil(x), x


def ask_their_ceil(x):
    from math import ceil
    return ceil(x + 0.1), x


def failed(x):
    return x
def ask_failed(x):
    try:
        return 1 / (x - 1), x
    except ZeroDivisionError as failed:
        return str(failed), x
def ask_not_failed(x):
    return failed(x), x


import math
def ask_walrus(x):
    kept = [y for v in range(x) if (y := math.floor(v)) > 0]
    return kept, x


def ask_match(x):
    match [x, 1]:
        case [1, twice]:
            return twice, x
        case [number, *others]:
            return number, others


import operator
def ask_closure(x):
    total = 0
    def add(y):
        nonlocal total
        total = operator.add(total, y)
        return total
    add(x)
    return add(1), total


from operator import *
def ask_star(x):
    return neg(x), x


FOUND = {}
def kept(function):
    FOUND[function.__name__] = function
    return function
@kept
def ask_registry(x):
    return len(FOUND), x


import contextlib
def ask_device(x, device='cpu', model=None):
    with contextlib.suppress(ValueError):
        return x, device


def __getattr__(name):  # ask_dynamic
    if name == "ask_dynamic":
        return lambda x: (x, 1)
    raise AttributeError(name)
""".strip().split("\n\n\n")
TOUCHING = sorted(set(REWRITES) - {"moved-models", "guarded"})  # these two need a model, or torch


@st.composite
def programs(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw a program of two modules, of which one may import the other's functions."""
    pieces = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5, unique=True))
    cut = draw(st.integers(0, len(pieces)))
    first, other = ["import other"], ["pass"]
    first += pieces[:cut]
    other += pieces[cut:]
    asked = [word for piece in pieces[cut:] for word in piece.split() if word.startswith("ask_")]
    if asked and draw(st.booleans()):
        first[0] = "from other import " + ", ".join(word.partition("(")[0] for word in asked)
    if draw(st.booleans()):
        first.insert(0, "from __future__ import annotations")
    return {"main.py": "\n".join(first).encode(), "other.py": "\n".join(other).encode()}


steps_drawn = st.lists(st.builds(Step, st.sampled_from(TOUCHING), st.integers(0, 999)), min_size=1, max_size=6)


def answers(files: Mapping[str, bytes], asked: Sequence[str]) -> dict[str, Any]:
    """What the functions give, by name, each asked twice; and what goes wrong on the way."""
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        for path, source in files.items():
            Path(folder, path).parent.mkdir(exist_ok=True)
            Path(folder, path).write_bytes(source)
        modules = open_modules(Path(folder), "week1")
        try:
            homes = [modules.main, modules.other]
            return {name: [function(x) for x in (1, 3)] for home in homes for name in asked
                    if (function := getattr(home, name, None))}  # fmt: skip
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}
        finally:
            close_modules(modules)


@pytest.mark.parametrize("name", TOUCHING)
def test_each_rewrite_of_each_piece_gives_the_same_answers(name: str) -> None:
    """The sample has a sixth of the pieces for each; all of them come in the compositions below."""
    first = TOUCHING.index(name) % amount.of(6, 1)
    for number, piece in [*enumerate(PIECES)][first :: amount.of(6, 1)]:
        same_answers({"main.py": b"import other", "other.py": piece.encode()}, [Step(name, number)])


@settings(max_examples=amount.of(150, 1000), deadline=None)
@given(programs(), steps_drawn)
def test_compositions_of_rewrites_give_the_same_answers(files: dict[str, bytes], steps: list[Step]) -> None:
    same_answers(files, steps)


def same_answers(files: Mapping[str, bytes], steps: Sequence[Step]) -> None:
    words = {word.partition("(")[0] for source in files.values() for word in source.decode().split()}
    asked = sorted(word.strip(",") for word in words if word.startswith("ask_"))
    before = answers(files, asked)
    assert before.keys() == {*asked}, before
    after = rewritten(files, steps, frozenset(asked))
    assert answers(after, asked) == before, "\n".join(f"# {path}\n{source.decode()}" for path, source in after.items())


@pytest.mark.parametrize("draw", range(8))
def test_libraries_that_are_imported_twice_get_one_name(draw: int) -> None:
    """Rewrites import what they need at the beginning, whatever is imported after that."""
    source = "def ask_one(x):\n    return x, 1\ndef ask_two(x):\n    return x, 2\ndef ask_three(x):\n    return x, 3"
    files = {"main.py": b"", "other.py": source.encode()}
    asked = ["ask_one", "ask_three", "ask_two"]
    names = ("other-tuples", "late-imports", "other-aliases", "other-aliases")
    after = rewritten(files, [Step(name, draw + place) for place, name in enumerate(names)], frozenset(asked))
    assert re.search(rb"import (\w+) as \1_\d", after["other.py"])
    assert answers(after, asked) == answers(files, asked)
