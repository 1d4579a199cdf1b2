"""Judges how a dataset is split, by what `kit.split_items` tells of the parts of a `kit.Numbers`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from grader.checks import expect
from grader.inside import says

Marked = list[tuple[int, Any]]
TRAINING, VALIDATION = says("the training part"), says("the validation part")


def labels_for(gen: torch.Generator, length: int) -> list[int]:
    """Draw labels for a `kit.Numbers`, so many that hardly two are the same."""
    labels: list[int] = torch.randint(10**6, (length,), generator=gen).tolist()
    return labels


def marked_of(got: Any, labels: Sequence[int], name: str) -> tuple[Marked, Marked]:
    """Return what is in both parts, as (number, mark): each is an item of the dataset, with its label.

    `name` is that of the student's function. The mark is None where no transform has left one.
    """
    kind = got.get("returned") if type(got) is dict else None
    if type(kind) is str:
        expect.fail(f"{name} returns no pair: two parts in a tuple are expected", form=True,
                    expected="(training, validation)", got=kind)  # fmt: skip
    return _marked(expect.field(got, "train"), TRAINING, labels), _marked(
        expect.field(got, "valid"), VALIDATION, labels
    )


def _marked(items: Any, what: str, labels: Sequence[int]) -> Marked:
    found: Marked = []
    for item in expect.items(items, None, what):
        bare = type(item) is int
        expect.true(not bare, f"{what}: these are indices, and not the dataset's items: Subset(dataset, indices)")
        value, label = expect.items(item, 2, f"an item of {what}")
        number, mark = (value, None) if type(value) is int else expect.items(value, 2, f"an item of {what}")
        expect.instance(number, int, says(f"a number of {what}"))
        expect.instance(mark, (str, type(None)), says(f"a mark of {what}"))
        expect.true(0 <= number < len(labels), f"an item of {what} is none of the dataset's", got=number)
        expect.equal(label, labels[number], f"a label of {what}")
        found.append((number, mark))
    return found


def numbers_of(got: Any, labels: Sequence[int], name: str) -> tuple[list[int], list[int]]:
    """Return the numbers in both parts, whatever was made of them by transforms."""
    train, valid = marked_of(got, labels, name)
    return [number for number, _ in train], [number for number, _ in valid]


def judge_parts(
    train: Sequence[int], valid: Sequence[int], length: int, ratio: float | None, default: float = 0.9
) -> None:
    """The parts are random, and hold each of `length` items once, `int(length * ratio)` of them for training.

    Where `ratio` is None it is the function's `default` that counts.
    """
    _judge_length(len(train), length, ratio, default)
    both = sorted({*train} & {*valid})
    expect.true(not both, f"{len(both)} of the {length} items are in both parts", got=both[:5])
    lost = sorted(set(range(length)) - {*train, *valid})
    neither = (
        says(f"{len(lost)} of the {length} items are in neither part")
        if len(lost) > 1
        else says("an item is in neither part")
    )
    expect.true(not lost, f"{neither}: validation gets every item that training does not", got=lost[:5])
    expect.equal(sorted([*train, *valid]), list(range(length)), "the items of both parts together")
    expect.true(sorted(train) != list(range(len(train))), "the training part is not random: it is the first items")


def _judge_length(found: int, length: int, ratio: float | None, default: float) -> None:
    what = says(f"the length of the training part of {length} items with train_ratio={ratio}")
    if ratio is None:
        what = says(f"the length of the training part of {length} items where train_ratio is not given ({default})")
        ratio = default
    want, nearest, up = int(length * ratio), round(length * ratio), math.ceil(length * ratio)
    slips = {
        says("rounded, where int(len * ratio) cuts"): up if nearest == up else None,
        says("rounded to the nearest, where int(len * ratio) cuts"): nearest if nearest != up else None,
        says("rounded up, where int(len * ratio) cuts"): up if nearest != up else None,
        says("of the whole dataset: training gets int(len * ratio) items, validation the others"): length,
        says("of the other part: training comes first"): length - want,
        says(f"for a ratio of {default}, whatever train_ratio is given"): int(length * default),
    }
    expect.integer(found, want, what, context={name: value for name, value in slips.items() if value is not None})


def judge_seeds(first: Sequence[int], again: Sequence[int], other: Sequence[int]) -> None:
    """The training parts of one seed are the same, and that of another seed is not."""
    same = says("two splits with the same seed differ: the split draws from a generator that `seed` does not seed")
    expect.true(list(again) == list(first), same)
    expect.true(sorted(other) != sorted(first), "two seeds give the same split: `seed` does not matter")


def judge_transforms(got: Any, labels: Sequence[int], name: str, own: str, other: str) -> None:
    """The training part went through the dataset's own transform, a `kit.Mark("train")`, the other through "test".

    `own` and `other` are what the student calls these two.
    """
    train, valid = ({mark for _, mark in part} for part in marked_of(got, labels, name))
    exchanged = train == {"test"} and valid == {"train"}
    expect.true(not exchanged, f"the training part goes through {other}, and the validation part does not: "
                "they are exchanged")  # fmt: skip
    for marks, mark, part in ((train, "train", TRAINING), (valid, "test", VALIDATION)):
        wanted, instead = (own, other) if mark == "train" else (other, own)
        instead = says("no transform at all") if marks == {None} else instead
        copy = says("do both parts share one dataset? Give validation a copy.deepcopy of it")
        expect.true(marks == {mark}, f"{part} goes through {instead}, and not through {wanted}",
                    because=copy if mark == "train" else None)  # fmt: skip
