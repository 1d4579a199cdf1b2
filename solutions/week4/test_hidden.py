"""Week 4's hidden checks: 40 points, on what the public ones leave open. Summaries give no input or value away."""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from fixtures import digits, networks
from grader.checks import expect, load_beside, load_probes, loops, oracles, splits, task, twins
from grader.checks.seeds import SEEDS, drawn_seed, generator

probes = load_probes(__file__)
public_probes = load_beside(str(Path(__file__).parents[2] / "assignments" / "week4" / "test_week4.py"), "probes")
ACCURACY, LOSS = 0.55, 1.4  # calibration.md
RATE, EPOCHS, TRAIN_SIZE = 0.04, 5, 200


# 4.1 and 4.2


def seeded(evidence, numbers):
    found = {
        name: [expect.number(value, name) for value in expect.items(expect.field(evidence, name), 21, name)]
        for name in ("random", "numpy")
    }
    for name, values in found.items():
        expect.true(sorted(values[:20]) == sorted(numbers), f"{name} has shuffled other numbers than it was given")
    return {**found, "torch": expect.tensor(expect.field(evidence, "torch"), "torch", shape=(17,)).tolist()}


@task("4.1", points=3, title="whole runs agree for one seed and differ for two", hint="Every generator, every time.")
def test_seeds(student, rng):
    seed = int(torch.randint(0, 2**31 - 2, (1,), generator=rng))
    numbers = torch.randint(10**6, (20,), generator=rng).tolist()
    for value, run_again in ((0, student.run), (seed, student.run_fresh)):
        first, other = (seeded(student.run(probes.seeded, n, 0, numbers), numbers) for n in (value, value + 1))
        again = seeded(run_again(probes.seeded, value, 5, numbers), numbers)
        for name in first:
            expect.true(first[name] == again[name], f"two runs with one seed differ in what {name} draws")
            expect.true(first[name] != other[name], f"two seeds give the same draws of {name}")


@task("4.2", points=2, title="derivatives of further functions", hint="Autograd knows the chain rule.")
def test_derivatives(student, rng):
    points = [3, -1, *(torch.rand(4, generator=rng) * 3 - 1.5).tolist()]
    wanted = {
        "composed": lambda x: math.exp(math.sin(x * x)) * math.cos(x * x) * 2 * x,
        "rational": lambda x: (x**4 + 5 * x * x - 2) / (1 + x * x) ** 2,
        "indexed": lambda x: 6 * x,
        "detached": lambda x: x * x,
        "pieces": lambda x: 4.0 if x > 0 else -2.0,
    }
    for name, slope in wanted.items():
        got = expect.items(student.run(probes.slopes, name, points), len(points), "the derivatives")
        for value, x in zip(got, points, strict=True):
            expect.instance(value, float, "a derivative")
            expect.near(value, slope(x), "a derivative", rtol=2e-3, atol=2e-3)


@task("4.2", points=1, title="derivative keeps nothing alive, whatever else f uses", hint="No graph may stay behind.")
def test_derivative_left(student, rng):
    x = torch.rand(1, generator=rng).item() + 0.5
    got = student.run(probes.slope_and_rest, x)
    expect.near(expect.field(got, "value"), 6 * x, "the derivative", rtol=1e-3)
    alive = expect.items(expect.field(got, "alive"), None, "what f was given")
    expect.true(bool(alive) and all(there is False for there in alive), "the input is still alive after the call")
    expect.true(expect.field(got, "grad_enabled") is True, "the caller's gradient mode was changed")


# 4.3


@task("4.3", points=3, title="pixel_stats of larger stacks, whatever holds them", hint="All pixels, once, in [0, 1].")
def test_statistics(student, rng):
    for shape, low, high in (((60, 28, 28), 0, 256), ((5, 3, 40), 200, 256), ((9, 16, 16), 0, 3)):
        images = torch.randint(low, high, shape, generator=rng, dtype=torch.uint8)
        images[0] = low  # one image unlike the others
        pixels = images.numpy().astype(np.float64) / 255
        for as_numpy in (True, False):
            got = student.run(probes.stats_of, images, as_numpy)
            mean, std = expect.items(expect.field(got, "result"), 2, "what pixel_stats returns")
            expect.near(plain(mean), float(pixels.mean()), "the mean", rtol=2e-4)
            wanted = [float(pixels.std(ddof=ddof)) for ddof in (0, 1)]
            value = expect.number(plain(std), "the standard deviation")
            expect.true(
                any(abs(value - want) < 2e-5 + 2e-4 * want for want in wanted), "the standard deviation is wrong"
            )
            expect.true(expect.field(got, "unchanged") is True, "the images were changed")


def plain(value):
    single = type(value) in (torch.Tensor, np.ndarray) and value.ndim == 0 and value.dtype not in (np.bool_, torch.bool)
    return value.item() if single else value


# 4.4 and 4.5


def numbers(part, what, labels):
    """The numbers of a part whose items are ([n, n²], label n)."""
    found = []
    for item in expect.items(part, None, what):
        pair, label = expect.items(item, 2, f"an item of {what}")
        number, square = expect.tensor(pair, f"an item of {what}", shape=(2,)).tolist()
        right = number in range(len(labels)) and square == number * number
        expect.true(right and expect.same(label, labels[int(number)]), f"an item of {what} was changed")
        found.append(number)
    return found


@task("4.4", points=2, title="no item is lost or doubled, whatever the ratio", examples=10, hint="Derive one length.")
@given(length=st.integers(10, 120), ratio=st.sampled_from([0.29, 0.33, 0.57, 0.7, 0.999]), seed=st.integers(0, 10**6))
def test_splits(student, length, ratio, seed):
    labels = splits.labels_for(generator(seed), length)
    got = student.run(probes.split_twice, labels, 1, train_ratio=ratio, seed=seed)
    train = numbers(expect.field(got, "train"), "the training part", labels)
    valid = numbers(expect.field(got, "valid"), "the validation part", labels)
    expect.true(len(train) == int(length * ratio), "the training part's length is wrong")
    expect.true(sorted(train + valid) == list(range(length)), "the parts do not cover the dataset once")


@task("4.4", points=2, title="the split depends on its seed and on nothing else", hint="Ratio and seed have defaults.")
def test_split_repeats(student, rng):
    other = int(torch.randint(1, 10**6, (1,), generator=rng))
    labels = splits.labels_for(rng, 80)
    for options in ({}, {"seed": other}):
        got = student.run(probes.split_twice, labels, other, **options)
        train = numbers(expect.field(got, "train"), "the training part", labels)
        expect.true(len(train) == 72, "the training part's length is wrong")
        again = numbers(expect.field(got, "again"), "the second training part", labels)
        expect.true(again == train, "the split depends on more than its seed")
        expect.true(sorted(train) != list(range(72)), "the training part is not random: it holds the first items")
    default = student.run(probes.split_twice, labels, other)
    named = student.run(probes.split_twice, labels, other, seed=42, train_ratio=0.9)
    first, second = (numbers(expect.field(got, "train"), "a part", labels) for got in (default, named))
    expect.true(first == second, "the defaults are not those of the lesson: train_ratio=0.9, seed=42")


def passes(got, lengths, count):
    """[loader][pass] → numbers in order and sizes of the batches."""
    found = []
    for loader, length in zip(expect.items(got, 3, "the loaders"), lengths, strict=True):
        runs = []
        for run in expect.items(loader, count, "the passes"):
            values, sizes = [], []
            for batch in expect.items(run, None, "the batches"):
                threes, labels = expect.items(batch, 2, "a batch")
                threes = expect.tensor(threes, "a batch", shape=(None,), dtype=torch.int64)
                expect.true(bool((threes % 3 == 0).all()), "a loader changes the examples")
                expect.close(labels, (threes // 3) % 7, "a batch's labels")
                values += (threes // 3).tolist()
                sizes.append(len(threes))
            expect.true(sorted(values) == list(range(length)), "a loader does not give every example once")
            runs.append((values, sizes))
        found.append(runs)
    return found


@task("4.5", points=2, title="training batches of every size, by position or default", hint="64 unless said otherwise.")
def test_batches(student, rng):
    lengths = [int(n) for n in torch.randint(65, 200, (3,), generator=rng)]
    for args, size in (((), 64), ((10,), 10), ((300,), 300)):
        ((_, sizes),), *_ = passes(student.run(probes.loaded, lengths, 1, *args), lengths, 1)
        wanted = [min(size, lengths[0] - start) for start in range(0, lengths[0], size)]
        expect.true(sizes == wanted, "the sizes of the training batches are wrong")


@task("4.5", points=2, title="training is shuffled anew in each pass, the rest never", hint="Which loader shuffles?")
def test_shuffling(student, rng):
    lengths = [int(n) for n in torch.randint(40, 90, (3,), generator=rng)]
    train, *others = passes(student.run(probes.loaded, lengths, 3, batch_size=16), lengths, 3)
    orders = [tuple(values) for values, _ in train]
    expect.true(len(set(orders)) == 3, "the training loader repeats its order")
    expect.true(all(list(order) != sorted(order) for order in orders), "the training loader does not shuffle")
    kept = all(values == sorted(values) for loader in others for values, _ in loader)
    expect.true(kept, "validation or test is shuffled")


# 4.6


@task("4.6", points=3, title="FCNN computes what its weights say", examples=4, hint="Two ReLUs, three layers.")
@given(batch=st.integers(1, 5), classes=st.sampled_from([10, 3, 26]), seed=SEEDS)
def test_fcnn_values(student, batch, classes, seed):
    images = torch.randn(batch, 1, 28, 28, generator=generator(seed))
    got = student.run(probes.fcnn_with, images, classes, seed)
    weights = probes.weights_of(seed, [images[0].numel(), 1024, 2048, classes])
    leaves = {name: value.requires_grad_() for name, value in weights.items() if name in ("fc1.bias", "fc3.bias")}
    want = networks.FCNN.logits({**weights, **leaves}, images)
    want.square().sum().backward()
    expect.close(expect.field(got, "logits"), want.detach(), "logits", rtol=1e-3, atol=1e-3)
    gradients = expect.items(expect.field(got, "gradients"), 2, "the gradients")
    for value, name in zip(gradients, ("fc1.bias", "fc3.bias"), strict=True):
        expect.true(value is not None, f"no gradient reaches {name}: something in forward cuts the graph")
        expect.close(value, leaves[name].grad, f"the gradient of {name}", rtol=1e-2, atol=1e-2)


@task("4.6", points=2, title="FCNN takes flat inputs of any width", hint="Nothing but the batch keeps its axis.")
def test_fcnn_flat(student, rng):
    for size in (5, 64, 785):
        inputs = torch.randn(3, size, generator=rng)
        got = student.run(probes.fcnn_with, inputs, 4, size)
        weights = probes.weights_of(size, [size, 1024, 2048, 4])
        expect.close(expect.field(got, "logits"), networks.FCNN.logits(weights, inputs), "logits", rtol=1e-3, atol=1e-3)


# 4.7 and 4.8


@task("4.7", points=4, title="train on a network with batch normalisation, over two epochs",
      hint="Mode, gradients, steps and log: in every epoch.")  # fmt: skip
def test_training(student, rng):
    net, state, x, y = twins.network(rng, 26)
    got = student.run(probes.trained, state, x, y, 3)
    losses = twins.run_epochs(net, x, y, batch_size=4, epochs=2, lr=0.1, momentum=0.9)
    twins.judge_trained(got, net)
    twins.judge_epochs(got, losses, epochs=2, interval=3)


@task("4.7", points=2, title="train with a frozen layer and another criterion", hint="Use what you are given.")
def test_training_frozen(student, rng):
    model, state, x, y = twins.network(rng, 23)
    got = student.run(probes.trained_frozen, state, x, y)
    model.first.requires_grad_(False)
    losses = twins.run_epochs(model, x, y, batch_size=5, epochs=1, lr=0.01, reduction="sum")
    own = [want / len(part) for want, part in zip(losses, y.split(5), strict=True)]
    found = expect.items(expect.field(got, "losses"), None, "the logged losses")
    ignored = bool(found) and type(found[0]) is float and abs(found[0] - own[0]) < 1e-3 < abs(losses[0] - own[0])
    expect.true(not ignored, "the criterion that is given is not used: this is the mean cross-entropy")
    twins.judge_state(got, model.state_dict(), "after training")
    twins.judge_losses(expect.field(got, "losses"), losses[::2])
    flags = {name: not name.startswith("first") for name, _ in model.named_parameters()}
    loops.judge_flags(expect.field(got, "requires_grad"), flags)
    expect.true(expect.field(got, "grad_enabled") is True, "the caller's gradient mode was changed")


@task("4.8", points=3, title="validate's numbers on a network with batch normalisation and dropout", examples=5,
      hint="The criterion that is given makes the loss; each example counts for the accuracy.")  # fmt: skip
@given(batch_size=st.sampled_from([8, 24, 7, 40]), seed=SEEDS)
def test_validation(student, batch_size, seed):
    net, state, x, y = twins.network(generator(seed), 25)
    twins.judge_results(student.run(probes.validated, state, x, y, batch_size), net, x, y, batch_size)


@task("4.8", points=2, title="validate leaves no trace", hint="Look at what is different after the call.")
def test_validation_trace(student, rng):
    net, state, x, y = twins.network(rng, 25)
    got = student.run(probes.validated, state, x, y, 8)
    twins.judge_unrecorded(got)
    twins.judge_untouched(got, net, state, x, "validate")


# 4.9 and 4.10


@task("4.9", points=3, title="fit over one and over several epochs", hint="Each epoch trains, then validates.")
def test_fits(student, rng):
    for epochs in (1, 4):
        model, state, x, y = twins.network(rng, 26)
        _, _, *valid = twins.network(rng, 11)
        rows = torch.rand(epochs, 5, generator=rng).double().tolist()
        stand_ins = {"train": [row[:3] for row in rows], "validate": [row[3:] for row in rows]}
        got = student.run(probes.fitted, state, (x, y), tuple(valid), epochs, stand_ins)
        calls = [tuple(expect.items(c, 3, "a call")) for c in expect.items(expect.field(got, "calls"), None, "calls")]
        for kind, *_ in calls:
            expect.instance(kind, str, "a call")
        if {kind for kind, *_ in calls} == {"train", "validate"}:
            wanted = [("train", "train", True), ("validate", "valid", True)] * epochs
            expect.true(
                expect.same(calls, wanted), "train and validate are not called in turn, each with its own loader"
            )
            history = [value for row in stand_ins["train"] for value in row], *zip(*stand_ins["validate"], strict=True)
        else:
            got = student.run(probes.fitted, state, (x, y), tuple(valid), epochs, None)
            history = reference_fit(model, x, y, *valid, epochs)
            twins.judge_state(got, model.state_dict(), "after fit")
        keys = ("train_losses", "valid_losses", "valid_accuracies")
        for key, wanted in zip(keys, history, strict=True):
            found = expect.items(expect.field(expect.field(got, "history"), key), len(wanted), key)
            for value, want in zip(found, wanted, strict=True):
                right = want if type(want) is tuple else (want,)
                loops.near_one_of(value, right, f"an entry of {key}", rtol=1e-3, atol=1e-3)


def reference_fit(model, x, y, valid_x, valid_y, epochs):
    train_losses, valid_losses, accuracies = [], [], []
    for _ in range(epochs):
        train_losses += twins.run_epochs(model, x, y, batch_size=6, epochs=1, lr=0.05)[:1]
        logits = twins.answers(model, valid_x)
        valid_losses.append(loops.means(F.cross_entropy(logits, valid_y, reduction="none"), 6))
        accuracies.append(100 * (logits.argmax(1) == valid_y).double().mean().item())
    return train_losses, valid_losses, accuracies


@task("4.10", points=2, title="predict with a network that has dropout and batch normalisation",
      hint="One image, a batch of one, in evaluation mode.")  # fmt: skip
def test_predictions(student, rng):
    model, state, x, _ = twins.network(rng, 12)
    got = student.run(probes.predicted, state, x.view(-1, 1, 2, 3))
    wanted = twins.answers(model, x).argmax(1).tolist()
    for value, want in zip(expect.items(expect.field(got, "classes"), 12, "the classes"), wanted, strict=True):
        expect.integer(value, want, "a predicted class")
    twins.judge_state(got, state, "afterwards")
    flags = expect.items(expect.field(got, "requires_grad"), 6, "requires_grad afterwards")
    expect.true(all(flag is True for flag in flags), "requires_grad was changed")


# 4.11


@task("4.11", points=2, title="the trained weights read digits in the judge's own network",
      needs=("4.6", "4.7", "4.9"), seconds=40,
      hint="Short training must lift the accuracy well above chance; look at 4.6, 4.7 and 4.9.")  # fmt: skip
def test_weights(student, rng):
    data = digits.draw(rng, TRAIN_SIZE)
    pixels = data.train_images.double() / 255
    mean, std = pixels.mean().item(), pixels.std().item()
    seed = drawn_seed(rng)
    given_to_run = (data.train_images, data.train_labels, seed, mean, std, RATE, EPOCHS)
    got = student.run(public_probes.trained_weights, *given_to_run)
    stats = expect.items(expect.field(got, "stats"), 2, "the statistics")
    mean, std = (expect.number(value, "the statistics") for value in stats)
    expect.true(abs(std) > 0.05, "the statistics cannot be used")
    images = (data.test_images.float() / 255 - mean) / std
    after = networks.FCNN.taken(expect.field(got, "after"), "after")
    trained = networks.FCNN.accuracy(after, images, data.test_labels, ACCURACY)
    expect.at_least(trained, ACCURACY, "the accuracy on test digits", unit="%")
    own = student.run(public_probes.predictions_with, after, data.test_images, mean, std, len(images))
    shape = (len(images), digits.CLASSES)
    before = expect.tensor(expect.field(own, "untrained"), "the logits before training", shape=shape)
    untrained = oracles.accuracy(before, data.test_labels)
    expect.true(untrained < 0.4, "the untrained network already knows the answers")
    logits = expect.tensor(expect.field(own, "logits"), "the logits after training", shape=shape)
    expect.at_most(F.cross_entropy(logits.double(), data.test_labels).item(), LOSS, "the loss on test digits")
