"""Week 5's public checks: 60 points. Run them with `pytest assignments/week5`, one task with `--task 5.3`."""

import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import digits, loops, networks
from fixtures.bands import BANDS
from fixtures.loops import descend, normed_problem, problem
from grader import expect, show
from grader.checks import load_probes, task

probes = load_probes(__file__)


def generator(seed):
    return torch.Generator().manual_seed(seed)


seeds = st.integers(0, 2**31 - 1)


# 5.1 and 5.2: sizes, counted as the places where the window can stand


def places(size, window, step, padding=0):
    return len(range(-padding, size + padding - window + 1, step))


@task("5.1", points=2, title="conv_output_size with stride and padding", hint="Count where the filter can stand.")
@given(kernel=st.integers(1, 7), extra=st.integers(0, 30), stride=st.integers(1, 4), padding=st.integers(0, 3))
def test_conv_output_size(student, kernel, extra, stride, padding):
    size = kernel + extra
    got = student.run(probes.conv_output_size, size, kernel, stride=stride, padding=padding)
    expect.integer(got, places(size, kernel, stride, padding), "conv_output_size")


@task("5.1", points=1, title="conv_output_size has defaults", hint="Stride 1 and no padding unless said otherwise.")
@given(kernel=st.integers(1, 7), extra=st.integers(0, 30))
def test_conv_output_size_defaults(student, kernel, extra):
    got = student.run(probes.conv_output_size, kernel + extra, kernel)
    expect.integer(got, extra + 1, "conv_output_size")


@task("5.2", points=2, title="pool_output_size with a stride", hint="The window moves by the stride that is given.")
@given(window=st.integers(1, 5), extra=st.integers(0, 25), stride=st.integers(1, 5))
def test_pool_output_size(student, window, extra, stride):
    got = student.run(probes.pool_output_size, window + extra, window, stride=stride)
    expect.integer(got, places(window + extra, window, stride), "pool_output_size")


@task("5.2", points=1, title="pool_output_size without a stride", hint="How far do pooling windows move by default?")
@given(window=st.integers(1, 5), extra=st.integers(0, 25))
def test_pool_output_size_default_stride(student, window, extra):
    got = student.run(probes.pool_output_size, window + extra, window)
    expect.integer(got, places(window + extra, window, window), "pool_output_size")


# 5.3: LeNet


def outputs(result, batch, classes):
    """The two parts of LeNet's result, each of the right shape."""
    logits, hidden = expect.items(result, 2, "what forward returns, (logits, hidden),")
    expect.tensor(logits, "logits", shape=(batch, classes), dtype=torch.float32)
    expect.tensor(hidden, "hidden", shape=(batch, 256), dtype=torch.float32)
    return logits, hidden


@task("5.3", points=3, title="LeNet returns logits and hidden of the right shapes", examples=10,
      hint="forward returns two things; flatten each image by itself.")  # fmt: skip
@given(batch=st.integers(1, 6), output_dim=st.integers(2, 20))
def test_lenet_shapes(student, batch, output_dim):
    images = torch.randn(batch, 1, 28, 28, generator=generator(batch))
    logits, hidden = outputs(student.run(probes.lenet_outputs, images, output_dim), batch, output_dim)
    expect.true(bool(hidden.any()) and bool(logits.any()), "logits or hidden are all zeros, whatever the image")
    for part, name in ((logits, "logits"), (hidden, "hidden")):
        expect.true(batch == 1 or bool((part != part[0]).any()), f"all images have the same {name}")


def logits_alone(result, batch, classes):
    """The logits, also where forward returns nothing else: that has a check of its own."""
    logits = result if type(result) is torch.Tensor else expect.items(result, 2, "what forward returns")[0]
    return expect.tensor(logits, "logits", shape=(batch, classes), dtype=torch.float32)


@task("5.3", points=1, title="LeNet's layers have their names and sizes",
      hint="The lesson's table gives each layer's size.")  # fmt: skip
def test_lenet_layers(student):
    got = student.run(probes.lenet_layers, 10)
    want = {"conv1": [6, 1, 5, 5], "conv2": [16, 6, 5, 5], "fc_1": [120, 256], "fc_2": [84, 120], "fc_3": [10, 84]}
    for name, shape in want.items():
        expect.equal(expect.field(got, name), shape, f"the weight of {name}")


def random_weights(gen, classes):
    """Parameters for LeNet, of the usual size."""
    shapes = {
        "conv1": (6, 1, 5, 5),
        "conv2": (16, 6, 5, 5),
        "fc_1": (120, 256),
        "fc_2": (84, 120),
        "fc_3": (classes, 84),
    }
    weights = {}
    for name, shape in shapes.items():
        fan_in = int(np.prod(shape[1:]))
        weights[f"{name}.weight"] = torch.randn(shape, generator=gen) / fan_in**0.5
        weights[f"{name}.bias"] = torch.randn(shape[0], generator=gen) / fan_in**0.5
    return weights


@task("5.3", points=1, title="LeNet's logits are raw: nothing comes after fc_3",
      hint="The loss applies softmax by itself; forward leaves the last layer's output as it is.")  # fmt: skip
def test_lenet_raw_logits(student, rng):
    weights = random_weights(rng, 10)
    images = torch.randn(4, 1, 28, 28, generator=rng)
    plain = logits_alone(student.run(probes.lenet_outputs, images, 10, weights), 4, 10)
    step = torch.linspace(-3, 3, 10)
    moved = {**weights, "fc_3.bias": weights["fc_3.bias"] + step}
    shifted = logits_alone(student.run(probes.lenet_outputs, images, 10, moved), 4, 10)
    differ = not torch.allclose(plain, plain[:1].expand(4, 10), atol=1e-3)
    expect.true(differ, "different images have the same logits")
    expect.close(shifted - plain, step.expand(4, 10), "how the logits change with fc_3's bias", atol=1e-3)


@task("5.3", points=1, title="LeNet applies ReLU after both blocks, fc_1 and fc_2",
      hint="Which layers are followed by a ReLU, and which is not?")  # fmt: skip
def test_lenet_relu(student, rng):
    weights = random_weights(rng, 10)
    images = torch.randn(4, 1, 28, 28, generator=rng)
    _, hidden = outputs(student.run(probes.lenet_outputs, images, 10, weights), 4, 10)
    expect.true(bool((hidden >= 0).all()), "hidden has negative values, so its ReLU is missing")
    expect.true(bool((hidden > 0).any()), "hidden is all zeros, whatever the image")
    for layer, following in (("conv1", "conv2"), ("fc_1", "fc_2"), ("fc_2", "fc_3")):
        # With all outputs of a layer below zero, what follows its ReLU sees zeros, whatever the bias was.
        results = []
        for bias in (-1.0, -2.0, 1.0, 2.0):
            dead = {**weights, f"{layer}.weight": torch.zeros_like(weights[f"{layer}.weight"])}
            dead[f"{layer}.bias"] = torch.full_like(weights[f"{layer}.bias"], bias)
            logits, _ = outputs(student.run(probes.lenet_outputs, images, 10, dead), 4, 10)
            results.append(logits)
        below, further, above, higher = results
        same = torch.allclose(below, further, atol=1e-5)
        expect.true(same, f"negative outputs of {layer} reach {following}: a ReLU is missing between them")
        reach = not torch.allclose(above, higher, atol=1e-4) and not torch.allclose(below, above, atol=1e-4)
        expect.true(reach, f"positive outputs of {layer} do not reach {following}")


@task("5.3", points=1, title="LeNet takes a single image as a batch of one",
      hint="An image without a batch axis has three axes.")  # fmt: skip
def test_lenet_single_image(student, rng):
    weights = random_weights(rng, 10)
    image = torch.randn(1, 28, 28, generator=rng)
    alone, hidden = outputs(student.run(probes.lenet_outputs, image, 10, weights), 1, 10)
    batched, hidden_batched = outputs(student.run(probes.lenet_outputs, image[None], 10, weights), 1, 10)
    expect.close(alone, batched, "logits of a single image")
    expect.close(hidden, hidden_batched, "hidden of a single image")
    expect.true(bool(hidden.any()), "hidden is all zeros, whatever the image")
    other, _ = outputs(student.run(probes.lenet_outputs, image, 10, random_weights(rng, 10)), 1, 10)
    expect.true(not torch.allclose(alone, other), "the logits of a single image do not depend on the weights")
    other, _ = outputs(student.run(probes.lenet_outputs, -image, 10, weights), 1, 10)
    expect.true(not torch.allclose(alone, other), "the logits of a single image do not depend on the image")


@task("5.3", points=3, title="gradients flow through logits and hidden to every layer",
      hint="Nothing in forward may cut the graph.")  # fmt: skip
def test_lenet_gradients(student, rng):
    images = torch.randn(16, 1, 28, 28, generator=rng)
    for source, name, layers in (
        (0, "logits", ("conv1", "conv2", "fc_1", "fc_2", "fc_3")),
        (1, "hidden", ("conv1", "conv2")),
    ):
        got = student.run(probes.lenet_gradients, images, source)
        if type(got) is str:
            expect.fail(f"{name}: {'cut off from the graph' if got == 'detached' else 'missing'}", got=got)
        for layer in layers:
            size = expect.field(got, layer)
            reached = type(size) is float and size > 0
            expect.true(reached, f"no gradient reaches {layer} from {name}", expected="a gradient", got=size)


# 5.4: transforms


def picture(pixels):
    return torch.tensor(pixels, dtype=torch.uint8)


def blob():
    image = np.zeros((28, 28), dtype=np.uint8)
    image[12:16, 12:16] = 255
    return picture(image)


def bar():
    image = np.zeros((28, 28), dtype=np.uint8)
    image[12:16, 3:25] = 255
    return picture(image)


def grey(outputs, mean, std):
    """Pictures in [0, 1], N×28×28, from normalised ones; each has to be a float tensor 1×28×28."""
    outputs = expect.items(outputs, None, "the outputs")
    pictures = [expect.tensor(o, "a transformed image", shape=(1, 28, 28), dtype=torch.float32) for o in outputs]
    expect.true(len(pictures) > 0, "nothing was transformed")
    return torch.cat(pictures).double() * std + mean


def moments(pictures):
    """Centre of mass (x, y) and angle (degrees) of each of N×28×28 pictures, weighted by brightness."""
    weight = pictures.clamp(0, 1)
    weight = weight / weight.sum((1, 2), keepdim=True).clamp(min=1e-6)
    axis = torch.arange(28).double() - 13.5
    x, y = (weight * axis[None, None, :]).sum((1, 2)), (weight * axis[None, :, None]).sum((1, 2))
    dx, dy = axis[None, None, :] - x[:, None, None], axis[None, :, None] - y[:, None, None]
    xx, yy, xy = ((weight * product).sum((1, 2)) for product in (dx * dx, dy * dy, dx * dy))
    return x, y, torch.rad2deg(0.5 * torch.atan2(2 * xy, xx - yy))


@task("5.4", points=2, title="the test pipeline normalises, and does nothing at random",
      hint="Scale to [0, 1] first; then subtract the mean and divide by the deviation.")  # fmt: skip
def test_test_transform(student, rng):
    image = torch.randint(0, 256, (28, 28), generator=rng, dtype=torch.uint8)
    for output in expect.items(student.run(probes.transformed, image, 0.1307, 0.3081, 1, 3), 3, "the outputs"):
        pixels = expect.tensor(output, "a transformed image", shape=(1, 28, 28), dtype=torch.float32)
        expect.close(
            pixels * 0.3081 + 0.1307, image[None].float() / 255, "pixels after undoing mean and std", atol=1e-4
        )


@task("5.4", points=1, title="the training pipeline differs from call to call",
      hint="Augmentation draws anew for every image.")  # fmt: skip
def test_train_transform_varies(student):
    pictures = grey(student.run(probes.transformed, bar(), 0.1307, 0.3081, 0, 20), 0.1307, 0.3081)
    distinct = {tuple(p.flatten().round(decimals=2).tolist()) for p in pictures}
    expect.true(
        len(distinct) > 5, "the training pipeline hardly changes the image", got=f"{len(distinct)} of 20 differ"
    )


@task("5.4", points=1, title="the training pipeline shifts by up to 2 pixels",
      hint="Pad by 2, then crop 28.")  # fmt: skip
def test_train_transform_shifts(student):
    x, y, _ = moments(grey(student.run(probes.transformed, blob(), 0.1307, 0.3081, 0, 64), 0.1307, 0.3081))
    for name, shift in (("horizontally", x), ("vertically", y)):
        reach = (shift.min().item(), shift.max().item())
        inside = reach[0] > -2.7 and reach[1] < 2.7
        expect.true(inside, f"shifted too far {name}", expected="at most 2 pixels", got=reach)
        moved = reach[0] < -0.7 and reach[1] > 0.7
        expect.true(moved, f"hardly shifted {name}", expected="up to 2 pixels, to either side", got=reach)
    furthest = max(x.abs().max().item(), y.abs().max().item())
    expect.true(furthest > 1.4, "never shifted by 2 pixels", got=furthest)


@task("5.4", points=2, title="the training pipeline rotates by up to 5 degrees",
      hint="A small random rotation, to either side.")  # fmt: skip
def test_train_transform_rotates(student):
    *_, angle = moments(grey(student.run(probes.transformed, bar(), 0.1307, 0.3081, 0, 64), 0.1307, 0.3081))
    reach = (angle.min().item(), angle.max().item())
    expect.true(reach[0] > -7 and reach[1] < 7, "rotated too far", expected="within ±5°", got=reach)
    expect.true(reach[0] < -1 and reach[1] > 1, "hardly rotated", expected="up to 5° to either side", got=reach)


# 5.5: the split


def pairs(items, what):
    """[(number, mark)] of a part's items."""
    found = []
    for item in expect.items(items, None, what):
        value, label = expect.items(item, 2, f"an item of {what}")
        expect.equal(label, 7, f"a label of {what}")
        number, mark = expect.items(value, 2, f"an item of {what}")
        expect.instance(number, int, f"a number of {what}")
        expect.instance(mark, str, f"a mark of {what}")
        found.append((number, mark))
    return found


@task("5.5", points=2, title="the two parts are disjoint, random and cover the dataset", examples=10,
      hint="int(len * ratio) items for training, every other one for validation.")  # fmt: skip
@given(length=st.integers(40, 90), ratio=st.sampled_from([0.5, 0.75, 0.8, 0.9]), seed=st.integers(0, 1000))
def test_split_covers(student, length, ratio, seed):
    got = student.run(probes.split, length, train_ratio=ratio, seed=seed)
    train = [number for number, _ in pairs(expect.field(got, "train"), "the training part")]
    valid = [number for number, _ in pairs(expect.field(got, "valid"), "the validation part")]
    expect.integer(len(train), int(length * ratio), "the length of the training part")
    expect.equal(sorted(train + valid), list(range(length)), "all items together")
    expect.true(train != list(range(len(train))), "the training part is not random: it is the first items")


@task("5.5", points=3, title="validation uses the test transform, training keeps its own",
      hint="Two subsets of one dataset share its transform, unless one of them has a copy.")  # fmt: skip
def test_split_transforms(student):
    got = student.run(probes.split, 30)
    for part, mark in (("train", "train"), ("valid", "test")):
        marks = {mark for _, mark in pairs(expect.field(got, part), part)}
        expect.equal(marks, {mark}, f"the transform of the {part} part")
    expect.equal(expect.field(got, "after"), ([0, "train"], 7), "an item of the original dataset afterwards")


@task("5.5", points=1, title="the same seed gives the same split, another seed another",
      hint="Seed a generator of your own.")  # fmt: skip
def test_split_seed(student):
    results = [student.run(probes.split, 60, seed=seed) for seed in (3, 3, 4)]
    first, again, other = (pairs(expect.field(got, "train"), "the training part") for got in results)
    expect.equal(again, first, "the second split with the same seed")
    expect.true(other != first, "another seed gives the same split")


@task("5.5", points=1, title="the split leaves the global generators alone",
      hint="Neither seed nor use the generators of random, NumPy and torch.")  # fmt: skip
def test_split_generators(student, rng):
    seed = int(torch.randint(0, 2**31 - 2, (1,), generator=rng))
    got = student.run(probes.draws_after_split, seed)
    want = {
        "random": random.Random(seed).random(),
        "numpy": float(np.random.RandomState(seed).rand()),
        "torch": float(torch.rand(1, generator=generator(seed))),
    }
    for name, value in want.items():
        number = expect.number(expect.field(got, name), f"the next number of {name}")
        expect.true(number == value, f"the global generator of {name} is not as it was")
    items = [number for number, _ in pairs(expect.field(got, "items"), "the two parts")]
    expect.equal(sorted(items), list(range(20)), "all items together")


# 5.6 and 5.7: filters and pooling, by their definition


def slide(images, kernel):
    """Cross-correlation of N×1×H×W images with a k×k filter, one position at a time."""
    k, weight = len(kernel), np.array(kernel)
    rows, columns = images.shape[2] - k + 1, images.shape[3] - k + 1
    result = np.empty((len(images), 1, rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = images[:, 0, row : row + k, column : column + k].numpy()
            result[:, 0, row, column] = (window * weight).sum((1, 2))
    return torch.from_numpy(result).float()


@task("5.6", points=1, title="apply_filter gives float32 images, as it is given",
      hint="NumPy's numbers are float64; the next layer takes float32.")  # fmt: skip
def test_filter_dtype(student, rng):
    images = torch.rand(2, 1, 6, 6, generator=rng)
    got = student.run(probes.apply_filter, images, [[0.5, -1.0], [0.0, 2.0]])
    filtered = expect.tensor(got, "the filtered images", shape=(2, 1, 5, 5), dtype=torch.float32)
    expect.true(bool(filtered.any()), "the filtered images are all zeros")


@task("5.6", points=2, title="apply_filter slides the filter over the images", examples=10,
      hint="Cross-correlation: the filter is not flipped, and only full overlaps count.")  # fmt: skip
@given(count=st.integers(1, 3), k=st.sampled_from([3, 2, 1]), height=st.integers(5, 9), seed=seeds)
def test_apply_filter(student, count, k, height, seed):
    gen = generator(seed)
    images = torch.rand(count, 1, height, 7, generator=gen)
    kernel = torch.randint(-3, 4, (k, k), generator=gen).tolist()
    flipped = {"that a flipped kernel gives": slide(images, [row[::-1] for row in kernel[::-1]])}
    got = student.run(probes.apply_filter, images, kernel)
    expect.close(got, slide(images, kernel), "the filtered images", context=flipped)


def pool(images, size, reduce):
    """Non-overlapping windows of N×C×H×W images, reduced one at a time."""
    rows = [images[:, :, r : r + size] for r in range(0, images.shape[2], size)]
    cells = [[row[:, :, :, c : c + size].flatten(2) for c in range(0, images.shape[3], size)] for row in rows]
    return torch.stack([torch.stack([reduce(cell) for cell in row], dim=-1) for row in cells], dim=-2)


@task("5.7", points=3, title="subsample pools by maximum or mean", examples=12,
      hint="'mean' and 'avg' are two names for one thing; the letter case does not matter.")  # fmt: skip
@given(kind=st.sampled_from(["max", "mean", "avg", "MAX", "Mean", "AVG"]), size=st.sampled_from([2, 3]), seed=seeds)
def test_subsample(student, kind, size, seed):
    images = torch.randn(2, 3, 6, 12, generator=generator(seed))
    want = pool(images, size, lambda cell: cell.amax(-1) if kind.lower() == "max" else cell.mean(-1))
    expect.close(student.run(probes.subsample, images, kind, size), want, "the pooled images")


@task("5.7", points=1, title="subsample refuses any other name, and names the choices",
      hint="A ValueError whose text helps whoever made the typing mistake.")  # fmt: skip
def test_subsample_error(student):
    message = expect.raises(student.run(probes.subsample_error, "median"), ["ValueError"], "subsample with 'median'")
    named = "max" in message.lower() and ("mean" in message.lower() or "avg" in message.lower())
    expect.true(named, "the ValueError does not name the choices", expected="max, mean, avg", got=message)
    images = torch.arange(16.0).view(1, 1, 4, 4)
    right = student.run(probes.subsample, images, "max", 2)  # which raises where every name is refused
    expect.close(right, pool(images, 2, lambda cell: cell.amax(-1)), "subsample with 'max'")


# 5.8: the loops.


@task("5.8", points=2, title="train updates the weights as gradient descent does", examples=6,
      hint="For each batch: clear the gradients, forward, loss, backward, step.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 5, 8]), seed=seeds)
def test_train_weights(student, batch_size, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, batch_size, 0.2)
    loops.judge_descent(got, descend(x, y, weight, bias, batch_size, 0.2))


@task("5.8", points=2, title="train returns the logged losses as plain floats", examples=6,
      hint="Batches 0, log_interval, 2·log_interval, … and nothing that holds on to a graph.")  # fmt: skip
@given(log_interval=st.sampled_from([None, 1, 2, 3, 4]), seed=seeds)
def test_train_losses(student, log_interval, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, 4, 0.0, log_interval)
    losses = descend(x, y, weight, bias, 4, 0.0).losses
    wanted = losses[:: log_interval or 100]
    found = expect.items(expect.field(got, "losses"), len(wanted), "the returned losses")
    for value, want in zip(found, wanted, strict=True):
        expect.instance(value, float, "a returned loss")
        expect.near(value, want, "a returned loss", atol=1e-4)


@task("5.8", points=1, title="train puts the model into training mode, and leaves the rest as it was",
      hint="Dropout and batch normalisation behave differently in training.")  # fmt: skip
def test_train_mode(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    loops.judge_training_mode(student.run(probes.trained, weight, bias, x, y, 4, 0.1, again=True))


@task("5.8", points=1, title="train and validate take the lesson's parameters, and move each batch to the device",
      hint="On a GPU, images and labels have to be where the model is: send them to `device`.")  # fmt: skip
def test_loops_device(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    got = student.run(probes.loops_elsewhere, weight, bias, x, y)
    for name, own in (
        ("train", ("train_loader", "optimizer", "criterion", "epoch", "log_interval")),
        ("validate", ("loader", "criterion", "dataset_name")),
    ):
        loops.judge_parameters(expect.field(got, name), ("model", "device", *own), name)
        loops.judge_devices(expect.field(got, name), name)


@task("5.8", points=1, title="validate returns the mean loss", examples=6,
      hint="A mean over batches or over examples, as a plain float.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=seeds)
def test_validate_loss(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.validated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_mean_loss(loops.pair_of(got, "validate")[0], logits, y, batch_size)


@task("5.8", points=1, title="validate returns the accuracy over all examples in percent", examples=6,
      hint="Count the hits of all batches, then divide once.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=seeds)
def test_validate_accuracy(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.validated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_percentage(loops.pair_of(got, "validate")[1], logits, y, batch_size)


@task("5.8", points=1, title="validate evaluates: no training mode, no graph, nothing changed",
      hint="Two things are switched for evaluation: the model's mode, and the recording of gradients.")  # fmt: skip
def test_validate_changes_nothing(student, rng):
    x, y, weight, bias, mean, var, _ = normed_problem(rng)
    got = student.run(probes.validated, weight, bias, mean, var, x, y, 8)
    loops.judge_untouched(got, weight, mean, var, "validation")


# 5.9 and 5.10: predictions


@task("5.9", points=3, title="get_predictions returns images, labels and probabilities in order", examples=6,
      hint="Evaluate without dropout and gradients; turn logits into probabilities; join the batches.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 6, 30]), seed=seeds)
def test_get_predictions(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed), count=14)
    images = x.view(-1, 1, 2, 2)
    got = student.run(probes.predictions, weight, bias, mean, var, images, y, batch_size)
    found = expect.items(expect.field(got, "result"), 3, "what get_predictions returns, (images, labels, probs),")
    expect.close(found[0], images, "images")
    expect.close(found[1], y, "labels", dtype=True)
    expect.close(found[2], logits.softmax(1), "probs", atol=1e-4)
    expect.equal(expect.field(got, "attached"), [False] * 3, "requires_grad of the three tensors")
    expect.close(expect.field(got, "running_mean"), mean, "batch normalisation's running mean afterwards")
    loops.judge_gradient_mode(got)


@task("5.9", points=1, title="get_predictions moves batches to the device, and its results back to the CPU",
      hint="The model may be on a GPU, where it wants its inputs; NumPy and matplotlib want the CPU.")  # fmt: skip
def test_predictions_device(student, rng):
    x, y, weight, bias = problem(rng, 7, 4, 3)
    got = student.run(probes.predictions_elsewhere, weight, bias, x.view(-1, 1, 2, 2), y)
    loops.judge_parameters(got, ("model", "loader", "device"), "get_predictions")
    loops.judge_devices(got, "get_predictions", labelled=False)
    for place, name in zip(expect.items(expect.field(got, "results"), 3, "the results"),
                           ("images", "labels", "probs"), strict=True):  # fmt: skip
        expect.equal(place, "cpu", f"where the {name} are")


def guesses(gen, count, classes, wrong, side=4):
    """Images, labels and probabilities in which exactly the first `wrong` rows, shuffled, are wrong."""
    probs = torch.rand(count, classes, generator=gen).softmax(1)
    labels = probs.argmax(1)
    order = torch.randperm(count, generator=gen)
    labels[order[:wrong]] = (labels[order[:wrong]] + 1) % classes
    return torch.rand(count, 1, side, side, generator=gen), labels, probs


def judge_incorrect(got, images, labels, probs, n):
    """Entries are wrong predictions, distinct, complete and in falling order of confidence."""
    confidence, predicted = probs.max(1)
    wrong = confidence[predicted != labels].sort(descending=True).values[:n]
    entries = expect.items(got, len(wrong), "the wrong predictions")
    used = set()
    for entry, want in zip(entries, wrong.tolist(), strict=True):
        image, label, row = expect.items(entry, 3, "an entry, (image, true label, probs),")
        expect.tensor(image, "an entry's image", shape=images.shape[1:])
        index = int((images - image.float()).abs().flatten(1).sum(1).argmin())
        expect.close(image, images[index], "an entry's image")
        expect.close(row, probs[index], "an entry's probs")
        value = label.item() if type(label) is torch.Tensor and label.numel() == 1 else expect.whole(label)
        expect.true(type(value) is int, "an entry's label is not an int or a 0-d tensor", got=label)
        expect.equal(value, int(labels[index]), "an entry's true label")
        expect.true(bool(predicted[index] != labels[index]), "an entry was predicted correctly")
        expect.near(float(probs[index].max()), want, "the confidence at this place (most confident first)")
        expect.true(index not in used, "an entry appears twice")
        used.add(index)


@task("5.10", points=3, title="most_incorrect gives the most confident mistakes first", examples=8,
      hint="Confidence is the largest probability of a row.")  # fmt: skip
@given(n=st.integers(1, 6), seed=seeds)
def test_most_incorrect(student, n, seed):
    data = guesses(generator(seed), 20, 4, 8)
    judge_incorrect(student.run(probes.most_incorrect, *data, n), *data, n)


@task("5.10", points=1, title="most_incorrect copes with fewer mistakes than n",
      hint="With two mistakes there are two entries, with none there are none.")  # fmt: skip
def test_most_incorrect_few(student, rng):
    for wrong in (4, 3, 2, 0):
        data = guesses(rng, 10, 3, wrong)
        judge_incorrect(student.run(probes.most_incorrect, *data, 5), *data, 5)


# 5.11: plots


def axes_of(drawn, count):
    """The axes of a figure that was returned, not shown."""
    is_figure = expect.field(drawn, "figure")
    expect.true(
        is_figure is True, "no matplotlib Figure was returned", expected="Figure", got=expect.field(drawn, "type")
    )
    expect.equal(expect.field(drawn, "shows"), 0, "the number of calls of show")
    return expect.items(expect.field(drawn, "axes"), count, "the figure's axes")


def height_of(ax):
    box = expect.items(expect.field(ax, "box"), 4, "the place of an axes")
    return expect.number(box[1], "the place of an axes")


def pixels_of(ax):
    """The first picture in an axes, as a 2-d tensor."""
    pictures = expect.items(expect.field(ax, "pictures"), None, "the pictures in an axes")
    expect.true(len(pictures) > 0 and type(pictures[0]) is np.ndarray, "an axes holds no picture")
    array = torch.from_numpy(pictures[0]).double()
    return array.mean(-1) if array.dim() == 3 else array


def alike(a, b):
    """Equal up to brightness and contrast, as a picture may be drawn."""
    if a.shape != b.shape:
        return False
    a, b = a.double().flatten() - a.double().mean(), b.double().flatten() - b.double().mean()
    return bool((a @ b) > 0.99 * a.norm() * b.norm())


def proportional(a, b):
    """Equal up to a factor: counts may be drawn as fractions or in percent."""
    return a.shape == b.shape and torch.allclose(a.double() / a.double().sum(), b / b.sum(), atol=1e-5)


@task("5.11", points=1, title="each plot is a figure of its own",
      hint="Begin with plt.subplots or plt.figure: what is current may be somebody else's.")  # fmt: skip
def test_own_figures(student, rng):
    images, _, probs = guesses(rng, 3, 10, 3, side=28)
    labels = torch.arange(10)  # every class, as some programs name them all
    given_to_run = (images, [[0, 1], [2, 0]], labels, labels.roll(1), probs)
    got = student.run(probes.figures, *given_to_run)
    for name in ("plot_filter", "plot_confusion_matrix", "plot_most_incorrect"):
        own, untouched = expect.items(expect.field(got, name), 2, f"what {name} draws")
        expect.true(own is True, f"{name} returns the figure that was current before, not one of its own")
        expect.true(untouched is True, f"{name} draws into the figure that was current before")


@task("5.11", points=1, title="plot_filter draws the originals over the filtered images",
      hint="Two rows; as many columns as there are images.")  # fmt: skip
def test_plot_filter(student, rng):
    images = torch.rand(3, 1, 10, 10, generator=rng)
    kernel = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    got = student.run(probes.plot_filter, images, kernel)
    axes = sorted(axes_of(got, 6), key=height_of, reverse=True)
    top, bottom = [pixels_of(ax) for ax in axes[:3]], [pixels_of(ax) for ax in axes[3:]]
    drawn = all(any(alike(image[0], shown) for shown in top) for image in images)
    expect.true(drawn, "the upper row does not show the original images")
    wanted = zip(probes.stand_in(images, kernel), slide(images, kernel), strict=True)
    drawn = all(any(alike(a[0], shown) or alike(b[0], shown) for shown in bottom) for a, b in wanted)
    expect.true(drawn, "the lower row does not show the filtered images")


@task("5.11", points=1, title="plot_confusion_matrix draws the matrix in one axes",
      hint="A colour bar is an axes of its own.")  # fmt: skip
def test_plot_confusion_matrix(student, rng):
    labels = torch.arange(120) % 10
    noise = torch.randint(0, 10, (120,), generator=rng)
    predicted = torch.where(torch.rand(120, generator=rng) < 0.3, noise, labels)
    (ax,) = axes_of(student.run(probes.plot_confusion_matrix, labels, predicted), 1)
    counts = torch.zeros(10, 10).double().index_put_((labels, predicted), torch.ones(120).double(), accumulate=True)
    drawn = [*expect.items(expect.field(ax, "pictures"), None, "pictures"),
             *expect.items(expect.field(ax, "meshes"), None, "meshes")]  # fmt: skip
    arrays = [torch.from_numpy(a) for a in drawn if type(a) is np.ndarray and a.size == counts.numel()]
    versions = [counts, counts / counts.sum(1, keepdim=True), (counts / counts.sum(0)).nan_to_num()]
    texts = expect.items(expect.field(ax, "texts"), None, "texts")
    matches = not arrays and sorted(map(str, texts)) == sorted(str(int(c)) for c in counts.flatten())
    for turned in orientations(ax):
        matches = matches or any(
            proportional(a, w) for v in versions for w in forms(v.T if turned else v) for a in arrays
        )
    expect.true(matches, "the axes do not show the confusion matrix; do rows and columns fit the axes' names?")


def forms(matrix):
    """A matrix as pictures and meshes hold it, from the top or from the bottom."""
    return [form for one in (matrix, matrix.flip(0)) for form in (one, one.flatten())]


def orientations(ax):
    """Whether the rows may be the predicted classes, for each way that the axes' names allow."""
    along, up = (str(name).lower() for name in expect.items(expect.field(ax, "names"), 2, "the names of the axes"))
    if "pred" in up and "pred" not in along:
        return [True]
    return [False] if "pred" in along and "pred" not in up else [False, True]


@task("5.11", points=1, title="plot_most_incorrect draws one axes an entry",
      hint="Remove the cells of the grid that stay empty.")  # fmt: skip
def test_plot_most_incorrect(student, rng):
    for count in (7, 4):
        images, labels, probs = guesses(rng, count, 10, count, side=28)
        axes = axes_of(student.run(probes.plot_most_incorrect, images, labels, probs), count)
        shown = [pixels_of(ax) for ax in axes]
        drawn = all(any(alike(image[0], picture) for picture in shown) for image in images)
        expect.true(drawn, "an entry's image is not drawn")


# 5.12: the whole


# calibration.md, beside the reference, says why a correct solution passes both and a broken one does not.
ACCURACY, LOSS = 0.50, 1.4
RATE, EPOCHS, TRAIN_SIZE = 0.006, 4, 384
UNTRAINED_SIZE = 100


@task("5.12", points=3, title="LeNet and train together learn to read digits", needs=("5.3", "5.8"), seconds=30,
      hint="Short training must lift the accuracy well above chance; look at 5.3 and 5.8 first.")  # fmt: skip
def test_accuracy(student, rng):
    data = digits.draw(rng, TRAIN_SIZE)
    got = student.run(probes.trained_weights, data.train_images, data.train_labels, RATE, EPOCHS)
    after = networks.LENET.taken(expect.field(got, "after"), "after training")
    # A little noise: a trained network does not mind, whatever else may be hidden in the digits of its weights does.
    noisy = {
        name: value + 0.01 * value.abs().mean() * torch.randn(value.shape, generator=rng)
        for name, value in after.items()
    }
    # A new network, in a process that has seen nothing else: as it is, and with these weights.
    again = student.run_fresh(probes.logits_with, noisy, data.test_images, UNTRAINED_SIZE)
    before = logits_on_digits(expect.field(again, "untrained"), UNTRAINED_SIZE, "before training")
    untrained = digits.accuracy(before, data.test_labels[:UNTRAINED_SIZE])
    expect.true(untrained < 0.4, "the untrained network already knows the answers", got=percent(untrained))
    logits = logits_on_digits(expect.field(again, "logits"), len(data.test_labels), "after training")
    show.curve("Training loss", expect.field(got, "losses"), BANDS["week5"])
    show.confusion(logits, data.test_labels, data.names)
    show.mistakes(data.test_images, logits, data.test_labels, data.names)
    trained = digits.accuracy(logits, data.test_labels)
    expect.at_least(trained, ACCURACY, "the accuracy on test digits", unit="%")
    loss = torch.nn.functional.cross_entropy(logits.double(), data.test_labels).item()
    expect.at_most(loss, LOSS, "the loss on test digits")
    # The same weights in the judge's network: a table that forward looks images up in is no network.
    computed = networks.LENET.accuracy(noisy, data.test_images.float() / 127.5 - 1, data.test_labels, ACCURACY)
    expect.at_least(computed, ACCURACY, "the accuracy of LeNet's five layers with the trained weights", unit="%")


def logits_on_digits(logits, count, when):
    return expect.tensor(logits, f"the logits {when}", shape=(count, digits.CLASSES), dtype=torch.float32)


def percent(fraction):
    return f"{100 * fraction:.1f} %"
