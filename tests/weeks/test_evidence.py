"""No check crashes over evidence of any kind, every part of the evidence counts in some check, and facts earn nothing.

The reference is asked once for each check; forgeries are made of what it gave. By default a third of all kinds of lies
is told, and some values at some places; with GRADER_ALL=1 all of them.
"""

from __future__ import annotations

import os
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from fixtures import digits, transfer
from grader.inside import codec
from grader.inside.modules import close_modules
from tests.support import amount
from tests.support.odd import SHORTLIST, lies, places, put, replaced
from tests.weeks.asked import CHECKS, WEEKS, Honest, Reference, Run, is_slow, judge_of, name_of, passes, points_of

ROUNDS = int(os.environ.get("GRADER_FORGERIES", amount.of("8", "600")))  # runs of each check
PLACES = 12  # of a check's evidence that get a value of another kind, where not thorough
LIES = 3  # one in so many kinds of lies is told, where not thorough
THOROUGH = ROUNDS > 25  # then what a table excuses is tried as well


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
    """The reference of a week; one week is open at a time, and what it gave is there when it is opened again."""
    opened: dict[str, Reference] = {}
    kept: dict[str, dict[bytes, bytes]] = {week: {} for week in WEEKS}

    def of(week: str) -> Reference:
        if week not in opened:
            close()
            opened[week] = Reference(week, kept[week])
        return opened[week]

    def close() -> None:
        while opened:
            close_modules(opened.popitem()[1].modules)

    yield of
    close()
    HONEST.clear()


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


HONEST: dict[tuple[str, int], list[Run]] = {}  # what a check asks of the reference, by check and number of the input


def inputs_of(name: str) -> list[dict[str, Any]]:
    """The last two of a check's inputs, since Hypothesis begins with the simplest; of a slow one the last alone."""
    return judge_of(name)[1][-1:] if is_slow(name) else judge_of(name)[1][-2:]


def honest_run(name: str, inputs: dict[str, Any], reference: Reference) -> list[Run]:
    """What a check asks of the reference, which passes, with these of its inputs."""
    key = name, [one is inputs for one in judge_of(name)[1]].index(True)
    if key not in HONEST:
        honest = Honest(reference)
        assert passes(name, honest, inputs)
        HONEST[key] = honest.runs
    return HONEST[key]


@pytest.mark.parametrize("name", CHECKS)
def test_odd_evidence_never_crashes_a_check(name: str, references: Callable[[str], Reference]) -> None:
    reference, inputs = references(name.partition("::")[0]), inputs_of(name)
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
    """On each push one kind of value at some places of each check; all kinds at all places where thorough."""
    reference, draw = references(name.partition("::")[0]), random.Random(name)
    runs, inputs = max(honest_runs(name, reference), key=lambda found: sum(len(run.evidence) for run in found[0]))
    found = [(number, *place) for number, run in enumerate(runs) for place in places(codec.decode(run.evidence))]
    if not THOROUGH:
        named = {(runs[number].probe, place): (number, place, path, part) for number, place, path, part in found[::-1]}
        found = draw.sample([*named.values()], min(PLACES, len(named)))
    for number, place, path, _ in found:
        for value in SHORTLIST if THOROUGH else draw.sample(SHORTLIST, 1):

            def forge(at: int, evidence: Any, number: int = number, path: Any = path, value: Any = value) -> Any:
                return put(evidence, path, value) if at == number else evidence

            try:
                passes(name, Forger(reference, forge), inputs)
            except Exception as error:
                error.add_note(f"with {value!r} at {place!r} of run {number} ({runs[number].probe})")
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
HANDED = "here it matters which loops fit calls; what the model answers at a call is judged by handed_on"
MOVED = "of these averages it is asked whether they move; the value of one of them is judged"
DETACHED = "gradients may be recorded where what is returned belongs to no graph"
ONE = "one picture of those that were drawn for this run shows that it was made"

# Places of the evidence that no check judges, each with the reason: patterns of probe, place and way of lying.
UNJUDGED = {
    ("*.probes* *_layers", "layers*", "*"): NAMED,
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
    ("*.week5.probes* plot*", "type", "*"): SHOWN,
    ("*.probes* fitted", "calls", "emptied"): OWN_LOOPS,
    ("*.week4.probes fitted", "calls.*.*", "another value"): OWN_LOOPS,
    ("*.week4.probes fitted", "first", "another type"): OWN_LOOPS,
    ("*.week6.probes_training handed_on", "first", "another type"): OWN_LOOPS,
    ("*.week6.probes_training fitted", "calls.*.*", "* number*"): HANDED,
    ("*.week5.probes beside_another", "pictures.*", "*"): ONE,
    ("*.week5.probes_hidden predictions", "grad_modes*", "*"): DETACHED,
    ("*.week5.probes_hidden plotted", "axes.*.pictures.*", "* number*"): DRAWN,
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
    ("*.week5.probes_hidden plotted", "axes.*.count", "*"): DRAWN,
    ("*.week5.probes_hidden plotted", "axes.*.meshes", "*"): DRAWN,
    ("*.week5.probes lenet_gradients", "*", "another value"): ANY,
    ("*.week5.probes* *_error", "message", "another value"): ANY,
    ("*.week6.probes_transfer swapped", "*", "* number*"): RANDOM,
    ("*.week6.probes_hidden head_swapped", "outputs", "* number*"): RANDOM,
    ("*.week6.probes_vgg vgg_logits", "twice.*", "* number*"): RANDOM,
    ("*.week7.probes_recipe trained_weights", "after", "* number*"): TRAINED,
    ("*.week7.probes_hidden block_run", "running.*", "* number*"): MOVED,
    ("*.week7.probes* plotted", "axes*", "* number*"): TOLERANT,
    ("*.week7.probes_gradcam plotted", "type", "*"): SHOWN,
    ("*.week6.probes_vgg layer_parts", "buffers.num_batches_tracked", "*"): OPEN,
    ("*.week6.probes_vgg vgg_shapes", "*.num_batches_tracked", "another type"): OPEN,
}


def excuse(kind: Kind) -> str:
    """Why a lie of that kind may pass every check, or nothing."""
    return next((why for patterns, why in UNJUDGED.items() if all(map(fnmatchcase, kind, patterns))), "")


def is_told(kind: Kind) -> bool:
    """Whether a sample has this kind of lie, in every check: those of a fixed third, and another type of everything."""
    told = zlib.crc32("\n".join(kind).encode()) % LIES == 0
    return not excuse(kind) and (told or (not kind.place and kind.way == "another type"))


def honest_runs(name: str, reference: Reference) -> Iterator[tuple[list[Run], dict[str, Any]]]:
    """What a check asks of the reference, which passes, with each of its inputs."""
    for inputs in inputs_of(name):
        yield honest_run(name, inputs, reference), inputs


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
                    if not (THOROUGH or is_told(kind)):
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


class Stating:
    """A student who has done none of the work, and knows what the reference answered in another run.

    With `facts` it knows of all that this run asks types, shapes, modes, and how many of each there are. With
    `arguments` it knows also the tensors that are handed to the probe, as whoever rewrites `student.kit` does.
    """

    def __init__(self, reference: Reference, runs: list[Run], known: str) -> None:
        self.reference = reference
        self.runs = runs
        self.known = known
        self.asked = 0

    def run(self, probe: Any, *args: Any, **kwargs: Any) -> Any:
        name = name_of(probe)
        later = [run for run in self.runs[self.asked :] if run.probe == name]
        known = [*later, *(run for run in self.runs if run.probe == name)]
        self.asked += 1
        assert known, "nothing is known of this probe"
        stated = codec.decode(known[0].evidence)
        if not self.known:
            return stated
        given = [*tensors_in([args, kwargs])] if self.known == "arguments" else None
        return with_numbers_of(stated, codec.decode(self.reference.answer(probe, args, kwargs, keep=True)), given)

    run_fresh = run


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """All tensors and arrays in plain data."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        yield torch.as_tensor(value)
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(part)


def holds(given: torch.Tensor, part: torch.Tensor) -> bool:
    """Whether a tensor is another's, or one along its first axes: an image of many."""
    if not part.numel() or not part.dim() or given.shape[given.dim() - part.dim() :] != part.shape:
        return False
    return any(torch.equal(one.double(), part.double()) for one in given.reshape(-1, *part.shape))


def with_numbers_of(stated: Any, right: Any, given: Sequence[torch.Tensor] | None = None) -> Any:
    """The right evidence with all its numbers and texts replaced: by those of another run, where it has them.

    Tensors that were `given` stay, and so does what is the same throughout, as ones are.
    """
    if isinstance(right, dict):
        if not isinstance(stated, dict) or set(stated) != set(right):
            return stated if isinstance(stated, dict) else right
        return {key: with_numbers_of(stated[key], part, given) for key, part in right.items()}
    if isinstance(right, (list, tuple)):
        others = [*stated][: len(right)] if isinstance(stated, (list, tuple)) else []
        others += [None] * (len(right) - len(others))
        return type(right)(with_numbers_of(other, part, given) for other, part in zip(others, right, strict=True))
    if isinstance(right, (torch.Tensor, np.ndarray)):
        own = torch.as_tensor(right)
        same = own.dim() > 0 and bool((own == own.flatten()[:1]).all())
        if given is not None and (same or any(holds(one, own) for one in given)):
            return right
        alike = type(stated) is type(right) and stated.shape == right.shape and stated.dtype == right.dtype
        return stated if alike else right * 0
    if right is None or isinstance(right, bool):
        return right
    return stated if type(stated) is type(right) else type(right)()


# Checks of which arguments and facts are the whole answer, each with the reason.
GIVEN = {
    "week5::test_hidden::test_other_plots": "a figure shows the pictures that are handed in",
    "week5::test_hidden::test_single_entries": "a figure shows the pictures that are handed in",
    "week5::test_week5::test_own_figures": "a figure shows the pictures that are handed in",
    "week5::test_week5::test_plot_most_incorrect": "a figure shows the pictures that are handed in",
    "week6::test_week6_vgg::test_layer_parts": "a new layer's parameters are ones and zeros",
}


@pytest.mark.parametrize("known", ["", "facts", "arguments"], ids=lambda known: known or "replayed")
@pytest.mark.parametrize("week", WEEKS)
def test_what_another_run_has_shown_earns_no_point(
    week: str, known: str, references: Callable[[str], Reference]
) -> None:
    reference, earned = references(week), {}
    for name in (name for name in CHECKS if name.startswith(f"{week}::")):
        inputs = judge_of(name)[1][-2:] if is_slow(name) else judge_of(name)[1]
        runs = [honest_run(name, one, reference) for one in inputs]
        # Each input is answered with what was shown for the next. A check earns its points with all of its inputs.
        others = zip(inputs, [*runs[1:], runs[0]], strict=True)
        if all(passes(name, Stating(reference, shown, known), one) for one, shown in others):
            earned[name] = points_of(name)
    excused = {name for name in GIVEN if name.startswith(week)} if known == "arguments" else set()
    assert set(earned) == excused, earned
