"""Week 4's public checks: 60 points. Run them with `pytest assignments/week4`, one task with `--task 4.6`."""

import math

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures import digits, networks
from fixtures.bands import BANDS
from grader.checks import expect, layers, load_probes, loops, oracles, show, splits, task
from grader.checks.loops import descend, normed_problem, problem
from grader.checks.seeds import SEEDS, drawn_seed, generator, judge_generators

probes = load_probes(__file__)


GENERATORS = ("Python's random", "NumPy", "torch")


# 4.1: seeds


def drawn(evidence, name, numbers):
    """What one generator gave, as a tuple of plain numbers: first the given ones, shuffled."""
    values = expect.items(expect.field(evidence, name), None, name)
    found = tuple(expect.number(value, name) for value in values)
    expect.true(
        sorted(found[: len(numbers)]) == sorted(numbers), f"{name} has shuffled other numbers than it was given"
    )
    return found


def to_shuffle(gen):
    return torch.randint(10**6, (9,), generator=gen).tolist()


@task("4.1", points=3, title="set_seed makes two runs agree", hint="There are three generators to seed.")
def test_seed_repeats(student, rng):
    seed = drawn_seed(rng)
    numbers = to_shuffle(rng)
    first, again = student.run(probes.draws, seed, 0, numbers), student.run_fresh(probes.draws, seed, 3, numbers)
    for name in GENERATORS:
        agree = drawn(first, name, numbers) == drawn(again, name, numbers)
        expect.true(agree, f"{name} is not seeded: two runs with the same seed draw different numbers from it")


@task("4.1", points=2, title="another seed gives another run", hint="The seed that is given has to matter.")
def test_seed_matters(student, rng):
    seed = drawn_seed(rng)
    numbers = to_shuffle(rng)
    first, other = (student.run(probes.draws, s, 0, numbers) for s in (seed, seed + 1))
    for name in GENERATORS:
        differ = drawn(first, name, numbers) != drawn(other, name, numbers)
        expect.true(differ, f"the seed that is given does not reach {name}: two seeds give the same numbers")


# 4.2: the derivative

points = st.floats(-4, 4).map(lambda x: round(x, 2))
factors = points.map(lambda x: x + math.copysign(0.5, x))  # a slope that is 0 tells nothing


@task("4.2", points=2, title="derivative gives the slope", hint="For y = 2x² + 5 the slope at 2 is 8.", examples=12)
@given(name=st.sampled_from(["polynomial", "sine"]), x=points, a=factors, b=factors)
def test_derivative(student, name, x, a, b):
    got = student.run(probes.derivative, name, x, a, b, 5.0)
    want = 2 * a * x + b if name == "polynomial" else a * b * math.cos(b * x)
    expect.instance(expect.field(got, "derivative"), float, "the derivative")
    value = a * x**2 + b * x + 5.0 if name == "polynomial" else a * math.sin(b * x) + 5.0
    slips = {"of f itself, and not of its slope": value, "of a function that ignores its input: f does not": 0.0}
    expect.near(
        expect.field(got, "derivative"), want, "the derivative", rtol=1e-3, atol=1e-3, context=slips,
        nearly="a difference quotient in place of autograd?",
    )  # fmt: skip


@task("4.2", points=1, title="derivative uses autograd on a 0-dimensional float32 tensor, whatever x is",
      hint="Make a tensor of x that requires a gradient; a difference quotient is something else.")  # fmt: skip
def test_derivative_by_autograd(student, rng):
    for x in (3, 1.5, -2):
        a, b = (n / 10 for n in torch.randint(10, 60, (2,), generator=rng).tolist())
        got = student.run(probes.derivative, "half", x, a, b, 0.0)
        seen = expect.items(expect.field(got, "seen"), None, "what f was given")
        expect.true(len(seen) > 0, "f was never called")
        for given_to_f in seen:
            kind, dtype, shape = expect.items(given_to_f, 3, "what f is given")
            expect.equal(kind, "Tensor", "the type of what f is given")
            expect.equal(dtype, "torch.float32", "the dtype of what f is given")
            expect.equal(shape, [], "the shape of what f is given (no axes)")
        # Of a·x·x.detach() + b·x autograd sees a·x + b, a difference quotient 2·a·x + b.
        quotient = {"that a difference quotient gives: use autograd": 2 * a * x + b}
        slope = expect.number(expect.field(got, "derivative"), "the derivative")
        slope = 2 * a * x + b if abs(slope - (2 * a * x + b)) < 0.05 else slope
        expect.near(slope, a * x + b, f"the derivative of {a}·x·x.detach() + {b}·x", context=quotient)


@task("4.2", points=1, title="derivative is 0.0 where f ignores its input",
      hint="f may return a number, or a tensor that knows nothing of x. All other slopes are autograd's.")  # fmt: skip
def test_derivative_of_constants(student, rng):
    for what in ("a number", "a tensor without a graph", "a tensor of another leaf"):
        slope = student.run(probes.derivative_of, what, 1.5)
        expect.near(slope, 0.0, f"the derivative where f returns {what}")
    want = round((2 + 7 * torch.rand(1, generator=rng).item()) / 1000, 7)  # small: nothing may be rounded away
    slope = student.run(probes.derivative_of, "slope·x", 1.5, want)
    expect.near(slope, want, f"the derivative where f returns {want}·x", atol=1e-8)  # it is not 0.0 whatever f is


@task("4.2", points=1, title="derivative leaves nothing behind", hint="Return a plain float, and keep no graph.")
def test_derivative_keeps_nothing(student, rng):
    x = round(0.5 + torch.rand(1, generator=rng).item(), 3)
    got = student.run(probes.left_alive, x)
    expect.near(
        expect.field(got, "derivative"), 3 * x**2 + 2, f"the derivative of x³ + 2·x at {x}", rtol=1e-3, atol=1e-3
    )
    alive = expect.items(expect.field(got, "alive"), None, "what f was given")
    gone = bool(alive) and all(there is False for there in alive)
    expect.true(
        gone,
        "the tensor that f was given still exists after the call: something keeps its graph (return a plain float)",
    )


# 4.3: pixel statistics


def statistics(student, count, as_numpy, most, seed):
    """What pixel_stats makes of some images of different brightness; the images, and all their pixels, scaled."""
    gen = generator(seed)
    ceilings = torch.randint(most // 3, most + 1, (count, 1, 1), generator=gen)
    images = (torch.rand(count, 9, 7, generator=gen) * ceilings).to(torch.uint8)
    pair = expect.items(student.run(probes.pixel_stats, images, as_numpy), 2, "what pixel_stats returns")
    return pair, images, [v / 255 for v in images.flatten().tolist()]


def deviations_of(values):
    """The standard deviation of a population, and of a sample: both are right."""
    centre = sum(values) / len(values)
    squares = sum((v - centre) ** 2 for v in values)
    return [(squares / n) ** 0.5 for n in (len(values), len(values) - 1)]


stacks = {"count": st.integers(2, 6), "as_numpy": st.booleans(), "most": st.sampled_from([255, 200, 60]), "seed": SEEDS}


@task("4.3", points=2, title="pixel_stats gives the mean of the scaled pixels", examples=12,
      hint="uint8 overflows at 256; scale by 255, then take all pixels of all images together.")  # fmt: skip
@given(**stacks)
def test_pixel_mean(student, count, as_numpy, most, seed):
    (mean, _), images, values = statistics(student, count, as_numpy, most, seed)
    centre = sum(values) / len(values)
    deviations = deviations_of(values)
    slips = {
        "of pixels cut to whole numbers: / divides, // cuts": (images == 255).double().mean().item(),
        "of pixels scaled by the greatest one: divide by 255": centre * 255 / images.max().item(),
        "of pixels divided by 256: divide by 255": centre * 255 / 256,
        "that sums of 8 bits give: uint8 overflows at 256": images.sum(dtype=torch.uint8).item() / len(values) / 255,
        "of the deviation: (mean, deviation) is the order": deviations[0],
        "of the deviation; (mean, deviation) is the order": deviations[1],
        "of the first image alone: take all of them": images[0].double().mean().item() / 255,
    }
    expect.near(plain(mean), centre, "the mean", rtol=1e-4, context=slips)


@task("4.3", points=2, title="pixel_stats gives the standard deviation of the scaled pixels", examples=12,
      hint="The deviation of all pixels of all images, not the mean of the images' own ones.")  # fmt: skip
@given(**stacks)
def test_pixel_deviation(student, count, as_numpy, most, seed):
    (_, std), images, values = statistics(student, count, as_numpy, most, seed)
    population, sample = deviations_of(values)
    own = [images[n].double().div(255).std(correction=c).item() for c in (0, 1) for n in range(count)]
    slips = {
        "of the variance: the deviation is its root": population**2,
        "of the variance; the deviation is its root": sample**2,
        "of pixels that are not scaled: divide by 255": 255 * population,
        "of pixels that are not scaled; divide by 255": 255 * sample,
        "of the images' own deviations, averaged: take all pixels together": sum(own[:count]) / count,
        "of the images' own deviations; take all pixels together": sum(own[count:]) / count,
    }  # fmt: skip
    near = abs(expect.number(plain(std), "the deviation") - sample) < 2e-5
    if not near:
        expect.near(plain(std), population, "the standard deviation", rtol=1e-4, context=slips)


@task("4.3", points=1, title="pixel_stats returns two plain floats",
      hint="item() makes a float of a tensor that holds one number.")  # fmt: skip
def test_pixel_stats_plain(student, rng):
    for as_numpy in (False, True):
        seed = drawn_seed(rng)
        pair, _, values = statistics(student, 4, as_numpy, 255, seed)
        for value, what in zip(pair, ("the mean", "the standard deviation"), strict=True):
            expect.instance(value, float, what)
            expect.true(0 < value < 1, f"{what} of scaled pixels lies between 0 and 1", got=value)
        # How right they are has checks of its own. Here one of them, roughly, is enough.
        wanted = (sum(values) / len(values), *deviations_of(values))
        near = any(abs(value - want) < 0.005 * want for value in pair for want in wanted)
        expect.true(near, "neither the mean nor the standard deviation is that of the pixels, divided by 255")


def plain(value):
    """A 0-dimensional tensor or array counts as a number where its value is judged."""
    single = type(value) in (torch.Tensor, np.ndarray) and value.ndim == 0 and value.dtype not in (np.bool_, torch.bool)
    return value.item() if single else value


# 4.4: the split


def parts(got, labels):
    return splits.numbers_of(got, labels, "split_train_valid")


@task("4.4", points=4, title="the two parts are disjoint, random and cover the dataset", examples=12,
      hint="int(len * ratio) items for training, every other one for validation.")  # fmt: skip
@given(length=st.integers(40, 90), ratio=st.sampled_from([0.6, 0.75, 0.8, 0.9, None]), seed=st.integers(0, 1000))
def test_split_covers(student, length, ratio, seed):
    options = {} if ratio is None else {"train_ratio": ratio}
    labels = splits.labels_for(generator(seed), length)
    splits.judge_parts(*parts(student.run(probes.split, labels, seed=seed, **options), labels), length, ratio)


@task("4.4", points=2, title="the same seed gives the same split, another seed another",
      hint="Seed a generator of your own.")  # fmt: skip
def test_split_seed(student, rng):
    labels = splits.labels_for(rng, 60)
    splits.judge_seeds(*(parts(student.run(probes.split, labels, seed=seed), labels)[0] for seed in (3, 3, 4)))


@task("4.4", points=1, title="the split leaves the global generators alone",
      hint="Neither seed nor use the generators of random, NumPy and torch.")  # fmt: skip
def test_split_generators(student, rng):
    seed, labels = drawn_seed(rng), splits.labels_for(rng, 20)
    got = student.run(probes.draws_after_split, seed, labels)
    judge_generators(got, seed)
    train, valid = parts(expect.field(got, "result"), labels)
    expect.equal(sorted(train + valid), list(range(20)), "all items together")


# 4.5: the loaders


def passes_of(got, lengths, count):
    """For each loader its passes, each a list of batches of numbers."""
    kind = got.get("returned") if type(got) is dict else None
    if type(kind) is str:
        expect.fail("make_loaders returns no tuple: three DataLoaders in a tuple are expected", got=f"a {kind}",
                    expected="(training, validation, test)", form=True)  # fmt: skip
    kinds = expect.items(expect.field(got, "kinds"), 3, "the loaders (training, validation, test)")
    expect.true(all(kind is True for kind in kinds), "not all three are DataLoaders")
    found = []
    loaders = zip(expect.items(expect.field(got, "passes"), 3, "the loaders"), lengths, LOADERS, strict=True)
    for loader, length, name in loaders:
        passes = expect.items(loader, count, "the passes over a loader")
        found.append([[flat_ints(batch) for batch in expect.items(p, None, "the batches")] for p in passes])
        for one in found[-1]:
            examples = sorted(joined(one))
            expect.equal(
                examples,
                list(range(length)),
                f"the examples of the {name} loader",
                because=of_others(examples, length, lengths),
            )
    return found


LOADERS = ("training", "validation", "test")


def of_others(examples, length, lengths):
    """What a loader holds in place of its own examples."""
    if (
        len(set(examples)) == len(examples) < length
        and set(examples) <= set(range(length))
        and len(examples) not in lengths
    ):
        missing = length - len(examples)
        return f"{missing} {'is' if missing == 1 else 'are'} missing, the last batch is dropped: drop_last?"
    for name, other in zip(LOADERS, lengths, strict=True):
        if other != length and examples == list(range(other)):
            return f"it holds the {name} data"
    return None


def joined(lists):
    return [entry for entries in lists for entry in entries]


def flat_ints(batch):
    for number in expect.items(batch, None, "a batch"):
        expect.instance(number, int, "a number of a batch")
    return list(batch)


@task("4.5", points=3, title="every loader gives all examples, training in batches of the right size", examples=8,
      hint="Nothing is dropped, so that the last batch may be smaller.")  # fmt: skip
@example(length=32, batch_size=4)  # of training's 73 one is left for the last batch
@given(length=st.integers(30, 50), batch_size=st.sampled_from([None, 4, 7, 16]))
def test_loaders(student, length, batch_size):
    lengths = (length + 41, length + 3, length)
    options = {} if batch_size is None else {"batch_size": batch_size}
    got = student.run(probes.batches, lengths, 1, **options)
    train, *_ = passes_of(got, lengths, 1)
    size = batch_size or 64
    sizes = [min(size, lengths[0] - start) for start in range(0, lengths[0], size)]
    asked = f"with batch_size={batch_size}" if batch_size else "where no batch_size is given: its default is 64"
    found = [len(batch) for batch in train[0]]
    fixed = found[0] if found and found[0] != size and len(found) > 1 else None
    because = f"its batches hold {fixed}, whatever batch_size is given" if fixed and batch_size else None
    expect.equal(found, sizes, f"the batch sizes of the training loader {asked}", because=because)


@task("4.5", points=2, title="only training shuffles, anew in each epoch",
      hint="Validation and test measure; their order has no reason to change.")  # fmt: skip
def test_loaders_shuffle(student, rng):
    lengths = tuple((torch.randperm(50, generator=rng)[:3] + 30).tolist())
    train, *others = passes_of(student.run(probes.batches, lengths, 2, batch_size=8), lengths, 2)
    first, second = (joined(one) for one in train)
    expect.true(first != sorted(first), "the training loader does not shuffle: shuffle=True is missing")
    expect.true(first != second, "the training loader gives the same order in each epoch: it is to shuffle anew")
    for name, loader in zip(("validation", "test"), others, strict=True):
        for one in loader:
            flat = joined(one)
            expect.true(flat == sorted(flat), f"the {name} loader shuffles, and training alone should")


# 4.6: the network


def answers(student, inputs, classes, *options):
    """What one network answers to each of `inputs`, for each of its settings."""
    count = len(inputs) * (len(options[1]) if len(options) > 1 else 1)
    return expect.items(student.run(probes.fcnn_outputs, inputs, classes, *options), count, "the logits of the batches")


def logits_of(result, batch, classes):
    return expect.tensor(result, "the logits", shape=(batch, classes), dtype=torch.float32)


@task("4.6", points=2, title="FCNN takes images of any size, and flat inputs of any width", examples=5,
      hint="Flatten each image by itself; its size is not always 784.")  # fmt: skip
@given(batch=st.integers(1, 5), height=st.integers(2, 12), width=st.integers(2, 12), classes=st.integers(2, 20),
       seed=SEEDS)  # fmt: skip
def test_fcnn_shapes(student, batch, height, width, classes, seed):
    images = torch.randn(batch, 1, height, width, generator=generator(seed))
    for inputs in (images, images.flatten(1)):
        logits = logits_of(student.run(probes.fcnn_logits, inputs, classes), batch, classes)
        layers.judge_varied(logits, "logits")
    # Its last layer alone is set: the others have a check of their own.
    found = answers(student, [images, images.flatten(1)], classes, seed, [NOTHING], ("fc3",))
    judge_last_layer(found, (batch, classes), height * width, seed)


NOTHING = {"fc3.weight": 0.0}  # then nothing reaches fc3, and its bias is all that it gives


def judge_last_layer(found, shape, size, seed):
    """Where NOTHING reaches fc3 its bias, which was drawn for this run, orders the logits.

    It does so whatever is done to them afterwards, or before: that has checks of its own.
    """
    bias = probes.weights_of(seed, [size, 1024, 2048, shape[1]])["fc3.bias"]
    for logits in found:
        layers.judge_last(logits_of(logits, *shape), bias, "fc3")


@task("4.6", points=1, title="FCNN's layers have their names and sizes", hint="1024 units, 2048 units, the classes.")
def test_fcnn_layers(student, rng):
    classes = int(torch.randint(3, 2000, (1,), generator=rng))
    got = student.run(probes.fcnn_layers, 784, classes)
    layers.judge_shapes(got, "FCNN", {"fc1": [1024, 784], "fc2": [2048, 1024], "fc3": [classes, 2048]})


@task("4.6", points=1, title="FCNN's logits are raw: nothing comes after fc3",
      hint="The loss applies softmax by itself; forward leaves the last layer's output as it is.")  # fmt: skip
def test_fcnn_raw_logits(student, rng):
    images = torch.randn(3, 1, 28, 28, generator=rng)
    seed, (least, most) = drawn_seed(rng), (torch.rand(2, generator=rng) * 5 + torch.tensor([-22.0, 1.0])).tolist()
    constants = [{"fc3.bias": value} for value in (least, most)]
    found = [logits_of(logits, 3, 4) for logits in answers(student, [images, images], 4, seed, constants)]
    low, low_again, high, high_again = found
    for logits in (low, high):
        expect.raw(logits, "the logits")
    expect.true(
        expect.same_values(low, low_again, atol=1e-3) and expect.same_values(high, high_again, atol=1e-3),
        "the same images get other logits the second time: dropout stays on in evaluation mode",
    )
    differ = not expect.same_values(low, low[:1].expand(3, 4), atol=1e-2)
    expect.true(differ, "different images have the same logits")
    expect.close(high - low, torch.full((3, 4), most - least), "how the logits change with fc3's bias", atol=1e-2)


@task("4.6", points=2, title="FCNN applies ReLU after fc1 and fc2", hint="Which layers are followed by a ReLU?")
def test_fcnn_relu(student, rng):
    images, seed = torch.randn(3, 1, 28, 28, generator=rng), drawn_seed(rng)
    for layer, following in (("fc1", "fc2"), ("fc2", "fc3")):
        # With all outputs of a layer below zero, what follows its ReLU sees zeros, whatever the bias was.
        constants = [{f"{layer}.weight": 0.0, f"{layer}.bias": level} for level in layers.LEVELS]
        found = [logits_of(one, 3, 9) for one in answers(student, [images], 9, seed, constants)]
        layers.judge_relu(found, layer, following, atol=1e-3)
    judge_last_layer(found[:2], (3, 9), 784, seed)


@task("4.6", points=2, title="FCNN treats each image by itself, flat or not",
      hint="Flattening must leave the batch alone.")  # fmt: skip
def test_fcnn_images_by_themselves(student, rng):
    images, seed = torch.randn(4, 1, 28, 28, generator=rng), drawn_seed(rng)
    inputs = [images, images.view(4, 784), *images.split(1)]
    found = answers(student, inputs, 9, seed, [{}, NOTHING])
    together, flat, *singly = found[: len(inputs)]
    together = logits_of(together, 4, 9)
    for number, alone in enumerate(singly):
        layers.judge_alone(logits_of(alone, 1, 9), together[number : number + 1], "logits of an image")
    same = expect.same_values(logits_of(flat, 4, 9), together, atol=1e-3)
    expect.true(same, "flat inputs get other logits than the same images: flattening mixes up their pixels")
    layers.judge_varied(together, "logits")
    judge_last_layer(found[len(inputs) : len(inputs) + 2], (4, 9), 784, seed)


# 4.7 and 4.8: the loops.


@task("4.7", points=3, title="train updates the weights as gradient descent does", examples=6,
      hint="For each batch: clear the gradients, forward, loss, backward, step.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 5, 8]), seed=SEEDS)
def test_train_weights(student, batch_size, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, batch_size, 0.2)
    loops.judge_descent(got, descend(x, y, weight, bias, batch_size, 0.2))


@task("4.7", points=2, title="train returns the logged losses as plain floats", examples=8,
      hint="Batches 0, log_interval, 2·log_interval, … and nothing that holds on to a graph.")  # fmt: skip
@given(log_interval=st.sampled_from([None, 1, 2, 3, 4]), seed=SEEDS)
def test_train_losses(student, log_interval, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    options, rate = loops.logging(log_interval)
    got = student.run(probes.trained, weight, bias, x, y, 4, rate, **options)
    loops.judge_losses(expect.field(got, "result"), descend(x, y, weight, bias, 4, rate), log_interval or 100)


@task("4.7", points=2, title="train puts the model into training mode, and leaves the rest as it was",
      hint="Dropout and batch normalisation behave differently in training.")  # fmt: skip
def test_train_mode(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, 4, 0.1, again=True)
    loops.judge_training_mode(got)
    loops.judge_seen(got, x, 4)


@task("4.7", points=1, title="train takes the lesson's parameters, and moves each batch to the device",
      hint="On a GPU, images and labels have to be where the model is: send them to `device`.")  # fmt: skip
def test_train_device(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    got = student.run(probes.trained_elsewhere, weight, bias, x, y)
    names = ("model", "device", "train_loader", "optimizer", "criterion", "epoch", "log_interval")
    loops.judge_elsewhere(got, "train", names, x, weight, bias)


@task("4.8", points=2, title="validate returns the mean loss", examples=8,
      hint="A mean over batches or over examples, as a plain float.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=SEEDS)
def test_validate_loss(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.validated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_mean_loss(got, "validate", logits, y, batch_size)


@task("4.8", points=2, title="validate returns the accuracy over all examples in percent", examples=8,
      hint="Count the hits of all batches, then divide once.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=SEEDS)
def test_validate_accuracy(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.validated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_percentage(got, "validate", logits, y, batch_size)


@task("4.8", points=2, title="validate evaluates: no training mode, no graph, nothing changed",
      hint="Two things are switched for evaluation: the model's mode, and the recording of gradients.")  # fmt: skip
def test_validate_changes_nothing(student, rng):
    x, y, weight, bias, mean, var, logits = normed_problem(rng)
    got = student.run(probes.validated, weight, bias, mean, var, x, y, 8)
    loops.judge_untouched(got, weight, mean, var, "validation")
    loops.judge_answered(got, logits, "validate")


@task("4.8", points=1, title="validate takes the lesson's parameters, and moves each batch to the device",
      hint="On a GPU, images and labels have to be where the model is: send them to `device`.")  # fmt: skip
def test_validate_device(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    got = student.run(probes.validated_elsewhere, weight, bias, x, y)
    names = ("model", "device", "loader", "criterion", "dataset_name")
    loops.judge_elsewhere(got, "validate", names, x, weight, bias)


# 4.9: fit


def judge_answers(calls, data):
    """The calls were made in this run: at each of them the model answers the data that were drawn for it."""
    (x, _), (valid_x, _), weight, bias = data
    for kind, *_, answer in calls:
        want = (x if kind == "train" else valid_x) @ weight.T + bias
        expect.close(answer, want, f"what the model says at a call of {kind}", atol=1e-3)


def fitted(student, gen, epochs, replaced=True):
    """Evidence of a run of `fit`, with what its stand-ins for train and validate returned, and the data."""
    x, y, weight, bias = problem(gen, 22, 5, 3)
    valid = problem(gen, 13, 5, 3)[:2]
    losses = torch.rand(epochs, 4, generator=gen).double().tolist()
    stand_ins = {"train": [row[:2] for row in losses], "validate": [[row[2], 100 * row[3]] for row in losses]}
    data = ((x, y), valid, weight, bias)
    given_to_fit = (weight, bias, (x, y), valid, 4, 0.1, epochs, stand_ins if replaced else None)
    return student.run(probes.fitted, *given_to_fit), stand_ins, data


def series(got, length, key):
    history = expect.field(got, "history")
    expect.instance(history, dict, "what fit returns")
    if key not in history:
        expect.fail(
            f"what fit returns has no {key!r}", expected=f"an entry {key!r}", got=", ".join(history) or "nothing"
        )
    nested = type(history[key]) is list and any(type(entry) is list for entry in history[key])
    expect.true(not nested, f"{key} holds lists: join what train returns (+= or extend, not append)")
    found = expect.items(history[key], None, key)
    joining = "each epoch's list from train, joined by extend" if key == "train_losses" else ""
    if len(found) != length:
        expect.fail(f"{key} has {len(found)} entries, where there should be {length}", form=True,
                    because=joining or "one for each epoch")  # fmt: skip
    return found


def calls_of(got):
    """[(kind, loader, (epoch, interval), missing, answer)] of the stand-ins' calls."""
    calls = [tuple(expect.items(call, 5, "a call")) for call in expect.items(expect.field(got, "calls"), None, "calls")]
    for kind, *_ in calls:
        expect.instance(kind, str, "a call")
    return calls


@task("4.9", points=1, title="fit takes the lesson's parameters, and hands on what it is given",
      hint="model, device, optimizer and criterion reach train and validate as they are.")  # fmt: skip
def test_fit_hands_on(student, rng):
    got, _, data = fitted(student, rng, 2)
    names = ("model", "device", "train_loader", "valid_loader", "optimizer", "criterion", "n_epochs")
    loops.judge_parameters(got, names, "fit")
    calls = calls_of(got)
    if {kind for kind, *_ in calls} == {"train", "validate"}:
        for kind, *_, missing, _ in calls:
            lost = ", ".join(map(str, expect.items(missing, None, "what is missing")))
            expect.true(not lost, f"fit does not give {kind} the {lost} that it is given, but another, or none")
        judge_answers(calls, data)
    else:
        got, _, ((x, _), _, weight, bias) = fitted(student, rng, 2, replaced=False)
        loops.judge_devices(got, "fit")
        loops.judge_first(got, x, weight, bias, "fit")


@task("4.9", points=1, title="fit trains, then validates on the validation data, in every epoch",
      hint="One call of train and one of validate an epoch, each with its own loader.")  # fmt: skip
def test_fit_calls(student, rng):
    got, _, data = fitted(student, rng, 3)
    calls = calls_of(got)
    if {kind for kind, *_ in calls} == {"train", "validate"}:
        loops.judge_turns([kind for kind, *_ in calls], ("train", "validate"), 3, "fit")
        for kind, loader, counted, *_ in calls:
            _, interval = expect.items(counted, 2, "epoch and interval")
            expect.equal(loader, "train" if kind == "train" else "valid", f"the loader that fit gives to {kind}")
            expect.equal(interval, 100, f"the log_interval that fit gives to {kind} (leave it at its default)")
        epochs = [counted[0] if type(counted[0]) is int else None for kind, _, counted, *_ in calls if kind == "train"]
        expect.true(epochs in ([0, 1, 2], [1, 2, 3]), "the epoch's number that fit gives to train: wrong values",
                    expected="0, 1, 2 or 1, 2, 3", got=epochs)  # fmt: skip
        judge_answers(calls, data)
        return
    # A fit that does without the module's train and validate is judged by what it does.
    got, _, ((x, y), _, weight, bias) = fitted(student, rng, 3, replaced=False)
    for _ in range(3):
        weight, bias, *_ = descend(x, y, weight, bias, 4, 0.1)
    expect.close(expect.field(got, "weight"), weight, "the weights after three epochs", atol=1e-3)


@task("4.9", points=2, title="fit returns the training losses joined, and one validation result an epoch",
      hint="`train` returns a list: join the lists. `validate` returns two numbers.")  # fmt: skip
def test_fit_history(student, rng):
    got, stand_ins, _ = fitted(student, rng, 2)
    if {kind for kind, *_ in calls_of(got)} == {"train", "validate"}:
        train_losses = joined(stand_ins["train"])
        valid_losses, accuracies = zip(*stand_ins["validate"], strict=True)
    else:
        got, _, data = fitted(student, rng, 2, replaced=False)
        train_losses, valid_losses, accuracies = by_formula(*data, epochs=2)
    wanted = {"train_losses": train_losses, "valid_losses": valid_losses, "valid_accuracies": accuracies}
    right = {key: [one if type(one) is tuple else (one,) for one in entries] for key, entries in wanted.items()}
    for key, entries in right.items():
        others = {f"of {name}": values[0][0] for name, values in right.items() if name != key}
        for value, want in zip(series(got, len(entries), key), entries, strict=True):
            loops.near_one_of(value, want, f"an entry of {key}", atol=1e-3, context=others)


def by_formula(train, valid, weight, bias, epochs):
    """What fit is to return, by the closed formula of gradient descent."""
    train_losses, valid_losses, accuracies = [], [], []
    for _ in range(epochs):
        weight, bias, losses, *_ = descend(*train, weight, bias, 4, 0.1)
        train_losses += losses[:1]
        logits = valid[0] @ weight.T + bias
        chosen = -logits.log_softmax(1)[range(len(valid[1])), valid[1]]
        by_batch = torch.stack([part.mean() for part in chosen.split(4)]).mean().item()
        valid_losses.append((by_batch, chosen.mean().item()))
        accuracies.append(100 * (logits.argmax(1) == valid[1]).double().mean().item())
    return train_losses, valid_losses, accuracies


# 4.10: one prediction


@task("4.10", points=2, title="predict gives the class of one image, in evaluation mode", examples=6,
      hint="A model wants a batch, even of one image; dropout has to be off.")  # fmt: skip
@given(channels=st.sampled_from([1, 2, 3]), seed=SEEDS)
def test_predict(student, channels, seed):
    gen = generator(seed)
    images = torch.randn(6, channels, 2, 2, generator=gen)
    _, _, weight, bias = problem(gen, 1, 4 * channels, 5)
    mean, var = torch.randn(4 * channels, generator=gen), torch.rand(4 * channels, generator=gen) + 0.5
    got = student.run(probes.predicted, weight, bias, mean, var, images)
    logits = ((images.flatten(1) - mean) / (var + 1e-5).sqrt()) @ weight.T + bias
    classes = expect.items(expect.field(got, "classes"), 6, "the classes")
    for found, row in zip(classes, logits, strict=True):
        slips = {"of the least logit: argmax": int(row.argmin()),
                 "that argmax gives along the batch's axis, of length 1: dim=1 is that of the classes": 0}  # fmt: skip
        expect.integer(found, int(row.argmax()), "the predicted class, that of the greatest logit", context=slips)
    expect.close(expect.field(got, "running_mean"), mean, "batch normalisation's running mean afterwards")
    loops.judge_gradient_mode(got)


@task("4.10", points=1, title="predict takes the lesson's parameters, and moves the image to the device",
      hint="On a GPU, the image has to be where the model is: send it to `device`.")  # fmt: skip
def test_predict_device(student, rng):
    _, _, weight, bias = problem(rng, 1, 8, 5)
    image = torch.randn(2, 2, 2, generator=rng)
    got = student.run(probes.predicted_elsewhere, weight, bias, image)
    names = ("model", "image", "device")
    loops.judge_elsewhere(got, "predict", names, image.view(1, -1), weight, bias, labelled=False)


# 4.11: the whole

# calibration.md, beside the reference, says why a correct solution passes both and a broken one does not.
ACCURACY, LOSS = 0.55, 1.4
RATE, EPOCHS = 0.04, 5
TRAIN_SIZE = 200  # no batch of nine tenths of them is small, for a small one would throw the network back
UNTRAINED_SIZE = 100
STAND_INS = {"stats": "pixel_stats", "split": "split_train_valid", "loaders": "make_loaders"}


@task("4.11", points=3, title="everything together learns to read digits", needs=("4.6", "4.7", "4.9"), seconds=40,
      hint="Short training must lift the accuracy well above chance; look at 4.6, 4.7 and 4.9 first.")  # fmt: skip
def test_accuracy(student, rng):
    data = digits.draw(rng, TRAIN_SIZE)
    pixels = data.train_images.double() / 255
    mean, std = pixels.mean().item(), pixels.std().item()
    seed = drawn_seed(rng)
    got = student.run(probes.trained_weights, data.train_images, data.train_labels, seed, mean, std, RATE, EPOCHS)
    show.stand_in(expect.field(got, "own"), STAND_INS)
    mean, std = (
        expect.number(value, "the statistics") for value in expect.items(expect.field(got, "stats"), 2, "stats")
    )
    after = networks.FCNN.taken(expect.field(got, "after"), "after training")
    noisy = oracles.noisy(after, rng)
    # A new network, in a process that has seen nothing else: as it is, and with these weights.
    again = student.run_fresh(probes.predictions_with, noisy, data.test_images, mean, std, UNTRAINED_SIZE)
    before = logits_on_digits(expect.field(again, "untrained"), UNTRAINED_SIZE, "before training")
    untrained = oracles.accuracy(before, data.test_labels[:UNTRAINED_SIZE])
    expect.true(untrained < 0.4, "the untrained network already knows the answers", got=f"{100 * untrained:.1f} %")
    logits = logits_on_digits(expect.field(again, "logits"), len(data.test_labels), "after training")
    accuracy = oracles.accuracy(logits, data.test_labels)
    loss = torch.nn.functional.cross_entropy(logits.double(), data.test_labels).item()
    show.curve("Training loss", expect.field(got, "losses"), BANDS["week4"])
    show.confusion(logits, data.test_labels, data.names)
    show.mistakes(data.test_images, logits, data.test_labels, data.names)
    expect.at_least(accuracy, ACCURACY, "the accuracy on test digits", unit="%")
    expect.at_most(loss, LOSS, "the loss on test digits")
    # The same weights in the judge's network: a table that forward looks images up in is no network.
    inputs = (data.test_images.float() / 255 - mean) / std
    computed = networks.FCNN.accuracy(noisy, inputs, data.test_labels, ACCURACY)
    expect.at_least(computed, ACCURACY, "the accuracy of three linear layers with the trained weights", unit="%")


def logits_on_digits(logits, count, when):
    return expect.tensor(logits, f"the logits {when}", shape=(count, digits.CLASSES), dtype=torch.float32)
