"""Week 6's public checks of `training.py`, tasks 6.13 to 6.16: 12 of 60 points."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import loops
from fixtures.loops import descend, normed_problem, problem
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


@task("6.13", points=2, title="calculate_accuracy gives the fraction correct, as a tensor", examples=10,
      hint="Which class does each row choose? A fraction is no whole number.")  # fmt: skip
@given(count=st.integers(1, 12), classes=st.integers(2, 6), seed=seeds)
def test_accuracy(student, count, classes, seed):
    gen = generator(seed)
    logits, labels = torch.randn(count, classes, generator=gen), torch.randint(0, classes, (count,), generator=gen)
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    want = sum(row.index(max(row)) == label for row, label in rows) / count
    got = expect.tensor(student.run(probes.accuracy, logits, labels), "the accuracy", shape=())
    expect.near(float(got), want, "the accuracy", atol=1e-4)


# 6.14: the loops.


def judge_pair(result, loss, accuracy, what):
    """(loss, accuracy) as plain floats."""
    found = expect.items(result, 2, f"what {what} returns, (loss, accuracy),")
    for value, want, name in zip(found, (loss, accuracy), ("loss", "accuracy"), strict=True):
        expect.instance(value, float, f"the {name}")
        expect.near(value, want, f"the {name}", rtol=1e-3, atol=1e-4)


@task("6.14", points=2, title="train descends, and returns the means over batches", examples=8,
      hint="Clear the gradients, forward, loss, backward, step; add up plain numbers.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 5, 8]), seed=seeds)
def test_train(student, batch_size, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, batch_size, 0.2)
    after = descend(x, y, weight, bias, batch_size, 0.2)
    loops.judge_descent(got, after)
    loss, accuracy = (sum(values) / len(values) for values in (after.losses, after.accuracies))
    judge_pair(expect.field(got, "result"), loss, accuracy, "train")
    loops.judge_training_mode(got)


@task("6.14", points=2, title="evaluate returns the means over batches of loss and accuracy", examples=8,
      hint="Every batch counts the same, the short last one too; the accuracy lies between 0 and 1.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=seeds)
def test_evaluate(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.evaluated, weight, bias, mean, var, x, y, batch_size)
    losses = -logits.log_softmax(1)[range(len(y)), y]
    hits = (logits.argmax(1) == y).double()
    loss, accuracy = (
        torch.stack([p.double().mean() for p in v.split(batch_size)]).mean().item() for v in (losses, hits)
    )
    judge_pair(expect.field(got, "result"), loss, accuracy, "evaluate")


@task("6.14", points=1, title="evaluate evaluates: no training mode, no graph, nothing changed",
      hint="Two things are switched for evaluation: the model's mode, and the recording of gradients.")  # fmt: skip
def test_evaluate_changes_nothing(student, rng):
    x, y, weight, bias, mean, var, _ = normed_problem(rng)
    got = student.run(probes.evaluated, weight, bias, mean, var, x, y, 8)
    loops.judge_untouched(got, weight, mean, var, "evaluation")


@task(
    "6.15", points=1, title="epoch_time gives whole minutes and seconds", hint="A minute has sixty seconds; floor both."
)
def test_epoch_time(student, rng):
    starts, lengths = torch.rand(2, 8, generator=rng).double() * 1000
    pairs = [(s, s + length) for s, length in zip(starts.tolist(), lengths.tolist(), strict=True)]
    pairs += [(0.0, 59.9), (10.0, 70.0), (5, 5), (0.0, 3725.0)]
    got = expect.items(student.run(probes.times, pairs), len(pairs), "the times")
    for value, (start, end) in zip(got, pairs, strict=True):
        minutes, seconds = expect.items(value, 2, "what epoch_time returns")
        expect.integer(minutes, int(end - start) // 60, "the minutes")
        expect.integer(seconds, int(end - start) % 60, "the seconds")


# 6.16: fit


def run_fit(student, losses, as_text):
    """Evidence of `fit` with scripted validation losses, by stand-ins for its loops where it calls these."""
    got = student.run(probes.fitted, losses, as_text, True)
    calls = [tuple(expect.items(call, 2, "a call")) for call in expect.items(expect.field(got, "calls"), None, "calls")]
    for kind, _ in calls:
        expect.instance(kind, str, "a call")
    if {kind for kind, _ in calls} == {"train", "evaluate"}:
        wanted = [("train", "train"), ("evaluate", "valid")] * len(losses)
        expect.equal(calls, wanted, "the calls of train and evaluate, with their loaders")
    else:
        got = student.run(probes.fitted, losses, as_text, False)
    validated = expect.items(expect.field(got, "validated"), len(losses), "the epochs that were validated")
    return got, [expect.tensor(value, "the weights at validation", shape=(2, 3)) for value in validated]


def best_until(losses, epoch):
    """The epoch, up to the given one, with the strictly least loss: of equal ones the first."""
    return min(range(epoch + 1), key=lambda e: (losses[e], e))


@task("6.16", points=2, title="fit ends with the weights of the best epoch, not of the last",
      hint="What the model holds at the end was saved in the epoch with the least validation loss.")  # fmt: skip
def test_fit_best(student):
    for losses in ([0.9, 0.4, 0.7, 0.6], [0.5, 0.6, 0.8], [0.8, 0.6, 0.3]):
        got, weights = run_fit(student, losses, False)
        want = weights[best_until(losses, len(losses) - 1)]
        expect.close(
            expect.field(got, "end"), want, "the model's weights at the end", context={"of the last epoch": weights[-1]}
        )


@task("6.16", points=2, title="fit saves the bare state dict in each epoch that is the best so far",
      hint="Strictly better than all before; the file has to load with weights_only=True.")  # fmt: skip
def test_fit_saves(student):
    for losses, as_text in (([0.9, 0.5, 0.7, 0.5, 0.4], True), ([0.7, 0.7], False)):
        got, weights = run_fit(student, losses, as_text)
        saved = expect.items(expect.field(got, "saved"), len(losses), "the checkpoint after each epoch")
        for epoch, content in enumerate(saved):
            if type(content) is str:
                expect.fail(f"the checkpoint after epoch {epoch + 1}: {content}", expected="the model's state dict")
            want = weights[best_until(losses, epoch)]
            expect.close(
                content,
                want,
                f"the checkpoint's weights after epoch {epoch + 1}",
                context={"of this epoch": weights[epoch]},
            )
