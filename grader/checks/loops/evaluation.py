"""Judges what an evaluation loop returns: losses, accuracies, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from grader.checks import expect
from grader.checks.loops.descent import losses_of
from grader.checks.loops.modes import judge_evaluation_mode, judge_gradient_mode
from grader.inside import says


def near_one_of(value: Any, wanted: Sequence[float], what: str, **options: Any) -> None:
    """A plain number is near one of several right ones; `options` are those of `expect.near`."""
    number, failures = expect.number(value, what), []
    for want in sorted(wanted, key=lambda want: abs(number - want)):
        try:
            return expect.near(value, want, what, **options)
        except expect.CheckFailed as failure:
            failures.append(failure)
    raise next((failure for failure in failures if failure.because), failures[0])


def pair_of(got: Any, what: str) -> Sequence[Any]:
    """The loss and the accuracy that a loop has returned."""
    return expect.items(expect.field(got, "result"), 2, f"what {what} returns, (loss, accuracy)")


def means(values: torch.Tensor, batch_size: int) -> tuple[float, float]:
    """The mean of N values over batches, and over examples."""
    values = values.double()
    by_batch = torch.stack([part.mean() for part in values.split(batch_size)]).mean().item()
    return by_batch, values.mean().item()


def judge_mean_loss(got: Any, what: str, logits: torch.Tensor, labels: torch.Tensor, batch_size: int) -> None:
    """The loss that an evaluation loop has returned is the mean over batches or over examples."""
    judge_evaluation_mode(got)
    loss, values = pair_of(got, what)[0], losses_of(logits, labels)
    by_batch, by_example = means(values, batch_size)
    sizes = {"batches": -(-len(labels) // batch_size), "examples": len(labels)}
    hits = (logits.argmax(1) == labels).double()
    slips = {
        says("of the last batch alone"): values.split(batch_size)[-1].mean().item(),
        says("of the first batch alone: add up over the batches"): values[:batch_size].mean().item(),
        says("of the batches' losses added up and divided by the examples"): by_batch * sizes["batches"] / len(labels),
        says("of the accuracy: the order is (loss, accuracy)"): 100 * hits.mean().item(),
    }
    near_one_of(loss, (by_batch, by_example), says("the loss"), atol=1e-4, sizes=sizes, context=slips)


def judge_percentage(got: Any, what: str, logits: torch.Tensor, labels: torch.Tensor, batch_size: int) -> None:
    """The accuracy that an evaluation loop has returned is that over all examples, in percent."""
    judge_evaluation_mode(got)
    accuracy, hits = pair_of(got, what)[1], (logits.argmax(1) == labels).double()
    by_batch, by_example = means(hits, batch_size)
    full = 100 * hits.sum().item() / (-(-len(labels) // batch_size) * batch_size)
    slips = {
        says("of the mean over batches"): 100 * by_batch,
        says("of the number of hits"): hits.sum().item(),
        says("cut to whole percents: / divides, // cuts"): float(int(100 * by_example)),
        says("rounded to whole percents: return it as it is"): float(round(100 * by_example)),
        says("of the last batch alone: add up over the batches"): 100 * hits.split(batch_size)[-1].mean().item(),
        says("of the first batch alone: add up over the batches"): 100 * hits[:batch_size].mean().item(),
        says("of the last batch's hits alone: add up over the batches"): 100
        * hits.split(batch_size)[-1].sum().item()
        / len(labels),
        says("of a last batch that is counted as if it were full: divide by len(loader.dataset)"): full,
    }
    expect.near(accuracy, 100 * by_example, "the accuracy", atol=1e-3, context=slips)


def judge_predictions(
    got: Any, what: str, images: torch.Tensor, labels: torch.Tensor, logits: torch.Tensor, mean: torch.Tensor,
    batch_size: int,
) -> None:  # fmt: skip
    """A loop on a `normed_problem` has returned `(images, labels, probs)` of all batches, and left no trace."""
    found = expect.items(expect.field(got, "result"), 3, f"what {what} returns, (images, labels, probs)")
    kept = expect.tensor(
        expect.field(got, "running_mean"), says("batch normalisation's running mean"), shape=mean.shape
    )
    expect.true(
        expect.same_values(kept.double(), mean.double()),
        "the model was in training mode (dropout was on): call model.eval() first",
    )
    for value, name in zip(found, ("images", "labels", "probs"), strict=True):
        judge_joined(value, name, len(labels), batch_size)
    turned = torch.cat(images.split(batch_size)[::-1])
    reverse = batch_size < len(labels) and type(found[0]) is torch.Tensor and found[0].shape == images.shape
    last_first = reverse and expect.same_values(found[0].float(), turned)
    expect.true(not last_first, "the batches are joined in another order than they came in: the last one stands first")
    expect.close(found[0], images, "images")
    order = type(found[1]) is not torch.Tensor or found[1].dim() == 1
    expect.true(order, "the second is not labels, one axis long: the order is (images, labels, probs)")
    predicted = {says("that are predicted, and not the true labels"): logits.argmax(1)}
    expect.close(found[1], labels, "labels", dtype=True, context=predicted)
    single = type(found[2]) is torch.Tensor and found[2].dim() == 1
    expect.true(not single, "probs holds one number for each image: the probabilities of all classes are asked for")
    parts = logits.split(batch_size)
    slips = {
        says("of a softmax over the batch: dim=1 is that of the classes"): torch.cat([one.softmax(0) for one in parts]),
        says("of a sigmoid: softmax"): logits.sigmoid(),
        says("rounded: return them as they are"): logits.softmax(1).round(),
    }
    expect.close(found[2], logits.softmax(1), "probs", atol=1e-4, context=slips)
    attached = expect.same(expect.field(got, "attached"), [False] * 3)
    expect.true(attached, "a tensor that is returned requires gradients: detach it, or evaluate under torch.no_grad()")
    judge_gradient_mode(got)


def judge_joined(value: Any, name: str, count: int, batch_size: int) -> None:
    """What a loop has collected of `count` examples is neither a list nor one batch of them."""
    expect.true(type(value) not in (list, tuple), f"{name} is a list of batches: join them with torch.cat")
    length = len(value) if type(value) is torch.Tensor and value.dim() > 0 and batch_size < count else None
    last = length == count % batch_size
    expect.true(not last, f"{name} are those of the last batch alone: collect every batch's and join them")
    expect.true(
        length != batch_size,
        f"{name} are those of the first batch alone: collect every batch's, and return after the loop",
    )
