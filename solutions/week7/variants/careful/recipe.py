"""The recipe in plain loops, with every number checked."""

import math
import random

import torch
from torch.optim.lr_scheduler import LRScheduler


def warmup_cosine(step: int, total_steps: int, warmup_steps: int) -> float:
    assert step >= 0 and total_steps > warmup_steps >= 0
    if warmup_steps and step < warmup_steps:
        return min(1.0, (step + 1) / float(warmup_steps))
    if step >= total_steps:
        return 0
    angle = math.pi * (step - warmup_steps) / (total_steps - warmup_steps)
    return (math.cos(angle) + 1) / 2


class Warmup(LRScheduler):
    def __init__(self, optimizer, total_steps, warmup_steps):
        self.total_steps, self.warmup_steps = total_steps, warmup_steps
        super().__init__(optimizer)

    def get_lr(self):
        factor = warmup_cosine(self.last_epoch, self.total_steps, self.warmup_steps)
        return [base * factor for base in self.base_lrs]


def make_scheduler(optimizer, total_steps, warmup_steps):
    return Warmup(optimizer, total_steps, warmup_steps)


def smooth_labels(labels, num_classes, smoothing=0.1):
    targets = torch.full((len(labels), num_classes), smoothing / num_classes, dtype=torch.float32, device=labels.device)
    targets.scatter_(1, labels.view(-1, 1), 1 - smoothing + smoothing / num_classes)
    return targets


def soft_cross_entropy(logits, targets):
    assert logits.shape == targets.shape
    shifted = logits - logits.max(dim=1, keepdim=True).values.detach()
    log_probs = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    losses = [-(t * lp).sum() for t, lp in zip(targets, log_probs)]
    return sum(losses) / len(losses)


def mixup(images, targets, alpha, rng=None):
    if alpha <= 0:
        return images.clone(), targets.clone()
    share = (rng or random).betavariate(alpha, alpha)
    order = list(range(len(images)))
    (rng or random).shuffle(order)
    mixed = [share * images[i] + (1 - share) * images[j] for i, j in enumerate(order)]
    soft = [share * targets[i] + (1 - share) * targets[j] for i, j in enumerate(order)]
    return torch.stack(mixed), torch.stack(soft)


def train_epoch(model, loader, optimizer, scheduler, device, num_classes, smoothing=0.1, alpha=0.2, verbose=True):
    device = torch.device(device)
    model.train(True)
    losses = []
    for number, batch in enumerate(loader):
        images, labels = (part.to(device) for part in batch)
        targets = smooth_labels(labels, num_classes, smoothing=smoothing)
        mixed, soft = mixup(images, targets, alpha)
        for parameter in model.parameters():
            parameter.grad = None
        loss = soft_cross_entropy(model(mixed), soft)
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(float(loss.detach().cpu()))
        if verbose and number == 0:
            print(f"first loss {losses[0]:.3f}")
    assert len(losses) == len(loader)
    return losses
