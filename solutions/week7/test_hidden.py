"""Week 7's hidden checks: 40 points, on what the public ones leave open. Summaries give no input or value away."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import maps, recipes, residual
from grader import expect
from grader.checks import load_probes, loops, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 7.1


def drawn_block(gen, form):
    """Channels and stride of a block of some form, its weights and an input."""
    inside, outside, stride = ((4, 4, 1), (5, 2, 1), (3, 3, 2), (2, 6, 3))[form]
    weights = residual.drawn(residual.block_shapes(inside, outside, stride), gen)
    size = torch.randint(5, 9, (2,), generator=gen).tolist()
    return (inside, outside, stride), weights, torch.randn(4, inside, *size, generator=gen)


@task("7.1", points=2, title="ResidualBlock's values for other channels and strides", examples=6,
      hint="Narrower, wider, smaller: the shortcut has to follow.")  # fmt: skip
@given(form=st.integers(0, 3), seed=seeds)
def test_block_values(student, form, seed):
    sizes, weights, x = drawn_block(generator(seed), form)
    got = expect.field(student.run(probes.block_run, sizes, weights, x, False), "result")
    expect.close(got, residual.block(weights, "", x, sizes[2]), "what ResidualBlock gives", atol=1e-4)


@task("7.1", points=3, title="ResidualBlock in training mode", examples=4,
      hint="In training mode every batch normalisation takes the batch's own mean and variance.")  # fmt: skip
@given(form=st.integers(0, 3), seed=seeds)
def test_block_training(student, form, seed):
    sizes, weights, x = drawn_block(generator(seed), form)
    got = student.run(probes.block_run, sizes, weights, x, True)
    want = residual.block(weights, "", x, sizes[2], batch=True)
    context = {
        f"of the running statistics in {' and '.join(names)}: training takes the batch's own": residual.block(
            weights, "", x, sizes[2], batch=True, running=names
        )
        for names in (["bn1"], ["bn2"], ["bn1", "bn2"])
    }
    what = "what ResidualBlock gives in training mode"
    expect.close(expect.field(got, "result"), want, what, rtol=1e-3, atol=1e-3, context=context)
    inner = torch.nn.functional.conv2d(x, weights["conv1.weight"], stride=sizes[2], padding=1).mean((0, 2, 3))
    running = expect.field(got, "running")
    first = expect.field(running, "bn1.running_mean")
    expect.close(
        first, 0.9 * weights["bn1.running_mean"] + 0.1 * inner, "bn1's running mean after one batch", atol=1e-4
    )
    for name in (name for name in weights if "running" in name):
        value = expect.tensor(expect.field(running, name), f"{name} after one batch", shape=weights[name].shape)
        expect.true(not torch.equal(value, weights[name]), f"{name} has not moved in training mode")


# 7.2


@task("7.2", points=3, title="ResNet's values for other widths, depths and sizes", examples=4,
      hint="Nothing may be written for one size alone.")  # fmt: skip
@given(
    width=st.sampled_from([2, 5]), blocks=st.sampled_from([1, 3]), size=st.sampled_from([(5, 12), (13, 9)]), seed=seeds
)
def test_network_values(student, width, blocks, size, seed):
    gen = generator(seed)
    weights = residual.drawn(residual.shapes(7, blocks, width), gen)
    images = torch.randn(1 + width % 2, 1, *size, generator=gen)
    got = expect.field(student.run(probes.network_run, (7, blocks, width), weights, images, False), "logits")
    expect.close(got, residual.logits(weights, images), "the logits of ResNet", rtol=1e-3, atol=1e-3)


@task("7.2", points=2, title="ResNet in training mode, and its gradients",
      hint="Gradients reach the very first layer, and modes reach the very last.")  # fmt: skip
def test_network_training(student, rng):
    weights = residual.drawn(residual.shapes(4, 1, 3), rng)
    images = torch.randn(6, 1, 8, 8, generator=rng)
    got = student.run(probes.network_run, (4, 1, 3), weights, images, True)
    stem, last = (weights[name].clone().requires_grad_() for name in ("conv1.weight", "fc.weight"))
    logits = residual.logits({**weights, "conv1.weight": stem, "fc.weight": last}, images, batch=True)
    expect.close(
        expect.field(got, "logits"), logits.detach(), "the logits of ResNet in training mode", rtol=1e-2, atol=1e-2
    )
    for gradient, name, found in zip(
        torch.autograd.grad(logits.square().sum(), (stem, last)), ("conv1", "fc"), ("stem", "fc"), strict=True
    ):
        value = expect.field(got, found)
        expect.true(value is not None, f"no gradient reaches {name} of ResNet")
        expect.close(
            value, gradient, f"the gradient of {name} of ResNet", rtol=2e-2, atol=2e-2 * float(gradient.abs().max())
        )


# 7.3 to 7.5


@task("7.3", points=2, title="parameter_table of nested and shared modules", examples=4,
      hint="Dictionaries and lists of modules hold modules; one module may stand in two places.")  # fmt: skip
@given(first=st.integers(2, 9), second=st.integers(2, 9), third=st.integers(2, 9))
def test_nested_table(student, first, second, third):
    got = student.run(probes.table, (first, second, third))
    rows = [
        expect.items(row, 2, "a row of parameter_table") for row in expect.items(got, None, "parameter_table's rows")
    ]
    want = [["", 2 * third], ["left.a", first * second + second], ["left.b.1", second * second + second],
            ["right.0", 3 * second * third + third]]  # fmt: skip
    found = [[name, expect.whole(count)] for name, count in rows]
    expect.equal(found, want, "parameter_table of a model with shared modules")


@task("7.4", points=2, title="conv_flops for further sizes", hint="With and without groups; height and width differ.")
def test_flops_values(student, rng):
    drawn = torch.randint(1, 12, (20, 6), generator=rng).tolist()
    cases = [((a * g % 24 // g * g + g, b * g, k, h, w), {"groups": g} if g > 1 else {}) for a, b, k, h, w, g in drawn]
    got = expect.items(student.run(probes.flops, cases), len(cases), "the numbers of operations")
    for value, ((inside, outside, kernel, height, width), options) in zip(got, cases, strict=True):
        weights = kernel * kernel * inside // options.get("groups", 1)
        expect.integer(value, weights * outside * height * width + weights * outside * height * width, "conv_flops")


def odd_operations(width, image, runs=2):
    """Of an odd network: its first convolution, its second one, the layer that runs twice, and the head."""
    rows, columns = (image.shape[1] - 3) // 2 + 1, image.shape[2]
    places = rows * columns
    return 2 * (2 * width * 3 * places + 2 * width * 2 * 9 * places + runs * places * 4 * width * width + 6 * width)


@task(
    "7.5",
    points=2,
    title="count_flops of unusual layers",
    hint="The output's numbers and the weight's shape tell it all.",
)
def test_count_layers(student, rng):
    for _ in range(2):
        width = int(torch.randint(2, 6, (1,), generator=rng))
        image = torch.randn(1, *torch.randint(5, 12, (2,), generator=rng), generator=rng)
        got = student.run(probes.odd_counted, width, image)
        once = "of a layer that runs twice, and counts once: each run counts"
        slips = {once: odd_operations(width, image, runs=1)}
        expect.integer(got, odd_operations(width, image), "count_flops of unusual layers", context=slips)


@task("7.5", points=2, title="count_flops puts each module's mode back",
      hint="A part may have been in evaluation mode, and others' hooks are not yours to remove.")  # fmt: skip
def test_count_modes(student, rng):
    width = int(torch.randint(2, 6, (1,), generator=rng))
    image = torch.randn(1, *torch.randint(5, 12, (2,), generator=rng), generator=rng)
    got = student.run(probes.modes_counted, width, image)
    expect.integer(expect.field(got, "count"), odd_operations(width, image), "count_flops")
    names = ("", "first", "second", "norm", "mix", "head")
    modes = {name: name != "norm" for name in names}
    expect.equal(expect.field(got, "modes"), modes, "the modes after count_flops")
    hooks = expect.field(got, "hooks")
    gone = expect.same(expect.field(hooks, "head"), 0)
    expect.true(not gone, "count_flops removes a hook that was there before: remove() each of your own, and no other")
    left = expect.same(hooks, {name: int(name == "head") for name in names})
    expect.true(left, "count_flops leaves hooks at the model: remove() them")
    same = expect.items(expect.field(got, "same"), None, "whether the state is the same")
    expect.true(all(one is True for one in same) and len(same) > 0, "count_flops changes parameters or buffers")


# 7.6 to 7.9


@task("7.6", points=2, title="warmup_cosine for further schedules", hint="Long, short, none; the last step and beyond.")
def test_schedule_values(student, rng):
    cases = []
    for _ in range(12):
        warmup, rest = (int(n) for n in torch.randint(0, 200, (2,), generator=rng))
        rest += 2
        places = (0, warmup - 1, warmup, warmup + rest // 2, warmup + rest - 1, warmup + rest, warmup + 2 * rest)
        cases += [(step, warmup + rest, warmup) for step in places if step >= 0]
    got = expect.items(student.run(probes.factors, cases), len(cases), "the factors of warmup_cosine")
    for value, case in zip(got, cases, strict=True):
        expect.near(value, recipes.factor(*case), "warmup_cosine", atol=1e-6)


@task("7.7", points=3, title="steps with make_scheduler's learning rates", examples=4,
      hint="Two groups, every step of the schedule, and some after it.")  # fmt: skip
@given(warmup=st.integers(0, 4), rest=st.integers(2, 8), seed=seeds)
def test_scheduled_steps(student, warmup, rest, seed):
    gen, total = generator(seed), warmup + rest
    start, gradients = torch.randn(3, generator=gen), torch.randn(total + 3, 3, generator=gen)
    lrs = [round(value, 3) for value in (0.1 + torch.rand(2, generator=gen)).tolist()]
    got = student.run(probes.scheduled, start, gradients, lrs, total, warmup)
    factors = torch.tensor([recipes.factor(step, total, warmup) for step in range(total + 3)])
    for value, lr in zip(expect.items(got, 2, "the parameters"), lrs, strict=True):
        want = start - lr * (factors[:, None] * gradients).sum(0)
        expect.close(value, want, "a parameter after steps with make_scheduler's learning rates", rtol=1e-3, atol=1e-4)


@task("7.8", points=2, title="smooth_labels at the ends, and for missing classes", examples=4,
      hint="Smoothing 0 gives one-hot rows, smoothing 1 the same for all classes.")  # fmt: skip
@given(classes=st.integers(2, 12), seed=seeds)
def test_smooth_values(student, classes, seed):
    labels = torch.randint(0, max(1, classes - 1), (5,), generator=generator(seed))
    smoothings = [0.0, 1.0, 0.15, 0.5]
    got = expect.items(student.run(probes.smoothed, labels, classes, smoothings), 4, "the results of smooth_labels")
    for value, smoothing in zip(got, smoothings, strict=True):
        expect.close(value, recipes.smoothed(labels, classes, smoothing), "smooth_labels", dtype=True)


@task("7.9", points=2, title="soft_cross_entropy's values and gradients", examples=4,
      hint="One-hot targets, soft ones, a single row, large logits.")  # fmt: skip
@given(count=st.sampled_from([1, 7]), scale=st.sampled_from([0.1, 5.0, 500.0]), hard=st.booleans(), seed=seeds)
def test_soft_values(student, count, scale, hard, seed):
    gen = generator(seed)
    logits = scale * torch.randn(count, 6, generator=gen)
    targets = torch.rand(count, 6, generator=gen)
    targets = torch.eye(6)[targets.argmax(1)] if hard else targets / targets.sum(1, keepdim=True)
    got = student.run(probes.soft_loss, logits, targets)
    want, gradient = recipes.soft_loss(logits, targets)
    loss = expect.tensor(expect.field(got, "loss"), "the loss of soft_cross_entropy", shape=())
    expect.close(loss, want, "the loss of soft_cross_entropy", rtol=1e-3, atol=1e-4)
    expect.close(expect.field(got, "gradient"), gradient, "the gradient of soft_cross_entropy", rtol=1e-3, atol=1e-5)


# 7.10 and 7.11


@task("7.10", points=3, title="mixup of batches of every kind",
      hint="Images of any shape, a batch of one, shares between 0 and 1.")  # fmt: skip
def test_mixup_batches(student, rng):
    shares = []
    for shape, alpha in (((1, 1, 4, 4), 1.0), ((7, 3, 2, 5), 1.0), ((5, 9), 0.5), ((6, 1, 3, 3), 8.0)):
        images = torch.randn(shape, generator=rng)
        targets = torch.rand(shape[0], 3, generator=rng)
        count = 80 if alpha == 1.0 and shape[0] > 1 else 20
        found = student.run(probes.mixed, images, targets, alpha, count)
        for pair in expect.items(found, count, "the results of mixup"):
            mixed, soft = expect.items(pair, 2, "what mixup returns, (images, targets)")
            blend = recipes.judge_blend(mixed, images, "mixup")
            want = recipes.blended(targets, blend)
            expect.close(soft, want, "the targets of mixup", atol=1e-3)
            # Where next to nothing was blended, which image was added to which cannot be told.
            told = [place for place, share in zip(blend.partners, blend.shares, strict=True) if share < 0.999]
            expect.true(len(set(told)) == len(told), "mixup's partners are no permutation")
            if alpha == 1.0:
                shares += [share for i, share in enumerate(blend.shares) if blend.partners[i] != i]
    expect.true(len(shares) > 0, "mixup blends no image with another one")
    mean = sum(shares) / len(shares)
    # Of a uniform share, |share − 1/2| is 1/4 in the mean, with a deviation of 0.144, so 0.017 for the mean of some 70
    # batches. The bounds are five of those away.
    spread = sum(abs(share - 0.5) for share in shares) / len(shares)
    expect.true(0.16 < spread < 0.34 and mean > 0.25,
                "mixup's shares are not spread as those of a Beta distribution")  # fmt: skip


def in_batches(seen, length, batch_size):
    """Images of several epochs of `length` each, batch by batch."""
    return [batch for part in seen.split(length) for batch in part.split(batch_size)]


def judge_epochs(got, x, labels, weight, bias, batch_size, rates, smoothing, count):
    """The steps, with the images that the model has seen, each a blend of two of its batch, and their targets."""
    seen = expect.tensor(
        expect.field(got, "inputs"), "what train_epoch gave the model", shape=(count * len(x), x.shape[1])
    )
    batches = x.split(batch_size) * count
    blends = [
        recipes.judge_blend(mixed, images, "a batch of train_epoch")
        for mixed, images in zip(in_batches(seen, len(x), batch_size), batches, strict=True)
    ]

    def trained(smoothing, mixes=True):
        """The weights, the bias and each epoch's losses."""
        clean = recipes.smoothed(labels, weight.shape[0], smoothing).split(batch_size) * count
        soft = [recipes.blended(part, blend) if mixes else part for part, blend in zip(clean, blends, strict=True)]
        found, losses = (weight, bias), []
        for number, (part, wanted) in enumerate(zip(seen.split(len(x)), torch.cat(soft).split(len(x)), strict=True)):
            after = recipes.descend(part, wanted, *found, batch_size, rates[number * len(batches) // count :])
            found = after.weight, after.bias
            losses.append(after.losses)
        return *found, losses

    end, offset, losses = trained(smoothing)
    slips = {
        "of mixed images with targets that are not mixed": trained(smoothing, mixes=False)[0],
        "of labels without smoothing": trained(0.0)[0],
        "of a smoothing of 0.1, whatever is given": trained(0.1)[0],
    }
    slips = {name: value for name, value in slips.items() if not expect.same_values(value, end, atol=1e-3)}
    expect.close(expect.field(got, "weight"), end, "the weights after train_epoch", rtol=1e-3, atol=1e-3, context=slips)
    expect.close(expect.field(got, "bias"), offset, "the bias after train_epoch", rtol=1e-3, atol=1e-3)
    for found, wanted in zip(expect.items(expect.field(got, "losses"), count, "the losses"), losses, strict=True):
        for value, loss in zip(expect.items(found, len(wanted), "train_epoch's losses"), wanted, strict=True):
            expect.instance(value, float, "a loss of train_epoch")
            expect.near(value, loss, "a loss of train_epoch", rtol=1e-3, atol=1e-3)
    return sum(share < 0.99 for blend in blends for share in blend.shares)


@task("7.11", points=3, title="train_epoch with mixup, epoch after epoch",
      hint="Mixed images go with mixed targets, and the schedule runs on from epoch to epoch.")  # fmt: skip
def test_recipe(student, rng):
    x, labels, weight, bias = loops.problem(rng, 17, 5, 4)
    factors = (0.2 + torch.rand(9, generator=rng)).tolist()
    for options in ({"smoothing": 0.25, "alpha": 2.0}, {}):
        got = student.run(probes.epochs, weight, bias, x, labels, 6, 0.3, factors, 2, **options)
        rates = [0.3 * factor for factor in factors]
        moved = judge_epochs(got, x, labels, weight, bias, 6, rates, options.get("smoothing", 0.1), 2)
        expect.true(moved > 0, "train_epoch mixes no images" + ("" if options else ", though alpha is 0.2 by default"))


@task("7.11", points=1, title="train_epoch without a scheduler, and with hard labels",
      hint="The scheduler may be None.")  # fmt: skip
def test_recipe_plain(student, rng):
    x, labels, weight, bias = loops.problem(rng, 11, 3, 5)
    got = student.run(probes.epochs, weight, bias, x, labels, 4, 0.2, [], 1, smoothing=0.0, alpha=0.0)
    judge_epochs(got, x, labels, weight, bias, 4, [0.2] * 3, 0.0, 1)
    expect.close(expect.field(got, "inputs"), x, "what train_epoch gave the model with alpha 0")


# 7.12 and 7.13


@task("7.12", points=3, title="grad_cam of frozen networks, and of classes that nothing speaks for",
      hint="A frozen network still has gradients with respect to its image.")  # fmt: skip
def test_maps(student, rng):
    for frozen, layer, label, channels in ((True, 0, None, 3), (True, 2, 1, 1), (False, 2, 0, 3), (False, 0, 2, 1)):
        weights = maps.weights_of(rng, channels, 5, 3, (5, 8))
        image = torch.randn(channels, 5, 8, generator=rng)
        if label == 0:
            weights["head.weight"][0] = -weights["head.weight"][0].abs()
        got = student.run(probes.heatmap, weights, image, layer, label, frozen)
        found, gradient, _ = maps.look(weights, image, layer, label)
        want = maps.heatmap(found, gradient)
        raw = torch.einsum("chw,c->hw", found, gradient.mean((1, 2)))
        value = expect.field(got, "map")
        nothing = isinstance(value, torch.Tensor) and not bool(want.any()) and bool(value.isnan().any())
        expect.true(
            not nothing,
            "the map of grad_cam is NaN where no value is positive: its maximum is 0 then, and the map is 0 everywhere",
        )
        value = expect.tensor(value, "the map of grad_cam", shape=(3, 6))
        tolerance = 1e-3 if label == 0 or float(raw.amax()) > 0.05 else 1.0
        expect.close(value, want, "the map of grad_cam", rtol=1e-3, atol=tolerance)
        modes = {name: name != "dropout" for name in ("conv", "norm", "relu", "dropout", "head")}
        expect.equal(expect.field(got, "modes"), modes, "the modes after grad_cam")
        flags = expect.same(expect.field(got, "frozen"), [not frozen] * 6)
        expect.true(flags, "grad_cam changes requires_grad of the parameters: an image may require a gradient, too")
        expect.close(expect.field(got, "mean"), weights["norm.running_mean"], "a running mean after grad_cam")


@task("7.13", points=1, title="plot_grad_cam of a picture in colour",
      hint="imshow wants the colours last.")  # fmt: skip
def test_plot_colours(student, rng):
    image, heat = torch.rand(3, 18, 14, generator=rng), torch.rand(3, 3, generator=rng)
    got = student.run(probes.plotted, image, heat)
    axes = expect.items(expect.field(got, "axes"), 2, "the axes of plot_grad_cam's figure")
    expect.true(expect.same(expect.field(got, "shows"), 0), "plot_grad_cam calls show()")
    for ax in axes:
        pictures = expect.items(ax, None, "the pictures in an axes")
        expect.true(len(pictures) > 0 and type(pictures[0]) is np.ndarray, "an axes holds no picture")
        first = torch.from_numpy(np.nan_to_num(pictures[0])).float()
        expect.true(first.shape == (18, 14, 3), "an axes does not begin with the picture in its colours")
        a, b = first - first.mean(), image.permute(1, 2, 0) - image.mean()
        expect.true(float((a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-9)) > 0.99, "the picture is another one")
    expect.true(len(expect.items(axes[1], None, "the pictures")) > 1, "there is no heatmap over the picture")
    last = axes[1][-1]
    expect.true(
        type(last) is np.ndarray and last.shape[:2] == (18, 14), "the heatmap was not enlarged to the picture's size"
    )
    large = torch.from_numpy(np.nan_to_num(last)).float()
    large = large[..., :3].mean(-1) if large.dim() == 3 else large
    cells = large[[2, 2, 2, 8, 8, 8, 15, 15, 15], [2, 6, 11, 2, 6, 11, 2, 6, 11]]
    a, b = cells - cells.mean(), heat.flatten() - heat.mean()
    expect.true(
        float((a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-9)) > 0.6,
        "what lies over the picture is no heatmap of it",
    )
    expect.close(expect.field(got, "image"), image, "the image that plot_grad_cam was given, afterwards")
    expect.close(expect.field(got, "heatmap"), heat, "the heatmap that plot_grad_cam was given, afterwards")


# 7.14


@task("7.14", points=2, title="the gradient of 26 layers reaches the first one", needs=("7.1", "7.2"),
      hint="Each shortcut hands the gradient on as it is.")  # fmt: skip
def test_depth(student, rng):
    weights = residual.drawn(residual.shapes(10, 4, 4), rng)
    images = torch.randn(2, 1, 7, 7, generator=rng)
    got = student.run(probes.deep_run, (10, 4, 4), weights, images)
    stem = weights["conv1.weight"].clone().requires_grad_()
    logits = residual.logits({**weights, "conv1.weight": stem}, images)
    (gradient,) = torch.autograd.grad(logits.square().sum(), stem)
    scale = float(logits.detach().abs().max())
    expect.close(expect.field(got, "logits"), logits.detach(), "the logits of 26 layers", rtol=1e-2, atol=1e-3 * scale)
    value = expect.field(got, "stem")
    expect.true(value is not None, "no gradient reaches the first of 26 layers")
    expect.close(
        value, gradient, "the gradient of the first of 26 layers", rtol=1e-2, atol=1e-2 * float(gradient.abs().max())
    )
