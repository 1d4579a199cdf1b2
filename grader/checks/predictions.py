"""Draws predictions of which some are wrong, and judges what a function finds among them."""

from __future__ import annotations

from typing import Any

import torch

from grader.checks import expect
from grader.inside import says


def guesses(
    gen: torch.Generator, count: int, classes: int, wrong: int, side: int = 4
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw images N×1×side×side, labels and probabilities; exactly `wrong` of the rows, at any place, are mistaken."""
    probs = torch.rand(count, classes, generator=gen).softmax(1)
    labels = probs.argmax(1)
    mistaken = torch.randperm(count, generator=gen)[:wrong]
    labels[mistaken] = (labels[mistaken] + 1) % classes
    return torch.rand(count, 1, side, side, generator=gen), labels, probs


def entries(images: torch.Tensor, labels: torch.Tensor, probs: torch.Tensor) -> list[tuple[Any, ...]]:
    """Return `(image, label, probs)` of each image, the label as an int."""
    return [*zip(images, labels.tolist(), probs, strict=True)]


def judge_mistakes(got: Any, images: torch.Tensor, labels: torch.Tensor, probs: torch.Tensor, most: int) -> None:
    """What was returned are the wrong predictions that a model is surest of: `(image, true label, probs)`, each once.

    There are `most`, or fewer where fewer are wrong, in falling order of confidence; of equal ones any may come first.
    """
    confidence, predicted = probs.max(1)
    mistakes = predicted != labels
    wanted = confidence[mistakes].sort(descending=True).values[:most]
    many = says(f"where {int(mistakes.sum())} predictions are wrong")
    empty = says("[] is what is left where no prediction is wrong") if got is None and not len(wanted) else None
    expect.true(empty is None, f"what is returned {many} is None", because=empty)
    found = expect.items(got, None, f"what is returned {many}")
    expect.integer(len(found), len(wanted), says(f"the number of entries for n={most} {many}"))
    places = [_place_of(entry, images, labels, probs) for entry in found]
    expect.true(len({*places}) == len(places), "an entry appears twice")
    came = confidence[places]
    if not expect.same_values(came, wanted, rtol=0, atol=1e-5):
        orders = _orders(confidence, labels, probs, most)
        same = [name for name, order in orders.items() if expect.same_values(came, order[: len(came)])]
        because = says(f"this is {same[0]}") if same else None
        expect.fail("the most confident mistake does not come first", expected=wanted, got=came, because=because)


def _place_of(entry: Any, images: torch.Tensor, labels: torch.Tensor, probs: torch.Tensor) -> int:
    """Return where an entry stands in the data, which is to be a wrong prediction, as it stands there."""
    image, label, row = expect.items(entry, 3, "an entry, (image, true label, probs)")
    order = type(label) is not torch.Tensor or label.numel() == 1
    expect.true(order, "an entry's parts are in another order: (image, true label, probs)")
    expect.tensor(image, says("an entry's image"), shape=images.shape[1:])
    place = int((images - image.float()).abs().flatten(1).sum(1).argmin())
    expect.close(image, images[place], "an entry's image")
    single = type(row) is not torch.Tensor or row.numel() == 1
    expect.true(not single, "an entry's third part is one number: it is the whole row of probs")
    expect.close(row, probs[place], "an entry's probs")
    value = label.item() if type(label) is torch.Tensor and label.numel() == 1 else expect.whole(label)
    expect.true(type(value) is int, "an entry's label is not an int or a 0-d tensor", got=label)
    true, predicted = int(labels[place]), int(probs[place].argmax())
    expect.true(not value == predicted != true, "an entry holds the predicted label: the true one is asked for")
    expect.equal(value, true, "an entry's true label")
    expect.true(predicted != true, "an entry was predicted correctly: wrong predictions are asked for")
    return place


def _orders(confidence: torch.Tensor, labels: torch.Tensor, probs: torch.Tensor, most: int) -> dict[str, torch.Tensor]:
    """Return the confidences of the mistakes in the orders that programs give by mistake."""
    mistakes = probs.argmax(1) != labels
    sure = confidence[mistakes]
    given = probs[range(len(labels)), labels][mistakes]
    by_label, by_lead = (order.argsort(descending=True) for order in (given, sure - given))
    return {
        says("the order turned round"): sure.sort().values,
        says("the order of the data: sort all mistakes by confidence"): sure,
        says("the order of the true label's probability: sort by that of the predicted label"): sure[by_label],
        says("the order of the lead over the true label: sort by the largest probability itself"): sure[by_lead],
        says("the order of the data, cut to n and then sorted: sort all mistakes first"): sure[:most]
        .sort(descending=True)
        .values,
    }
