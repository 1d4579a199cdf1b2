"""A right split passes what judges splits, and each usual mistake is told by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset, Subset

from grader.checks import seeds, splits
from grader.checks.expect import CheckFailed
from grader.inside import codec, kit

LABELS = splits.labels_for(seeds.generator(2), 50)
Split = Callable[[Any, float], Any]


def parts_of(order: list[int], cut: int) -> Split:
    return lambda data, ratio: (Subset(data, order[:cut]), Subset(data, order[cut:]))


ORDER = torch.randperm(50, generator=seeds.generator(5)).tolist()


def message(judge: Callable[..., None], *args: Any, **more: Any) -> str:
    with pytest.raises(CheckFailed) as failure:
        judge(*args, **more)
    return f"{failure.value.summary} | {failure.value.because or ''}"


def evidence(split: Split, data: Dataset[Any] | None = None, ratio: float = 0.7) -> Any:
    return codec.decode(codec.encode(kit.split_items(split(data or kit.Numbers(LABELS), ratio))))


def judged(split: Split, ratio: float | None = 0.7, **more: Any) -> None:
    splits.judge_parts(*splits.numbers_of(evidence(split), LABELS, "split"), len(LABELS), ratio, **more)


def test_a_right_split_passes() -> None:
    judged(parts_of(ORDER, 35))
    judged(parts_of(ORDER, 35), None, default=0.7)


@pytest.mark.parametrize(
    ("split", "told"),
    [
        (parts_of([*range(50)], 35), "the training part is not random"),
        (parts_of(ORDER, 15), "of the other part: training comes first"),
        (parts_of(ORDER, 45), "for a ratio of 0.9, whatever train_ratio is given"),
        (parts_of([*ORDER[:35], *ORDER[:15]], 35), "15 of the 50 items are in both parts"),
        (parts_of(ORDER[:-1], 35), "an item is in neither part"),
        (parts_of(ORDER[:-3], 35), "3 of the 50 items are in neither part"),
        (lambda data, ratio: data, "split returns no pair"),
        (lambda data, ratio: (ORDER[:35], ORDER[35:]), "these are indices, and not the dataset's items"),
    ],
)
def test_a_wrong_split_is_told_by_its_mistake(split: Split, told: str) -> None:
    assert told in message(judged, split)


def test_the_length_of_a_part_is_told_by_how_it_was_rounded() -> None:
    short = [number for number in ORDER if number < 49]
    for cut, told in ((35, "rounded up, where int"), (34, "")):
        train, valid = short[:cut], short[cut:]
        judge = [train, valid, 49, 0.7]
        if told:
            assert told in message(splits.judge_parts, *judge)
        else:
            splits.judge_parts(train, valid, 49, 0.7)


def test_transforms_are_told_by_their_marks() -> None:
    def shared(data: Any, other: str) -> Any:
        return Subset(data, ORDER[:35]), Subset(kit.Numbers(LABELS, kit.Mark(other) if other else None), ORDER[35:])

    names = "split", "its own", "test_transform"
    training = kit.Numbers(LABELS, kit.Mark("train"))
    splits.judge_transforms(evidence(lambda data, _: shared(data, "test"), training), LABELS, *names)
    same = evidence(lambda data, _: shared(data, "train"), training)
    told = message(splits.judge_transforms, same, LABELS, *names)
    assert told.startswith("the validation part goes through its own, and not through test_transform")
    none = evidence(lambda data, _: shared(data, ""), training)
    assert "goes through no transform at all" in message(splits.judge_transforms, none, LABELS, *names)
    both = evidence(lambda data, _: shared(data, "test"), kit.Numbers(LABELS, kit.Mark("test")))
    assert "do both parts share one dataset?" in message(splits.judge_transforms, both, LABELS, *names)
    exchanged = evidence(lambda data, _: shared(data, "test")[::-1], training)
    assert "they are exchanged" in message(splits.judge_transforms, exchanged, LABELS, *names)


def test_a_seed_repeats_and_another_one_differs() -> None:
    splits.judge_seeds([3, 1], [3, 1], [2, 1])
    assert "two splits with the same seed differ" in message(splits.judge_seeds, [3, 1], [1, 3], [2, 1])
    assert "`seed` does not matter" in message(splits.judge_seeds, [3, 1], [3, 1], [1, 3])
