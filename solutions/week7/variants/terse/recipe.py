from math import cos, pi

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR


def warmup_cosine(step, total_steps, warmup_steps):
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return (1 + cos(pi * min(1, (step - warmup_steps) / (total_steps - warmup_steps)))) / 2


def make_scheduler(optimizer, total_steps, warmup_steps):
    return LambdaLR(optimizer, lambda s: warmup_cosine(s, total_steps, warmup_steps))


def smooth_labels(labels, num_classes, smoothing=0.1):
    return torch.eye(num_classes, device=labels.device)[labels].mul(1 - smoothing).add(smoothing / num_classes)


def soft_cross_entropy(logits, targets):
    return F.cross_entropy(logits, targets)


def mixup(images, targets, alpha):
    lam = np.random.beta(alpha, alpha) if alpha else 1.0
    p = torch.randperm(len(images))
    return torch.lerp(images[p], images, lam), torch.lerp(targets[p], targets, lam)


def train_epoch(model, loader, optimizer, scheduler, device, num_classes, smoothing=0.1, alpha=0.2):
    model.train()
    out = []
    for x, y in loader:
        x, t = mixup(x.to(device), smooth_labels(y.to(device), num_classes, smoothing), alpha)
        loss = soft_cross_entropy(model(x), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler and scheduler.step()
        out += [float(loss)]
    return out
