"""Week 6's public checks of `training.py`, tasks 6.13 to 6.16: 12 of 60 points."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from grader import expect
from grader.checks import load_probes, loops, task
from grader.checks.loops import descend, normed_problem, problem

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


@task(
    "6.13", points=1, title="calculate_accuracy gives a scalar float32 tensor", hint="A mean of floats, no axis left."
)
def test_accuracy_tensor(student, rng):
    for hits in torch.randint(1, 60, (2,), generator=rng).tolist():
        logits = torch.randn(61, 3, generator=rng)
        labels = (logits.argmax(1) + (torch.randperm(61, generator=rng) >= hits)) % 3
        judge_accuracy(student.run(probes.accuracy, logits, labels), logits, labels, dtype=torch.float32)


@task("6.13", points=1, title="calculate_accuracy gives the fraction correct, as a tensor", examples=10,
      hint="Which class does each row choose? A fraction is no whole number.")  # fmt: skip
@given(count=st.integers(1, 12), classes=st.integers(2, 6), seed=seeds)
def test_accuracy(student, count, classes, seed):
    gen = generator(seed)
    logits, labels = torch.randn(count, classes, generator=gen), torch.randint(0, classes, (count,), generator=gen)
    judge_accuracy(student.run(probes.accuracy, logits, labels), logits, labels)


def judge_accuracy(got, logits, labels, dtype=None):
    """The fraction of rows whose greatest logit is that of the label, as a tensor without axes."""
    rows, count = zip(logits.tolist(), labels.tolist(), strict=True), len(labels)
    want = sum(row.index(max(row)) == label for row, label in rows) / count
    expect.true(type(got) is not float, "a float is returned: a tensor is asked for, so without .item()")
    got = expect.tensor(got, "the accuracy (a tensor without axes)", shape=(), dtype=dtype)
    crossed = (logits.argmax(1, keepdim=True) == labels).double().sum().item()
    columns = (logits.argmax(0)[0] == labels).double().mean().item()
    slips = {"in percent: a fraction is asked for": 100 * want,
             "of the number of hits: divide by the examples": count * want,
             "of hits divided by the number of classes: divide by the examples": count * want / logits.shape[1],
             "of all rows compared with all labels (N×1 with N): compare N with N": crossed / count,
             "of the misses: count the hits": 1 - want,
             "of the greatest logit of a column: argmax(1) finds that of each row": columns}  # fmt: skip
    expect.near(
        float(got), want, "the accuracy", atol=1e-4, context={name: n for name, n in slips.items() if n != want}
    )


# 6.14: the loops.


def judge_pair(got, losses, hits, batch_size, what):
    """(loss, accuracy) as plain floats: means over batches or over examples."""
    found = loops.pair_of(got, what)
    slips = slips_of(losses, hits, batch_size)
    for value, values, name in zip(found, (losses, hits), ("loss", "accuracy"), strict=True):
        expect.instance(value, float, f"the {name}")
        sizes = {"batches": -(-len(values) // batch_size), "examples": len(values)}
        right = loops.means(values, batch_size)
        loops.near_one_of(value, right, f"the {name}", rtol=1e-3, atol=1e-4, sizes=sizes, context=slips[name])


def slips_of(losses, hits, batch_size):
    """What typical mistakes give in place of a mean."""
    batches, accuracies = ([part.double().mean().item() for part in v.split(batch_size)] for v in (losses, hits))
    accuracy = loops.means(hits, batch_size)
    return {
        "loss": {
            "of the last batch alone: add up over the batches": batches[-1],
            "of the last batch alone, divided by the number of batches: add up over the batches": batches[-1]
            / len(batches),
            "of all batches but the last": sum(batches[:-1]) / max(1, len(batches) - 1),
            "of the sum over the batches: return their mean": sum(batches),
            "of the batches' losses added up and divided by the examples": sum(batches) / len(losses),
            "of the accuracy: the order is (loss, accuracy)": accuracy[0],
            "of the accuracy; the order is (loss, accuracy)": accuracy[1],
        },
        "accuracy": {
            "in percent: a fraction is asked for": 100 * accuracy[0],
            "in percent; a fraction is asked for": 100 * accuracy[1],
            "of the sum over the batches: return their mean": sum(accuracies),
            "of the last batch alone: add up over the batches": accuracies[-1],
            "of all batches but the last": sum(accuracies[:-1]) / max(1, len(accuracies) - 1),
        },
    }


@task("6.14", points=1, title="train descends, in training mode", examples=8,
      hint="Clear the gradients, forward, loss, backward, step.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 5, 8]), seed=seeds)
def test_train(student, batch_size, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, batch_size, 0.2, again=True)
    loops.judge_descent(got, descend(x, y, weight, bias, batch_size, 0.2))
    loops.judge_training_mode(got)
    loops.judge_seen(got, x, batch_size)


@task("6.14", points=1, title="train returns the means of loss and accuracy", examples=6,
      hint="Over batches or over examples; add up plain numbers.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 5, 8]), seed=seeds)
def test_train_means(student, batch_size, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, batch_size, 0.0)
    logits = x @ weight.T + bias
    judge_pair(got, loops.losses_of(logits, y), logits.argmax(1) == y, batch_size, "train")


@task("6.14", points=1, title="train and evaluate take the lesson's parameters, and move each batch to the device",
      hint="On a GPU, images and labels have to be where the model is: send them to `device`.")  # fmt: skip
def test_loops_device(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    for name, own in (("train", ("optimizer", "criterion")), ("evaluate", ("criterion",))):
        got = student.run(probes.loop_elsewhere, name, weight, bias, x, y)
        loops.judge_elsewhere(got, name, ("model", "iterator", *own, "device"), x, weight, bias)


@task("6.14", points=1, title="evaluate returns the means of loss and accuracy", examples=8,
      hint="Over batches or over examples; the accuracy lies between 0 and 1.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=seeds)
def test_evaluate(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.evaluated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_evaluation_mode(got)
    judge_pair(got, loops.losses_of(logits, y), logits.argmax(1) == y, batch_size, "evaluate")


@task("6.14", points=1, title="evaluate evaluates: no training mode, no graph, nothing changed",
      hint="Two things are switched for evaluation: the model's mode, and the recording of gradients.")  # fmt: skip
def test_evaluate_changes_nothing(student, rng):
    x, y, weight, bias, mean, var, logits = normed_problem(rng)
    got = student.run(probes.evaluated, weight, bias, mean, var, x, y, 8)
    loops.judge_untouched(got, weight, mean, var, "evaluation")
    loops.judge_answered(got, logits, "evaluate")


@task(
    "6.15", points=1, title="epoch_time gives whole minutes and seconds", hint="A minute has sixty seconds; floor both."
)
def test_epoch_time(student, rng):
    starts, lengths = torch.rand(2, 8, generator=rng).double() * 1000
    pairs = [(0.0, 59.9), (10.0, 70.0), (5, 5), (0.0, 3725.0), (0.7, 61.2)]
    pairs += [(s, s + length) for s, length in zip(starts.tolist(), lengths.tolist(), strict=True)]
    got = expect.items(student.run(probes.times, pairs), len(pairs), "the times")
    for value, (start, end) in zip(got, pairs, strict=True):
        minutes, seconds = expect.items(value, 2, "what epoch_time returns")
        length = end - start
        rounded = {"of the seconds: (minutes, seconds) is the order": int(length) % 60,
                   "of minutes within the hour: all of them are asked for": int(length) // 60 % 60,
                   "of start − end: the difference is end − start": int(-length / 60),
                   "of minutes or seconds that are rounded: // and int() cut them": round(length / 60)}  # fmt: skip
        if round(length) // 60 != round(length / 60):
            rounded["of seconds that are rounded first: int() cuts them"] = round(length) // 60
        rounded = {name: value for name, value in rounded.items() if value != int(length) // 60}
        expect.integer(minutes, int(length) // 60, "the minutes", context=rounded, divided=True)
        slips = {
            "of all seconds: % 60 leaves those beyond whole minutes": int(length),
            "of seconds that are rounded: int() cuts": round(length) % 60,
            "of start and end floored one by one: floor their difference": (int(end) - int(start)) % 60,
        }
        expect.integer(seconds, int(length) % 60, "the seconds", context=slips, divided=True)


# 6.16: fit


def run_fit(student, losses, as_text, gen):
    """Evidence of `fit` with scripted validation losses, by stand-ins for its loops where it calls these.

    Also the weights at each validation. They come of those that are drawn, and all inputs are 1: so each class's
    weights have moved by the same number.
    """
    weight = torch.randn(2, 3, generator=gen)
    got = student.run(probes.fitted, losses, as_text, True, weight)
    if not calls_both(calls_of(got)):
        got = student.run(probes.fitted, losses, as_text, False, weight)
    validated = expect.items(
        expect.field(got, "validated"), len(losses), "the epochs that were validated (does fit end early?)"
    )
    weights = [expect.tensor(value, "the weights at validation", shape=(2, 3)) for value in validated]
    for value in weights:
        moved = value.double() - weight.double()
        alike = expect.same_values(moved, moved[:, :1].expand(2, 3), rtol=1e-3, atol=1e-3)
        expect.true(alike, "the weights at validation do not come of training the model that fit is given")
    return got, weights


def calls_of(got):
    """[(kind, loader, missing, answer)] of the calls of train and evaluate."""
    calls = [tuple(expect.items(call, 4, "a call")) for call in expect.items(expect.field(got, "calls"), None, "calls")]
    for kind, *_ in calls:
        expect.instance(kind, str, "a call")
    return calls


def calls_both(calls):
    return {kind for kind, *_ in calls} == {"train", "evaluate"}


@task("6.16", points=1, title="fit trains, then evaluates on the validation data, with all that it is given",
      hint="One call of train and one of evaluate an epoch, each with its own loader, and with `device`.")  # fmt: skip
def test_fit_calls(student, rng):
    x, y, weight, bias = problem(rng, 8, 5, 3)
    got = student.run(probes.handed_on, weight, bias, x, y)
    names = ("model", "train_iterator", "valid_iterator", "optimizer", "criterion", "device", "epochs", "checkpoint")
    loops.judge_parameters(got, names, "fit")
    calls = calls_of(got)
    if not calls_both(calls):
        loops.judge_devices(got, "fit")  # a fit that does without them is judged by what it does
        loops.judge_first(got, x, weight, bias, "fit")
        return
    wanted = [("train", "train"), ("evaluate", "valid")] * 2
    found = [call[:2] for call in calls]
    mixed = any(expect.same(call, ("evaluate", "train")) for call in found)
    expect.true(not mixed, "evaluate is given the training data: give it valid_iterator")
    before = len(calls) > 1 and calls[0][0] == "evaluate"
    expect.true(not before, "each epoch evaluates before it trains: train comes first")
    if expect.field(got, "ended") is not True:
        wanted = wanted[: max(2, len(calls))]  # a fit that breaks down later is judged by other checks
    kinds = [kind for kind, _ in wanted]
    if len(kinds) == 4:
        loops.judge_turns([kind for kind, *_ in calls], ("train", "evaluate"), 2, "fit")
    expect.equal([kind for kind, *_ in calls], kinds, "the calls of train and evaluate in 2 epochs")
    expect.equal(found, wanted, "the calls of train and evaluate, with their loaders")
    for kind, _, missing, _ in calls:
        lost = ", ".join(map(str, expect.items(missing, None, "what is missing")))
        expect.true(not lost, f"fit does not give {kind} the {lost} that it is given, but another, or none")
    trained = 0
    for kind, *_, answer in calls:  # each call of what stands for train has added 1 to the weights
        expect.close(answer, x @ (weight + trained).T + bias, f"what the model says at a call of {kind}", atol=1e-3)
        trained += kind == "train"
    history = expect.field(student.run(probes.fitted, [0.5], False, True, torch.ones(2, 3)), "history")
    expect.true(history is True, "fit returns None: it is to return a history", because="is a `return` missing?")


def best_until(losses, epoch):
    """The epoch, up to the given one, with the strictly least loss: of equal ones the first."""
    return min(range(epoch + 1), key=lambda e: (losses[e], e))


@task("6.16", points=1, title="fit ends with the weights of the best epoch, not of the last",
      hint="What the model holds at the end was saved in the epoch with the least validation loss.")  # fmt: skip
def test_fit_best(student, rng):
    for losses in ([0.9, 0.4, 0.7, 0.6], [0.5, 0.6, 0.8], [0.8, 0.3, 0.2999]):  # the least, by however little
        got, weights = run_fit(student, losses, False, rng)
        want = weights[best_until(losses, len(losses) - 1)]
        best = best_until(losses, len(losses) - 1)
        # What is loaded at the end is what was saved last: a wrong checkpoint shows here, too.
        context = {
            of_the_last(got, weights[-1]): weights[-1],
            **epochs_of(weights, best, losses),
        }
        what = f"the model's weights at the end (epoch {best + 1} is the best)"
        expect.close(expect.field(got, "end"), want, what, context=context)


def of_the_last(got, last):
    """What the weights of the last epoch are named for: the checkpoint tells saving too often from not loading."""
    file = expect.field(got, "file")
    if isinstance(file, torch.Tensor) and not expect.same_values(file, last):
        return "of the last epoch: the checkpoint holds others; load them at the end"
    return "of the last epoch: save only where the validation loss is the least so far, and load that at the end"


def epochs_of(weights, wanted, losses):
    """Each epoch's weights, by what they would be named for."""
    of = ", ".join(map(str, losses))
    return {
        f"of epoch {n + 1}, whose validation loss is not the least of {of}": w
        for n, w in enumerate(weights)
        if n != wanted
    }


@task("6.16", points=2, title="fit saves the bare state dict in each epoch that is the best so far",
      hint="Strictly better than all before; the file has to load with weights_only=True.")  # fmt: skip
def test_fit_saves(student, rng):
    for losses, as_text in (([0.9, 0.5, 0.7, 0.5, 0.4], True), ([0.7, 0.7], False)):
        got, weights = run_fit(student, losses, as_text, rng)
        saved = expect.items(expect.field(got, "saved"), len(losses), "the checkpoint after each epoch")
        for epoch, content in enumerate(saved):
            if type(content) is str:
                expect.fail(f"the checkpoint after epoch {epoch + 1}: {content}", expected="the model's state dict")
            best = best_until(losses, epoch)
            what = f"the checkpoint's weights after epoch {epoch + 1} (epoch {best + 1} is the best so far)"
            equal = losses[epoch] == losses[best]
            here = (
                "of this epoch, which is only as good"
                if equal
                else "of this epoch, whose validation loss is not the least"
            )
            context = {here: weights[epoch]} if epoch != best else {}
            expect.close(content, weights[best], what, context={**context, **epochs_of(weights, best, losses)})
