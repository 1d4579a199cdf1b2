"""Week 6's public checks of `transfer.py`, tasks 6.9 to 6.12, and of the whole, 6.17: 16 of 60 points."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import digits, transfer
from fixtures.bands import BANDS
from grader import expect, show
from grader.checks import load_probes, loops, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 6.9 and 6.10


@task("6.9", points=2, title="count_parameters counts trainable numbers, shared ones once", examples=10,
      hint="Which parameters does training change? A parameter that two layers share is one.")  # fmt: skip
@given(width=st.integers(1, 5), hidden=st.integers(1, 5), classes=st.integers(1, 5),
       frozen=st.sampled_from([(), ("features",), ("classifier.0", "scale")]), shared=st.booleans())  # fmt: skip
def test_count(student, width, hidden, classes, frozen, shared):
    got = student.run(probes.counted, width, hidden, classes, frozen, shared)
    sizes = {
        "features": 2 * width * 9 + width + 2 * width,  # a convolution and a batch normalisation
        "classifier.0": width * hidden + hidden,
        "classifier.3": hidden * classes + classes,
        "scale": 1,
    }
    tensors = {"features": 4, "classifier.0": 2, "classifier.3": 2, "scale": 1}
    flat = {"features": 3 * width, "classifier.0": hidden, "classifier.3": classes, "scale": 1}  # those of one axis

    def trainable(counts):
        return sum(count for name, count in counts.items() if name not in frozen)

    want = trainable(sizes) + (classes if shared else 0)
    again = hidden * classes if shared and "classifier.3" not in frozen else 0
    slips = {
        "of the parameters' tensors: add up their numel()": trainable(tensors) + shared,
        "of the weights alone: biases learn as well": trainable(sizes) - trainable(flat),
        "with the frozen ones: count those that require gradients": sum(sizes.values()) + (classes if shared else 0),
        "with the shared parameter counted twice": want + again,
        "with the buffers: parameters alone learn": want + 2 * width + 1,
    }
    if frozen:
        slips["of all tensors, frozen ones too: add up the numel() of the others"] = sum(tensors.values()) + shared
        slips["of the frozen ones: count those that require gradients"] = sum(sizes.values()) - trainable(sizes)
    expect.integer(got, want, "count_parameters", context=slips)


@task("6.10", points=3, title="freeze leaves no parameter of the module trainable, and all else as it was",
      hint="What decides whether a parameter gets a gradient? A module's mode is another matter.")  # fmt: skip
def test_freeze(student, rng):
    images, labels = torch.randn(6, 2, 4, 4, generator=rng), torch.randint(0, 4, (6,), generator=rng)
    for part in ("features", ""):
        weights, kept = weights_for(rng), torch.randn(3, 2, 3, 3, generator=rng)
        got = student.run(probes.frozen, weights, kept, images, labels, part)
        model = probes.small(weights)
        names = [name for name, _ in model.named_parameters()]
        flags = {name: not name.startswith(part) for name in names}
        expect.equal(
            expect.field(got, "grad_enabled"),
            True,
            "whether gradients are recorded after freeze (set the parameters' requires_grad alone)",
        )
        expect.equal(expect.field(got, "requires_grad"), flags, "requires_grad of the parameters")
        modes = expect.items(expect.field(got, "training"), len([*model.modules()]), "the modes")
        expect.true(
            all(mode is True for mode in modes),
            "freeze changes the module's mode, as eval() does: leave the mode as it is",
        )
        gone = expect.field(got, "kept_gradient") is None
        expect.true(not gone, "an existing gradient is gone: freeze leaves .grad alone")
        gradient = expect.tensor(expect.field(got, "kept_gradient"), "an existing gradient", shape=(3, 2, 3, 3))
        expect.close(gradient, kept, "an existing gradient afterwards")
        same = expect.field(got, "same")
        changed = [name for name in names if type(same) is not dict or same.get(name) is not True]
        expect.true(not changed, "freeze changes the values of parameters, and not requires_grad alone",
                    expected="none", got=", ".join(changed))  # fmt: skip
        expect.equal(expect.field(got, "logits"), [6, 4], "the shape of what forward gives afterwards")
        reached = {name: bool(part) for name, _ in model.classifier.named_parameters()}
        expect.equal(expect.field(got, "reached"), reached, "whether gradients reach the classifier")
        features = model.train().features(images).detach()
        expect.close(expect.field(got, "features"), features, "what the features give after freeze", atol=1e-3)


# 6.11


def swap(student, gen):
    width, hidden, classes, output_dim = (int(n) for n in torch.randint(2, 9, (4,), generator=gen))
    images, weights = torch.randn(3, 2, 4, 4, generator=gen), weights_for(gen, width, hidden, classes)
    got = student.run(probes.swapped, weights, output_dim, images)
    kind = got.get("classifier") if type(got) is dict else None
    alone = "model.classifier is no Sequential any more: replace its last layer, model.classifier[-1], alone"
    expect.true(type(kind) is not str, alone, expected="Sequential", got=kind)
    return got, weights, output_dim, images


@task("6.11", points=2, title="swap_head puts a fresh Linear at the end of the classifier",
      hint="The new layer is as wide as the old one's input, whatever that was.")  # fmt: skip
def test_swap_head(student, rng):
    for _ in range(3):
        got, weights, output_dim, _ = swap(student, rng)
        hidden = weights["classifier.3.weight"].shape[1]
        expect.equal(expect.field(got, "head"), "Linear", "the type of the classifier's last layer")
        appended = {"with one appended: replace the last layer": 5}
        expect.integer(expect.field(got, "layers"), 4, "the number of the classifier's layers", context=appended)
        found = expect.tensor(expect.field(got, "weight"), "the new head's weight")
        old = expect.tensor(expect.field(got, "old_weight"), "the old head's weight", shape=(None, hidden))
        kept = "model.classifier still ends in the old layer: put the new one into model.classifier[-1]"
        expect.true(old.shape[0] == output_dim or found.shape != old.shape or not torch.equal(found, old), kept)
        weight = expect.tensor(found, "the new head's weight", shape=(output_dim, hidden))
        bias = expect.field(got, "bias")
        expect.true(bias is not None, "the new head has no bias, and the old one has")
        expect.tensor(bias, "the new head's bias", shape=(output_dim,))
        expect.equal(expect.field(got, "head_trainable"), [True, True], "requires_grad of the new head")
        expect.tensor(expect.field(got, "logits"), "the logits", shape=(3, output_dim))
        rows = min(len(old), len(weight))
        expect.true(
            not torch.equal(weight[:rows], old[:rows]), "the new head holds the old one's weights: make a new Linear"
        )
        twin = expect.tensor(expect.field(got, "twin_weight"), "a second head's weight", shape=weight.shape)
        expect.true(not torch.equal(weight, twin), "two new heads are equal: a fresh one starts at random")
        expect.close(old, weights["classifier.3.weight"], "the old head's weight")


@task("6.11", points=2, title="swap_head leaves every other tensor as it was, and returns the model",
      hint="Replace one layer; do not rebuild the classifier.")  # fmt: skip
def test_swap_head_others(student, rng):
    got, weights, _, images = swap(student, rng)
    same_model = expect.field(got, "same_model") is True
    expect.true(same_model, "the model that was given is not returned: change it, and `return model`")
    others = expect.field(got, "others")
    model = probes.small(weights)
    model.features.requires_grad_(False)
    kept = {name: t for name, t in probes.tensors_of(model).items() if not name.startswith("classifier.3")}
    for name, tensor in kept.items():
        same, value, grad = expect.items(expect.field(others, name), 3, "a tensor")
        expect.true(same is True, f"{name} is another tensor than before: replace the last layer alone")
        expect.true(value is True, f"the values of {name} have changed: replace the last layer alone")
        was = f"requires_grad of {name} was {tensor.requires_grad}, and is {grad}: leave other parameters as they are"
        expect.true(grad is tensor.requires_grad, was)
    want = probes.before_head(probes.small(weights).eval(), images)
    expect.close(expect.field(got, "before_head"), want, "what reaches the head after swap_head", atol=1e-3)


# 6.12


def weights_for(gen, width=3, hidden=6, classes=4):
    shapes = {
        "features.0.weight": (width, 2, 3, 3), "features.0.bias": (width,),
        "features.1.weight": (width,), "features.1.bias": (width,),
        "classifier.0.weight": (hidden, width), "classifier.0.bias": (hidden,),
        "classifier.3.weight": (classes, hidden), "classifier.3.bias": (classes,), "scale": (1,),
    }  # fmt: skip
    return {name: torch.randn(shape, generator=gen) * 0.5 for name, shape in shapes.items()}


def grouped(student, gen, frozen, lr, options, steps=0):
    weights = weights_for(gen)
    images, labels = torch.randn(8, 2, 4, 4, generator=gen), torch.randint(0, 4, (8,), generator=gen)
    return student.run(probes.groups, weights, frozen, lr, options, images, labels, steps), weights, images, labels


def rate_of(name, lr, options):
    return lr / options.get("factor", 10) if name.startswith("features") else lr


@task("6.12", points=3, title="features learn at lr / factor, every other trainable parameter at lr", examples=6,
      hint="Each trainable parameter in just one group, frozen ones in none; generators are read once.")  # fmt: skip
@given(frozen=st.sampled_from([(), ("features.0",), ("classifier.0", "scale"), ("features",)]),
       factor=st.sampled_from([None, 10, 4]), seed=seeds)  # fmt: skip
def test_groups(student, frozen, factor, seed):
    options = {} if factor is None else {"factor": factor}
    gen = generator(seed)
    lr = round(0.01 + 0.04 * torch.rand(1, generator=gen).item(), 5)
    got, weights, _, _ = grouped(student, gen, frozen, lr, options)
    wanted = {name: rate_of(name, lr, options) for name in weights if not (frozen and name.startswith(frozen))}
    found = {}
    for entry in expect.items(expect.field(got, "rates"), None, "the groups"):
        name, rate = expect.items(entry, 2, "a parameter with its rate")
        expect.instance(name, str, "a parameter's name")
        expect.true(name not in found, f"{name} is in two groups")
        where = f"{name}, which is frozen, is" if name in weights else "a tensor that is no parameter of the model's is"
        expect.true(name in wanted, f"{where} in a group")
        factor = options.get("factor", 10)
        slips = {
            "of lr: the features learn at lr / factor": lr,
            "of lr / factor: all but the features learn at lr": lr / factor,
            "of lr · factor: the features learn at lr / factor": lr * factor,
            "of a factor of 10, whatever factor is given": lr / 10,
            "of lr / (factor + 1): the features learn at lr / factor": lr / (factor + 1),
        }
        slips = {what: other for what, other in slips.items() if abs(other - wanted[name]) > 1e-9}
        expect.near(rate, wanted[name], f"the learning rate of {name}", context=slips)
        found[name] = rate
    judge_missing(found, wanted)
    flags = {name: not (frozen and name.startswith(frozen)) for name in weights}
    loops.judge_flags(expect.field(got, "requires_grad"), flags)


def judge_missing(found, wanted):
    """Each trainable parameter is in a group. Where all of one part are missing, a generator may have been empty."""
    missing = [name for name in wanted if name not in found]
    if not missing:
        return
    because = "it belongs to the model itself, and to neither features nor classifier" if missing == ["scale"] else None
    for inside in (True, False):
        part = [name for name in wanted if name.startswith("features") is inside]
        if len(part) > 1 and not {*part} - {*missing}:
            because = "is a generator read twice? It is empty after the first time"
    named = f"parameter {missing[0]} is" if len(missing) == 1 else f"parameters {', '.join(missing)} are"
    expect.fail(f"the trainable {named} in no group", because=because)


@task("6.12", points=1, title="Adam with these groups takes steps of the right size",
      hint="Adam's first step has the length of the learning rate.")  # fmt: skip
def test_groups_step(student, rng):
    got, weights, images, labels = grouped(student, rng, (), 0.01, {}, steps=2)
    model = probes.small(weights)
    model.eval()
    # Adam by its formula, with the rates that the lesson asks for.
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in model.named_parameters()}
    for step in (1, 2):
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
                first, second = moments[name]
                first.mul_(0.9).add_(0.1 * gradient)
                second.mul_(0.999).add_(0.001 * gradient**2)
                size = (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
                parameter -= rate_of(name, 0.01, {}) * size
    for name, parameter in model.named_parameters():
        value = expect.field(expect.field(got, "weights"), name)
        expect.close(value, parameter.detach(), f"{name} after two steps", rtol=1e-2, atol=5e-4)


# 6.17: the whole

# calibration.md, beside the reference, says why a correct solution passes both and a broken one does not.
ACCURACY, MARGIN = 0.60, 0.05
RATE, EPOCHS = 0.004, 3
VALID, UNTRAINED = 40, 100
STAND_INS = {"head": "swap_head", "groups": "discriminative_param_groups"}


@task("6.17", points=3, title="fine-tuning reads new digits, and beats training from scratch", seconds=40,
      needs=("6.14", "6.16"), hint="A new head, slow features, fit: look at those tasks first.")  # fmt: skip
def test_transfer(student, rng):
    data = transfer.draw(rng)
    weights = transfer.load_backbone()
    train, valid = (data.train_images, data.train_labels), (data.test_images[:VALID], data.test_labels[:VALID])
    got = student.run(probes.fine_tuned, weights, train, valid, RATE, EPOCHS)
    images, labels = data.test_images[VALID:], data.test_labels[VALID:]
    show.stand_in(expect.field(got, "own"), STAND_INS)
    before = logits_of(expect.field(got, "before"), "before", images[:UNTRAINED])
    after = logits_of(expect.field(got, "after"), "after", images)
    show.curve("Training loss", expect.field(got, "losses"), BANDS["week6"])
    show.confusion(after, labels, data.names)
    show.mistakes(images, after, labels, data.names)
    untrained, tuned = digits.accuracy(before, labels[:UNTRAINED]), digits.accuracy(after, labels)
    expect.true(
        untrained < 0.5, "the network with its new head already knows the answers", got=f"{100 * untrained:.1f} %"
    )
    expect.at_least(tuned, ACCURACY, "the accuracy of the fine-tuned network", unit="%")
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=rng))
    scratch = transfer.scratch_accuracy(*train, images, labels, RATE, EPOCHS, seed)
    expect.at_least(tuned - scratch, MARGIN, "the lead over training from scratch", unit="%")


def logits_of(state, when, images):
    """Test logits of the judge's own network with a state dict of the student's process."""
    model = transfer.Backbone()
    loaded = {}
    for name, want in model.state_dict().items():
        loaded[name] = expect.tensor(expect.field(state, name), f"{name} {when} fine-tuning", shape=want.shape)
    model.load_state_dict(loaded)
    model.eval()
    with torch.no_grad():
        return model(transfer.normalised(images))
