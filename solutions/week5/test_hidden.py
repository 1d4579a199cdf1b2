"""Week 5's hidden checks: 40 points, on what the public ones leave open. Summaries give no input or value away."""

import copy

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fixtures import digits, networks
from grader.checks import expect, figures, load_probes, loops, oracles, task
from grader.checks.oracles import places
from grader.checks.seeds import SEEDS, generator

probes = load_probes(__file__)
ACCURACY, LOSS = 0.50, 1.4  # calibration.md
RATE, EPOCHS, TRAIN_SIZE = 0.006, 4, 384


@task("5.1", points=2, title="conv_output_size for further sizes", hint="Check strides that do not fit evenly.")
def test_conv_sizes(student, rng):
    drawn = torch.randint(0, 40, (30, 4), generator=rng).tolist()
    cases = [((k % 9 + 1 + extra, k % 9 + 1), {"stride": s % 5 + 1, "padding": p % 4}) for extra, k, s, p in drawn]
    cases += [((28, 5), {}), ((224, 7), {"stride": 2, "padding": 3}), ((5, 3), {"padding": 1})]
    got = expect.items(student.run(probes.sizes, "conv_output_size", cases), len(cases), "the sizes")
    for value, ((size, window), options) in zip(got, cases, strict=True):
        want = places(size, window, options.get("stride", 1), options.get("padding", 0))
        expect.integer(value, want, "conv_output_size")


@task("5.2", points=2, title="pool_output_size for further sizes", hint="With and without a stride of its own.")
def test_pool_sizes(student, rng):
    drawn = torch.randint(0, 40, (30, 3), generator=rng).tolist()
    cases = [((w % 6 + 1 + extra, w % 6 + 1), {"stride": s % 5 + 1} if s % 2 else {}) for extra, w, s in drawn]
    cases += [((24, 2), {}), ((25, 2), {}), ((7, 3), {"stride": None}), ((9, 3), {"stride": 1})]
    got = expect.items(student.run(probes.sizes, "pool_output_size", cases), len(cases), "the sizes")
    for value, ((size, window), options) in zip(got, cases, strict=True):
        expect.integer(value, places(size, window, options.get("stride") or window), "pool_output_size")


# 5.3


def weights_for(gen, classes=10):
    return oracles.weights(gen, {**networks.LENET.shapes, "fc_3": (classes, 84)})


def lenet_parts(got, batch, classes):
    logits, hidden = expect.items(expect.field(got, "result"), 2, "what forward returns")
    expect.tensor(logits, "logits", shape=(batch, classes), dtype=torch.float32)
    return logits, expect.tensor(hidden, "hidden", shape=(batch, 256), dtype=torch.float32)


@task(
    "5.3",
    points=4,
    title="LeNet computes what its weights say",
    examples=6,
    hint="Follow the lesson's table of shapes.",
)
@given(batch=st.integers(1, 5), classes=st.sampled_from([10, 3, 26]), seed=SEEDS)
def test_lenet_values(student, batch, classes, seed):
    gen = generator(seed)
    weights, images = weights_for(gen, classes), torch.randn(batch, 1, 28, 28, generator=gen)
    logits, hidden = lenet_parts(student.run(probes.lenet_with, weights, images), batch, classes)
    blocks = F.max_pool2d(F.conv2d(images, weights["conv1.weight"], weights["conv1.bias"]), 2).relu()
    blocks = F.max_pool2d(F.conv2d(blocks, weights["conv2.weight"], weights["conv2.bias"]), 2).relu()
    means = F.avg_pool2d(F.conv2d(images, weights["conv1.weight"], weights["conv1.bias"]), 2).relu()
    means = F.max_pool2d(F.conv2d(means, weights["conv2.weight"], weights["conv2.bias"]), 2).relu()
    averaged = {"of average pooling in the first block: max-pool": means.flatten(1)}
    expect.close(hidden, blocks.flatten(1), "hidden", rtol=1e-3, atol=1e-4, context=averaged)
    expect.close(logits, networks.LENET.logits(weights, images), "logits", rtol=1e-3, atol=1e-4)


@task(
    "5.3", points=2, title="LeNet's gradient comes through logits and hidden", hint="Both results belong to the graph."
)
def test_lenet_gradient(student, rng):
    weights, images = weights_for(rng), torch.randn(4, 1, 28, 28, generator=rng)
    got = student.run(probes.lenet_with, weights, images)
    lenet_parts(got, 4, 10)
    leaf = weights["conv1.weight"].clone().requires_grad_()
    mine = {**weights, "conv1.weight": leaf}
    first = F.max_pool2d(F.conv2d(images, leaf, weights["conv1.bias"]), 2).relu()
    hidden = F.max_pool2d(F.conv2d(first, weights["conv2.weight"], weights["conv2.bias"]), 2).relu()
    (networks.LENET.logits(mine, images).square().sum() + hidden.sum()).backward()
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
    disc[9:19, 9:19] = 255
    shown = pictures(student.run(probes.transformed, disc, mean, std, 0, 8), mean, std)
    inner = shown[:, 12:16, 12:16]
    same = "the training pipeline changes what is white: other mean and std, or other brightness or contrast"
    expect.true(bool((inner - 1).abs().max() < 1e-3), same)
    black = "the training pipeline's background is not black: normalise last, after padding and rotating"
    expect.true(bool(shown[:, :4].abs().max() < 1e-3), black)


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
        value, label = expect.items(item, 2, f"an item of {what}")
        grey, mark = expect.tensor(value, f"an item of {what}", shape=(2,)).tolist()
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
        labels = torch.randint(10**6, (count,), generator=rng).tolist()
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
    patches = F.unfold(images, k).transpose(1, 2) @ kernel.flatten()
    got = student.run(probes.filtered, images, kernel.tolist())
    whole = (F.unfold(images, k).transpose(1, 2) @ kernel.trunc().flatten()).view(count, 1, 12 - k, 9 - k)
    cut = {"of a kernel that is cut to whole numbers: its dtype is float": whole}
    want = patches.view(count, 1, 12 - k, 9 - k)
    expect.close(got, want, "the filtered images", rtol=1e-3, atol=1e-4, context=cut)


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
        message = expect.raises(
            student.run(probes.pool_error, name), ["ValueError"], f"subsample with {name!r}, which is none of the names"
        )
        message = message.lower().replace("maximum", "")
        named = "max" in message and ("mean" in message or "avg" in message)
        expect.true(named, "the ValueError does not name the choices")
    images = torch.randn(1, 1, 4, 4, generator=rng)
    known = student.run(probes.pooled, images, "max", 2)
    expect.close(known, F.max_pool2d(images, 2), "subsample with a known name")


# 5.8


class Net(nn.Module):
    """The judge's twin of the probes' network."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)

    def forward(self, x):
        return self.last(self.norm(self.first(x.flatten(1))).relu())


def network(gen, count):
    model = Net()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=gen) * 0.7)
        model.norm.running_mean.copy_(torch.randn(5, generator=gen) * 0.3)
        model.norm.running_var.copy_(torch.rand(5, generator=gen) + 0.5)
    x, y = torch.randn(count, 6, generator=gen), torch.randint(0, 3, (count,), generator=gen)
    return model, copy.deepcopy(model.state_dict()), x, y


def run_epochs(model, x, y, batch_size, lr, momentum, epochs):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    model.train()
    losses = []
    for _ in range(epochs):
        for inputs, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
            loss = F.cross_entropy(model(inputs), labels)
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.grad = gradient
            optimizer.step()
            losses.append(float(loss.detach()))
    return losses


@task("5.8", points=3, title="train on a network with batch normalisation, over two epochs",
      hint="Mode, gradients, steps and log: in every epoch.")  # fmt: skip
def test_training(student, rng):
    model, state, x, y = network(rng, 26)
    got = student.run(probes.trained, state, x, y, 4, 0.1, 0.9, 3, 2)
    losses = run_epochs(model, x, y, 4, 0.1, 0.9, 2)
    for name, want in model.state_dict().items():
        value = expect.field(expect.field(got, "state"), name)
        expect.close(value, want, f"{name} after training", rtol=1e-3, atol=1e-3)
    per_epoch = expect.items(expect.field(got, "losses"), 2, "the losses")
    for found, wanted in zip(per_epoch, (losses[0:7:3], losses[7::3]), strict=True):
        for value, want in zip(expect.items(found, len(wanted), "the logged losses"), wanted, strict=True):
            expect.instance(value, float, "a logged loss")
            expect.near(value, want, "a logged loss", rtol=1e-3, atol=1e-3)
    expect.true(expect.field(got, "grad_enabled") is True, "the caller's gradient mode was changed")


@task("5.8", points=3, title="validate on a network with batch normalisation and dropout",
      hint="Evaluation has a mode of its own, needs no gradients and leaves no trace.")  # fmt: skip
def test_validation(student, rng):
    model, state, x, y = network(rng, 25)
    got = student.run(probes.validated, state, x, y, 8)
    logits = model.eval()(x).detach()
    loss, accuracy = expect.items(expect.field(got, "result"), 2, "what validate returns")
    wanted = loops.means(F.cross_entropy(logits, y, reduction="none", label_smoothing=0.2), 8)
    loops.near_one_of(loss, wanted, "the loss", rtol=1e-3, atol=1e-4)
    expect.near(accuracy, 100 * (logits.argmax(1) == y).double().mean().item(), "the accuracy", atol=1e-3)
    modes = expect.items(expect.field(got, "grad_modes"), None, "the gradient modes")
    expect.true(bool(modes) and all(mode is False for mode in modes), "gradients were recorded")
    without = expect.items(expect.field(got, "grads"), 6, "gradients")
    expect.true(all(none is True for none in without), "gradients were left behind")
    for name, value in state.items():
        expect.close(expect.field(expect.field(got, "state"), name), value, f"{name} afterwards")
    flags = {name: name != "first.weight" for name, _ in model.named_parameters()}
    expect.equal(expect.field(got, "requires_grad"), flags, "requires_grad afterwards")
    expect.true(expect.field(got, "grad_enabled") is True, "the caller's gradient mode was changed")


# 5.9 and 5.10


@task("5.9", points=3, title="get_predictions of a network with dropout, in batches of any size", examples=5,
      hint="The network arrives in training mode.")  # fmt: skip
@given(batch_size=st.sampled_from([5, 1, 40]), seed=SEEDS)
def test_predictions(student, batch_size, seed):
    model, state, x, y = network(generator(seed), 13)
    images = x.view(-1, 1, 2, 3)
    got = student.run(probes.predictions, state, images, y, batch_size)
    found = expect.items(expect.field(got, "result"), 3, "what get_predictions returns")
    expect.close(found[0], images, "images")
    expect.close(found[1], y, "labels", dtype=True)
    expect.close(found[2], model.eval()(x).detach().softmax(1), "probs", rtol=1e-3, atol=1e-4)
    attached = expect.items(expect.field(got, "attached"), 3, "the three tensors")
    expect.true(all(graph is False for graph in attached), "a result still belongs to a graph")
    expect.equal(expect.field(got, "requires_grad"), [True] * 6, "requires_grad afterwards")
    for name, value in state.items():
        expect.close(expect.field(expect.field(got, "state"), name), value, f"{name} afterwards")


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
        value = label.item() if type(label) is torch.Tensor and label.numel() == 1 else expect.whole(label)
        expect.true(type(value) is int and value == int(labels[index]), "an entry's label is wrong")
        expect.true(bool(predicted[index] != labels[index]), "an entry was predicted correctly")
        expect.near(float(row.max()), want, "the confidence at this place")
        seen.add(index)
    expect.true(len(seen) == len(wanted), "an entry appears twice")


# 5.11


def mistakes(gen, count):
    """`count` entries (image, true label, probs) of digits that are predicted wrongly, as most_incorrect gives them."""
    probs = torch.rand(count, 10, generator=gen).softmax(1)
    images, labels = torch.rand(count, 1, 28, 28, generator=gen), (probs.argmax(1) + 1) % 10
    return list(zip(images, labels.tolist(), probs, strict=True))


@task("5.11", points=1, title="plot_filter and plot_most_incorrect cope with a single entry",
      hint="A grid of one is not an array of axes unless asked for.")  # fmt: skip
def test_single_entries(student, rng):
    images = torch.rand(1, 1, 12, 12, generator=rng)
    drawn = student.run(probes.plotted, "plot_filter", images, torch.rand(5, 5, generator=rng).tolist())
    shown = [figures.picture_of(ax) for ax in figures.axes_of(drawn, 2)]
    sizes = sorted(list(picture.shape) for picture in shown)
    expect.equal(sizes, [[8, 8], [12, 12]], "the sizes of the pictures")
    own = figures.show_one([*images, *images[..., 4:, 4:]], shown)  # as it is, or as its stand-in filters it
    expect.true(own, "plot_filter does not show the image that it is given")
    entries = mistakes(rng, 1)
    (ax,) = figures.axes_of(student.run(probes.plotted, "plot_most_incorrect", entries), 1)
    picture = figures.picture_of(ax)
    expect.equal(list(picture.shape), [28, 28], "the size of the picture")
    own = figures.show_one([entries[0][0]], [picture])
    expect.true(own, "plot_most_incorrect does not show the image that it is given")


@task("5.11", points=1, title="the plots have the right axes for other numbers of entries",
      hint="One axes for each entry; none left over.")  # fmt: skip
def test_other_plots(student, rng):
    for count in (2, 6):
        entries = mistakes(rng, count)
        axes = figures.axes_of(student.run(probes.plotted, "plot_most_incorrect", entries), count)
        own = figures.show_one([image for image, *_ in entries], figures.pictures_of(axes))
        expect.true(own, "plot_most_incorrect shows none of the images that it is given")
    labels = torch.randint(0, 10, (200,), generator=rng)
    (ax,) = figures.axes_of(student.run(probes.plotted, "plot_confusion_matrix", labels, labels.roll(1)), 1)
    empty = 12  # children of an axes on which nothing has been drawn, and a little room
    pictures = expect.items(expect.field(ax, "pictures"), None, "pictures")
    shown = len(pictures) > 0 or len(expect.items(expect.field(ax, "meshes"), None, "the meshes")) > 0
    expect.true(shown or expect.number(expect.field(ax, "count"), "the parts drawn") > empty, "nothing is drawn")


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
