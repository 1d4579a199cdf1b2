"""No check crashes over evidence of any kind, and every part of the evidence counts in some check.

The reference is asked once for each check; forgeries are made of what it gave.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures import digits, transfer
from grader.checks import load_beside
from grader.course import Course
from grader.inside import codec
from grader.inside.modules import close_modules, open_modules
from grader.inside.probing import call
from tests.support import amount
from tests.support.odd import SHORTLIST, lies, places, put, replaced

ROOT = Path(__file__).parents[2]
WEEKS = Course(ROOT).assignments()
# Those that train for a second or more, or move a VGG's weights: one input does for them, and a quarter of the runs.
SLOW = {"test_accuracy", "test_weights", "test_transfer", "test_vgg_logits", "test_vgg"}
ROUNDS = int(os.environ.get("GRADER_FORGERIES", amount.of("25", "600")))  # runs of each check
THOROUGH = ROUNDS > 25  # then what a table excuses is tried as well
INPUTS = 4  # drawn for each check; the last two are used, since Hypothesis begins with the simplest


def checks() -> Iterator[tuple[str, Callable[..., None]]]:
    """Every check of every week."""
    for week, path in ((week, path) for week, assignment in WEEKS.items() for path in assignment.check_files):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hypothesis, "given", noted)
            module = load_beside(str(path), path.stem)
        for name, check in vars(module).items():
            if name.startswith("test_"):
                yield f"{week}::{path.stem}::{name}", check


def noted(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis's decorator for a check; the check keeps what it draws from."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        drawing = given(**strategies)(check)
        drawing.strategies = strategies  # type: ignore[attr-defined]
        return drawing

    return decorate


CHECKS = dict(checks())


class Run(NamedTuple):
    """One run of a probe in a check, and the reference's evidence, encoded."""

    probe: str
    evidence: bytes


class Reference:
    """A week's reference. What it gave honestly is kept by what it was asked; forgeries may lead to other questions."""

    def __init__(self, week: str) -> None:
        self.modules = open_modules(ROOT / "solutions" / week, week)
        self.kept: dict[bytes, bytes] = {}

    def answer(self, probe: Any, args: Any, kwargs: Any, *, keep: bool) -> bytes:
        name = f"{probe.__module__} {probe.__qualname__}"
        key = hashlib.sha256(codec.encode([name, list(args), kwargs])).digest()
        if key in self.kept:
            return self.kept[key]
        evidence = codec.encode(call(probe, self.modules, 0, args, kwargs))
        if keep:
            self.kept[key] = evidence
        return evidence


class Honest:
    """The reference as a student, with a note of every run."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.runs: list[Run] = []

    def run(self, probe: Any, *args: Any, **kwargs: Any) -> Any:
        evidence = self.reference.answer(probe, args, kwargs, keep=True)
        self.runs.append(Run(f"{probe.__module__.removeprefix('grader_checks.')} {probe.__qualname__}", evidence))
        return codec.decode(evidence)

    run_fresh = run


class Forger:
    """A student whose evidence is right but for what `forge(number, evidence)` makes of the numbered run's."""

    def __init__(self, reference: Reference, forge: Callable[[int, Any], Any]) -> None:
        self.reference = reference
        self.forge = forge
        self.asked = 0

    def run(self, probe: Any, *args: Any, **kwargs: Any) -> Any:
        evidence = codec.decode(self.reference.answer(probe, args, kwargs, keep=False))
        self.asked += 1
        return self.forge(self.asked - 1, evidence)

    run_fresh = run


@pytest.fixture(scope="module")
def references() -> Iterator[Callable[[str], Reference]]:
    """The reference of a week; one week is open at a time."""
    opened: dict[str, Reference] = {}

    def of(week: str) -> Reference:
        if week not in opened:
            close()
            opened[week] = Reference(week)
        return opened[week]

    def close() -> None:
        while opened:
            close_modules(opened.popitem()[1].modules)

    yield of
    close()


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """The digits that a generator draws in some state are the same in the next run."""

    def remembered(draw: Callable[..., Any]) -> Callable[..., Any]:
        drawn: dict[Any, Any] = {}

        def again(generator: torch.Generator, *size: int) -> Any:
            key = bytes(generator.get_state().numpy().data), size
            if key not in drawn:
                drawn[key] = draw(generator, *size), generator.get_state()
            found, state = drawn[key]
            generator.set_state(state)
            return found

        return again

    with pytest.MonkeyPatch.context() as patch:
        for module in (digits, transfer):
            patch.setattr(module, "draw", remembered(module.draw))
        yield


def is_slow(name: str) -> bool:
    return name.rpartition("::")[2] in SLOW


@cache
def judge_of(name: str) -> tuple[Callable[..., None], list[dict[str, Any]]]:
    """The check's own function, and inputs for it. An `rng` is given as its seed."""
    check = CHECKS[name]
    handle = getattr(check, "hypothesis", None)
    judge = handle.inner_test if handle else check
    drawn = check.strategies if handle else {"rng": st.integers(0, 99)}  # type: ignore[attr-defined]
    wanted = judge.__code__.co_varnames[: judge.__code__.co_argcount]
    inputs: list[dict[str, Any]] = []

    @settings(max_examples=INPUTS, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.fixed_dictionaries({key: value for key, value in drawn.items() if key in wanted}))
    def collect(one: dict[str, Any]) -> None:
        inputs.append(one)

    collect()
    return judge, inputs[-1:] if is_slow(name) else inputs[-2:]


def passes(name: str, student: Any, inputs: dict[str, Any]) -> bool:
    """Whether a check passes; anything but an AssertionError means that it is broken."""
    judge, _ = judge_of(name)
    rng = {"rng": torch.Generator().manual_seed(inputs["rng"])} if "rng" in inputs else {}
    try:
        judge(**{"student": student, **inputs, **rng})
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("name", CHECKS)
def test_odd_evidence_never_crashes_a_check(name: str, references: Callable[[str], Reference]) -> None:
    reference, (_, inputs) = references(name.partition("::")[0]), judge_of(name)
    assert all(honest_runs(name, reference))
    for seed in range(ROUNDS // 4 if is_slow(name) else ROUNDS):
        draw = random.Random(f"{name} {seed}")

        def forge(_: int, evidence: Any, draw: random.Random = draw) -> Any:
            return codec.decode(codec.encode(replaced(draw, evidence))) if draw.random() < 0.7 else evidence

        try:
            passes(name, Forger(reference, forge), inputs[seed % len(inputs)])
        except Exception as error:
            error.add_note(f"with forgery {seed}")
            raise


@pytest.mark.parametrize("name", [name for name in CHECKS if THOROUGH or not is_slow(name)])
def test_no_kind_of_value_at_any_place_crashes_a_check(name: str, references: Callable[[str], Reference]) -> None:
    """On each push one kind of value at each place, another one for each run of a probe; all of them where thorough."""
    reference, draw = references(name.partition("::")[0]), random.Random(name)
    runs, inputs = max(honest_runs(name, reference), key=lambda found: sum(len(run.evidence) for run in found[0]))
    met: set[tuple[str, str]] = set()
    for number, run in enumerate(runs):
        for place, path, _ in places(codec.decode(run.evidence)):
            if (run.probe, place) in met and not THOROUGH:
                continue
            met.add((run.probe, place))
            for value in SHORTLIST if THOROUGH else draw.sample(SHORTLIST, 1):

                def forge(at: int, evidence: Any, number: int = number, path: Any = path, value: Any = value) -> Any:
                    return put(evidence, path, value) if at == number else evidence

                try:
                    passes(name, Forger(reference, forge), inputs)
                except Exception as error:
                    error.add_note(f"with {value!r} at {place!r} of run {number} ({run.probe})")
                    raise


class Kind(NamedTuple):
    """A place in a probe's evidence, and a way of lying there."""

    probe: str
    place: str
    way: str


TRAINED = "it is judged by what all trained weights together read"
CHANCE = "any logits at chance will do before training"
TOLERANT = "of many numbers one may be wrong: a threshold or a tolerance is for them all"
SHOWN = "it is shown to the student, and earns nothing"
OWN_LOOPS = "it counts where fit calls neither loop; such a fit is run once more, without stand-ins"
DRAWN = "all plots are described alike, and each check looks at what it asks for; a matrix may be drawn in many ways"
ANY = "any will do but none, or one that is zero or names no choice"
RANDOM = "a new head and dropout are random, and so is what comes of them"
NAMED = "it tells in a message which layers there are where one is missing"
CUT = "it counts where fit breaks down before its last call"
OPEN = "the contract leaves this buffer open"

# Places of the evidence that no check judges, each with the reason: patterns of probe, place and way of lying.
UNJUDGED = {
    ("*.probes *_layers", "layers*", "*"): NAMED,
    ("*.probes_training handed_on", "ended", "*"): CUT,
    ("*.probes* trained_weights", "after.*", "* number*"): TRAINED,
    ("*.probes* trained_weights", "stats.*", "another value"): TRAINED,
    ("*.probes_transfer fine_tuned", "after.*", "* number*"): TRAINED,
    ("*.probes* trained_weights", "before.*", "* number*"): CHANCE,
    ("*.probes_transfer fine_tuned", "before.*", "* number*"): CHANCE,
    ("*.week4.probes predictions_with", "untrained", "* number*"): CHANCE,
    ("*.week5.probes logits_with", "untrained", "* number*"): CHANCE,
    ("*.week4.probes fcnn_logits", "", "* number*"): CHANCE,
    ("*.week4.probes predictions_with", "logits", "another number"): TOLERANT,
    ("*.week5.probes logits_with", "logits", "another number"): TOLERANT,
    ("*.probes* trained_weights", "logits", "another number"): TOLERANT,
    ("*.week5.probes plot_*", "axes.*.pictures.*", "another number"): TOLERANT,
    ("*.probes* trained_weights", "losses*", "*"): SHOWN,
    ("*.probes* trained_weights", "own*", "*"): SHOWN,
    ("*.probes_transfer fine_tuned", "losses*", "*"): SHOWN,
    ("*.probes_transfer fine_tuned", "own*", "*"): SHOWN,
    ("*.week5.probes plot_*", "type", "*"): SHOWN,
    ("*.probes* fitted", "calls", "emptied"): OWN_LOOPS,
    ("*.week4.probes fitted", "weight", "*"): OWN_LOOPS,
    ("*.week4.probes fitted", "device", "*"): OWN_LOOPS,
    ("*.week4.probes fitted", "inputs*", "*"): OWN_LOOPS,
    ("*.week4.probes fitted", "labels*", "*"): OWN_LOOPS,
    ("*.week6.probes_training handed_on", "device", "*"): OWN_LOOPS,
    ("*.week6.probes_training handed_on", "inputs*", "*"): OWN_LOOPS,
    ("*.week6.probes_training handed_on", "labels*", "*"): OWN_LOOPS,
    ("*.week4.probes_hidden fitted", "state*", "*"): OWN_LOOPS,
    ("*.week5.probes plot_*", "axes.*.box*", "*"): DRAWN,
    ("*.week5.probes plot_*", "axes.*.meshes", "another type"): DRAWN,
    ("*.week5.probes plot_*", "axes.*.names*", "*"): DRAWN,
    ("*.week5.probes plot_*", "axes.*.texts*", "*"): DRAWN,
    ("*.week5.probes plot_confusion_matrix", "axes.*.pictures*", "*"): DRAWN,
    ("*.week5.probes_hidden plotted", "axes.*.drawn", "*"): DRAWN,
    ("*.week5.probes_hidden plotted", "axes.*.meshes", "*"): DRAWN,
    ("*.week5.probes lenet_gradients", "*", "another value"): ANY,
    ("*.week5.probes* *_error", "message", "another value"): ANY,
    ("*.week6.probes_transfer swapped", "*", "* number*"): RANDOM,
    ("*.week6.probes_hidden head_swapped", "outputs", "* number*"): RANDOM,
    ("*.week6.probes_vgg vgg_logits", "twice.*", "* number*"): RANDOM,
    ("*.week6.probes_vgg layer_parts", "buffers.num_batches_tracked", "*"): OPEN,
    ("*.week6.probes_vgg vgg_shapes", "*.num_batches_tracked", "another type"): OPEN,
}


def excuse(kind: Kind) -> str:
    """Why a lie of that kind may pass every check, or nothing."""
    return next((why for patterns, why in UNJUDGED.items() if all(map(fnmatchcase, kind, patterns))), "")


def honest_runs(name: str, reference: Reference) -> Iterator[tuple[list[Run], dict[str, Any]]]:
    """What a check asks of the reference, which passes, with each of its inputs."""
    for inputs in judge_of(name)[1]:
        honest = Honest(reference)
        assert passes(name, honest, inputs)
        yield honest.runs, inputs


def judged_kinds(name: str, reference: Reference) -> Iterator[tuple[Kind, str, bool]]:
    """Each kind of lie, where it was told in a check, and whether the check fails.

    Of places with the same name the first is tried with every lie, another and the last with one. Of later runs of the
    same probe only the whole evidence is replaced.
    """
    runs, inputs = max(honest_runs(name, reference), key=lambda found: sum(len(run.evidence) for run in found[0]))
    draw, met = random.Random(name), set()
    for number, run in enumerate(runs):
        alike: dict[str, list[tuple[Any, Any]]] = {}
        for place, path, part in places(codec.decode(run.evidence)):
            alike.setdefault(place, []).append((path, part))
        for place, found in alike.items():
            again = (run.probe, place) in met
            met.add((run.probe, place))
            chosen = [found[0], draw.choice(found), found[-1]][: len(found)] if not (again and place) else []
            for nth, (path, part) in enumerate(chosen):
                told = list(lies(draw, part))
                for way, lie in told[:1] if again else [draw.choice(told)] if nth else told:
                    kind = Kind(run.probe, re.sub(r"<\d+>", "*", place), way)
                    if excuse(kind) and not THOROUGH:
                        continue

                    def forge(at: int, evidence: Any, number: int = number, path: Any = path, lie: Any = lie) -> Any:
                        return put(evidence, path, lie) if at == number else evidence

                    yield kind, f"run {number} {place}", not passes(name, Forger(reference, forge), inputs)


@pytest.mark.parametrize("week", WEEKS)
def test_every_part_of_the_evidence_counts_in_some_check(week: str, references: Callable[[str], Reference]) -> None:
    judged: dict[Kind, bool] = {}
    idle = []  # runs whose evidence nobody looks at
    for name in (name for name in CHECKS if name.startswith(f"{week}::")):
        results: dict[tuple[Kind, str], bool] = {}
        for kind, where, fails in judged_kinds(name, references(week)):
            results[kind, where] = results.get((kind, where), True) and fails
        for (kind, where), fails in results.items():
            judged[kind] = judged.get(kind, False) or fails
            if not fails and not kind.place and kind.way == "another type":
                idle.append(f"{name}, {where}: {kind.probe}")
    assert not idle
    assert sorted(kind for kind, fails in judged.items() if not fails and not excuse(kind)) == []
    if THOROUGH:  # no line of the table is idle either
        passing = [kind for kind, fails in judged.items() if not fails]
        used = [patterns for patterns in UNJUDGED for kind in passing if all(map(fnmatchcase, kind, patterns))]
        assert [patterns for patterns in UNJUDGED if f".{week}." in patterns[0] and patterns not in used] == []
