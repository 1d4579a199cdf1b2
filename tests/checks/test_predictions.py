"""The most confident mistakes are judged whatever program found them, and a wrong choice is told by its mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from grader.checks import predictions, seeds
from grader.checks.expect import CheckFailed

IMAGES, LABELS, PROBS = predictions.guesses(seeds.generator(4), 20, 4, 8)
SURE, TAKEN = PROBS.max(1)
WRONG = (TAKEN != LABELS).nonzero().flatten()
ALL = predictions.entries(IMAGES, LABELS, PROBS)


def chosen(order: torch.Tensor) -> list[Any]:
    return [ALL[place] for place in order.tolist()]


def best(places: torch.Tensor) -> torch.Tensor:
    return places[SURE[places].argsort(descending=True)]


def test_exactly_so_many_guesses_are_wrong() -> None:
    assert len(WRONG) == 8
    for wrong in (0, 3):
        _, labels, probs = predictions.guesses(seeds.generator(0), 9, 3, wrong)
        assert int((probs.argmax(1) != labels).sum()) == wrong


def test_the_most_confident_mistakes_pass_with_labels_of_any_kind() -> None:
    judge(chosen(best(WRONG)[:5]))
    judge([(image, torch.tensor(label), row) for image, label, row in chosen(best(WRONG)[:5])])
    predictions.judge_mistakes([], IMAGES, TAKEN, PROBS, 5)


def judge(got: Any, most: int = 5) -> None:
    predictions.judge_mistakes(got, IMAGES, LABELS, PROBS, most)


@pytest.mark.parametrize(
    ("got", "told"),
    [
        (lambda: chosen(best(WRONG).flip(0)[:5]), "this is the order turned round"),
        (lambda: chosen(WRONG[:5]), "the order of the data: sort all mistakes"),
        (lambda: chosen(best(WRONG[:5])), "cut to n and then sorted"),
        (lambda: chosen(WRONG[(SURE - PROBS[range(20), LABELS])[WRONG].argsort(descending=True)][:5]),
         "the lead over the true label"),
        (lambda: chosen(best(WRONG)), "the number of entries for n=5 where 8 predictions are wrong"),
        (lambda: chosen(torch.arange(20)[TAKEN == LABELS][:5]), "was predicted correctly"),
        (lambda: chosen(best(WRONG)[[0, 0, 1, 2, 3]]), "an entry appears twice"),
        (lambda: [(image, int(TAKEN[n]), row) for n, (image, _, row) in
                  zip(best(WRONG)[:5].tolist(), chosen(best(WRONG)[:5]), strict=True)], "the predicted label"),
        (lambda: [(image, row, label) for image, label, row in chosen(best(WRONG)[:5])], "in another order"),
        (lambda: [(image, label, row.max()) for image, label, row in chosen(best(WRONG)[:5])], "the whole row"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_told(got: Callable[[], Any], told: str) -> None:
    with pytest.raises(CheckFailed) as failure:
        judge(got())
    assert told in f"{failure.value.summary} {failure.value.because}"


def test_none_where_nothing_is_wrong_is_told_what_is_left() -> None:
    with pytest.raises(CheckFailed) as failure:
        predictions.judge_mistakes(None, IMAGES, TAKEN, PROBS, 5)
    assert failure.value.because == "[] is what is left where no prediction is wrong"
