"""torch's own parts, where it has them."""

import math

import torch
from torch import nn
from torch.distributions import Beta
from torch.optim import lr_scheduler


def warmup_cosine(step, total_steps, warmup_steps):
    match step:
        case s if s < warmup_steps:
            return (s + 1) / warmup_steps
        case s:
            done = min(max(s - warmup_steps, 0) / (total_steps - warmup_steps), 1.0)
            return math.cos(math.pi / 2 * done) ** 2


def make_scheduler(optimizer, total_steps, warmup_steps):
    factors = [lambda step: warmup_cosine(step, total_steps, warmup_steps)] * len(optimizer.param_groups)
    return lr_scheduler.LambdaLR(optimizer, lr_lambda=factors)


def smooth_labels(labels, num_classes, smoothing=0.1):
    hot = nn.functional.one_hot(labels.long(), num_classes=num_classes).to(torch.float32)
    uniform = torch.full_like(hot, 1 / num_classes)
    return torch.lerp(hot, uniform, smoothing)


soft_cross_entropy = nn.CrossEntropyLoss()


def mixup(images, targets, alpha):
    if not alpha:
        return images, targets
    lam = Beta(torch.tensor(float(alpha)), torch.tensor(float(alpha))).sample((len(images),)).to(images.device)
    lam = torch.maximum(lam, 1 - lam)
    order = torch.randperm(images.size(0), device=images.device)
    wide = lam.view(-1, *[1] * (images.dim() - 1))
    return wide * images + (1 - wide) * images[order], lam[:, None] * targets + (1 - lam[:, None]) * targets[order]


def train_epoch(model, loader, optimizer, scheduler, device, num_classes, smoothing=0.1, alpha=0.2):
    model.train()
    losses = []
    for images, labels in loader:
        optimizer.zero_grad(set_to_none=True)
        targets = smooth_labels(labels, num_classes, smoothing).to(device)
        inputs, targets = mixup(images.to(device), targets, alpha)
        loss = soft_cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        losses.append(loss.detach())
    return torch.stack(losses).tolist() if losses else []
