"""Week 6, part 2: batch normalisation, from its formula."""

import torch
from torch import nn


def batch_norm(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float = 1e-5
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalise each channel of N×C×H×W over batch and positions → `(y, mean, var)`, the latter two of shape (C,).

    y = gamma·(x − mean) / √(var + eps) + beta, with the biased variance. Without torch's own batch-norm functions.
    """
    raise NotImplementedError("TODO 6.6: normalise each channel over the batch and all positions")


class BatchNorm2d(nn.Module):
    """Batch normalisation as a layer: parameters `weight`, `bias`; buffers `running_mean`, `running_var`.

    In training mode it normalises with the batch's statistics and updates the running ones, new = (1 − momentum)·old +
    momentum·batch, with the unbiased variance. In evaluation mode it normalises with the running ones.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        raise NotImplementedError("TODO 6.7: create the parameters and the buffers")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """N×C×H×W → the same shape."""
        raise NotImplementedError("TODO 6.7: normalise with the batch's statistics or with the running ones")
