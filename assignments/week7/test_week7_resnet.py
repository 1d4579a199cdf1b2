"""Week 7's public checks of `resnet.py`, tasks 7.1 to 7.5: 27 of 60 points."""

import math

import torch
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures import residual
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 7.1

# Channels in, channels out, stride: a block that keeps the shape, and each way of changing it.
FORMS = ((3, 3, 1), (2, 4, 1), (3, 3, 2), (2, 5, 2))


def form_of(form, more):
    """A block's channels and stride, with so many channels more."""
    inside, outside, stride = FORMS[form]
    return inside + more, outside + more, stride


KINDS = {1: "batch normalisation", 2: "linear layer", 4: "convolution"}  # by the axes of a layer's weight


def judge_shapes(got, wanted, what):
    """The tensors have the lesson's names and shapes."""
    found = expect.field(got, "shapes")
    expect.true(type(found) is dict, f"the layers of {what} are not named")
    layers = expect.items(expect.field(got, "layers"), None, f"the layers of {what}")
    for name, shape in wanted.items():
        layer = name.rpartition(".")[0]
        kind = KINDS[len(wanted[f"{layer}.weight"])]
        missing = f"{what} has no {name}, in the lesson's names: {layer} is to be a {kind}"
        expect.true(found.get(name) is not None, missing, got=", ".join(map(str, layers)))
        expect.equal(found.get(name), list(shape), f"the shape of {name} in {what}")
    more = [name for name in found if name not in wanted]
    place = str(more[0]).partition("shortcut")[0].strip(".") if more else ""
    where = f"{place} of {what}" if place else what
    cure = "does it get a stride of 1?" if place else "a projection is for a stride or for other channels"
    more_text = f"the shortcut of {where} has a projection, where nothing changes: {cure}"
    expect.true(not more, more_text, got=", ".join(map(str, more)))


def parameters_in(wanted):
    return sum(math.prod(shape) for name, shape in wanted.items() if "running" not in name)


@task("7.1", points=3, title="ResidualBlock has its layers, and a projection only where the shape changes", examples=8,
      hint="What has to change along the shortcut, so that the two sides can be added?")  # fmt: skip
@given(form=st.integers(0, 3), more=st.integers(0, 5), size=st.integers(5, 8))
def test_block_layers(student, form, more, size):
    inside, outside, stride = form_of(form, more)
    got = student.run(probes.block_layers, inside, outside, stride, torch.ones(2, inside, size, size + 1))
    wanted = residual.block_shapes(inside, outside, stride)
    biases = expect.items(expect.field(got, "biases"), None, "the biases")
    expect.true(not biases, "a convolution of ResidualBlock has a bias: the batch normalisation after it has one",
                got=", ".join(map(str, biases)))  # fmt: skip
    judge_shapes(got, wanted, "ResidualBlock")
    context = {"with a bias in the shortcut's convolution: bias=False": parameters_in(wanted) + outside}
    expect.integer(
        expect.field(got, "parameters"),
        parameters_in(wanted),
        "the number of ResidualBlock's parameters",
        context=context,
    )
    shape = [2, outside, -(-size // stride), -(-(size + 1) // stride)]
    result = expect.field(got, "result")
    beside = [shape[0], 2 * shape[1], *shape[2:]]
    because = "the two sides stand beside each other: they are to be added" if expect.same(result, beside) else None
    expect.equal(result, shape, "the shape of what ResidualBlock gives", because=because)


def block_slips(weights, x, stride):
    """What typical mistakes give."""
    given_to = (weights, "", x, stride)
    total, inner = residual.block(*given_to, last=False), residual.block(*given_to, last=False, added=False)
    beside = total - inner
    return {
        "of a shortcut that is taken off: add it": (inner - beside).clamp(min=0),
        "of the mean of both sides: add them": total.clamp(min=0) / 2,
        "with a ReLU in the shortcut": (inner + beside.clamp(min=0)).clamp(min=0),
        "without the shortcut: add it to what the convolutions give": residual.block(*given_to, added=False),
        "without the ReLU after the sum": residual.block(*given_to, last=False),
        "of the ReLU before the sum: add first, then cut": residual.block(*given_to, early=True),
        "without the ReLU between the convolutions": residual.block(*given_to, first=False),
        "without a batch normalisation in the shortcut": residual.block(*given_to, shortcut_norm=False),
        "of bn1 used twice: bn2 comes after conv2": residual.block(*given_to, second="bn1"),
        "without bn2 after conv2": residual.block(*given_to, second=None),
        **({"of a stride in conv2: conv1 has it": residual.block(*given_to, late=True)} if stride > 1 else {}),
    }


@task("7.1", points=4, title="ResidualBlock computes what its weights say", examples=8,
      hint="Two convolutions, each with its batch normalisation; then the sum; then the last ReLU.")  # fmt: skip
@given(form=st.integers(0, 3), seed=seeds)
def test_block(student, form, seed):
    (inside, outside, stride), gen = form_of(form, 1), generator(seed)
    weights = residual.drawn(residual.block_shapes(inside, outside, stride), gen)
    x = torch.randn(3, inside, 6, 7, generator=gen)
    got = student.run(probes.block_output, inside, outside, stride, weights, x)
    want = residual.block(weights, "", x, stride)
    expect.close(got, want, "what ResidualBlock gives", atol=1e-4, context=lambda: block_slips(weights, x, stride),
                 otherwise="the layers are right: compare their order, and where a ReLU stands")  # fmt: skip


@task("7.1", points=1, title="gradients flow through both sides of ResidualBlock",
      hint="Nothing on either side may cut the graph.")  # fmt: skip
def test_block_gradients(student, rng):
    for inside, outside, stride in ((3, 3, 1), (2, 4, 2)):
        weights = residual.drawn(residual.block_shapes(inside, outside, stride), rng)
        x = torch.randn(2, inside, 5, 5, generator=rng)
        got = student.run(probes.block_gradients, inside, outside, stride, weights, x)
        expect.true(got != "detached" if type(got) is str else True, "ResidualBlock's result is cut off from the graph")
        first = weights["conv1.weight"].clone().requires_grad_()
        x.requires_grad_()
        given_to = ({**weights, "conv1.weight": first}, "", x, stride)
        result, inner = residual.block(*given_to), residual.block(*given_to, added=False, last=False)
        wanted = dict(zip(("input", "conv1"), torch.autograd.grad(result.square().sum(), (x, first), retain_graph=True),
                          strict=True))  # fmt: skip
        (inside,) = torch.autograd.grad(inner, x, 2 * result.detach())
        slips = {
            "through the convolutions alone: the shortcut is cut off from the graph": inside,
            "through the shortcut alone: the convolutions are cut off from the graph": wanted["input"] - inside,
        }
        for part, where in (("input", "input"), ("conv1", "conv1")):
            gradient = expect.field(got, part)
            gone = f"no gradient reaches {where} of ResidualBlock: something is cut off from the graph"
            expect.true(gradient is not None, gone)
            name = f"the gradient that reaches {where} of ResidualBlock"
            context = slips if part == "input" else {}
            expect.close(gradient, wanted[part], name, rtol=1e-3, atol=1e-2, context=context)


# 7.2


@task("7.2", points=3, title="ResNet has its layers, and as many blocks as it is asked for", examples=6,
      hint="Three stages of `blocks` blocks; two of them begin with a stride.")  # fmt: skip
@given(output_dim=st.integers(2, 12), blocks=st.sampled_from([None, 1, 3]), width=st.sampled_from([None, 3, 6]),
       size=st.integers(6, 9))  # fmt: skip
def test_network_layers(student, output_dim, blocks, width, size):
    options = {name: value for name, value in (("blocks", blocks), ("width", width)) if value is not None}
    got = student.run(probes.network_layers, output_dim, options, torch.ones(2, 1, size, size + 2))
    layers = expect.items(expect.field(got, "layers"), None, "the layers of ResNet")
    for name in ("conv1", "bn1", "stage1", "stage2", "stage3", "fc"):
        expect.true(name in [layer for layer in layers if type(layer) is str], f"ResNet has no layer {name}",
                    got=", ".join(map(str, layers)))  # fmt: skip
    expect.equal(expect.field(got, "blocks"), [blocks or 2] * 3, "the number of blocks in ResNet's stages")
    wanted = residual.shapes(output_dim, blocks or 2, width or 8)
    judge_shapes(got, wanted, f"ResNet with output_dim={output_dim}" + ("" if width else " (width 8 by default)"))
    context = {"with a bias in conv1: bias=False": parameters_in(wanted) + (width or 8)}
    expect.integer(
        expect.field(got, "parameters"), parameters_in(wanted), "the number of ResNet's parameters", context=context
    )
    mixed = "the mean runs over the batch as well: it is over height and width alone, dim=(2, 3)"
    last = "these are the channels of stage3: fc makes logits of them"
    slips = [([1, output_dim], mixed), ([2, 4 * (width or 8)], last)]
    because = next((why for slip, why in slips if expect.same(expect.field(got, "result"), slip)), None)
    expect.equal(expect.field(got, "result"), [2, output_dim], "the shape of ResNet's logits", because=because)


@task("7.2", points=4, title="ResNet computes what its weights say", examples=5,
      hint="The stem, three stages, the mean over all positions, and fc, with nothing after it.")  # fmt: skip
@given(output_dim=st.integers(2, 6), blocks=st.integers(1, 2), size=st.integers(7, 9), seed=seeds)
def test_network(student, output_dim, blocks, size, seed):
    gen = generator(seed)
    weights = residual.drawn(residual.shapes(output_dim, blocks, 4), gen)
    images = torch.randn(3, 1, size, size + 1, generator=gen)
    got = student.run(probes.network_logits, output_dim, blocks, 4, weights, images)
    logits = expect.tensor(got, "the logits of ResNet", shape=(3, output_dim))
    want = residual.logits(weights, images)
    slips = {
        "without the ReLU after bn1": lambda: residual.logits(weights, images, stem=False),
        "without stage2's stride": lambda: residual.logits(weights, images, strides=(1, 1, 2)),
        "without stage3's stride": lambda: residual.logits(weights, images, strides=(1, 2, 1)),
        "without stage1": lambda: residual.logits(without(weights, "stage1"), images),
        "without bn1 after conv1": lambda: of_another_stem(weights, images, norm=False),
        "of a conv1 without padding: it has padding=1": lambda: of_another_stem(weights, images, padding=0),
        "with a softmax: logits are raw": lambda: want.softmax(1),
        "with a log-softmax: logits are raw": lambda: want.log_softmax(1),
        "with a ReLU after fc: logits are raw": lambda: want.clamp(min=0),
        "of the sum over all positions: take the mean": lambda: pooled(weights, images, "sum"),
        "of the greatest value of each channel: take the mean": lambda: pooled(weights, images, "max"),
    }
    expect.close(logits, want, "the logits of ResNet", rtol=1e-3, atol=1e-3,
                 context=lambda: {name: slip() for name, slip in slips.items()},
                 otherwise="the layers are right: compare their order, the ReLU and the mean")  # fmt: skip


def without(weights, part):
    return {name: value for name, value in weights.items() if not name.startswith(part)}


def of_another_stem(weights, images, norm=True, padding=1):
    """The logits of a network that begins otherwise."""
    x = torch.nn.functional.conv2d(images, weights["conv1.weight"], padding=padding)
    x = (residual.normed(weights, "bn1", x) if norm else x).clamp(min=0)
    for prefix in residual.prefixes(weights):
        x = residual.block(weights, prefix, x, 2 if prefix in ("stage2.0.", "stage3.0.") else 1)
    return x.mean((2, 3)) @ weights["fc.weight"].T + weights["fc.bias"]


def pooled(weights, images, how):
    """The logits of another pooling than the mean."""
    maps = residual.maps(weights, images)
    x = maps.sum((2, 3)) if how == "sum" else maps.amax((2, 3))
    return x @ weights["fc.weight"].T + weights["fc.bias"]


# 7.3


def nested_table(width, hidden, classes, shared=False):
    return {"": width, "body.0": 10 * width, "body.1": 2 * width, "body.3.0": width * hidden,
            "head": hidden * classes + classes, **({"other": classes} if shared else {})}  # fmt: skip


def judge_table(got, wanted, slips):
    """The table has these rows, in their order."""
    expect.true(type(got) is list, "parameter_table returns no dict", got=got if type(got) is dict else None)
    rows = [expect.items(row, 2, "a row of parameter_table") for row in got]
    for name, _ in rows:
        expect.instance(name, str, "a name in parameter_table")
    found = {name: expect.whole(count) for name, count in rows}
    parts = [name for name in found if name not in wanted and name.rpartition(".")[0] in wanted and len(found) > 5]
    single = "parameter_table has rows of their own for a module's parameters: add them up"
    expect.true(len(parts) < 3, single, got=", ".join(map(repr, found)))
    for name, slip in slips.items():
        counted = any(expect.same(found.get(key), count) for key, count in slip.items() if wanted.get(key) != count)
        expect.true(not counted, f"parameter_table counts {name}", expected=str(wanted), got=str(found))
    for name, count in wanted.items():
        whose = f"the module {name!r}" if name else "the model itself, ''"
        expect.true(name in found, f"parameter_table leaves out {whose}, which has parameters of its own",
                    expected=", ".join(map(repr, wanted)), got=", ".join(map(repr, found)))  # fmt: skip
        expect.integer(found[name], count, f"the parameters of {whose} in parameter_table")
    more = [name for name in found if name not in wanted]
    expect.true(not more, "parameter_table names what is no module with parameters of its own",
                got=", ".join(map(repr, more)))  # fmt: skip
    expect.equal(list(found), list(wanted), "the order of the modules in parameter_table")


def table_slips(width, hidden, classes, shared):
    body = 12 * width + width * hidden
    head = hidden * classes + classes
    return {
        "parameters of modules inside a module as its own: recurse=False": {
            "": width + body + head + (classes if shared else 0), "body": body, "body.3": width * hidden},
        "parameters that have names, and not numbers in them": {"head": 2},
        "one parameter of a module alone: add them up": {"body.0": width, "head": classes},
        "trainable parameters alone: frozen ones count as well": {"body.1": width},
        "a shared parameter twice: it belongs to the first module that has it": {"other": head} if shared else {},
        "buffers as well: running averages are no parameters": {"body.1": 4 * width + 1},
        "modules without parameters: leave them out": {"body.2": 0},
    }  # fmt: skip


@task("7.3", points=3, title="parameter_table counts each module's own parameters", examples=8,
      hint="Which of a module's parameters stand in the module itself, and which in a module inside it?")  # fmt: skip
@given(width=st.integers(3, 7), hidden=st.integers(3, 7), classes=st.integers(3, 7))
def test_table(student, width, hidden, classes):
    got = student.run(probes.table, width, hidden, classes, False)
    judge_table(got, nested_table(width, hidden, classes), table_slips(width, hidden, classes, False))


@task("7.3", points=1, title="parameter_table counts a shared parameter once", examples=4,
      hint="Remember which parameters have been counted already.")  # fmt: skip
@given(width=st.integers(3, 7), hidden=st.integers(3, 7), classes=st.integers(3, 7))
def test_table_shared(student, width, hidden, classes):
    got = student.run(probes.table, width, hidden, classes, True)
    judge_table(got, nested_table(width, hidden, classes, True), table_slips(width, hidden, classes, True))


# 7.4 and 7.5


def operations(inside, outside, kernel, height, width, groups=1):
    """A convolution's operations: a multiplication and an addition for each weight at each place."""
    return sum(2 * (inside // groups) * kernel * kernel * width for _ in range(outside) for _ in range(height))


def flops_slips(inside, outside, kernel, height, width, groups=1):
    whole = operations(inside, outside, kernel, height, width, groups)
    slips = {
        "of multiplications alone: each has an addition, so times 2": whole // 2,
        "of one filter row: a filter has kernel_size² weights for each channel": whole // kernel,
        "of one output channel: times out_channels": whole // outside,
        "of one input channel: a filter is as deep as its input": whole // (inside // groups),
        "of one position: times out_height · out_width": whole // (height * width),
        "of a square output: times out_height · out_width": whole // width * height,
        "with the bias, which is not counted": whole + outside * height * width,
        "without groups: a filter sees in_channels // groups channels": whole * groups,
        "with groups taken off twice: only the filters' depth is divided": whole // groups,
    }
    return {name: value for name, value in slips.items() if value != whole}


@task("7.4", points=2, title="conv_flops counts two operations for each weight and place", examples=9,
      hint="How many weights does one output pixel use, and how many such pixels are there?")  # fmt: skip
@example(inside=3, outside=5, kernel=7, height=4, width=11)  # every other formula gives another number
@given(inside=st.integers(2, 9), outside=st.integers(2, 9), kernel=st.sampled_from([3, 5, 7]),
       height=st.integers(2, 9), width=st.integers(3, 11))  # fmt: skip
def test_conv_flops(student, inside, outside, kernel, height, width):
    sizes = (inside, outside, kernel, height, width)
    got = student.run(probes.conv_flops, *sizes)
    expect.integer(got, operations(*sizes), "conv_flops", context=flops_slips(*sizes), divided=True)


@task("7.4", points=1, title="conv_flops with groups", examples=6,
      hint="With groups each filter sees a part of the input's channels.")  # fmt: skip
@example(deep=4, groups=3, kernel=5, size=7)
@given(deep=st.integers(2, 4), groups=st.integers(2, 4), kernel=st.sampled_from([3, 5]), size=st.integers(3, 9))
def test_conv_flops_groups(student, deep, groups, kernel, size):
    sizes = (deep * groups, 3 * groups, kernel, size, size + 1)
    got = student.run(probes.conv_flops, *sizes, groups=groups)
    expect.integer(got, operations(*sizes, groups), "conv_flops", context=flops_slips(*sizes, groups), divided=True)


def small_operations(sizes, image):
    """The operations of a small network's two convolutions and its linear layer, one by one."""
    channels, width, hidden, classes, stride = sizes
    rows, columns = (-(-side // stride) for side in image.shape[1:])
    return [
        operations(channels, width, 3, rows, columns),
        operations(width, hidden, 1, rows, columns),
        2 * hidden * classes,
    ]


def small_slips(sizes, image):
    first, second, last = small_operations(sizes, image)
    channels, width, hidden, classes, stride = sizes
    rows, columns = (-(-side // stride) for side in image.shape[1:])
    places = rows * columns * (width + hidden)
    return {
        "of the convolutions alone: linear layers count as well": first + second,
        "of the last layer alone, the linear one: all others count as well, the convolutions": last,
        "of multiplications alone: each has an addition, so times 2": (first + second + last) // 2,
        "with a layer that does not run": first + second + last + 14 * hidden,
        "with the biases, which are not counted": first + second + last + places + classes,
        "of all filters for each number of the output: it takes the weights of one filter": first * width
        + second * hidden
        + last * classes,
        "of the numbers of the layers' inputs: count those of their outputs": 2
        * (image.numel() * 9 * channels + rows * columns * width**2 + hidden**2),
        "of layers at the top alone: look into modules inside modules": 0,
        "for the size of the input, and not of the layer's output": first * stride**2 + second * stride**2 + last,
        "of two for each weight of a layer that runs: a filter is used at each position of its output": 2
        * (9 * channels * width + width * hidden + hidden * classes),
    }


def drawn_sizes(rng):
    channels, width, hidden, classes = (int(n) for n in torch.randint(2, 7, (4,), generator=rng))
    return (channels, width, hidden, classes, 2), torch.randn(
        channels, *torch.randint(5, 12, (2,), generator=rng), generator=rng
    )


@task("7.5", points=3, title="count_flops adds up the layers that run",
      hint="A forward hook sees a layer and its output. What has each number of the output cost?")  # fmt: skip
def test_count_flops(student, rng):
    for _ in range(3):
        sizes, image = drawn_sizes(rng)
        want = sum(small_operations(sizes, image))
        slips = {name: value for name, value in small_slips(sizes, image).items() if value != want}
        expect.integer(student.run(probes.counted, sizes, image), want, "count_flops", context=slips)


@task("7.5", points=2, title="count_flops leaves the model as it was",
      hint="Hooks stay until they are removed. What else does a forward pass in training mode change?")  # fmt: skip
def test_count_leaves_model(student, rng):
    sizes, image = drawn_sizes(rng)
    want = sum(small_operations(sizes, image))
    got = student.run(probes.counted_twice, sizes, image)
    left = "count_flops leaves hooks at the model: remove() each of them"
    expect.true(expect.same(expect.field(got, "hooks"), 0), left, got=expect.field(got, "hooks"))
    first, again = expect.items(expect.field(got, "counts"), 2, "the counts of two calls")
    slips = {name: value for name, value in small_slips(sizes, image).items() if value != want}
    expect.integer(first, want, "count_flops of a network in training mode", context=slips)
    expect.integer(
        again, want, "count_flops when it is called again", context={"with those of the first call": 2 * want}
    )
    modes = expect.items(expect.field(got, "modes"), None, "the modes afterwards")
    training = all(mode is True for mode in modes) and len(modes) > 0
    expect.true(training, "count_flops leaves the model in evaluation mode: put each module's mode back")
    changed = expect.items(expect.field(got, "changed"), None, "what has changed")
    because = "in training mode a forward pass moves running averages: call model.eval() first"
    expect.true(not changed, "count_flops changes the model's parameters or buffers", got=", ".join(map(str, changed)),
                because=because)  # fmt: skip
    expect.equal(
        expect.field(got, "gradients"), ["features.0.weight"], "the parameters with a gradient after count_flops"
    )
    flags = expect.items(expect.field(got, "requires_grad"), 10, "requires_grad after count_flops")
    expect.true(all(flag is True for flag in flags), "count_flops changes requires_grad of parameters")
    expect.true(expect.field(got, "recording") is True, "gradients stay switched off after count_flops")
