"""Week 5's public checks: 60 points. Run them with `pytest assignments/week5`, one task with `--task 5.3`."""

import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures import digits, networks
from fixtures.bands import BANDS
from grader.checks import expect, figures, layers, load_probes, loops, oracles, predictions, says, show, splits, task
from grader.checks.loops import descend, normed_problem, problem
from grader.checks.oracles import place_slips, places, pool, slide, slide_slips
from grader.checks.predictions import entries, guesses
from grader.checks.seeds import SEEDS, drawn_seed, generator, judge_generators

probes = load_probes(__file__)


# 5.1 and 5.2: sizes, counted as the places where the window can stand


@task("5.1", points=2, title="conv_output_size with stride and padding", hint="Count where the filter can stand.")
@example(kernel=5, extra=11, stride=2, padding=4)  # every other formula gives another number
@given(kernel=st.integers(1, 7), extra=st.integers(0, 30), stride=st.integers(1, 4), padding=st.integers(0, 3))
def test_conv_output_size(student, kernel, extra, stride, padding):
    sizes = kernel + extra, kernel, stride, padding
    got = student.run(probes.conv_output_size, kernel + extra, kernel, stride=stride, padding=padding)
    expect.integer(got, places(*sizes), "conv_output_size", context=place_slips(*sizes), divided=True)


@task("5.1", points=1, title="conv_output_size has defaults", hint="Stride 1 and no padding unless said otherwise.")
@example(kernel=4, extra=9)
@given(kernel=st.integers(1, 7), extra=st.integers(0, 30))
def test_conv_output_size_defaults(student, kernel, extra):
    got = student.run(probes.conv_output_size, kernel + extra, kernel)
    slips = {
        "of a stride of 2: the default is 1": extra // 2 + 1,
        "without the + 1 after the division": extra,
        "of a padding of 1: the default is none": extra + 3,
    }
    expect.integer(got, extra + 1, "conv_output_size without stride and padding", context=slips, divided=True)


@task("5.2", points=2, title="pool_output_size with a stride", hint="The window moves by the stride that is given.")
@example(window=5, extra=9, stride=2)
@given(window=st.integers(1, 5), extra=st.integers(0, 25), stride=st.integers(1, 5))
def test_pool_output_size(student, window, extra, stride):
    got = student.run(probes.pool_output_size, window + extra, window, stride=stride)
    slips = {
        **place_slips(window + extra, window, stride),
        "of a stride that is the window's size: the stride is ignored": places(window + extra, window, window),
        "of the size divided by the stride: the window itself takes room": (window + extra) // stride,
    }
    expect.integer(got, places(window + extra, window, stride), "pool_output_size", context=slips, divided=True)


@task("5.2", points=1, title="pool_output_size without a stride", hint="How far do pooling windows move by default?")
@example(window=4, extra=11)
@given(window=st.integers(1, 5), extra=st.integers(0, 25))
def test_pool_output_size_default_stride(student, window, extra):
    got = student.run(probes.pool_output_size, window + extra, window)
    sizes, default = (window + extra, window, window), "by default the stride is the window's size"
    slips = {f"of a stride of {stride}: {default}": extra // stride + 1 for stride in (1, 2)}
    slips |= {name: n for name, n in place_slips(*sizes).items() if n != extra + 1}
    expect.integer(got, places(*sizes), "pool_output_size without a stride", context=slips, divided=True)


# 5.3: LeNet


def lenet(student, images, weights=None, classes=10):
    """Logits and hidden of the student's LeNet, each of the right shape; with `weights` in its layers."""
    count = len(images) if images.dim() == 4 else 1
    got = student.run(probes.lenet_outputs, images, classes, weights)
    return expect.tensors(got, {"logits": (count, classes), "hidden": (count, 256)}, "forward", dtype=torch.float32)


def lenet_logits(student, images, weights, classes=10):
    return layers.logits_of(student.run(probes.lenet_outputs, images, classes, weights), classes, len(images))


def judge_last_layer(student, images, gen, classes=10):
    """Where nothing else reaches fc_3 its bias, which is drawn for this run, orders the logits."""
    last = {"fc_3.weight": torch.zeros(classes, 84), "fc_3.bias": torch.randn(classes, generator=gen)}
    layers.judge_last(lenet_logits(student, images, last, classes), last["fc_3.bias"], "fc_3")


@task("5.3", points=3, title="LeNet returns logits and hidden of the right shapes", examples=10,
      hint="forward returns two things; flatten each image by itself.")  # fmt: skip
@given(batch=st.integers(1, 6), output_dim=st.integers(2, 20), seed=SEEDS)
def test_lenet_shapes(student, batch, output_dim, seed):
    gen = generator(seed)
    images = torch.randn(batch, 1, 28, 28, generator=gen)
    for part, name in zip(lenet(student, images, None, output_dim), ("logits", "hidden"), strict=True):
        layers.judge_varied(part, name)
    judge_last_layer(student, images, gen, output_dim)


@task("5.3", points=1, title="LeNet's layers have their names and sizes",
      hint="The lesson's table gives each layer's size.")  # fmt: skip
def test_lenet_layers(student, rng):
    classes = int(torch.randint(3, 2000, (1,), generator=rng))
    got = student.run(probes.lenet_layers, classes)
    want = {"conv1": [6, 1, 5, 5], "conv2": [16, 6, 5, 5], "fc_1": [120, 256], "fc_2": [84, 120], "fc_3": [classes, 84]}
    layers.judge_shapes(got, "LeNet", want)


@task("5.3", points=1, title="LeNet's logits are raw: nothing comes after fc_3",
      hint="The loss applies softmax by itself; forward leaves the last layer's output as it is.")  # fmt: skip
def test_lenet_raw_logits(student, rng):
    weights, images = oracles.weights(rng, networks.LENET.shapes), torch.randn(4, 1, 28, 28, generator=rng)
    images[3] = images[0]
    step = torch.linspace(-3, 3, 10)[torch.randperm(10, generator=rng)]
    moved = {**weights, "fc_3.bias": weights["fc_3.bias"] + step}
    plain, shifted = (lenet_logits(student, images, own) for own in (weights, moved))
    even = {**weights, **layers.deaf(weights, "conv2", 1.0)}  # of equal pixels, none can be mixed
    layers.judge_alone(plain[0], plain[3], "logits of an image that is there twice",
                       even=lambda: lenet_logits(student, images, even))  # fmt: skip
    expect.raw(torch.cat([plain, shifted]), "the logits")
    layers.judge_varied(plain, "logits")
    expect.close(shifted - plain, step.expand(4, 10), "how the logits change with fc_3's bias", atol=1e-3)


@task("5.3", points=1, title="LeNet applies ReLU after both blocks, fc_1 and fc_2",
      hint="Which layers are followed by a ReLU, and which is not?")  # fmt: skip
def test_lenet_relu(student, rng):
    weights, images = oracles.weights(rng, networks.LENET.shapes), torch.randn(4, 1, 28, 28, generator=rng)
    _, hidden = lenet(student, images, weights)
    layers.judge_cut(hidden, "hidden", "the second block")
    layers.judge_varied(hidden, "hidden")
    for layer, following in (("conv1", "conv2"), ("fc_1", "fc_2"), ("fc_2", "fc_3")):
        found = [lenet(student, images, layers.deaf(weights, layer, level))[0] for level in layers.LEVELS]
        layers.judge_relu(found, layer, following)
    layers.judge_last(found[0], weights["fc_3.bias"], "fc_3")  # nothing has reached fc_3


@task("5.3", points=1, title="LeNet takes a single image as a batch of one",
      hint="An image without a batch axis has three axes.")  # fmt: skip
def test_lenet_single_image(student, rng):
    weights, image = oracles.weights(rng, networks.LENET.shapes), torch.randn(1, 28, 28, generator=rng)
    among = lenet(student, torch.stack([image, -image, image.flip(1)]), weights)
    for alone, beside, name in zip(lenet(student, image, weights), among, ("logits", "hidden"), strict=True):
        layers.judge_alone(alone, beside[:1], f"{name} of a single image")
        layers.judge_varied(beside, name)
    judge_last_layer(student, image, rng)


@task("5.3", points=3, title="gradients flow through logits and hidden to every layer",
      hint="Nothing in forward may cut the graph.")  # fmt: skip
def test_lenet_gradients(student, rng):
    images = torch.randn(16, 1, 28, 28, generator=rng)
    for number, name, reached in ((0, "logits", probes.LAYERS), (1, "hidden", ("conv1", "conv2"))):
        layers.judge_reached(student.run(probes.lenet_gradients, images, number), name, reached)
    judge_last_layer(student, images, rng)


# 5.4: transforms


def picture(pixels):
    return torch.tensor(pixels, dtype=torch.uint8)


def blob(gen):
    """Four by four pixels in the middle, of drawn grey values."""
    image = torch.zeros(28, 28, dtype=torch.uint8)
    image[12:16, 12:16] = torch.randint(90, 256, (4, 4), generator=gen)
    return image


def bar(gen):
    """A horizontal bar whose grey values run smoothly through four drawn levels: half a pixel changes little."""
    levels = torch.tensor([70, 130, 190, 250])[torch.randperm(4, generator=gen)]
    levels = levels + torch.randint(-15, 6, (4,), generator=gen)
    image = torch.zeros(28, 28, dtype=torch.uint8)
    image[12:16, 3:25] = F.interpolate(levels[None, None].float(), 22, mode="linear", align_corners=True)[0, 0].byte()
    return image


def rings(gen):
    """A disc in two rings, of three drawn grey values, and a spot that shows how it turns."""
    levels = torch.randint(40, 256, (3,), generator=gen)
    axis = torch.arange(28) - 13.5
    radius = (axis[:, None] ** 2 + axis**2).sqrt()
    image = levels[torch.bucketize(radius, torch.tensor([4.0, 9.0]))].to(torch.uint8)
    image[radius > 14] = 0
    image[2:6, 2:6] = 255
    return image, radius, levels


def judge_rings(shown, radius, levels):
    """Some picture has the three grey values that were given, wherever within reach, and however bright."""
    found = [shown[:, (radius > low) & (radius < high)].median(1).values for low, high in ((-1, 2), (6, 7), (11, 12))]
    found, wanted = torch.stack(found, 1), levels.double()
    off = (found / found.norm(dim=1, keepdim=True).clamp(min=1e-6) - wanted / wanted.norm()).abs().amax(1)
    expect.true(bool(off.min() < 0.01), "the training pipeline shows other grey values than those of the image")


def judge_content(shown, given, what):
    """Some picture shows the bar that was given, shifted, and however bright: two rows in its middle are compared."""
    columns = (given[13] > 0).nonzero()[:, 0]
    wanted = given[13:15, columns].double().flatten()
    wanted = wanted - wanted.mean()
    best = 0.0
    for down in range(-2, 3):
        for right in range(-2, 3):
            found = shown[:, 13 + down : 15 + down, columns + right].flatten(1)
            found = found - found.mean(1, keepdim=True)
            norms = found.norm(dim=1) * wanted.norm()
            best = max(best, (found @ wanted / norms.clamp(min=1e-6)).max().item())
    expect.true(best > 0.9, f"the training pipeline shows another {what} than the one that it is given")


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
    outputs = expect.items(student.run(probes.transformed, image, 0.1307, 0.3081, 1, 3), 3, "the outputs")
    found = [expect.tensor(o, "a transformed image", shape=(1, 28, 28), dtype=torch.float32) for o in outputs]
    random = any(not expect.same_values(pixels, found[0], atol=1e-4) for pixels in found)
    expect.true(not random, "the second pipeline, for the test, draws at random: augment in the first alone")
    scaled = image[None].float() / 255
    for pixels in found:
        slips = {"without Normalize": scaled, "of pixels that are not scaled to [0, 1]": image[None].float()}
        expect.close(pixels, (scaled - 0.1307) / 0.3081, "the pixels of the test pipeline", atol=1e-3, context=slips,
                     otherwise="ToTensor and Normalize alone are asked for")  # fmt: skip


@task("5.4", points=1, title="the training pipeline differs from call to call",
      hint="Augmentation draws anew for every image.")  # fmt: skip
def test_train_transform_varies(student, rng):
    image, radius, levels = rings(rng)
    pictures = grey(student.run(probes.transformed, image, 0.1307, 0.3081, 0, 20), 0.1307, 0.3081)
    distinct = {tuple(p.flatten().round(decimals=2).tolist()) for p in pictures}
    expect.true(
        len(distinct) > 5,
        "the training pipeline hardly changes the image: rotate, and crop after padding by 2, at random",
        got=f"{len(distinct)} of 20 differ",
    )
    judge_rings(pictures, radius, levels)


@task("5.4", points=1, title="the training pipeline shifts by up to 2 pixels",
      hint="Pad by 2, then crop 28.")  # fmt: skip
def test_train_transform_shifts(student, rng):
    image = blob(rng)
    shown = grey(student.run(probes.transformed, image, 0.1307, 0.3081, 0, 64), 0.1307, 0.3081)
    edges = torch.cat([shown[:, 0].flatten(), shown[:, :, 0].flatten()]).abs().max().item()  # black in what is given
    x, y = (found - own for found, own in zip(moments(shown)[:2], moments(image[None] / 255)[:2], strict=True))
    for name, shift in ((says("horizontally"), x), (says("vertically"), y)):
        reach = tuple(round(end.item(), 1) + 0.0 for end in (shift.min(), shift.max()))  # -0.0 is 0
        inside = reach[0] > -2.7 and reach[1] < 2.7
        bright = "normalise last, as what padding adds is not black" if edges > 0.05 else "pad by 2 on each side, once"
        expect.true(
            inside, f"the training pipeline shifts too far {name}: {bright}", expected="at most 2 pixels", got=reach
        )
        moved = reach[0] < -0.7 and reach[1] > 0.7
        expect.true(
            moved,
            f"the training pipeline hardly shifts {name}: crop 28 at random after padding by 2",
            expected="up to 2 pixels, to either side",
            got=reach,
        )
    furthest = max(x.abs().max().item(), y.abs().max().item())
    expect.true(furthest > 1.4, "the training pipeline never shifts by 2 pixels: pad by 2", got=furthest)
    judge_content(shown, image, says("blob"))


@task("5.4", points=2, title="the training pipeline rotates by up to 5 degrees",
      hint="A small random rotation, to either side.")  # fmt: skip
def test_train_transform_rotates(student, rng):
    image = bar(rng)
    shown = grey(student.run(probes.transformed, image, 0.1307, 0.3081, 0, 64), 0.1307, 0.3081)
    *_, angle = moments(shown)
    light, own = shown.clamp(0, 1).sum((1, 2)), image.double().sum() / 255
    reach = (angle.min().item(), angle.max().item())
    told = f"{round(reach[0], 1) + 0.0}° to {round(reach[1], 1) + 0.0}°"  # -0.0 is 0
    inside = reach[0] > -7 and reach[1] < 7
    # In a picture that has become brighter or darker, no angle is to be seen.
    dark = bool(((light / own - 1).abs() < 0.3).all())
    changed = "the training pipeline makes the picture brighter or darker: rotate and crop alone, and normalise last"
    expect.true(inside or dark, changed)
    expect.true(inside, "the training pipeline rotates too far", expected="within ±5°", got=told)
    one_way = reach[0] < -1 or reach[1] > 1
    hardly = "the training pipeline rotates to one side only" if one_way else "the training pipeline does not rotate"
    expect.true(reach[0] < -1 and reach[1] > 1, hardly, expected="up to 5° to either side", got=told)
    judge_content(shown, image, says("bar"))


# 5.5: the split


@task("5.5", points=2, title="the two parts are disjoint, random and cover the dataset", examples=10,
      hint="int(len * ratio) items for training, every other one for validation.")  # fmt: skip
@given(length=st.integers(40, 90), ratio=st.sampled_from([0.6, 0.75, 0.8, 0.9]), seed=st.integers(0, 1000))
def test_split_covers(student, length, ratio, seed):
    labels = splits.labels_for(generator(seed), length)
    got = student.run(probes.split, labels, train_ratio=ratio, seed=seed)
    splits.judge_parts(*splits.numbers_of(got, labels, "split_with_transforms"), length, ratio)


@task("5.5", points=3, title="validation uses the test transform, training keeps its own",
      hint="Two subsets of one dataset share its transform, unless one of them has a copy.")  # fmt: skip
def test_split_transforms(student, rng):
    labels = splits.labels_for(rng, 30)
    got = student.run(probes.split, labels)
    own, other = "the training set's own transform", "test_transform"
    splits.judge_transforms(got, labels, "split_with_transforms", own, other)
    kept = expect.same(expect.field(got, "after"), ([0, "train"], labels[0]))
    expect.true(kept, "train_full has another transform after the call: set it in a copy.deepcopy of train_full")


@task("5.5", points=1, title="the same seed gives the same split, another seed another",
      hint="Seed a generator of your own.")  # fmt: skip
def test_split_seed(student, rng):
    labels = splits.labels_for(rng, 60)
    found = [student.run(probes.split, labels, seed=seed) for seed in (3, 3, 4)]
    splits.judge_seeds(*(splits.numbers_of(got, labels, "split_with_transforms")[0] for got in found))


@task("5.5", points=1, title="the split leaves the global generators alone",
      hint="Neither seed nor use the generators of random, NumPy and torch.")  # fmt: skip
def test_split_generators(student, rng):
    seed, labels = drawn_seed(rng), splits.labels_for(rng, 20)
    got = student.run(probes.draws_after_split, seed, labels)
    judge_generators(got, seed)
    train, valid = splits.numbers_of(expect.field(got, "result"), labels, "split_with_transforms")
    expect.equal(sorted(train + valid), list(range(20)), "all items together")


# 5.6 and 5.7: filters and pooling, by their definition


@task("5.6", points=2, title="apply_filter slides the filter over the images", examples=10,
      hint="Cross-correlation: the filter is not flipped, and only full overlaps count.")  # fmt: skip
@given(count=st.integers(1, 3), k=st.sampled_from([3, 2, 1]), height=st.integers(5, 9), seed=SEEDS)
def test_apply_filter(student, count, k, height, seed):
    gen = generator(seed)
    images = torch.rand(count, 1, height, 7, generator=gen)
    kernel = torch.randint(-3, 4, (k, k), generator=gen).tolist()
    got = student.run(probes.apply_filter, images, kernel)
    slips = slide_slips(images, kernel)
    expect.close(got, slide(images, kernel), f"the images filtered by a {k}×{k} kernel", context=slips)


@task("5.6", points=1, title="apply_filter gives float32 images, as it is given",
      hint="NumPy's numbers are float64; the next layer takes float32.")  # fmt: skip
def test_filter_dtype(student, rng):
    # Two images, each the same everywhere: within them, all that counts of a filter is its sum.
    levels = (torch.rand(2, generator=rng) * 4 + torch.tensor([1.0, 6.0])).view(2, 1, 1, 1)
    kernel = torch.randint(1, 6, (3, 3), generator=rng).double().tolist()
    got = student.run(probes.apply_filter, levels.expand(2, 1, 12, 12).contiguous(), kernel)
    filtered = expect.tensor(got, "the filtered images", dtype=torch.float32)  # their shape has a check of its own
    found = torch.stack([half.median() for half in filtered.flatten().chunk(2)]).diff()
    right = expect.same_values(found, sum(map(sum, kernel)) * levels.flatten().diff(), rtol=1e-2)
    expect.true(right, "apply_filter of two even images gives values that do not fit the filter's sum")


@task("5.7", points=2, title="subsample pools by maximum or mean", examples=12,
      hint="'mean' and 'avg' are two names for one thing; the letter case does not matter.")  # fmt: skip
@given(kind=st.sampled_from(["max", "mean", "avg", "MAX", "Mean", "AVG"]), size=st.sampled_from([2, 3]), seed=SEEDS)
def test_subsample(student, kind, size, seed):
    images = torch.randn(2, 3, 6, 12, generator=generator(seed))
    want = pool(images, size, lambda cell: cell.amax(-1) if kind.lower() == "max" else cell.mean(-1))
    dense = {"of windows that overlap, as with a stride of 1: the stride is the size": (2, 3, 7 - size, 13 - size)}
    what = f"the images pooled by {kind!r} in windows of {size} that do not overlap"
    expect.close(student.run(probes.subsample, images, kind, size), want, what, context=dense)


@task("5.7", points=1, title="subsample leaves out what is too narrow for another window",
      hint="⌊H / size⌋ windows fit below each other, and nothing comes of the pixels after them.")  # fmt: skip
def test_subsample_remainder(student, rng):
    images = torch.randn(2, 1, 7, 11, generator=rng)
    more = {"of windows for the row and the two columns that are left over, too: they are dropped": (2, 1, 3, 4)}
    for kind, reduce in (("max", lambda cell: cell.amax(-1)), ("mean", lambda cell: cell.mean(-1))):
        want = pool(images[:, :, :6, :9], 3, reduce)
        what = f"the images of 7×11 pixels, pooled by {kind!r} in windows of 3"
        expect.close(student.run(probes.subsample, images, kind, 3), want, what, context=more)


@task("5.7", points=1, title="subsample refuses any other name, and names the choices",
      hint="A ValueError whose text helps whoever made the typing mistake.")  # fmt: skip
def test_subsample_error(student, rng):
    message = expect.raises(student.run(probes.subsample_error, "median"), ["ValueError"], "subsample with 'median'")
    named = "max" in message.lower() and ("mean" in message.lower() or "avg" in message.lower())
    expect.true(named, "the ValueError does not name the choices", expected="max, mean, avg", got=message)
    images = torch.randn(1, 1, 4, 4, generator=rng)
    right = student.run(probes.subsample, images, "max", 2)  # which raises where every name is refused
    expect.close(right, pool(images, 2, lambda cell: cell.amax(-1)), "subsample with 'max'")


# 5.8: the loops.


@task("5.8", points=2, title="train updates the weights as gradient descent does", examples=6,
      hint="For each batch: clear the gradients, forward, loss, backward, step.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 5, 8]), seed=SEEDS)
def test_train_weights(student, batch_size, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, batch_size, 0.2)
    loops.judge_descent(got, descend(x, y, weight, bias, batch_size, 0.2))


@task("5.8", points=2, title="train returns the logged losses as plain floats", examples=6,
      hint="Batches 0, log_interval, 2·log_interval, … and nothing that holds on to a graph.")  # fmt: skip
@given(log_interval=st.sampled_from([None, 1, 2, 3, 4]), seed=SEEDS)
def test_train_losses(student, log_interval, seed):
    x, y, weight, bias = problem(generator(seed), 22, 5, 3)
    options, rate = loops.logging(log_interval)
    got = student.run(probes.trained, weight, bias, x, y, 4, rate, **options)
    loops.judge_losses(expect.field(got, "result"), descend(x, y, weight, bias, 4, rate), log_interval or 100)


@task("5.8", points=1, title="train puts the model into training mode, and leaves the rest as it was",
      hint="Dropout and batch normalisation behave differently in training.")  # fmt: skip
def test_train_mode(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    got = student.run(probes.trained, weight, bias, x, y, 4, 0.1, again=True)
    loops.judge_training_mode(got)
    loops.judge_seen(got, x, 4)


@task("5.8", points=1, title="train and validate take the lesson's parameters, and move each batch to the device",
      hint="On a GPU, images and labels have to be where the model is: send them to `device`.")  # fmt: skip
def test_loops_device(student, rng):
    x, y, weight, bias = problem(rng, 12, 5, 3)
    for name, own in (("train", "train_loader optimizer criterion epoch log_interval"),
                      ("validate", "loader criterion dataset_name")):  # fmt: skip
        got = student.run(probes.loop_elsewhere, name, weight, bias, x, y)
        loops.judge_elsewhere(got, name, ("model", "device", *own.split()), x, weight, bias)


@task("5.8", points=1, title="validate returns the mean loss", examples=6,
      hint="A mean over batches or over examples, as a plain float.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=SEEDS)
def test_validate_loss(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.validated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_mean_loss(got, "validate", logits, y, batch_size)


@task("5.8", points=1, title="validate returns the accuracy over all examples in percent", examples=6,
      hint="Count the hits of all batches, then divide once.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 7, 10]), seed=SEEDS)
def test_validate_accuracy(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed))
    got = student.run(probes.validated, weight, bias, mean, var, x, y, batch_size)
    loops.judge_percentage(got, "validate", logits, y, batch_size)


@task("5.8", points=1, title="validate evaluates: no training mode, no graph, nothing changed",
      hint="Two things are switched for evaluation: the model's mode, and the recording of gradients.")  # fmt: skip
def test_validate_changes_nothing(student, rng):
    x, y, weight, bias, mean, var, logits = normed_problem(rng)
    got = student.run(probes.validated, weight, bias, mean, var, x, y, 8)
    loops.judge_untouched(got, weight, mean, var, "validation")
    loops.judge_answered(got, logits, "validate")


# 5.9 and 5.10: predictions


@task("5.9", points=3, title="get_predictions returns images, labels and probabilities in order", examples=6,
      hint="Evaluate without dropout and gradients; turn logits into probabilities; join the batches.")  # fmt: skip
@given(batch_size=st.sampled_from([4, 6, 30]), seed=SEEDS)
def test_get_predictions(student, batch_size, seed):
    x, y, weight, bias, mean, var, logits = normed_problem(generator(seed), count=14)
    images = x.view(-1, 1, 2, 2)
    got = student.run(probes.predictions, weight, bias, mean, var, images, y, batch_size)
    loops.judge_predictions(got, "get_predictions", images, y, logits, mean, batch_size)


@task("5.9", points=1, title="get_predictions moves batches to the device, and its results back to the CPU",
      hint="The model may be on a GPU, where it wants its inputs; NumPy and matplotlib want the CPU.")  # fmt: skip
def test_predictions_device(student, rng):
    x, y, weight, bias = problem(rng, 7, 4, 3)
    got = student.run(probes.predictions_elsewhere, weight, bias, x.view(-1, 1, 2, 2), y)
    loops.judge_elsewhere(got, "get_predictions", ("model", "loader", "device"), x, weight, bias, labelled=False)
    loops.judge_returned(got, ("images", "labels", "probs"))


@task("5.10", points=3, title="most_incorrect gives the most confident mistakes first", examples=8,
      hint="Confidence is the largest probability of a row.")  # fmt: skip
@given(n=st.integers(3, 6), seed=SEEDS)
def test_most_incorrect(student, n, seed):
    data = guesses(generator(seed), 20, 4, 8)
    predictions.judge_mistakes(student.run(probes.most_incorrect, *data, n), *data, n)


@task("5.10", points=1, title="most_incorrect copes with fewer mistakes than n",
      hint="With two mistakes there are two entries, with none there are none.")  # fmt: skip
def test_most_incorrect_few(student, rng):
    for wrong in (4, 3, 2, 0):
        data = guesses(rng, 10, 3, wrong)
        predictions.judge_mistakes(student.run(probes.most_incorrect, *data, 5), *data, 5)


# 5.11: plots


@task("5.11", points=1, title="each plot is a figure of its own",
      hint="Begin with plt.subplots or plt.figure: what is current may be somebody else's.")  # fmt: skip
def test_own_figures(student, rng):
    images, labels, probs = guesses(rng, 3, 10, 3, side=28)
    classes = torch.arange(10)  # every class, as some programs name them all
    plots = {"plot_filter": (images, [[0, 1], [2, 0]]), "plot_confusion_matrix": (classes, classes.roll(1)),
             "plot_most_incorrect": (entries(images, labels, probs),)}  # fmt: skip
    figures.judge_own(student.run(probes.beside_another, plots), plots, images)


@task("5.11", points=1, title="plot_filter draws the originals over the filtered images",
      hint="Two rows; as many columns as there are images.")  # fmt: skip
def test_plot_filter(student, rng):
    images, kernel = torch.rand(3, 1, 10, 10, generator=rng), [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    filtered = probes.stand_in(images, kernel), slide(images, kernel)
    got = student.run(probes.plot_filter, images, kernel)
    figures.judge_rows(got, {"the originals": [images], "the filtered images": filtered})


@task("5.11", points=1, title="plot_confusion_matrix draws the matrix in one axes",
      hint="A colour bar is an axes of its own.")  # fmt: skip
def test_plot_confusion_matrix(student, rng):
    labels = torch.arange(120) % 10
    noise = torch.randint(0, 10, (120,), generator=rng)
    predicted = torch.where(torch.rand(120, generator=rng) < 0.3, noise, labels)
    (ax,) = figures.axes_of(student.run(probes.plot_confusion_matrix, labels, predicted), 1)
    figures.judge_confusion(ax, labels, predicted, 10, "pred_labels")


@task("5.11", points=1, title="plot_most_incorrect draws one axes an entry",
      hint="Remove the cells of the grid that stay empty.")  # fmt: skip
def test_plot_most_incorrect(student, rng):
    for count in (7, 4, 37):  # more than what a grid of a fixed size holds
        images, labels, probs = guesses(rng, count, 10, count, side=28)
        got = student.run(probes.plot_most_incorrect, entries(images, labels, probs))
        drawn = figures.show_all(images, figures.shown_in(got, count))
        expect.true(drawn, "an entry's image is not drawn: each cell shows its own entry's image")


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
    noisy = oracles.noisy(after, rng)
    # A new network, in a process that has seen nothing else: as it is, and with these weights.
    again = student.run_fresh(probes.logits_with, noisy, data.test_images, UNTRAINED_SIZE)
    before = logits_on_digits(expect.field(again, "untrained"), UNTRAINED_SIZE, "before training")
    untrained = oracles.accuracy(before, data.test_labels[:UNTRAINED_SIZE])
    expect.true(untrained < 0.4, "the untrained network already knows the answers", got=percent(untrained))
    logits = logits_on_digits(expect.field(again, "logits"), len(data.test_labels), "after training")
    show.curve("Training loss", expect.field(got, "losses"), BANDS["week5"])
    show.confusion(logits, data.test_labels, data.names)
    show.mistakes(data.test_images, logits, data.test_labels, data.names)
    trained = oracles.accuracy(logits, data.test_labels)
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
