"""Week 5's hidden checks: 40 points, on what the public ones leave open. Summaries give no input or value away."""

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from fixtures import digits, networks
from grader.checks import expect, figures, load_probes, oracles, splits, task, twins
from grader.checks.oracles import places
from grader.checks.predictions import entries, guesses
from grader.checks.seeds import SEEDS, generator

probes = load_probes(__file__)
ACCURACY, LOSS = 0.50, 1.4  # calibration.md
RATE, EPOCHS, TRAIN_SIZE = 0.006, 4, 384


@task("5.1", points=2, title="conv_output_size for further sizes", hint="Check strides that do not fit evenly.")
def test_conv_sizes(student, rng):
    drawn = torch.randint(0, 40, (30, 4), generator=rng).tolist()
    cases = [((k % 9 + 1 + extra, k % 9 + 1), {"stride": s % 5 + 1, "padding": p % 4}) for extra, k, s, p in drawn]
    cases += [((28, 5), {}), ((224, 7), {"stride": 2, "padding": 3}), ((5, 3), {"padding": 1})]
    got = expect.items(student.run(probes.conv_sizes, cases), len(cases), "the sizes")
    for value, ((size, window), options) in zip(got, cases, strict=True):
        want = places(size, window, options.get("stride", 1), options.get("padding", 0))
        expect.integer(value, want, "conv_output_size")


@task("5.2", points=2, title="pool_output_size for further sizes", hint="With and without a stride of its own.")
def test_pool_sizes(student, rng):
    drawn = torch.randint(0, 40, (30, 3), generator=rng).tolist()
    cases = [((w % 6 + 1 + extra, w % 6 + 1), {"stride": s % 5 + 1} if s % 2 else {}) for extra, w, s in drawn]
    cases += [((24, 2), {}), ((25, 2), {}), ((7, 3), {"stride": None}), ((9, 3), {"stride": 1})]
    got = expect.items(student.run(probes.pool_sizes, cases), len(cases), "the sizes")
    for value, ((size, window), options) in zip(got, cases, strict=True):
        expect.integer(value, places(size, window, options.get("stride") or window), "pool_output_size")


# 5.3


def blocks(weights, images, pools=(F.max_pool2d, F.max_pool2d)):
    """Hidden as torch computes it, with these ways of pooling."""
    for layer, pooled in zip(("conv1", "conv2"), pools, strict=True):
        images = pooled(F.conv2d(images, weights[f"{layer}.weight"], weights[f"{layer}.bias"]), 2).relu()
    return images.flatten(1)


def every_second(maps, size):
    """Leave out what a convolution with this stride leaves out."""
    return maps[:, :, ::size, ::size]


@task("5.3", points=4, title="LeNet computes what its weights say", examples=6,
      hint="Follow the lesson's table of shapes.")  # fmt: skip
@given(batch=st.integers(1, 5), classes=st.sampled_from([10, 3, 26]), seed=SEEDS)
def test_lenet_values(student, batch, classes, seed):
    gen = generator(seed)
    weights = oracles.weights(gen, {**networks.LENET.shapes, "fc_3": (classes, 84)})
    images = torch.randn(batch, 1, 28, 28, generator=gen)
    shapes = {"logits": (batch, classes), "hidden": (batch, 256)}
    got = student.run(probes.lenet_outputs, images, classes, weights)
    logits, hidden = expect.tensors(got, shapes, "forward", dtype=torch.float32)
    slips = {
        "of average pooling in the first block: max-pool": blocks(weights, images, (F.avg_pool2d, F.max_pool2d)),
        "of convolutions with a stride of 2: they have none": blocks(weights, images, (every_second, every_second)),
    }
    expect.close(hidden, blocks(weights, images), "hidden", rtol=1e-3, atol=1e-4, context=slips)
    expect.close(logits, networks.LENET.logits(weights, images), "logits", rtol=1e-3, atol=1e-4)


@task(
    "5.3", points=2, title="LeNet's gradient comes through logits and hidden", hint="Both results belong to the graph."
)
def test_lenet_gradient(student, rng):
    weights, images = oracles.weights(rng, networks.LENET.shapes), torch.randn(4, 1, 28, 28, generator=rng)
    got = student.run(probes.lenet_gradient, images, weights)
    expect.tensors(expect.field(got, "result"), {"logits": (4, 10), "hidden": (4, 256)}, "forward")
    leaf = weights["conv1.weight"].clone().requires_grad_()
    mine = {**weights, "conv1.weight": leaf}
    (networks.LENET.logits(mine, images).square().sum() + blocks(mine, images).sum()).backward()
    expect.close(expect.field(got, "gradient"), leaf.grad, "the gradient of conv1", rtol=1e-2, atol=1e-3)


# 5.4


def pictures(outputs, mean, std):
    outputs = expect.items(outputs, None, "the outputs")
    found = [expect.tensor(o, "a transformed image", shape=(1, 28, 28), dtype=torch.float32) for o in outputs]
    expect.true(len(found) > 0, "nothing was transformed")
    return torch.cat(found).double() * std + mean


@task("5.4", points=2, title="both pipelines normalise with the given numbers", hint="Scale first, then normalise.")
def test_normalisation(student, rng):
    mean, std = 0.2 + 0.2 * torch.rand(1, generator=rng).item(), 0.2 + 0.3 * torch.rand(1, generator=rng).item()
    image = torch.randint(0, 256, (28, 28), generator=rng, dtype=torch.uint8)
    for shown in pictures(student.run(probes.transformed, image, mean, std, 1, 3), mean, std):
        fixed = {"of another mean and std than those that are given": image.double() / 255 * std + mean}
        fixed = {name: (image.double() / 255 - 0.1307) / 0.3081 * std + mean for name in fixed}
        expect.close(shown, image.double() / 255, "pixels of the test pipeline", atol=1e-4, context=fixed)
    disc = torch.zeros(28, 28, dtype=torch.uint8)
    disc[7:21, 7:21] = 255  # its middle stays white, and two rows black, at any other size
    shown = pictures(student.run(probes.transformed, disc, mean, std, 0, 8), mean, std)
    inner = shown[:, 12:16, 12:16]
    same = "the training pipeline changes what is white: other mean and std, or other brightness or contrast"
    expect.true(bool((inner - 1).abs().max() < 1e-3), same)
    black = "the training pipeline's background is not black: normalise last, after padding and rotating"
    expect.true(bool(shown[:, :2].abs().max() < 1e-3), black)


@task("5.4", points=2, title="the training pipeline's shifts and rotations stay in their range",
      hint="±5° and 2 pixels.")  # fmt: skip
def test_augmentation_range(student, rng):
    image = torch.zeros(28, 28, dtype=torch.uint8)
    levels = torch.randint(195, 256, (22,), generator=rng).to(torch.uint8)
    image[3:25, 12:16] = levels[:, None]
    shown = pictures(student.run(probes.transformed, image, 0.0, 1.0, 0, 80), 0.0, 1.0).clamp(0, 1)
    weight = shown / shown.sum((1, 2), keepdim=True).clamp(min=1e-6)
    axis = torch.arange(28).double() - 13.5
    x = (weight * axis[None, None, :]).sum((1, 2))
    dx = axis[None, None, :] - x[:, None, None]
    slope = (weight * dx * axis[None, :, None]).sum((1, 2)) / (weight * axis[None, :, None] ** 2).sum((1, 2))
    angle = torch.rad2deg(torch.atan(slope)).abs()
    expect.true(bool(angle.max() < 7), "the training pipeline rotates too far")
    expect.true(bool(angle.max() > 1), "the training pipeline hardly rotates")
    expect.true(bool(x.abs().max() < 2.8), "the training pipeline shifts too far")
    expect.true(bool(x.abs().max() > 0.9), "the training pipeline hardly shifts")
    dimmed = bool((shown.flatten(1).max(1).values < 0.9 * int(levels.max()) / 255).any())
    expect.true(
        not dimmed, "the training pipeline changes brightness or contrast: rotations and shifts alone are asked for"
    )
    same_size = bool(((shown.sum((1, 2)) / (4 * levels.double().sum() / 255) - 1).abs() < 0.15).all())
    expect.true(same_size, "the training pipeline makes the picture larger or smaller, or changes its brightness")
    textures = likeness(shown, levels.double())
    corner = torch.zeros(28, 28, dtype=torch.uint8)
    corner[6:10, 6:10] = 255
    shown = pictures(student.run(probes.transformed, corner, 0.0, 1.0, 0, 40), 0.0, 1.0).clamp(0, 1)
    mirrored = "the training pipeline mirrors or flips the image, which makes another digit of it"
    expect.true(bool((shown[:, :14, :14].sum((1, 2)) > 8).all()), mirrored)
    expect.true(textures > 0.8, "the training pipeline shows another bar than the one that it is given")


def likeness(shown, levels):
    """How much the rows of a vertical bar in some picture go with these grey values, at some place."""
    wanted, best = levels - levels.mean(), 0.0
    for down in range(1, 6):
        rows = shown[:, down : down + len(levels)].sum(2)
        rows = rows - rows.mean(1, keepdim=True)
        best = max(best, (rows @ wanted / (rows.norm(dim=1) * wanted.norm()).clamp(min=1e-6)).max().item())
    return best


# 5.5


def numbers(part, sign, what, labels):
    """Grey values of a part's images, each of which went through the transform of that sign and has its label."""
    found = []
    for item in expect.items(part, None, what):
        picture, label = expect.items(item, 2, f"an item of {what}")
        grey, mark = expect.tensor(picture, f"an item of {what}", shape=(2,)).tolist()
        expect.true(mark == sign, f"{what} uses the wrong transform")
        known = grey in range(len(labels)) and expect.same(label, labels[int(grey)])
        expect.true(known, f"a label of {what} is wrong")
        found.append(grey)
    return found


@task("5.5", points=4, title="a dataset of pictures is split, whatever else happens to the generators",
      hint="Ratio, seed, transforms: each by itself.")  # fmt: skip
def test_split_pictures(student, rng):
    repeat = int(torch.randint(1, 10**6, (1,), generator=rng))
    for count, options in ((50, {}), (37, {"train_ratio": 0.6, "seed": repeat})):
        labels = splits.labels_for(rng, count)
        got = student.run(probes.split_pictures, labels, repeat_seed=repeat, **options)
        train = numbers(expect.field(got, "train"), 1, "the training part", labels)
        valid = numbers(expect.field(got, "valid"), -1, "the validation part", labels)
        expect.true(len(train) == int(count * options.get("train_ratio", 0.9)), "the training part's length is wrong")
        expect.true(sorted(train + valid) == list(range(count)), "the parts do not cover the dataset once")
        first = list(range(len(train)))
        expect.true(sorted(train) != first, "the training part is not random: it holds the first items")
        again = numbers(expect.field(got, "again"), 1, "the second training part", labels)
        expect.true(again == train, "the split depends on more than its seed")
        expect.true(expect.field(got, "same_transform") is True, "the dataset's own transform was replaced")
        for number, value in enumerate(expect.items(expect.field(got, "original"), 3, "the dataset's own items")):
            expect.close(value, torch.tensor([number, 1]), "an item of the dataset itself")


# 5.6 and 5.7


@task(
    "5.6", points=3, title="apply_filter with other filters and sizes", examples=10, hint="The filter is not flipped."
)
@given(count=st.integers(1, 3), k=st.sampled_from([3, 5, 2, 1]), seed=SEEDS)
def test_filters(student, count, k, seed):
    gen = generator(seed)
    images, kernel = torch.randn(count, 1, 11, 8, generator=gen), torch.randn(k, k, generator=gen)
    patches, shape = F.unfold(images, k).transpose(1, 2), (count, 1, 12 - k, 9 - k)
    want, cut = ((patches @ one.flatten()).view(shape) for one in (kernel, kernel.trunc()))
    slips = {"of a kernel that is cut to whole numbers: its dtype is float": cut}
    got = student.run(probes.filtered, images, kernel.tolist())
    expect.close(got, want, "the filtered images", rtol=1e-3, atol=1e-4, context=slips)


@task("5.7", points=2, title="subsample by every name", examples=10, hint="Compare the names in one letter case.")
@given(kind=st.sampled_from(["max", "mean", "avg", "mAx", "MEAN", "aVg"]), size=st.sampled_from([2, 4]), seed=SEEDS)
def test_pooling(student, kind, size, seed):
    images = torch.randn(2, 2, 8, 12, generator=generator(seed)) - 1
    patches = F.unfold(images.flatten(0, 1)[:, None], size, stride=size)
    cells = patches.amax(1) if kind.lower() == "max" else patches.mean(1)
    got = student.run(probes.pooled, images, kind, size)
    expect.close(got, cells.view(2, 2, 8 // size, 12 // size), "the pooled images", rtol=1e-3)


@task("5.7", points=1, title="subsample refuses other names", hint="Empty and nearly right names are wrong, too.")
def test_pooling_names(student, rng):
    for name in ("min", "", "maximum"):
        what = f"subsample with {name!r}, which is none of the names"
        message = expect.raises(student.run(probes.pool_error, name), ["ValueError"], what).lower()
        named = "max" in message.replace("maximum", "") and ("mean" in message or "avg" in message)
        expect.true(named, "the ValueError does not name the choices")
    images = torch.randn(1, 1, 4, 4, generator=rng)
    expect.close(student.run(probes.pooled, images, "max", 2), F.max_pool2d(images, 2), "subsample with a known name")


# 5.8


@task("5.8", points=3, title="train on a network with batch normalisation, over two epochs",
      hint="Mode, gradients, steps and log: in every epoch.")  # fmt: skip
def test_training(student, rng):
    net, state, x, y = twins.network(rng, 26)
    got = student.run(probes.trained, state, x, y, 3)
    losses = twins.run_epochs(net, x, y, batch_size=4, epochs=2, lr=0.1, momentum=0.9)
    twins.judge_trained(got, net)
    twins.judge_epochs(got, losses, epochs=2, interval=3)


@task("5.8", points=3, title="validate on a network with batch normalisation and dropout",
      hint="Evaluation has a mode of its own, needs no gradients and leaves no trace.")  # fmt: skip
def test_validation(student, rng):
    net, state, x, y = twins.network(rng, 25)
    got = student.run(probes.validated, state, x, y, 8)
    twins.judge_results(got, net, x, y, 8)
    twins.judge_unrecorded(got)
    twins.judge_untouched(got, net, state, x, "validate")


# 5.9 and 5.10


@task("5.9", points=3, title="get_predictions of a network with dropout, in batches of any size", examples=5,
      hint="The network arrives in training mode.")  # fmt: skip
@given(batch_size=st.sampled_from([5, 1, 40]), seed=SEEDS)
def test_predictions(student, batch_size, seed):
    net, state, x, y = twins.network(generator(seed), 13)
    got = student.run(probes.predictions, state, x.view(-1, 1, 2, 3), y, batch_size)
    found = expect.items(expect.field(got, "result"), 3, "what get_predictions returns")
    expect.close(found[0], x.view(-1, 1, 2, 3), "images")
    expect.close(found[1], y, "labels", dtype=True)
    expect.close(found[2], twins.answers(net, x).softmax(1), "probs", rtol=1e-3, atol=1e-4)
    twins.judge_untouched(got, net, state, x, "get_predictions")


@task("5.10", points=3, title="most_incorrect with ties, and with fewer mistakes than asked for", examples=6,
      hint="Entries of equal confidence may come in any order, but none may break the sorting.")  # fmt: skip
@given(count=st.integers(6, 14), n=st.integers(2, 17), ties=st.integers(2, 3), seed=SEEDS)
def test_incorrect(student, count, n, ties, seed):
    """Some mistakes are tied and three are not, so that their order always matters; then there is one alone."""
    gen = generator(seed)
    images, probs = torch.rand(count, 1, 3, 3, generator=gen), torch.rand(count, 4, generator=gen).softmax(1)
    probs[:ties] = torch.tensor([0.1, 0.6, 0.2, 0.1])
    likeliest = probs.max(1).indices
    labels = torch.randint(0, 4, (count,), generator=gen)
    for part in (slice(ties), slice(-3, None)):
        labels[part] = (likeliest[part] + 1) % 4
    lone = likeliest.clone()
    lone[-1] = labels[-1]
    for wanted in (labels, lone):
        judge_incorrect(student.run(probes.most_incorrect, images, wanted, probs, n), images, wanted, probs, n)


def judge_incorrect(got, images, labels, probs, n):
    """Judge what `most_incorrect` gave: the right entries, the most confident first; ties in any order."""
    confidence, predicted = probs.max(1)
    wanted = confidence[predicted != labels].sort(descending=True).values[:n].tolist()
    seen = set()
    for entry, want in zip(expect.items(got, len(wanted), "the wrong predictions"), wanted, strict=True):
        image, label, row = expect.items(entry, 3, "an entry")
        expect.tensor(image, "an entry's image", shape=(1, 3, 3))
        index = int((images - image.float()).abs().flatten(1).sum(1).argmin())
        expect.close(image, images[index], "an entry's image")
        expect.close(row, probs[index], "an entry's probs")
        number = label.item() if type(label) is torch.Tensor and label.numel() == 1 else expect.whole(label)
        expect.true(type(number) is int and number == int(labels[index]), "an entry's label is wrong")
        expect.true(bool(predicted[index] != labels[index]), "an entry was predicted correctly")
        expect.near(float(row.max()), want, "the confidence at this place")
        seen.add(index)
    expect.true(len(seen) == len(wanted), "an entry appears twice")


# 5.11


@task("5.11", points=1, title="plot_filter and plot_most_incorrect cope with a single entry",
      hint="A grid of one is not an array of axes unless asked for.")  # fmt: skip
def test_single_entries(student, rng):
    images, labels, probs = guesses(rng, 1, 10, 1, side=28)
    got = student.run(probes.plotted, "plot_filter", images, torch.rand(5, 5, generator=rng).tolist())
    shown = figures.shown_in(got, 2)
    expect.equal(sorted(list(one.shape) for one in shown), [[24, 24], [28, 28]], "the sizes of the pictures")
    expect.true(figures.show_one(images, shown), "plot_filter does not show the image that it is given")
    (shown,) = figures.shown_in(student.run(probes.plotted, "plot_most_incorrect", entries(images, labels, probs)), 1)
    expect.true(figures.alike(images[0, 0], shown), "plot_most_incorrect does not show the image that it is given")


@task("5.11", points=1, title="the plots have the right axes for other numbers of entries",
      hint="One axes for each entry; none left over.")  # fmt: skip
def test_other_plots(student, rng):
    for count in (2, 6):
        images, *others = guesses(rng, count, 10, count, side=28)
        shown = figures.shown_in(student.run(probes.plotted, "plot_most_incorrect", entries(images, *others)), count)
        expect.true(figures.show_one(images, shown), "plot_most_incorrect shows none of the images that it is given")
    labels = torch.randint(0, 10, (200,), generator=rng)
    (ax,) = figures.axes_of(student.run(probes.plotted, "plot_confusion_matrix", labels, labels.roll(1)), 1)
    figures.judge_drawn(ax)


# 5.12


@task("5.12", points=2, title="the trained weights read digits in the judge's own LeNet", needs=("5.3", "5.8"),
      seconds=30, hint="Short training must lift the accuracy well above chance; look at 5.3 and 5.8.")  # fmt: skip
def test_weights(student, rng):
    data = digits.draw(rng, TRAIN_SIZE)
    given_to_run = (data.train_images, data.train_labels, data.test_images, RATE, EPOCHS)
    got = student.run(probes.trained_weights, *given_to_run)
    images = data.test_images.float() / 127.5 - 1
    before, after = (networks.LENET.taken(expect.field(got, when), when) for when in ("before", "after"))
    untrained = oracles.accuracy(networks.LENET.logits(before, images), data.test_labels)
    expect.true(untrained < 0.4, "the untrained network already knows the answers")
    trained = networks.LENET.accuracy(after, images, data.test_labels, ACCURACY)
    expect.at_least(trained, ACCURACY, "the accuracy on test digits", unit="%")
    own = expect.tensor(expect.field(got, "logits"), "the logits after training", shape=(len(images), digits.CLASSES))
    expect.at_most(F.cross_entropy(own.double(), data.test_labels).item(), LOSS, "the loss on test digits")
