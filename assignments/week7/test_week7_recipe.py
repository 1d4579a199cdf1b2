"""Week 7's public checks of `recipe.py`, tasks 7.6 to 7.11, and of the whole, 7.14: 27 of 60 points."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import digits, recipes, residual
from fixtures.bands import BANDS
from grader import expect, show
from grader.checks import load_probes, loops, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 7.6 and 7.7


@task("7.6", points=3, title="warmup_cosine rises in a line, and falls along half a cosine", examples=8,
      hint="How far is a step into the warm-up, and how far into what comes after it?")  # fmt: skip
@given(warmup=st.integers(2, 9), rest=st.integers(5, 30))
def test_warmup_cosine(student, warmup, rest):
    steps = range(warmup + rest)
    recipes.judge_factors(student.run(probes.factors, list(steps), warmup + rest, warmup), steps, warmup + rest, warmup)


@task("7.6", points=1, title="warmup_cosine without a warm-up, and after the last step", examples=4,
      hint="Nothing may be divided by 0, and what has become 0 stays 0.")  # fmt: skip
@given(total=st.integers(3, 40))
def test_no_warmup(student, total):
    for warmup in (0, 1):
        steps = [0, 1, total // 2, total - 1, total, total + 1, total + total // 2, 3 * total]
        recipes.judge_factors(student.run(probes.factors, steps, total, warmup), steps, total, warmup)


def judge_rates(got, lrs, total, warmup, steps):
    """Each group has its own learning rate times the factor, in each step."""
    nothing = "make_scheduler returns no scheduler: return what changes the rates"
    expect.true(type(got) is list, nothing, got=got.get("returned") if type(got) is dict else None)
    judge_series(got, lrs, total, warmup)
    for step, row in enumerate(expect.items(got, steps, "the learning rates with make_scheduler")):
        for number, (rate, lr) in enumerate(zip(expect.items(row, len(lrs), "a step's rates"), lrs, strict=True)):
            factor = recipes.factor(step, total, warmup)
            others = recipes.factor_slips(step, total, warmup)
            slips = {
                "of one step later: before its first step() the rate is that of step 0": lr
                * recipes.factor(step + 1, total, warmup),
                "of the rate without a schedule": lr,
                "of the factor alone: LambdaLR multiplies the group's rate by it": factor,
                "of a rate that is multiplied in twice: LambdaLR multiplies by it": lr * lr * factor,
                "of the first group's rate: each group keeps its own": lrs[0] * factor,
                "of a schedule that is half as fast": lr * recipes.factor(step // 2, total, warmup),
                "of total_steps and warmup_steps exchanged": lr * recipes.factor(step, warmup, total)
                if step < total
                else 0.0,
                **{f"{name} (of warmup_cosine)": lr * slip for name, slip in others.items()},
            }
            want = lr * factor
            context = {name: slip for name, slip in slips.items() if abs(slip - want) > 1e-7}
            what = f"the learning rate of group {number} in step {step} with make_scheduler"
            expect.near(rate, want, what, atol=1e-7, context=context)


def judge_series(got, lrs, total, warmup):
    """The rates of all steps together are not those of another of torch's schedulers."""
    rows = [row for row in got if type(row) in (list, tuple) and len(row) == len(lrs)]
    found = [row[0] for row in rows if type(row[0]) is float]
    factors = [recipes.factor(step, total, warmup) for step in range(len(found))]
    others = {
        "of a rate that no step changes": [1.0] * len(found),
        "of a factor that multiplies the rate of the step before, as in MultiplicativeLR: LambdaLR multiplies the "
        "first rate": [math.prod(factors[1 : step + 1]) for step in range(len(found))],
        "of torch's cosine, which has no warm-up": [(1 + math.cos(math.pi * s / total)) / 2 for s in range(len(found))],
    }
    for name, other in others.items():
        pairs = zip(found, other, factors, strict=True)
        alike = len(found) > 2 and all(
            abs(rate - lrs[0] * one) < 1e-6 or step > total for step, (rate, one, _) in enumerate(pairs)
        )
        expect.true(not alike or other == factors, f"the learning rates with make_scheduler are those {name}")


@task("7.7", points=3, title="make_scheduler multiplies the learning rate by warmup_cosine", examples=6,
      hint="Which of torch's schedulers takes a function of the step?")  # fmt: skip
@given(warmup=st.integers(3, 6), rest=st.integers(4, 15), hundredths=st.integers(7, 90))
def test_scheduler(student, warmup, rest, hundredths):
    total, lr = warmup + rest, hundredths / 100
    got = student.run(probes.rates, [lr], total, warmup, total + 2)
    judge_rates(got, [lr], total, warmup, total + 2)


@task("7.7", points=1, title="make_scheduler keeps each group's own learning rate",
      hint="The factor multiplies the own rate of each group, of all of them.")  # fmt: skip
def test_scheduler_groups(student, rng):
    lrs = [round(0.01 + 0.5 * value, 4) for value in torch.rand(3, generator=rng).tolist()]
    judge_rates(student.run(probes.rates, lrs, 9, 3, 9), lrs, 9, 3, 9)


# 7.8 and 7.9


@task("7.8", points=2, title="smooth_labels spreads its part over all classes", examples=8,
      hint="Each row adds up to 1. What does the label's class get, and what the others?")  # fmt: skip
@given(classes=st.integers(3, 9), count=st.integers(2, 6), smoothing=st.sampled_from([0.2, 0.3, 0.45]), seed=seeds)
def test_smooth_labels(student, classes, count, smoothing, seed):
    labels = torch.randint(0, classes, (count,), generator=generator(seed))
    got = student.run(probes.smoothed, labels, classes, smoothing=smoothing)
    want = recipes.smoothed(labels, classes, smoothing)
    guessed = type(got) is torch.Tensor and got.shape == (count, int(labels.max()) + 1) != want.shape
    expect.true(not guessed, "smooth_labels counts the classes by the labels: a batch need not hold them all, so use "
                             "num_classes")  # fmt: skip
    expect.close(got, want, "smooth_labels", context=lambda: recipes.smooth_slips(labels, classes, smoothing),
                 otherwise="every class gets smoothing / num_classes, the label's 1 − smoothing more")  # fmt: skip


@task("7.8", points=1, title="smooth_labels gives float32, by default with a smoothing of 0.1",
      hint="What type are the labels, and what type are probabilities?")  # fmt: skip
def test_smooth_default(student, rng):
    labels = torch.randint(0, 6, (5,), generator=rng)
    labels[0] = 0  # so that class 5 need not be there
    got = student.run(probes.smoothed, labels, 7)
    want, others = recipes.smoothed(labels, 7, 0.1), (0.0, 0.05, 0.2, 0.01, 1.0)
    context = {f"of a smoothing of {other}: the default is 0.1": recipes.smoothed(labels, 7, other) for other in others}
    expect.close(got, want, "smooth_labels", context=context, dtype=True)


def soft_problem(gen, count, classes, scale=1.0):
    targets = torch.rand(count, classes, generator=gen) ** 3
    return scale * torch.randn(count, classes, generator=gen), targets / targets.sum(1, keepdim=True)


def judge_loss(got, logits, targets):
    want, gradient = recipes.soft_loss(logits, targets)
    loss = expect.field(got, "loss")
    rows = type(loss) is torch.Tensor and loss.shape == (len(logits),)
    expect.true(not rows, "soft_cross_entropy gives one loss for each row: return their mean, by .mean()")
    loss = expect.tensor(loss, "the loss of soft_cross_entropy", shape=())
    slips = {name: torch.tensor(value) for name, value in recipes.loss_slips(logits, targets).items()}
    context = {name: value for name, value in slips.items() if abs(float(value) - float(want)) > 1e-4}
    formula = "each target weights a negative log-probability; add up over the classes, average over the rows"
    expect.close(loss, want, "the loss of soft_cross_entropy", context=context, otherwise=formula)
    slope = expect.field(got, "gradient")
    expect.true(slope is not None, "soft_cross_entropy is cut off from the graph: no gradient reaches the logits")
    expect.close(slope, gradient, "the gradient of soft_cross_entropy", atol=1e-5)


@task("7.9", points=3, title="soft_cross_entropy is the rows' mean, for any probabilities", examples=8,
      hint="Which axis is summed, and which one averaged?")  # fmt: skip
@given(count=st.integers(2, 6), classes=st.integers(3, 7), seed=seeds)
def test_soft_loss(student, count, classes, seed):
    logits, targets = soft_problem(generator(seed), count, classes)
    judge_loss(student.run(probes.soft_loss, logits, targets), logits, targets)


@task("7.9", points=1, title="soft_cross_entropy of large logits is finite",
      hint="exp(200) is more than float32 holds. Which function takes the logarithm of a softmax safely?")  # fmt: skip
def test_soft_loss_stable(student, rng):
    logits, targets = soft_problem(rng, 4, 5, 300.0)
    got = student.run(probes.soft_loss, logits, targets)
    loss = expect.field(got, "loss")
    broken = type(loss) is torch.Tensor and not bool(torch.isfinite(loss).all())
    expect.true(not broken, "soft_cross_entropy of logits of some hundreds is NaN or infinite: log_softmax is safe, "
                            "and the logarithm of a softmax is not")  # fmt: skip
    judge_loss(got, logits, targets)


# 7.10


def batch(gen, count=6, classes=4):
    images, (_, targets) = torch.randn(count, 2, 3, 3, generator=gen), soft_problem(gen, count, classes)
    return images, targets


def judge_targets(got, targets, blend, what):
    """The targets are blended as the images are."""
    want, none = recipes.blended(targets, blend), targets
    turned = recipes.Blend(blend.partners, [1 - share for share in blend.shares])
    slips = {
        "that were not blended": none,
        "of λ and 1 − λ exchanged: image and target have the same share": recipes.blended(targets, turned),
    }
    slips = {name: value for name, value in slips.items() if not expect.same_values(value, want, atol=1e-4)}
    own = recipes.blend_of(got, targets)
    moved = min(own.partners) >= 0 and set(own.shares) != {1.0}
    if moved and own.partners != blend.partners:
        plain = f"{what} blends targets, and images not, or each with itself"
        other = f"{what} blends images and targets with other partners: draw one permutation for both"
        expect.true(expect.same_values(got, want, atol=1e-3), plain if set(blend.shares) == {1.0} else other)
    expect.close(got, want, f"the targets of {what}", atol=1e-3, context=slips)


@task("7.10", points=3, title="mixup blends images and targets with the same share", examples=8,
      hint="One λ, one permutation, and both for images and for targets.")  # fmt: skip
@given(alpha=st.sampled_from([1.0, 2.0, 5.0]), seed=seeds)
def test_mixup(student, alpha, seed):
    images, targets = batch(generator(seed))
    got = student.run(probes.mixed, images, targets, alpha)
    mixed, soft = expect.items(expect.field(got, "result"), 2, "what mixup returns, (images, targets)")
    turned = type(soft) is torch.Tensor and soft.shape == images.shape
    expect.true(not turned, "mixup returns (targets, images): the order is (images, targets)")
    soft = expect.tensor(soft, "the targets of mixup", shape=targets.shape)
    blend = recipes.judge_blend(mixed, images, "mixup")
    twice = [place for place in set(blend.partners) if blend.partners.count(place) > 1]
    fixed = all(share == 1.0 for share in blend.shares)
    expect.true(
        not twice or fixed, "mixup blends two images with the same partner: draw a permutation, by torch.randperm"
    )
    judge_targets(soft, targets, blend, "mixup")


@task("7.10", points=1, title="mixup leaves what it is given alone, and does nothing with alpha 0",
      hint="Which operations write into the tensor that they are given?")  # fmt: skip
def test_mixup_inputs(student, rng):
    images, targets = batch(rng)
    for alpha in (3.0, 0.0):
        got = student.run(probes.mixed, images, targets, alpha)
        for name, before in (("images", images), ("targets", targets)):
            after = expect.tensor(expect.field(got, name), f"the {name} that mixup was given, afterwards")
            changed = f"mixup changes the {name} that it is given: a new tensor is asked for, without += and the like"
            expect.true(expect.same_values(after, before), changed)
        mixed, soft = expect.items(expect.field(got, "result"), 2, "what mixup returns, (images, targets)")
        if alpha:
            blend = recipes.judge_blend(mixed, images, "mixup")
            judge_targets(expect.tensor(soft, "the targets of mixup", shape=targets.shape), targets, blend, "mixup")
        else:
            expect.close(mixed, images, "the images of mixup with alpha 0")
            expect.close(soft, targets, "the targets of mixup with alpha 0")


TIMES = 40


@task("7.10", points=1, title="mixup draws another share and other partners each time",
      hint="λ comes from Beta(alpha, alpha); alpha says how far from ½ it may be.")  # fmt: skip
def test_mixup_random(student, rng):
    images, targets = batch(rng, count=5)
    for alpha, low, high in ((20.0, 0.0, 0.15), (0.2, 0.28, 0.5)):
        got = student.run(probes.mixed_often, images, targets, alpha, TIMES)
        mixed = expect.tensor(expect.field(got, "images"), "the images of mixup", shape=(TIMES, *images.shape))
        soft = expect.tensor(expect.field(got, "targets"), "the targets of mixup", shape=(TIMES, *targets.shape))
        blends = [recipes.judge_blend(one, images, "mixup") for one in mixed]
        for one, blend in zip(soft, blends, strict=True):
            judge_targets(one, targets, blend, "mixup")
        shares = [share for blend in blends for i, share in enumerate(blend.shares) if blend.partners[i] != i]
        expect.true(bool(shares), f"mixup blends nothing, though alpha is {alpha}")
        partners = {tuple(blend.partners) for blend in blends}
        expect.true(len(partners) > 5, "mixup takes the same partners in each call: draw a new permutation")
        expect.true(
            len({round(share, 4) for share in shares}) > 10, "mixup takes the same λ in each call: draw a new one"
        )
        away = sum(abs(share - 0.5) for share in shares) / len(shares)
        expect.true(low <= away <= high, f"mixup's λ is not from Beta(alpha, alpha) with alpha={alpha}",
                    expected=f"on average {low} to {high} away from ½", got=f"{away:.3f}")  # fmt: skip


# 7.11


def problem(gen, batches=4):
    """A linear problem, with one factor of the learning rate more than there are batches, all different."""
    x, labels, weight, bias = loops.problem(gen, 5 * batches - 2, 4, 3)
    factors = (0.3 + torch.randperm(batches + 1, generator=gen) / batches).tolist()
    return x, labels, weight, bias, [round(factor, 3) for factor in factors]


def first_loss(got, want):
    """Where the weights go wrong: in the loss, which the first batch shows before any step, or in the steps."""
    losses = expect.field(got, "losses")
    first = losses[0] if type(losses) is list and len(losses) > 0 else None
    other = type(first) is float and abs(first - want.losses[0]) > 1e-3
    wrong = "already the first batch's loss is another one: which labels, smoothed and mixed how, belong to its images?"
    return wrong if other else "each batch takes one step of the optimizer, by its own gradient alone"


@task("7.11", points=2, title="train_epoch takes the right steps, each with its own learning rate",
      hint="Clear, compute, go backward, step; and then the scheduler, batch by batch.")  # fmt: skip
def test_epoch_steps(student, rng):
    x, labels, weight, bias, factors = problem(rng)
    smoothing, lr = 0.3, 0.4
    got = student.run(probes.epoch, weight, bias, x, labels, 5, lr, factors, smoothing=smoothing, alpha=0.0)
    seen = expect.tensor(expect.field(got, "inputs"), "what train_epoch gives the model", shape=(None, 4))
    mixes = "train_epoch mixes images, though alpha is 0"
    alone = len(seen) == 5
    because = "it ends after the first batch alone: is a `return` inside the loop?" if alone else None
    expect.true(len(seen) >= len(x), "train_epoch does not give the model all images", because=because)
    expect.true(len(seen) > len(x) or expect.same_values(seen, x, atol=1e-5), mixes)
    want = recipes.descend(x, recipes.smoothed(labels, 3, smoothing), weight, bias, 5, [lr * f for f in factors])
    slips = recipes.epoch_slips(x, labels, weight, bias, 5, lr, factors, smoothing)
    expect.close(expect.field(got, "weight"), want.weight, "the weights after train_epoch", atol=1e-4, context=slips,
                 otherwise=first_loss(got, want))  # fmt: skip
    expect.close(expect.field(got, "bias"), want.bias, "the bias after train_epoch", atol=1e-4)
    expect.near(expect.field(got, "rate"), lr * factors[4], "the learning rate after train_epoch, of 4 batches",
                context={"of a scheduler that has not stepped": lr * factors[0]})  # fmt: skip


@task("7.11", points=1, title="train_epoch returns each batch's loss as a plain float",
      hint="A tensor keeps its graph alive.")  # fmt: skip
def test_epoch_losses(student, rng):
    x, labels, weight, bias, _ = problem(rng)
    options = {"smoothing": 0.3, "alpha": 0.0}
    got = expect.field(student.run(probes.epoch, weight, bias, x, labels, 5, 0.0, [], **options), "losses")
    want = recipes.descend(x, recipes.smoothed(labels, 3, 0.3), weight, bias, 5, [0.0] * 4).losses
    plain = recipes.descend(x, recipes.smoothed(labels, 3, 0.0), weight, bias, 5, [0.0] * 4).losses
    what = "the losses that train_epoch returns, of 4 batches"
    one = "it returns one number for the whole epoch: a list of each batch's loss is asked for"
    expect.true(type(got) not in (float, int), f"{what}: wrong type", because=one)
    for number, (value, loss) in enumerate(zip(expect.items(got, 4, what), want, strict=True)):
        expect.instance(value, float, f"one of {what}")
        slips = {
            "of hard labels: the loss is that of the smoothed ones": plain[number],
            "of the mean over the batches so far": sum(want[: number + 1]) / (number + 1),
            "of the sum so far": sum(want[: number + 1]),
        }
        slips = {name: other for name, other in slips.items() if abs(other - loss) > 1e-4}
        expect.near(value, loss, f"one of {what}", atol=1e-4, sizes={"images in the batch": 5}, context=slips)


@task("7.11", points=1, title="train_epoch trains in training mode, and leaves the gradient mode alone",
      hint="The model that it is given may come from an evaluation.")  # fmt: skip
def test_epoch_mode(student, rng):
    x, labels, weight, bias, factors = problem(rng)
    got = student.run(probes.epoch, weight, bias, x, labels, 5, 0.1, factors, again=True, smoothing=0.1, alpha=0.0)
    loops.judge_training_mode(got)
    loops.judge_seen(got, x, 5)


@task("7.11", points=1, title="train_epoch works on the device that it is given",
      hint="The model is there already; the batches are not.")  # fmt: skip
def test_epoch_device(student, rng):
    x, labels, weight, bias, _ = problem(rng)
    got = student.run(probes.epoch_elsewhere, weight, bias, x, labels)
    names = ("model", "loader", "optimizer", "scheduler", "device", "num_classes", "smoothing", "alpha")
    loops.judge_elsewhere(got, "train_epoch", names, x, weight, bias, labelled=False)


# 7.14: the whole

# calibration.md, beside the reference, says why a residual network passes, and a plain one of the same depth does not.
ACCURACY = 0.50
BLOCKS, RATE, EPOCHS, TRAIN_SIZE = 4, 0.01, 3, 384


def small(images):
    """uint8 N×1×28×28 → float N×1×7×7 in [−1, 1]: each number the mean of 4×4 pixels."""
    return images.float().unfold(2, 4, 4).unfold(3, 4, 4).mean((4, 5)) / 127.5 - 1


@task("7.14", points=2, title="26 layers learn to read digits", needs=("7.1", "7.2", "7.11"), seconds=40,
      hint="Without its shortcuts a network of this depth learns almost nothing in so few steps.")  # fmt: skip
def test_accuracy(student, rng):
    data = digits.draw(rng, TRAIN_SIZE)
    got = student.run(probes.trained_weights, small(data.train_images), data.train_labels, BLOCKS, RATE, EPOCHS)
    weights = residual.taken(
        expect.field(got, "after"),
        residual.shapes(10, BLOCKS, 8),
        "the weights of all of ResNet's blocks after training",
    )
    zero = next((name for name, value in weights.items() if name.endswith("conv1.weight") and not value.any()), None)
    expect.true(zero is None, f"{zero} is 0 everywhere after training: where a layer begins at 0 none of them learns")
    show.curve("Training loss", expect.field(got, "losses"), BANDS["week7"])
    # The judge computes the network from its weights alone: whatever else a module remembers reads no digit.
    logits = residual.logits(weights, small(data.test_images))
    known = expect.tensor(logits, "the logits of ResNet after training", shape=(len(data.test_labels), 10))
    show.confusion(known, data.test_labels, data.names)
    show.mistakes(data.test_images, known, data.test_labels, data.names)
    expect.at_least(digits.accuracy(known, data.test_labels), ACCURACY, "the accuracy on test digits", unit="%")
