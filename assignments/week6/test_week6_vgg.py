"""Week 6's public checks of `batchnorm.py` and `vgg.py`, tasks 6.5 to 6.8: 19 of 60 points."""

import itertools
from functools import partial

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fixtures import vgg
from grader import expect
from grader.answers import computed_once
from grader.checks import load_probes, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 6.5


@task("6.5", points=2, title="adaptive_pool_filter_size", hint="Round up: windows may overlap, but leave nothing out.")
def test_pool_filter_size(student, rng):
    drawn = torch.randint(1, 40, (20, 2), generator=rng).tolist()
    cases = [(28, 7), (7, 7), (23, 5), (8, 7), (15, 7), *((max(pair), min(pair)) for pair in drawn)]
    got = expect.items(student.run(probes.pool_filter_sizes, cases), len(cases), "the sizes")
    for value, (size, output) in zip(got, cases, strict=True):
        want = next(k for k in itertools.count(1) if k * output >= size)
        slips = {"of a quotient that is rounded down: (in + out − 1) // out": size // output,
                 "without the − 1: (in + out − 1) // out": (size + output) // output,
                 "of dividing by the input size": (size + output - 1) // size}  # fmt: skip
        slips = {name: other for name, other in slips.items() if other != want}
        expect.integer(value, want, f"adaptive_pool_filter_size({size}, {output})", context=slips, divided=True)


# 6.6: batch normalisation, channel by channel


def normalised(x, gamma, beta, eps):
    """y, mean and biased variance of N×C×H×W, one channel at a time."""
    y, means, variances = torch.empty_like(x), [], []
    for channel in range(x.shape[1]):
        values = x[:, channel]
        centre = values.sum() / values.numel()
        spread = ((values - centre) ** 2).sum() / values.numel()
        y[:, channel] = gamma[channel] * (values - centre) / (spread + eps) ** 0.5 + beta[channel]
        means.append(centre)
        variances.append(spread)
    return y, torch.stack(means), torch.stack(variances)


def other_statistics(x, what):
    """What other axes and other estimates give for the mean or the variance."""
    channels = x.shape[1]
    if what == "mean":
        return {"of all channels together: one mean for each channel": x.mean().expand(channels)}
    return {
        "of the unbiased variance: unbiased=False, or correction=0": x.var((0, 2, 3)),
        "of the deviation: the variance is asked for": x.var((0, 2, 3), correction=0).sqrt(),
        "of all channels together: one variance for each channel": x.var(correction=0).expand(channels),
        "of each image by itself: take it over the batch as well": x.var((2, 3), correction=0).mean(0),
    }


def other_outputs(x, gamma, beta, eps):
    """What typical slips give for y."""
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    weight, shift = gamma.view(1, -1, 1, 1), beta.view(1, -1, 1, 1)
    over_batch = (x - x.mean(0)) / (x.var(0, correction=0) + eps).sqrt()
    return {
        "of an epsilon outside of the root: it belongs inside, √(var + eps)": weight * (x - mean) / (var.sqrt() + eps)
        + shift,
        "without epsilon": weight * (x - mean) / var.sqrt() + shift,
        "without the root: divide by √(var + eps)": weight * (x - mean) / (var + eps) + shift,
        "without beta": weight * (x - mean) / (var + eps).sqrt(),
        "without gamma": (x - mean) / (var + eps).sqrt() + shift,
        "of statistics over the batch alone: take them over the positions, too": weight * over_batch + shift,
    }


def batch(gen, shape):
    """Channels of different means and spreads, with gamma and beta."""
    channels = shape[1]
    x = torch.randn(shape, generator=gen) * (0.2 + 2 * torch.rand(1, channels, 1, 1, generator=gen))
    x = x + 3 * torch.randn(1, channels, 1, 1, generator=gen)
    return x, torch.randn(channels, generator=gen), torch.randn(channels, generator=gen)


shapes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(2, 5), st.integers(2, 4))


@task("6.6", points=3, title="batch_norm normalises each channel over batch and positions", examples=10,
      hint="One mean and one biased variance for each channel; epsilon stands under the root.")  # fmt: skip
@given(shape=shapes, eps=st.sampled_from([None, 1e-5, 0.5]), seed=seeds)
def test_batch_norm(student, shape, eps, seed):
    x, gamma, beta = batch(generator(seed), shape)
    got = student.run(probes.batch_norm, x, gamma, beta, **({} if eps is None else {"eps": eps}))
    result = expect.field(got, "result")
    expect.true(type(result) is not torch.Tensor, "one tensor alone is returned: return three, (y, mean, var)")
    result = expect.items(result, 3, "what batch_norm returns, (y, mean, var)")
    wanted = normalised(x, gamma, beta, eps or 1e-5)
    for value, want, what in zip(result[1:], wanted[1:], ("mean", "var"), strict=True):
        kept = type(value) is torch.Tensor and value.dim() == 4
        expect.true(not kept, f"{what} has shape (1, C, 1, 1) and should have shape (C,): view() it for y alone")
        expect.close(value, want, what, rtol=1e-3, atol=1e-4, sizes={"values of a channel": x[:, 0].numel()},
                     context=other_statistics(x, what))  # fmt: skip
    expect.close(result[0], wanted[0], "y", rtol=1e-3, atol=1e-3, context=other_outputs(x, gamma, beta, eps or 1e-5))


@task("6.6", points=2, title="gradients flow through batch_norm, its statistics included",
      hint="Nothing may cut the graph: mean and variance depend on x, too.")  # fmt: skip
def test_batch_norm_gradient(student, rng):
    x, gamma, beta = batch(rng, (3, 2, 4, 3))
    got = student.run(probes.batch_norm, x, gamma, beta, eps=0.1)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, gamma, beta)]
    nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=0.1).pow(3).sum().backward()
    found = expect.items(expect.field(got, "gradients"), 3, "the gradients")
    for value, leaf, what in zip(found, leaves, ("x", "gamma", "beta"), strict=True):
        expect.true(value is not None, f"no gradient reaches {what}: something is cut off from the graph")
        context = {
            "where mean and variance are cut off from the graph: do not detach them": cut_off(x, gamma, beta, 0.1)
        }
        expect.close(value, leaf.grad, f"the gradient of {what}", rtol=1e-2, atol=1e-2,
                     context=context if what == "x" else None)  # fmt: skip


def cut_off(x, gamma, beta, eps):
    """The gradient that x gets from the sum of y³ where its statistics count as constants."""
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    slope = gamma.view(1, -1, 1, 1) / (var + eps).sqrt()
    return 3 * (slope * (x - mean) + beta.view(1, -1, 1, 1)) ** 2 * slope


# 6.7: the layer


@task("6.7", points=1, title="BatchNorm2d has parameters weight and bias, buffers running_mean and running_var",
      hint="What is learnt is a parameter; what is only measured is a buffer.")  # fmt: skip
def test_layer_parts(student, rng):
    features = int(torch.randint(2, 2000, (1,), generator=rng))
    got = student.run(probes.layer_parts, features)
    parameters, buffers = expect.field(got, "parameters"), expect.field(got, "buffers")
    expect.instance(parameters, dict, "the parameters")
    buffers_too = [name for name in ("running_mean", "running_var") if name in parameters]
    expect.true(
        not buffers_too, f"{' and '.join(buffers_too)} should be a buffer (register_buffer), and is a parameter"
    )
    expect.equal(sorted(parameters), ["bias", "weight"], "the names of the parameters")
    lacking = [name for name in ("running_mean", "running_var") if type(buffers) is dict and name not in buffers]
    expect.true(
        not lacking,
        f"{' and '.join(lacking)} should be a buffer (register_buffer), and is a plain attribute or missing",
    )
    expect.close(parameters["weight"], torch.ones(features), "weight, which begins at 1")
    expect.close(parameters["bias"], torch.zeros(features), "bias, which begins at 0")
    expect.equal(expect.field(got, "trainable"), {name: True for name in parameters}, "which parameters are trainable")
    expect.close(expect.field(buffers, "running_mean"), torch.zeros(features), "running_mean, which begins at 0")
    expect.close(expect.field(buffers, "running_var"), torch.ones(features), "running_var, which begins at 1")


def judge_state(got, part, layer, slips=None):
    """The layer's weights and running statistics, as torch's own layer has them."""
    state = expect.field(got, part)
    for name in ("weight", "bias", "running_mean", "running_var"):
        want = getattr(layer, name).detach()
        expect.close(expect.field(state, name), want, f"{name} afterwards", rtol=1e-3, atol=1e-4,
                     context=(slips or {}).get(name))  # fmt: skip
    free = expect.same(expect.field(state, "attached"), [False, False])
    expect.true(free, "the running statistics belong to a graph: update them under torch.no_grad()")


@task("6.7", points=2, title="BatchNorm2d in training mode normalises and updates the running statistics",
      hint="new = (1 − momentum)·old + momentum·batch, with the unbiased variance, and without a graph.")  # fmt: skip
def test_layer_training(student, rng):
    for options in ({}, {"momentum": 0.3, "eps": 0.01}):
        _, weight, bias = batch(rng, (1, 3, 1, 1))
        batches = [batch(rng, (2, 3, 5, 2))[0] for _ in range(3)]
        got = student.run(probes.layer_run, batches, weight, bias, **options)
        layer = nn.BatchNorm2d(3, **options)
        layer.load_state_dict({**layer.state_dict(), "weight": weight, "bias": bias})
        outputs = expect.items(expect.field(got, "trained"), 3, "the outputs")
        eps, momentum = options.get("eps", 1e-5), options.get("momentum", 0.1)
        for value, x in zip(outputs, batches, strict=True):
            want = layer(x).detach()
            expect.close(
                value,
                want,
                "the output in training mode",
                rtol=1e-3,
                atol=1e-3,
                context=other_layers(x, weight, bias, eps, momentum),
            )
        judge_state(got, "state", layer, other_updates(batches, momentum))


def other_layers(x, weight, bias, eps, momentum):
    """What typical slips give for the layer's output in training mode."""
    mean, scale, shift = x.mean((0, 2, 3), keepdim=True), weight.view(1, -1, 1, 1), bias.view(1, -1, 1, 1)
    biased, unbiased = (x.var((0, 2, 3), keepdim=True, correction=correction) for correction in (0, 1))
    running = momentum * mean, 1 - momentum + momentum * unbiased
    return {
        "of the running statistics; in training mode the batch's own are used": (
            scale * (x - running[0]) / (running[1] + eps).sqrt() + shift
        ),
        "of the unbiased variance: normalise with the biased one": scale * (x - mean) / (unbiased + eps).sqrt() + shift,
        "of weight and bias exchanged": shift * (x - mean) / (biased + eps).sqrt() + scale,
        "of eps=1e-5, whatever eps is given": scale * (x - mean) / (biased + 1e-5).sqrt() + shift,
        "of the running statistics: in training mode the batch's own are used": scale * x / (1 + eps) ** 0.5 + shift,
    }


def other_updates(batches, momentum):
    """What typical slips give for the running statistics after these batches."""

    def after(start, statistic, rate):
        value = torch.full((batches[0].shape[1],), start)
        for x in batches:
            value = (1 - rate) * value + rate * statistic(x)
        return value

    def mean(x):
        return x.mean((0, 2, 3))

    def variance(x, correction=1):
        return x.var((0, 2, 3), correction=correction)

    return {
        "running_mean": {
            "of momentum the other way round: it is to be (1 − momentum)·old + momentum·batch": after(
                0.0, mean, 1 - momentum
            ),
            "from before training: they are never updated": torch.zeros(batches[0].shape[1]),
            "of a momentum of 0.1, whatever is given": after(0.0, mean, 0.1),
            "of a plain mean over all batches: momentum says how much the newest counts": torch.stack(
                [mean(x) for x in batches]
            ).mean(0),
        },
        "running_var": {
            "of the biased variance: the running one is unbiased": after(1.0, lambda x: variance(x, 0), momentum),
            "of momentum the other way round: it is to be (1 − momentum)·old + momentum·batch": after(
                1.0, variance, 1 - momentum
            ),
            "of a momentum of 0.1, whatever is given": after(1.0, variance, 0.1),
            "of the unbiased variance of a wrong count: a channel has N·H·W values": after(1.0, wrong_count, momentum),
        },
    }


def wrong_count(x):
    count = x.numel() / x.shape[2]
    return x.var((0, 2, 3), correction=0) * count / (count - 1)


@task("6.7", points=2, title="BatchNorm2d in evaluation mode uses the running statistics and changes nothing",
      hint="Evaluation has to work on a single image, and must not learn from it.")  # fmt: skip
def test_layer_evaluation(student, rng):
    _, weight, bias = batch(rng, (1, 3, 1, 1))
    running = [torch.randn(3, generator=rng), torch.rand(3, generator=rng) + 0.5]
    images = [batch(rng, (1, 3, 1, 1))[0], batch(rng, (5, 3, 4, 2))[0]]
    got = student.run(probes.layer_run, [], weight, bias, running, images)
    layer = nn.BatchNorm2d(3).eval()
    values = {"weight": weight, "bias": bias, "running_mean": running[0], "running_var": running[1]}
    layer.load_state_dict({**layer.state_dict(), **values})
    state = expect.field(got, "after")
    for name in ("running_mean", "running_var"):
        value = expect.tensor(expect.field(state, name), f"{name} afterwards", shape=(3,))
        kept = expect.same_values(value.double(), values[name].double(), rtol=1e-3, atol=1e-4)
        expect.true(kept, f"{name} is updated in evaluation mode: update it in training mode alone")
    for value, x in zip(expect.items(expect.field(got, "evaluated"), 2, "the outputs"), images, strict=True):
        own = (
            nn.functional.batch_norm(x, None, None, weight, bias, training=True)
            if x[:, 0].numel() > 1
            else bias.view(1, -1, 1, 1).expand_as(x)
        )
        expect.close(value, layer(x).detach(), "the output in evaluation mode", rtol=1e-3, atol=1e-3,
                     context={"of the batch's own statistics: evaluation uses the running ones": own})  # fmt: skip
    judge_state(got, "after", layer)


@task("6.7", points=1, title="BatchNorm2d's state dict goes into torch's own layer and back",
      hint="Names and shapes as torch has them; one entry more is torch's own, to be kept or ignored.")  # fmt: skip
def test_layer_exchange(student, rng):
    x, weight, bias = batch(rng, (2, 4, 3, 3))
    state = {"weight": weight, "bias": bias, "running_mean": torch.randn(4, generator=rng),
             "running_var": torch.rand(4, generator=rng) + 0.5}  # fmt: skip
    got = student.run(probes.exchanged, state, x)
    if type(got) is dict and "refused" in got:
        expect.fail("the state dict does not go into torch's BatchNorm2d and back", got=str(got["refused"])[:300],
                    because=str(got["refused"])[:300])  # fmt: skip
    layer = nn.BatchNorm2d(4).eval()
    layer.load_state_dict({**layer.state_dict(), **state})
    for name in ("own", "theirs"):
        expect.close(expect.field(got, name), layer(x).detach(), "the output after the exchange", rtol=1e-3, atol=1e-3)


# 6.8: VGG


@computed_once
def answers_of_vgg(output_dim, seed, images):
    """Of torchvision's model: logits of each batch, and the gradient of the first's sum in the first layer's bias."""
    model = vgg.with_weights(output_dim, probes.vgg_weights(vgg.shapes(output_dim), seed))
    bias = dict(model.named_parameters())["features.0.bias"]
    with probes.ShortProducts():
        first = model(images[0])
        (gradient,) = torch.autograd.grad(first.sum(), bias)
        return [first.detach(), *probes.without_gradients(model, images[1:])], gradient


def slips_of_vgg(seed, images):
    """What typical slips in the network's layers give for these images."""
    model = vgg.with_weights(1000, probes.vgg_weights(vgg.shapes(1000), seed))
    features, head = list(model.features), list(model.classifier)
    relus = [place for place, layer in enumerate(head) if isinstance(layer, nn.ReLU)]
    ahead = [n for n in range(len(features)) if isinstance(features[n], nn.BatchNorm2d)]
    early = list(features)
    for n in ahead:
        early[n : n + 2] = [nn.ReLU(), features[n]]
    means = [nn.AvgPool2d(2) if isinstance(layer, nn.MaxPool2d) else layer for layer in features]
    linear = [layer for layer in features if not isinstance(layer, nn.ReLU)]
    without = {f"without the {name} ReLU of the classifier": [*head[:place], *head[place + 1 :]]
               for name, place in zip(("first", "second"), relus, strict=True)}  # fmt: skip
    networks = {
        "without the ReLUs of features": [*linear, model.avgpool, nn.Flatten(), *head],
        "of ReLU before batch normalisation: it comes after it": [*early, model.avgpool, nn.Flatten(), *head],
        "of average pooling between the blocks: max-pool": [*means, model.avgpool, nn.Flatten(), *head],
        "of adaptive maximum pooling: use AdaptiveAvgPool2d": [*features, nn.AdaptiveMaxPool2d(7), nn.Flatten(), *head],
        "of features flattened with the channels last: flatten(1) alone": [
            *features,
            model.avgpool,
            ChannelsLast(),
            *head,
        ],
        **{name: [*features, model.avgpool, nn.Flatten(), *rest] for name, rest in without.items()},
    }
    with probes.ShortProducts():
        outputs = {
            name: probes.without_gradients(nn.Sequential(*n).eval(), [images])[0] for name, n in networks.items()
        }
    # Where a slip makes no difference to these images, it explains nothing.
    with probes.ShortProducts():
        right = probes.without_gradients(model, [images])[0]
    return {
        name: logits for name, logits in outputs.items() if not expect.same_values(logits, right, rtol=1e-2, atol=1e-2)
    }


class ChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


KINDS = {1: "batch normalisation", 2: "linear layer", 4: "convolution"}  # by the axes of a layer's weight


@task("6.8", points=3, title="VGG has the layers of configuration A", seconds=30,
      hint="The state dict's names tell where each layer stands; compare with torchvision's vgg11_bn.")  # fmt: skip
def test_vgg_layers(student, rng):
    for output_dim in (1000, int(torch.randint(2, 900, (1,), generator=rng))):
        count = 128_771_840 + 4097 * output_dim
        got = student.run(probes.vgg_shapes, output_dim)
        parts = ["features", "avgpool", "classifier"]
        expect.equal(expect.field(got, "parts"), parts, "the names of the network's parts")
        found, wanted = expect.field(got, "shapes"), vgg.shapes(output_dim)
        expect.instance(found, dict, "the state dict")
        for name, shape in wanted.items():
            if not name.endswith("num_batches_tracked"):
                layer = name.rpartition(".")[0]
                kind = KINDS[len(wanted[f"{layer}.weight"])]
                elsewhere = f"{layer} is to be a {kind}; a layer is missing, or stands elsewhere"
                expect.true(name in found, f"the state dict lacks {name}: {elsewhere}")
                expect.equal(found[name], shape, f"the shape of {name} with {output_dim} classes")
        strangers = sorted(str(name) for name in set(found) - set(wanted))
        expect.true(
            not strangers, "the state dict holds more than vgg11_bn's: too many layers?", got=", ".join(strangers[:5])
        )
        expect.integer(expect.field(got, "parameters"), count, f"the number of parameters with {output_dim} classes")


@task("6.8", points=3, title="VGG computes what torchvision's vgg11_bn computes with the same weights", seconds=40,
      hint="Where does each ReLU and each pooling stand? Nothing comes after the last linear layer.")  # fmt: skip
def test_vgg_logits(student, rng):
    images = [torch.randn(2, 3, 32, 32, generator=rng), torch.randn(1, 3, 75, 48, generator=rng)]
    images[0] = torch.cat([images[0], images[0][:1]])  # one image is there twice
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=rng))
    got = student.run(probes.vgg_logits, vgg.shapes(1000), seed, images, training=True)
    if type(got) is dict and "refused" in got:
        expect.fail("vgg11_bn's state dict does not load strictly", because=str(got["refused"])[:300])
    wanted, gradient = answers_of_vgg(1000, seed, images)
    found = expect.items(expect.field(got, "logits"), len(images), "the logits")
    for value, want, batch in zip(found, wanted, images, strict=True):
        what = f"the logits of images of {batch.shape[2]}×{batch.shape[3]}"
        expect.tensor(value, what, shape=want.shape)
        expect.raw(value, "the logits")
        again = expect.same_values(value[0], value[-1], rtol=1e-2, atol=1e-2)
        expect.true(
            again, "an image that is there twice gets two different logits: dropout stays on in evaluation mode"
        )
        slips = partial(slips_of_vgg, seed, batch)
        cure = "the layers have the right weights: compare the windows and strides of the others, and their order"
        expect.close(value, want, what, rtol=1e-2, atol=1e-2, context=slips, otherwise=cure)
    judge_training(got, gradient)


def judge_training(got, want):
    """The network can be trained: gradients reach its first layer, and the classifier drops units at random."""
    value = expect.field(got, "gradient")
    expect.true(value is not None, "no gradient of the logits reaches the first layer: no detach() in forward")
    scale = float(want.abs().max())
    expect.close(value, want, "the gradient of the first layer's bias", rtol=1e-2, atol=1e-2 * scale)
    first, second = expect.items(expect.field(got, "twice"), 2, "the classifier's answers")
    for answer in (first, second):
        expect.tensor(answer, "the classifier's answer", shape=(1, 1000))
    expect.true(not torch.equal(first, second), "in training mode the classifier drops no units: dropout is missing")
