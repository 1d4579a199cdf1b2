"""Probes of week 7's hidden checks."""

import copy
import math
import random
from contextlib import contextmanager

import matplotlib
import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

CPU = torch.device("cpu")


class NotAsAsked(Exception):
    """A layer is not what the task asks for."""


# Layers by the lesson's names


def first_with(layer, part, ndim):
    found = layer.modules() if isinstance(layer, nn.Module) else ()
    return next((m for m in found if getattr(getattr(m, part, None), "ndim", 0) == ndim), None)


def norm_parts(name, layer):
    return {f"{name}.{part}": getattr(layer, part) for part in ("weight", "bias", "running_mean", "running_var")}


def block_parts(block, prefix=""):
    parts = {f"{prefix}conv1.weight": block.conv1.weight, **norm_parts(f"{prefix}bn1", block.bn1)}
    parts |= {f"{prefix}conv2.weight": block.conv2.weight, **norm_parts(f"{prefix}bn2", block.bn2)}
    projection, norm = first_with(block.shortcut, "weight", 4), first_with(block.shortcut, "running_mean", 1)
    if projection is not None and norm is not None:
        parts |= {f"{prefix}shortcut.0.weight": projection.weight, **norm_parts(f"{prefix}shortcut.1", norm)}
    return parts


def network_parts(model):
    parts = {"conv1.weight": model.conv1.weight, **norm_parts("bn1", model.bn1)}
    for stage in ("stage1", "stage2", "stage3"):
        for number, block in enumerate(getattr(model, stage).children()):
            parts |= block_parts(block, f"{stage}.{number}.")
    return {**parts, "fc.weight": model.fc.weight, "fc.bias": model.fc.bias}


def fill(parts, weights):
    with torch.no_grad():
        for name, value in weights.items():
            if name not in parts or parts[name].shape != value.shape:
                raise NotAsAsked(f"there is no {name} of the shape {tuple(value.shape)}, in the lesson's names")
            parts[name].copy_(value)


# 7.1 and 7.2


def begun(model, x):
    """The model once it has had an input, before which a lazy layer has no weights; its running averages stay."""
    model.eval()
    with torch.no_grad():
        model(x)
    return model


def block_run(student, sizes, weights, x, training):
    """What a block gives, and its running averages afterwards."""
    block = begun(student.resnet.ResidualBlock(*sizes), x)
    fill(block_parts(block), weights)
    block.train(training)
    with student.kit.WithoutDropout():
        result = block(x)
    running = {name: value for name, value in block_parts(block).items() if "running" in name}
    return {"result": result, "running": running}


@contextmanager
def right_blocks(resnet):
    """Have the class `ResidualBlock` be right for a while."""
    own = getattr(resnet, "ResidualBlock", None)
    if not isinstance(own, type):
        yield
        return
    kept = {name: vars(own)[name] for name in ("__init__", "forward") if name in vars(own)}
    own.__init__, own.forward = begin, run
    try:
        yield
    finally:
        for name in ("__init__", "forward"):
            if name in kept:
                setattr(own, name, kept[name])
            else:
                delattr(own, name)


def begin(self, in_channels, out_channels, stride=1, *_, **__):
    nn.Module.__init__(self)
    self.conv1, self.bn1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels)
    self.conv2, self.bn2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False), nn.BatchNorm2d(out_channels)
    changes = (in_channels, stride) != (out_channels, 1)
    layers = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    self.shortcut = nn.Sequential(*layers[: 2 * changes])


def run(self, x, *_, **__):
    inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).clamp(min=0)))
    return (self.shortcut(x) + inner).clamp(min=0)


def network_run(student, sizes, weights, images, training):
    """The logits of a network with these weights, and the gradients of their squares for the stem and for fc."""
    with right_blocks(student.resnet):
        model = begun(student.resnet.ResNet(*sizes), images)
        fill(network_parts(model), weights)
        model.train(training)
        with student.kit.WithoutDropout():
            logits = model(images)
        if logits.requires_grad:
            logits.square().sum().backward()
        return {"logits": logits, "stem": model.conv1.weight.grad, "fc": model.fc.weight.grad}


def deep_run(student, sizes, weights, images):
    """The same of the student's own blocks, in evaluation mode."""
    model = begun(student.resnet.ResNet(*sizes), images)
    fill(network_parts(model), weights)
    model.eval()
    logits = model(images)
    logits.square().sum().backward()
    return {"logits": logits, "stem": model.conv1.weight.grad}


# 7.3 to 7.5


class Tree(nn.Module):
    """A module within modules, two of which are one and the same, and which share a parameter with another."""

    def __init__(self, sizes):
        super().__init__()
        first, second, third = sizes
        self.left = nn.ModuleDict(
            {"a": nn.Linear(first, second), "b": nn.Sequential(nn.Dropout(), nn.Linear(second, second))}
        )
        self.right = nn.ModuleList([nn.Conv1d(second, third, 3, groups=1), self.left["a"]])
        self.last = nn.Linear(second, second, bias=False)
        self.last.weight = self.left["b"][1].weight
        self.extra = nn.Parameter(torch.zeros(third, 2))
        self.register_buffer("counts", torch.zeros(9))


def table(student, sizes):
    found = student.resnet.parameter_table(Tree(sizes))
    return (
        [[key, value] for key, value in found.items()]
        if isinstance(found, dict)
        else {"returned": type(found).__name__}
    )


def flops(student, cases):
    return [student.resnet.conv_flops(*sizes, **options) for sizes, options in cases]


def right_flops(own):
    def conv_flops(in_channels, out_channels, kernel_size, out_height, out_width, groups=1, *rest, **more):
        if not isinstance(kernel_size, int):
            return own(in_channels, out_channels, kernel_size, out_height, out_width, groups, *rest, **more)
        return 2 * out_channels * out_height * out_width * (in_channels // groups) * kernel_size**2

    return conv_flops


class Odd(nn.Module):
    """Grouped, dilated and oblong convolutions, a linear layer over positions, and a layer that runs twice."""

    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(1, 2 * width, (3, 1), stride=(2, 1), bias=False)
        self.second = nn.Conv2d(2 * width, 2 * width, 3, padding=2, dilation=2, groups=width)
        self.norm = nn.BatchNorm2d(2 * width)
        self.mix = nn.Linear(2 * width, 2 * width)
        self.head = nn.Linear(2 * width, 3)

    def forward(self, images):
        x = self.norm(self.second(self.first(images))).flatten(2).transpose(1, 2)
        return self.head(self.mix(self.mix(x).relu()).mean(1))


def odd_counted(student, width, image):
    with student.instead("resnet", conv_flops=right_flops):
        return student.resnet.count_flops(Odd(width), image)


def modes_counted(student, width, image):
    """The count for a model of which a part is in evaluation mode, which has a hook of its own, and what is left."""
    model = Odd(width)
    model.norm.eval()
    model.head.register_forward_hook(lambda *_: None)
    before = copy.deepcopy(model.state_dict())
    with student.instead("resnet", conv_flops=right_flops):
        count = student.resnet.count_flops(model, image)
    state = model.state_dict()
    return {
        "count": count,
        "modes": {name: bool(module.training) for name, module in model.named_modules()},
        "hooks": {name: len(module._forward_hooks) for name, module in model.named_modules()},
        "same": [bool(torch.equal(state[name], value)) for name, value in before.items()],
    }


# 7.6 to 7.9


def factors(student, cases):
    return [student.recipe.warmup_cosine(*case) for case in cases]


def right_factor(own):
    def warmup_cosine(step, total_steps, warmup_steps, *_, **__):
        if step < warmup_steps:
            return (1 + step) / warmup_steps
        done = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
        return math.cos(done * math.pi / 2) ** 2

    return warmup_cosine


def scheduled(student, start, gradients, lrs, total_steps, warmup_steps):
    """Two parameters after steps of SGD with these gradients, one a step, each in a group of its own."""
    parameters = [nn.Parameter(start.clone()) for _ in lrs]
    groups = [{"params": [parameter], "lr": lr} for parameter, lr in zip(parameters, lrs, strict=True)]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    with student.instead("recipe", warmup_cosine=right_factor):
        scheduler = student.recipe.make_scheduler(optimizer, total_steps, warmup_steps)
        for gradient in gradients:
            for parameter in parameters:
                parameter.grad = gradient.clone()
            optimizer.step()
            scheduler.step()
    return [parameter.detach() for parameter in parameters]


def smoothed(student, labels, num_classes, smoothings):
    return [student.recipe.smooth_labels(labels, num_classes, smoothing) for smoothing in smoothings]


def soft_loss(student, logits, targets):
    logits = logits.clone().requires_grad_()
    loss = student.recipe.soft_cross_entropy(logits, targets)
    loss.backward()
    return {"loss": loss, "gradient": logits.grad}


# 7.10 and 7.11


def mixed(student, images, targets, alpha, times):
    """Images and targets of so many calls."""
    results = [student.recipe.mixup(images.clone(), targets.clone(), alpha) for _ in range(times)]
    return [list(pair) for pair in results]


def right_labels(own):
    def smooth_labels(labels, num_classes, smoothing=0.1, *_, **__):
        kept = (1 - smoothing) * torch.eye(num_classes) + smoothing / num_classes
        return kept.to(labels.device)[labels]

    return smooth_labels


def right_loss(own):
    def soft_cross_entropy(logits, targets, *_, **__):
        return (targets * (logits.logsumexp(1, keepdim=True) - logits)).sum() / len(logits)

    return soft_cross_entropy


def right_mixup(own):
    def mixup(images, targets, alpha, *_, **__):
        if not alpha:
            return images, targets
        part, other = random.betavariate(alpha, alpha), torch.randperm(len(images)).to(images.device)
        return part * images + (1 - part) * images[other], part * targets + (1 - part) * targets[other]

    return mixup


def epochs(student, weight, bias, features, labels, batch_size, lr, factors, count, **options):
    """So many epochs of `train_epoch` with one optimizer, and one scheduler where there are factors."""
    model = student.kit.Linear(weight, bias)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = LambdaLR(optimizer, lambda step: factors[min(step, len(factors) - 1)]) if factors else None
    losses, classes = [], len(weight)
    with student.instead("recipe", smooth_labels=right_labels, soft_cross_entropy=right_loss, mixup=right_mixup):
        for _ in range(count):
            losses.append(student.recipe.train_epoch(model, loader, optimizer, scheduler, CPU, classes, **options))
            model.eval()
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
    inputs = torch.cat(model.calls.inputs) if model.calls.inputs else None
    return {"losses": losses, "inputs": inputs, "weight": model.layer.weight, "bias": model.layer.bias}


# 7.12 and 7.13


class Looking(nn.Module):
    """A convolution, batch normalisation, ReLU and dropout, and a linear layer over all positions."""

    def __init__(self, weights, frozen):
        super().__init__()
        width, channels = weights["conv.weight"].shape[:2]
        classes, inputs = weights["head.weight"].shape
        self.conv, self.norm, self.relu = nn.Conv2d(channels, width, 3), nn.BatchNorm2d(width), nn.ReLU()
        self.dropout, self.head = nn.Dropout(0.5), nn.Linear(inputs, classes)
        self.load_state_dict(weights, strict=False)
        self.requires_grad_(not frozen)

    def forward(self, images):
        return self.head(self.dropout(self.relu(self.norm(self.conv(images)))).flatten(1))


def heatmap(student, weights, image, layer, label, frozen):
    """The map of a model, all of whose parameters may be frozen, and the modes that are left when a part evaluates."""
    model = Looking(weights, frozen)
    model.dropout.eval()
    watched = model.conv if layer == 0 else model.relu
    options = {} if label is None else {"label": label}
    found = student.gradcam.grad_cam(model, watched, image, **options)
    return {
        "map": found,
        "modes": {name: bool(module.training) for name, module in model.named_children()},
        "frozen": [bool(parameter.requires_grad) for parameter in model.parameters()],
        "mean": model.norm.running_mean,
    }


def plotted(student, image, heatmap):
    """The pictures in each axes of the figure, from left to right; what it was given, afterwards."""
    shows, before = [], (plt.show, Figure.show)
    plt.show = Figure.show = lambda *args, **kwargs: shows.append(1)
    image, heatmap = image.clone(), heatmap.clone()
    try:
        figure = student.gradcam.plot_grad_cam(image, heatmap)
    finally:
        plt.show, Figure.show = before
    found = {"axes": None, "shows": len(shows), "image": image, "heatmap": heatmap}
    if isinstance(figure, Figure):
        places = sorted(figure.axes, key=lambda ax: float(ax.get_position().x0))
        found["axes"] = [[pixels(picture) for picture in ax.images] for ax in places]
    plt.close("all")
    return found


def pixels(picture):
    return np.ma.filled(np.ma.asarray(picture.get_array()).astype(float), np.nan)
