"""Week 6's hidden checks: 40 points, on what the public ones leave open. Summaries give no input or value away."""

import copy
from pathlib import Path

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fixtures import digits, transfer, vgg
from grader import expect
from grader.answers import computed_once
from grader.checks import load_beside, load_probes, loops, task, twins

PUBLIC = str(Path(__file__).parents[2] / "assignments" / "week6" / "test_week6_data.py")
probes = load_probes(__file__)
data_probes, vgg_probes, transfer_probes, training_probes = (
    load_beside(PUBLIC, f"probes_{part}") for part in ("data", "vgg", "transfer", "training")
)
seeds = st.integers(0, 2**31 - 1)
ACCURACY, MARGIN = 0.60, 0.05  # calibration.md
RATE, EPOCHS, VALID, UNTRAINED = 0.004, 3, 40, 100


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 6.1 to 6.4


@task("6.1", points=3, title="folders of many sizes are split by sorted names, into a folder that is not there yet",
      hint="Text order is not number order; each class by itself; make the folders that you need.")  # fmt: skip
def test_folders(student, rng):
    images, wanted, totals = {}, {}, [0, 0]
    ratio = (0.6, 0.75, 0.9)[int(torch.randint(0, 3, (1,), generator=rng))]
    for number in range(4):
        folder, count = f"{number:03}.Class_{'dacb'[number]}", int(torch.randint(1, 24, (1,), generator=rng))
        names = [f"img_{i}.png" for i in torch.randperm(count, generator=rng).tolist()]
        images |= {f"{folder}/{name}": [number, i % 256, 255] for i, name in enumerate(names)}
        for place, name in enumerate(sorted(names)):
            part = place >= int(count * ratio)
            wanted[f"{('train', 'test')[part]}/{folder}/{name}"] = images[f"{folder}/{name}"]
            totals[part] += 1
    got = student.run(probes.split_binary, images, ratio)
    expect.true(expect.same(expect.field(got, "made"), wanted), "the files in train and test are wrong")
    photos = sorted(f"photos/{path}" for path in images)
    expect.true(expect.same(expect.field(got, "photos"), photos), "the images folder changed")
    for value, want in zip(expect.items(expect.field(got, "result"), 2, "the totals"), totals, strict=True):
        expect.integer(value, want, "a total")


@task("6.2", points=2, title="channel_stats of a larger dataset", hint="Average over images, channel by channel.")
def test_statistics(student, rng):
    sizes = torch.randint(5, 40, (12, 2), generator=rng).tolist()
    images = [torch.rand(3, h, w, generator=rng) ** (1 + i % 3) * torch.tensor([1.0, 0.5, 0.2]).view(3, 1, 1)
              for i, (h, w) in enumerate(sizes)]  # fmt: skip
    result = expect.items(student.run(data_probes.channel_stats, images), 2, "what channel_stats returns")
    expect.close(result[0], torch.stack([i.flatten(1).mean(1) for i in images]).mean(0), "the means", atol=1e-4)
    std = expect.tensor(result[1], "the deviations", shape=(3,))
    wanted = [torch.stack([i.flatten(1).std(1, correction=c) for i in images]).mean(0) for c in (0, 1)]
    near = any(expect.same_values(std.double(), want.double(), rtol=1e-4, atol=1e-5) for want in wanted)
    expect.true(near, "the deviations are wrong")


@task("6.3", points=1, title="format_label of further names", hint="However many words there are.")
def test_labels(student, rng):
    words = [
        "".join(chr(97 + n) for n in torch.randint(26, (size,), generator=rng).tolist()) for size in (4, 1, 7, 5, 3, 6)
    ]
    cases = {
        "113.Baird_sparrow": "BairdSparrow",
        "104.American_pipit_of_the_west": "AmericanPipitOfTheWest",
        "1000.osprey": "Osprey",
        "059.California_Gull": "CaliforniaGull",
        f"5.{words[0]}_{words[1]}": words[0].title() + words[1].title(),
        "31." + "_".join(words[2:]): "".join(map(str.title, words[2:])),
    }
    got = expect.items(student.run(data_probes.format_labels, list(cases)), len(cases), "the labels")
    expect.true(expect.same(list(got), list(cases.values())), "a label is wrong")


@task(
    "6.4", points=2, title="normalize_image of images in any range and layout", hint="Both ends, and nothing in place."
)
def test_normalisation(student, rng):
    wide = torch.randn(3, 9, 6, generator=rng) * 40 + 7
    for image in (wide, wide.transpose(1, 2), -wide.abs() - 3, torch.full((1, 5, 5), 0.25), (wide > 7).float()):
        got = student.run(data_probes.normalized, image)
        result = expect.tensor(expect.field(got, "result"), "the rescaled image", shape=image.shape)
        expect.true(bool((result >= -1e-6).all() and (result <= 1 + 1e-6).all()), "the result leaves [0, 1]")
        expect.true(torch.equal(expect.tensor(expect.field(got, "given"), "the image", shape=image.shape), image),
                    "the image that was given has changed")  # fmt: skip
        if image.max() > image.min():
            ends = abs(float(result.min())) < 1e-4 and abs(float(result.max()) - 1) < 1e-4
            expect.true(ends, "the result does not reach from 0 to 1")
            expect.close(result, (image - image.min()) / (image.max() - image.min()), "the rescaled image", atol=2e-4)


# 6.5 to 6.8


@task("6.5", points=1, title="adaptive_pool_filter_size for further sizes", hint="Rounded up, as an int.")
def test_filter_sizes(student, rng):
    cases = [tuple(sorted(pair, reverse=True)) for pair in torch.randint(1, 300, (40, 2), generator=rng).tolist()]
    got = expect.items(student.run(vgg_probes.pool_filter_sizes, cases), len(cases), "the sizes")
    for value, (size, output) in zip(got, cases, strict=True):
        expect.integer(value, -(-size // output), "a filter size")


@task("6.6", points=3, title="batch_norm agrees with torch, gradients included", examples=8, hint="Formula and graph.")
@given(shape=st.tuples(st.integers(2, 5), st.integers(1, 5), st.integers(1, 4), st.integers(2, 5)),
       eps=st.sampled_from([1e-5, 1e-3, 0.3]), seed=seeds)  # fmt: skip
def test_normalised(student, shape, eps, seed):
    gen = generator(seed)
    x = torch.randn(shape, generator=gen) * 3 + torch.randn(1, shape[1], 1, 1, generator=gen) * 2
    gamma, beta = torch.randn(2, shape[1], generator=gen)
    got = student.run(vgg_probes.batch_norm, x, gamma, beta, eps=eps)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, gamma, beta)]
    want = F.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=eps)
    want.pow(3).sum().backward()
    result = expect.items(expect.field(got, "result"), 3, "what batch_norm returns")
    expect.close(result[0], want.detach(), "y", rtol=1e-3, atol=1e-3)
    expect.close(result[1], x.mean((0, 2, 3)), "mean", rtol=1e-3, atol=1e-4)
    expect.close(result[2], x.var((0, 2, 3), correction=0), "var", rtol=1e-3, atol=1e-4)
    for value, leaf in zip(expect.items(expect.field(got, "gradients"), 3, "the gradients"), leaves, strict=True):
        scale = float(leaf.grad.abs().max()) + 1
        expect.close(value, leaf.grad, "a gradient", rtol=2e-2, atol=2e-3 * scale)


class Twin(nn.Sequential):
    def __init__(self, channels, hidden):
        super().__init__()
        self.add_module("conv", nn.Conv2d(1, channels, 3, bias=False))
        self.add_module("norm", nn.BatchNorm2d(channels, momentum=0.2))
        self.add_module("relu", nn.ReLU())
        self.add_module("flat", nn.Flatten())
        self.add_module("last", nn.Linear(hidden, 3))


@task("6.7", points=4, title="a network learns with BatchNorm2d inside, and then reads single images",
      hint="Statistics, gradients and running averages, step after step.")  # fmt: skip
def test_layer_in_network(student, rng):
    model = Twin(4, 4 * 16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=rng) * 0.4)
        model.norm.running_mean.copy_(torch.randn(4, generator=rng))
        model.norm.running_var.copy_(torch.rand(4, generator=rng) + 0.5)
    state = copy.deepcopy(model.state_dict())
    images, labels = torch.randn(8, 1, 6, 6, generator=rng), torch.randint(0, 3, (8,), generator=rng)
    got = student.run(probes.layer_in_network, state, images, labels, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    model.eval()
    for name, value in model.state_dict().items():
        if name.startswith(("norm.r", "norm.w", "norm.b", "conv")):
            found = expect.field(expect.field(got, "state"), name)
            expect.close(found, value, f"{name} after training", rtol=1e-2, atol=2e-3)
    expect.close(
        expect.field(got, "alone"), model(images).detach(), "the logits of single images", rtol=2e-2, atol=1e-2
    )


@computed_once
def logits_of_vgg(classes, seed, images):
    model = vgg.with_weights(classes, vgg_probes.vgg_weights(vgg.shapes(classes), seed))
    with vgg_probes.ShortProducts():
        return vgg_probes.without_gradients(model, images)


@task("6.8", points=4, title="VGG agrees with vgg11_bn for another number of classes and other sizes", seconds=60,
      hint="Features, pooling and classifier, each where it belongs.")  # fmt: skip
def test_vgg(student, rng):
    classes = int(torch.randint(2, 40, (1,), generator=rng))
    shapes = vgg.shapes(classes)
    # The second one's features are wider than what is pooled to.
    images = [torch.randn(1, 3, *size, generator=rng) for size in ((64, 100), (33, 256))]
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=rng))
    got = student.run(vgg_probes.vgg_logits, shapes, seed, images)
    expect.true(type(got) is dict and "refused" not in got, "vgg11_bn's state dict does not load strictly")
    wanted = logits_of_vgg(classes, seed, images)
    for value, want in zip(expect.items(expect.field(got, "logits"), 2, "the logits"), wanted, strict=True):
        expect.close(value, want, "the logits", rtol=1e-2, atol=1e-2)


# 6.9 to 6.12


@task("6.9", points=1, title="count_parameters of further models", hint="Buffers do not learn.")
def test_counts(student, rng):
    norm, width, classes, side = torch.randint(3, 40, (4,), generator=rng).tolist()
    got = expect.items(student.run(probes.counts, norm, width, classes, side), 5, "the counts")
    # Odd: two layers of the classifier, and the side; shared: the weights once, and both biases.
    odd, shared = width * (width + 1) + 5 * (width + 1) + 2 * (width + 1), side * (side + 2)
    for value, want in zip(got, (2 * norm, odd, shared, 0, shared), strict=True):
        expect.integer(value, want, "a count")


@task("6.10", points=2, title="freeze twice, in part, and in evaluation mode", hint="Parameter by parameter.")
def test_freezing(student, rng):
    for part in ("features", "side"):
        weight, inputs = torch.randn(4, 4, generator=rng), torch.randn(3, 4, generator=rng)
        got = student.run(probes.nested_frozen, part, weight, inputs)
        model = probes.odd(weight)
        flags = {name: not name.startswith((part, "classifier.2")) for name, _ in model.named_parameters()}
        kept = expect.same(expect.field(got, "requires_grad"), flags)
        expect.true(kept, "the wrong parameters require gradients")
        modes = expect.items(expect.field(got, "training"), len([*model.modules()]), "the modes")
        expect.true(all(mode is False for mode in modes), "the mode was changed")
        features = model.features(inputs).detach()
        expect.close(expect.field(got, "features"), features, "what the features give", atol=1e-3)


@task("6.11", points=3, title="swap_head on a longer classifier with frozen parts", hint="Only the last layer is new.")
def test_heads(student, rng):
    for _ in range(2):
        width, classes, output_dim = (int(n) for n in torch.randint(2, 12, (3,), generator=rng))
        got = student.run(probes.head_swapped, width, classes, output_dim)
        expect.true(expect.field(got, "same_model") is True, "the model itself is not returned")
        head = expect.items(expect.field(got, "head"), 3, "the head")
        # The old one has no bias, and the new one may have one.
        wanted = (["Linear", [output_dim, 5], bias] for bias in ([output_dim], []))
        right = any(expect.same(list(head), one) for one in wanted)
        expect.true(right, "the head is no Linear of the right size")
        expect.tensor(expect.field(got, "outputs"), "the outputs", shape=(3, output_dim))
        expect.true(expect.field(got, "gradient") is True, "no gradient reaches the new head")
        others = [n for n in probes.tensors_of(probes.Odd(width, classes)) if not n.startswith("classifier.4")]
        for flags in expect.items(expect.field(got, "others"), len(others), "the other tensors"):
            kept = all(flag is True for flag in expect.items(flags, 3, "a tensor"))
            expect.true(kept, "another tensor than the head's is not what it was")


@task(
    "6.12",
    points=3,
    title="groups of a model with a part of its own, frozen and not",
    hint="Everything trainable, once.",
)
def test_rates(student, rng):
    for frozen in ((), ("features",), ("classifier",), ("features.1", "side")):
        lr, factor = 0.01 * (1 + float(torch.rand(1, generator=rng))), int(torch.randint(2, 30, (1,), generator=rng))
        got = student.run(probes.odd_groups, 4, frozen, lr, factor)
        everything = [
            expect.items(e, 2, "a parameter") for e in expect.items(expect.field(got, "all"), 11, "parameters")
        ]
        for name, _ in everything:
            expect.instance(name, str, "a parameter's name")
        flags_kept = all(flag is (not frozen or not name.startswith(frozen)) for name, flag in everything)
        expect.true(flags_kept, "requires_grad has changed")
        names = [name for name, _ in everything if not (frozen and name.startswith(frozen))]
        rates = [
            expect.items(e, 2, "a parameter") for e in expect.items(expect.field(got, "rates"), None, "the groups")
        ]
        expect.true(
            sorted(str(name) for name, _ in rates) == sorted(names), "a parameter is missing, doubled or frozen"
        )
        for name, rate in rates:
            expect.near(rate, lr / factor if name.startswith("features") else lr, "a learning rate")


# 6.13 to 6.16


@task("6.13", points=1, title="calculate_accuracy with few and with many rows", hint="A scalar tensor.")
def test_accuracies(student, rng):
    for count in (1, 7, 300):
        logits, labels = torch.randn(count, 4, generator=rng), torch.randint(0, 4, (count,), generator=rng)
        got = expect.tensor(student.run(training_probes.accuracy, logits, labels), "the accuracy", shape=())
        expect.near(float(got), (logits.argmax(1) == labels).double().mean().item(), "the accuracy", atol=1e-4)


def judge_pair(result, losses, hits, batch_size):
    found = expect.items(result, 2, "(loss, accuracy)")
    for value, each in zip(found, (losses, hits), strict=True):
        expect.instance(value, float, "a mean")
        loops.near_one_of(value, loops.means(each, batch_size), "a mean over the data", rtol=1e-3, atol=1e-3)


@task("6.14", points=2, title="train on a network with batch normalisation, over two epochs",
      hint="Mode, gradients, steps and means: in every epoch.")  # fmt: skip
def test_training(student, rng):
    model, state, x, y = twins.network(rng, 26)
    got = student.run(probes.trained, state, x, y)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for result in expect.items(expect.field(got, "results"), 2, "the results"):
        losses, hits = [], []
        for inputs, labels in zip(x.split(4), y.split(4), strict=True):
            optimizer.zero_grad()
            logits = model(inputs)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            losses.append(F.cross_entropy(logits.detach(), labels, reduction="none"))
            hits.append(logits.argmax(1) == labels)
        judge_pair(result, torch.cat(losses), torch.cat(hits), 4)
    twins.judge_trained(got, model)


@task("6.14", points=1, title="evaluate on a network with batch normalisation and dropout",
      hint="Evaluation has a mode of its own, needs no gradients and leaves no trace.")  # fmt: skip
def test_evaluation(student, rng):
    model, state, x, y = twins.network(rng, 25)
    for batch_size in (8, 12, 40):
        got = student.run(probes.evaluated, state, x, y, batch_size)
        logits = twins.answers(model, x)
        losses = F.cross_entropy(logits, y, reduction="none", label_smoothing=0.2)
        judge_pair(expect.field(got, "result"), losses, logits.argmax(1) == y, batch_size)
        twins.judge_unrecorded(got)
        twins.judge_untouched(got, model, state, x, "evaluate")


@task("6.15", points=1, title="epoch_time for many times", hint="Whole minutes, whole seconds.")
def test_times(student, rng):
    drawn = (torch.rand(20, 2, generator=rng).double() * torch.tensor([1e5, 9000.0])).tolist()
    pairs = [(start, start + length) for start, length in drawn]
    got = expect.items(student.run(training_probes.times, pairs), len(pairs), "the times")
    for value, (start, end) in zip(got, pairs, strict=True):
        minutes, seconds = expect.items(value, 2, "a time")
        expect.integer(minutes, int((end - start) // 60), "the minutes")
        expect.integer(seconds, int((end - start) % 60), "the seconds")


@task(
    "6.16", points=3, title="fit keeps the best epoch, whatever the losses do", hint="The first of equal ones counts."
)
def test_fitting(student, rng):
    drawn = [round(0.2 + float(v), 3) for v in torch.rand(6, generator=rng)]
    for number, losses in enumerate(
        (drawn, [0.5], sorted(drawn), sorted(drawn, reverse=True), [3.0, 3.0, 2.5, 2.5, 2.499])
    ):
        start = torch.randn(2, 3, generator=rng)
        got = student.run(training_probes.fitted, losses, bool(number % 2), True, start)
        calls = [
            list(expect.items(c, 4, "a call"))[:2] for c in expect.items(expect.field(got, "calls"), None, "the calls")
        ]
        for kind, _ in calls:
            expect.instance(kind, str, "a call")
        if {kind for kind, _ in calls} == {"train", "evaluate"}:
            wanted = [["train", "train"], ["evaluate", "valid"]] * len(losses)
            expect.true(
                expect.same(calls, wanted), "train and evaluate are not called in turn, each with its own loader"
            )
        else:
            got = student.run(training_probes.fitted, losses, bool(number % 2), False, start)
        weights = expect.items(expect.field(got, "validated"), len(losses), "the validated epochs")
        weights = [expect.tensor(weight, "the weights at validation", shape=(2, 3)) for weight in weights]
        for weight in weights:  # all inputs are 1: each class's weights move by the same number
            moved = weight.double() - start.double()
            alike = expect.same_values(moved, moved[:, :1].expand(2, 3), rtol=1e-3, atol=1e-3)
            expect.true(alike, "the weights at validation do not come of training the model that fit is given")
        saved = expect.items(expect.field(got, "saved"), len(losses), "the checkpoint after each epoch")
        for epoch, content in enumerate(saved):
            expect.true(type(content) is not str, "an epoch leaves no checkpoint that is a bare state dict")
            best = min(range(epoch + 1), key=lambda e: (losses[e], e))
            expect.close(content, weights[best], "the checkpoint's weights after an epoch")
        best = min(range(len(losses)), key=lambda e: (losses[e], e))
        expect.close(expect.field(got, "end"), weights[best], "the model's weights at the end")
        expect.close(expect.field(got, "file"), weights[best], "the checkpoint's weights at the end")


# 6.17


@task("6.17", points=3, title="the fine-tuned weights read new digits in the judge's own network", seconds=40,
      needs=("6.14", "6.16"), hint="Look at 6.11 to 6.16.")  # fmt: skip
def test_weights(student, rng):
    data = transfer.draw(rng)
    train, valid = (data.train_images, data.train_labels), (data.test_images[:VALID], data.test_labels[:VALID])
    got = student.run(transfer_probes.fine_tuned, transfer.load_backbone(), train, valid, RATE, EPOCHS)
    images, labels = data.test_images[VALID:], data.test_labels[VALID:]
    untrained = accuracy_of(expect.field(got, "before"), images[:UNTRAINED], labels[:UNTRAINED])
    tuned = accuracy_of(expect.field(got, "after"), images, labels)
    expect.true(untrained < 0.5, "the network with its new head already knows the answers")
    expect.at_least(tuned, ACCURACY, "the accuracy of the fine-tuned network", unit="%")
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=rng))
    scratch = transfer.scratch_accuracy(*train, images, labels, RATE, EPOCHS, seed)
    expect.at_least(tuned - scratch, MARGIN, "the lead over training from scratch", unit="%")


def accuracy_of(state, images, labels):
    model = transfer.Backbone()
    wanted = model.state_dict()
    loaded = {name: expect.tensor(expect.field(state, name), name, shape=t.shape) for name, t in wanted.items()}
    model.load_state_dict(loaded)
    model.eval()
    with torch.no_grad():
        return digits.accuracy(model(transfer.normalised(images)), labels)
