"""Week 7, part 2: a recipe for training well."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader


def warmup_cosine(step: int, total_steps: int, warmup_steps: int) -> float:
    """What the learning rate is multiplied by in step 0, 1, 2, … of `total_steps`.

    It rises in a straight line, by 1 / `warmup_steps` a step, and is 1 in the last step of the warm-up. Then half a
    cosine takes it from 1, in step `warmup_steps`, down to 0, in step `total_steps`; later it stays 0.
    """
    raise NotImplementedError("TODO 7.6: a straight line up, then half a cosine down")


def make_scheduler(optimizer: torch.optim.Optimizer, total_steps: int, warmup_steps: int) -> LRScheduler:
    """A scheduler that is stepped after each batch: each group's own learning rate times `warmup_cosine`."""
    raise NotImplementedError("TODO 7.7: give the optimizer a schedule")


def smooth_labels(labels: torch.Tensor, num_classes: int, smoothing: float = 0.1) -> torch.Tensor:
    """N labels → N×`num_classes` probabilities, float32.

    The label's class gives `smoothing` away, which is spread evenly over all classes, its own too.
    """
    raise NotImplementedError("TODO 7.8: take a little from the label, and give every class its share")


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of N×C logits with N×C probabilities, the mean over the N rows; a tensor without axes."""
    raise NotImplementedError("TODO 7.9: the targets' mean of the negative log-probabilities")


def mixup(images: torch.Tensor, targets: torch.Tensor, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Blend each image of a batch N×… with a random other one, and their targets N×C in the same way.

    Image i becomes λ·image i + (1 − λ)·image p(i), with a random permutation p and λ from Beta(`alpha`, `alpha`).
    With `alpha` 0 images and targets come back as they were. What was given is left as it was.
    """
    raise NotImplementedError("TODO 7.10: draw λ and a permutation, and blend images and targets")


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None,
    device: torch.device,
    num_classes: int,
    smoothing: float = 0.1,
    alpha: float = 0.2,
) -> list[float]:
    """Train for one epoch with smoothed labels and mixup; each batch's loss, as a plain float.

    The scheduler, if there is one, makes a step after each step of the optimizer.
    """
    raise NotImplementedError("TODO 7.11: one epoch of training by the recipe")
