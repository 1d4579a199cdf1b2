"""What week 7's public checks ask of `recipe.py`: each probe calls it and returns plain data."""

import copy
import math
import random

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

CPU = torch.device("cpu")


# Helpers that are right: each has a task of its own


def right_factor(own):
    def warmup_cosine(step, total_steps, warmup_steps, *_, **__):
        if step < warmup_steps:
            return (1 + step) / warmup_steps
        done = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
        return math.cos(done * math.pi / 2) ** 2

    return warmup_cosine


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
        part = random.betavariate(alpha, alpha)
        other = torch.randperm(len(images)).to(images.device)
        return part * images + (1 - part) * images[other], part * targets + (1 - part) * targets[other]

    return mixup


def right_helpers(student):
    """The helpers of `train_epoch`, right for a while."""
    return student.instead("recipe", smooth_labels=right_labels, soft_cross_entropy=right_loss, mixup=right_mixup)


# 7.6 and 7.7: the schedule


def factors(student, steps, total_steps, warmup_steps):
    """The student's factor in each of these steps."""
    return [student.recipe.warmup_cosine(step, total_steps, warmup_steps) for step in steps]


def rates(student, lrs, total_steps, warmup_steps, steps):
    """Each group's learning rate in so many steps, one list a step."""
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.ones(1))], "lr": lr} for lr in lrs], lr=1.0)
    with student.instead("recipe", warmup_cosine=right_factor):
        scheduler = student.recipe.make_scheduler(optimizer, total_steps, warmup_steps)
        if not hasattr(scheduler, "step") or scheduler is optimizer:
            return {"returned": type(scheduler).__name__}
        found = []
        for _ in range(steps):
            found.append([float(group["lr"]) for group in optimizer.param_groups])
            optimizer.step()
            scheduler.step()
    return found


# 7.8 and 7.9: soft labels


def smoothed(student, labels, num_classes, **options):
    return student.recipe.smooth_labels(labels, num_classes, **options)


def soft_loss(student, logits, targets):
    """The loss, and its gradient for the logits."""
    logits = logits.clone().requires_grad_()
    loss = student.recipe.soft_cross_entropy(logits, targets)
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
        loss.backward()
    return {"loss": loss, "gradient": logits.grad}


# 7.10: mixup


def mixed(student, images, targets, alpha):
    """What `mixup` gives, and images and targets as they are afterwards."""
    images, targets = images.clone(), targets.clone()
    result = student.recipe.mixup(images, targets, alpha)
    return {"result": result, "images": images, "targets": targets}


def mixed_often(student, images, targets, alpha, times):
    """What it gives in so many calls, one after the other, one tensor of images and one of targets."""
    results = [student.recipe.mixup(images, targets, alpha) for _ in range(times)]
    return {"images": torch.stack([pair[0] for pair in results]), "targets": torch.stack([pair[1] for pair in results])}


# 7.11: an epoch


def scheduler_of(optimizer, factors):
    """A scheduler with these factors, one a step; the last one stays."""
    return LambdaLR(optimizer, lambda step: factors[min(step, len(factors) - 1)])


def epoch(student, weight, bias, features, labels, batch_size, lr, factors, again=False, **options):
    """One epoch of the student's `train_epoch` on a linear model, plain SGD, with stale gradients to begin with.

    Then `again`, with a copy of the model, while no gradients are recorded.
    """
    model = student.kit.Linear(weight, bias)
    model.eval()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 5.0)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = scheduler_of(optimizer, factors) if factors else None
    with right_helpers(student):
        losses = student.recipe.train_epoch(model, loader, optimizer, scheduler, CPU, len(weight), **options)
        recording, inputs = [torch.is_grad_enabled()], [*model.calls.inputs]
        if again:
            twin = copy.deepcopy(model)
            rest = loader, torch.optim.SGD(twin.parameters(), lr=lr), None, CPU, len(weight)
            train = student.recipe.train_epoch
            recording.append(student.kit.recording_after(lambda: train(twin, *rest, **options)))
    return {
        "losses": losses,
        "weight": model.layer.weight,
        "bias": model.layer.bias,
        "inputs": torch.cat(inputs) if inputs else None,
        "seen": model.norm.running_mean,
        "rate": float(optimizer.param_groups[0]["lr"]),
        "modes": model.calls.modes,
        "grad_enabled": recording,
        "requires_grad": [bool(p.requires_grad) for p in model.parameters()],
    }


def epoch_elsewhere(student, weight, bias, features, labels):
    """Where the model's inputs are when `train_epoch` is given another device, and its parameters."""
    train_epoch = student.recipe.train_epoch
    with student.elsewhere() as device, right_helpers(student):
        model = student.kit.Linear(weight, bias).to(device)
        loader = DataLoader(TensorDataset(features, labels), batch_size=4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        student.recipe.train_epoch(model, loader, optimizer, None, device, len(weight), smoothing=0.1, alpha=0.0)
    return student.kit.places_of(train_epoch, device, model)


# 7.14: the whole


def trained_weights(student, images, labels, blocks, lr, epochs):
    """All tensors of a deep ResNet, one after the other, after short training with `train_epoch`; its losses."""

    def train(device, _):
        return trained_on(device, student, images, labels, blocks, lr, epochs)

    with right_helpers(student):
        return student.kit.on_device(student.device, train)["after"]


def trained_on(device, student, images, labels, blocks, lr, epochs):
    model = student.resnet.ResNet(10, blocks, 8)
    with torch.no_grad():
        model(images[:2])  # a lazy layer has no weights before its first input
    loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)
    optimizer = torch.optim.Adam(model.to(device).parameters(), lr=lr, fused=True)
    factor, total = right_factor(None), epochs * len(loader)
    scheduler = LambdaLR(optimizer, lambda step: factor(step, total, total // 5))
    train_epoch, losses = student.recipe.train_epoch, []
    for _ in range(epochs):
        found = train_epoch(model, loader, optimizer, scheduler, device, 10, smoothing=0.1, alpha=0.0)
        losses += found if isinstance(found, list) else []
    return {"after": flattened(model.cpu()), "losses": losses}


def flattened(model):
    """All of the network's tensors as one, in the lesson's order of layers."""
    found = {"conv1.weight": model.conv1.weight, **norm_tensors("bn1", model.bn1)}
    for stage in ("stage1", "stage2", "stage3"):
        for number, block in enumerate(getattr(model, stage).children()):
            found |= block_tensors(block, f"{stage}.{number}.")
    found |= {"fc.weight": model.fc.weight, "fc.bias": model.fc.bias}
    return torch.cat([tensor.detach().flatten().float() for tensor in found.values()])


def norm_tensors(name, layer):
    return {f"{name}.{part}": getattr(layer, part) for part in ("weight", "bias", "running_mean", "running_var")}


def block_tensors(block, prefix):
    found = {}
    for name in ("1", "2"):
        found[f"{prefix}conv{name}.weight"] = getattr(block, f"conv{name}").weight
        found |= norm_tensors(f"{prefix}bn{name}", getattr(block, f"bn{name}"))
    modules = block.shortcut.modules() if isinstance(block.shortcut, nn.Module) else ()
    beside = [part for part in modules if getattr(part, "weight", None) is not None]
    for part in sorted(beside, key=lambda part: -part.weight.ndim):
        projects = part.weight.ndim == 4
        found |= {f"{prefix}shortcut.0.weight": part.weight} if projects else norm_tensors(f"{prefix}shortcut.1", part)
    return found
