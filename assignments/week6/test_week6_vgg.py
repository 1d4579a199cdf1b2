"""Week 6's public checks of `batchnorm.py` and `vgg.py`, tasks 6.5 to 6.8: 19 of 60 points."""

import itertools

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
    cases = [(28, 7), (7, 7), (8, 7), (15, 7), *((max(pair), min(pair)) for pair in drawn)]
    got = expect.items(student.run(probes.pool_filter_sizes, cases), len(cases), "the sizes")
    for value, (size, output) in zip(got, cases, strict=True):
        want = next(k for k in itertools.count(1) if k * output >= size)
        expect.integer(value, want, f"adaptive_pool_filter_size({size}, {output})")


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
    result = expect.items(expect.field(got, "result"), 3, "what batch_norm returns, (y, mean, var),")
    wanted = normalised(x, gamma, beta, eps or 1e-5)
    for value, want, what in zip(result[1:], wanted[1:], ("mean", "var"), strict=True):
        expect.close(value, want, what, rtol=1e-3, atol=1e-4, sizes={"values of a channel": x[:, 0].numel()})
    expect.close(result[0], wanted[0], "y", rtol=1e-3, atol=1e-3)


@task("6.6", points=2, title="gradients flow through batch_norm, its statistics included",
      hint="Nothing may cut the graph: mean and variance depend on x, too.")  # fmt: skip
def test_batch_norm_gradient(student, rng):
    x, gamma, beta = batch(rng, (3, 2, 4, 3))
    got = student.run(probes.batch_norm, x, gamma, beta, eps=0.1)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, gamma, beta)]
    nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=0.1).pow(3).sum().backward()
    found = expect.items(expect.field(got, "gradients"), 3, "the gradients")
    for value, leaf, what in zip(found, leaves, ("x", "gamma", "beta"), strict=True):
        expect.true(value is not None, f"no gradient reaches {what}")
        expect.close(value, leaf.grad, f"the gradient of {what}", rtol=1e-2, atol=1e-2)


# 6.7: the layer


@task("6.7", points=1, title="BatchNorm2d has parameters weight and bias, buffers running_mean and running_var",
      hint="What is learnt is a parameter; what is only measured is a buffer.")  # fmt: skip
def test_layer_parts(student):
    got = student.run(probes.layer_parts, 5)
    parameters, buffers = expect.field(got, "parameters"), expect.field(got, "buffers")
    expect.instance(parameters, dict, "the parameters")
    expect.equal(sorted(parameters), ["bias", "weight"], "the names of the parameters")
    expect.close(parameters["weight"], torch.ones(5), "weight at first")
    expect.close(parameters["bias"], torch.zeros(5), "bias at first")
    expect.equal(expect.field(got, "trainable"), {name: True for name in parameters}, "which parameters are trainable")
    expect.close(expect.field(buffers, "running_mean"), torch.zeros(5), "running_mean at first")
    expect.close(expect.field(buffers, "running_var"), torch.ones(5), "running_var at first")


def judge_state(got, part, layer):
    """The layer's weights and running statistics, as torch's own layer has them."""
    state = expect.field(got, part)
    for name in ("weight", "bias", "running_mean", "running_var"):
        want = getattr(layer, name).detach()
        expect.close(expect.field(state, name), want, f"{name} afterwards", rtol=1e-3, atol=1e-4)
    expect.equal(expect.field(state, "attached"), [False, False], "requires_grad of the running statistics")


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
        for value, x in zip(outputs, batches, strict=True):
            expect.close(value, layer(x).detach(), "the output in training mode", rtol=1e-3, atol=1e-3)
        judge_state(got, "state", layer)


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
    for value, x in zip(expect.items(expect.field(got, "evaluated"), 2, "the outputs"), images, strict=True):
        expect.close(value, layer(x).detach(), "the output in evaluation mode", rtol=1e-3, atol=1e-3)
    judge_state(got, "after", layer)


@task("6.7", points=1, title="BatchNorm2d's state dict goes into torch's own layer and back",
      hint="Names and shapes as torch has them; one entry more is torch's own, to be kept or ignored.")  # fmt: skip
def test_layer_exchange(student, rng):
    x, weight, bias = batch(rng, (2, 4, 3, 3))
    state = {"weight": weight, "bias": bias, "running_mean": torch.randn(4, generator=rng),
             "running_var": torch.rand(4, generator=rng) + 0.5}  # fmt: skip
    got = student.run(probes.exchanged, state, x)
    if type(got) is dict and "refused" in got:
        expect.fail("a state dict does not load strictly", expected="it loads both ways", got=got["refused"])
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


@task("6.8", points=3, title="VGG has the layers of configuration A", seconds=30,
      hint="The state dict's names tell where each layer stands; compare with torchvision's vgg11_bn.")  # fmt: skip
def test_vgg_layers(student):
    for output_dim, count in ((1000, 132_868_840), (200, 129_591_240)):
        got = student.run(probes.vgg_shapes, output_dim)
        expect.equal(expect.field(got, "parts"), ["features", "avgpool", "classifier"], "the parts of the network")
        found, wanted = expect.field(got, "shapes"), vgg.shapes(output_dim)
        expect.instance(found, dict, "the state dict")
        for name, shape in wanted.items():
            if not name.endswith("num_batches_tracked"):
                expect.equal(found.get(name, "not there"), shape, f"the shape of {name} in the state dict")
        strangers = sorted(str(name) for name in set(found) - set(wanted))
        expect.true(not strangers, "the state dict holds what vgg11_bn's does not", got=", ".join(strangers[:5]))
        expect.integer(expect.field(got, "parameters"), count, f"the number of parameters with {output_dim} classes")


@task("6.8", points=3, title="VGG computes what torchvision's vgg11_bn computes with the same weights", seconds=40,
      hint="Where does each ReLU and each pooling stand? Nothing comes after the last linear layer.")  # fmt: skip
def test_vgg_logits(student, rng):
    images = [torch.randn(2, 3, 32, 32, generator=rng), torch.randn(1, 3, 75, 48, generator=rng)]
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=rng))
    got = student.run(probes.vgg_logits, vgg.shapes(1000), seed, images, training=True)
    if type(got) is dict and "refused" in got:
        expect.fail("vgg11_bn's state dict does not load strictly", expected="it loads", got=got["refused"])
    wanted, gradient = answers_of_vgg(1000, seed, images)
    found = expect.items(expect.field(got, "logits"), len(images), "the logits")
    for value, want, batch in zip(found, wanted, images, strict=True):
        what = f"the logits of images of {batch.shape[2]}×{batch.shape[3]}"
        expect.close(value, want, what, rtol=1e-2, atol=1e-2)
    judge_training(got, gradient)


def judge_training(got, want):
    """The network can be trained: gradients reach its first layer, and the classifier drops units at random."""
    value = expect.field(got, "gradient")
    expect.true(value is not None, "no gradient of the logits reaches the first layer")
    scale = float(want.abs().max())
    expect.close(value, want, "the gradient of the first layer's bias", rtol=1e-2, atol=1e-2 * scale)
    first, second = expect.items(expect.field(got, "twice"), 2, "the classifier's answers")
    for answer in (first, second):
        expect.tensor(answer, "the classifier's answer", shape=(1, 1000))
    expect.true(not torch.equal(first, second), "in training mode the classifier drops no units: dropout is missing")
