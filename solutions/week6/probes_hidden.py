"""Probes of week 6's hidden checks, where the public ones do not do."""

import os
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

CPU = torch.device("cpu")


def split_binary(student, images, ratio):
    """A split of binary files in deep folders, into an output folder that does not exist yet, by relative paths."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        for path, content in images.items():
            file = Path(folder) / "photos" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes(content))
        os.chdir(folder)
        try:
            result = student.data.split_image_folder("photos", "made/new", train_ratio=ratio)
        finally:
            os.chdir(before)
        made = Path(folder) / "made" / "new"
        found = {p.relative_to(made).as_posix(): list(p.read_bytes()) for p in sorted(made.rglob("*")) if p.is_file()}
        left = sorted(p.relative_to(folder).as_posix() for p in (Path(folder) / "photos").rglob("*") if p.is_file())
        return {"result": result, "made": found, "photos": left}


class WithoutNorms(TorchDispatchMode):
    """While it is on, torch's own normalisation operators raise."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        ready_made = any(name in func.__name__ for name in ("batch_norm", "group_norm", "layer_norm", "instance_norm"))
        if ready_made and not at_import():
            raise RuntimeError("torch's own normalisation is switched off here: compute it from the formula")
        return func(*args, **(kwargs or {}))


def at_import():
    """Whether a module is being imported, by which a comparison with torch is allowed."""
    caller = sys._getframe(1)
    while caller and caller.f_code.co_filename != "<frozen importlib._bootstrap>":
        caller = caller.f_back
    return caller is not None


def attempt(call):
    """What it returns, or None where it raises."""
    try:
        return call()
    except Exception:
        return None


def normalised(x, gamma, beta, eps=1e-5, *_, **__):
    """What `batch_norm` is to give."""
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
    slope = gamma / (var + eps).sqrt()
    return (x.movedim(1, 3) * slope + (beta - mean * slope)).movedim(3, 1), mean, var


def right_norm(own):
    """A `batch_norm` that is right; the student's where that is, or gives no such three tensors."""
    x = torch.arange(24.0).view(2, 3, 2, 2) ** 2
    given = x, torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.0, 1.0, -1.0])
    found, wanted = attempt(lambda: own(*given, eps=0.1)), normalised(*given, eps=0.1)
    if found is None:
        return normalised
    if not isinstance(found, (tuple, list)) or [getattr(f, "shape", None) for f in found] != [w.shape for w in wanted]:
        return own  # whoever calls it makes do with what it gives
    right = all(bool(torch.isclose(f, w, rtol=1e-3, atol=1e-3).all()) for f, w in zip(found, wanted, strict=True))
    return own if right else normalised


def layer_in_network(student, state, images, labels, steps):
    """Training steps of a network with the student's layer inside, then its logits for each image alone."""
    with student.instead("batchnorm", batch_norm=right_norm):
        channels = state["conv.weight"].shape[0]
        model = nn.Sequential()
        model.add_module("conv", nn.Conv2d(1, channels, 3, bias=False))
        model.add_module("norm", student.batchnorm.BatchNorm2d(channels, momentum=0.2))
        model.add_module("relu", nn.ReLU())
        model.add_module("flat", nn.Flatten())
        model.add_module("last", nn.Linear(*reversed(state["last.weight"].shape)))
        model.load_state_dict(state, strict=False)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with WithoutNorms():
            model.train()
            for _ in range(steps):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                alone = torch.cat([model(image[None]) for image in images])
        kept = ("norm.weight", "norm.bias", "norm.running_mean", "norm.running_var", "conv.weight")
        found = model.state_dict()
        return {"alone": alone, "state": {name: found[name] for name in kept if name in found}}


class Odd(nn.Module):
    """Three parts and a head beside them; the classifier is longer than usual."""

    def __init__(self, width, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Tanh())
        self.avgpool = nn.Identity()
        layers = [nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 5), nn.Tanh(), nn.Linear(5, classes, bias=False)]
        self.classifier = nn.Sequential(*layers)
        self.side = nn.Linear(width, 2)

    def forward(self, x):
        return self.classifier(self.features(x))


def head_swapped(student, width, classes, output_dim):
    """`swap_head` on an odd network whose features and first classifier layer are frozen."""
    model = Odd(width, classes)
    for part in (model.features, model.classifier[0]):
        part.requires_grad_(False)
    model.features[1].running_mean.fill_(0.5)
    before = {name: (t, t.detach().clone(), t.requires_grad) for name, t in tensors_of(model).items()}
    result = student.transfer.swap_head(model, output_dim)
    after, head = tensors_of(model), model.classifier[-1]
    others = [
        [after.get(name) is t, bool(torch.equal(t, value)), bool(t.requires_grad) == flag]
        for name, (t, value, flag) in before.items()
        if not name.startswith("classifier.4")
    ]
    outputs = model(torch.ones(3, 4))
    outputs.square().sum().backward()
    return {
        "same_model": result is model,
        "head": [
            "Linear" if isinstance(head, nn.Linear) else type(head).__name__,
            list(head.weight.shape),
            list(getattr(head.bias, "shape", [])),
        ],
        "others": others,
        "outputs": outputs.detach(),
        "gradient": head.weight.grad is not None and bool(head.weight.grad.abs().sum() > 0),
    }


def tensors_of(model):
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def odd_groups(student, width, frozen, lr, factor):
    """[name, rate] of every parameter in the groups, as Adam sees them, for a network with a part beside the three."""
    model = Odd(width, 3)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not (frozen and name.startswith(tuple(frozen))))
    names = {id(p): name for name, p in model.named_parameters()}
    optimizer = torch.optim.Adam(student.transfer.discriminative_param_groups(model, lr, factor), lr=lr)
    return {
        "rates": [
            [names.get(id(p), "a stranger"), float(g["lr"])] for g in optimizer.param_groups for p in g["params"]
        ],
        "all": [[name, bool(p.requires_grad)] for name, p in model.named_parameters()],
    }


def odd(weight):
    """An odd network whose first layer has this weight."""
    model = Odd(4, 3)
    with torch.no_grad():
        model.features[0].weight.copy_(weight)
        model.features[0].bias.zero_()
    return model.eval()


def nested_frozen(student, part, weight, inputs):
    """Flags after freezing a part of a network twice, and after freezing a single layer of another."""
    model = odd(weight)
    module = getattr(model, part)
    student.transfer.freeze(module)
    student.transfer.freeze(module)
    student.transfer.freeze(model.classifier[2])
    values = {name: bool(p.requires_grad) for name, p in model.named_parameters()}
    model(torch.ones(2, 4)).sum().backward()
    modes = [bool(m.training) for m in model.modules()]
    return {"requires_grad": values, "training": modes, "features": model.features(inputs).detach()}


def counts(student, norm, width, classes, side):
    """Counts of a model with buffers, one with frozen layers, one whose parts are shared, and an empty one."""
    shared = nn.Sequential(nn.Linear(side, side), nn.Linear(side, side))
    shared[1].weight = shared[0].weight
    frozen = Odd(width, classes)
    frozen.features.requires_grad_(False)
    frozen.classifier[4].weight.requires_grad_(False)
    models = [nn.BatchNorm2d(norm), frozen, shared, nn.ReLU(), nn.Sequential(shared, shared)]
    return [student.transfer.count_parameters(model) for model in models]


class Number(float):
    """A number that gives itself when it is asked as a tensor is."""

    def item(self):
        return float(self)


def right_accuracy(own):
    """A `calculate_accuracy` that is right, and gives a tensor or a number as the student's does."""
    logits, labels = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), torch.tensor([0, 1, 1])
    found = attempt(lambda: own(logits, labels))
    if isinstance(found, torch.Tensor) and found.shape == () and abs(float(found) - 2 / 3) < 1e-4:
        return own

    def calculate_accuracy(logits, labels, *_, **__):
        rows = zip(logits.tolist(), labels.tolist(), strict=True)
        fraction = sum(row.index(max(row)) == label for row, label in rows) / len(logits)
        return Number(fraction) if isinstance(found, float) else torch.tensor(fraction)

    return calculate_accuracy


def trained(student, *problem):
    """State after two epochs of the student's `train` with momentum, with stale gradients before each."""
    with student.instead("training", calculate_accuracy=right_accuracy):
        loop = student.kit.in_order(student.training.train, "model loader optimizer criterion device")
        return student.kit.trained_net(loop, *problem, batch_size=4, epochs=2, lr=0.1, momentum=0.9)


def evaluated(student, *problem):
    with student.instead("training", calculate_accuracy=right_accuracy):
        loop = student.kit.in_order(student.training.evaluate, "model loader criterion device")
        return student.kit.evaluated_net(loop, *problem)
