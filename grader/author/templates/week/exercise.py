"""$TITLE: what this module is about."""

import torch


def mean_squared_error(predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean of the squared differences of two tensors of one shape, as a tensor without axes."""
    # BEGIN SOLUTION $N.1: average the squared differences
    return (predictions - targets).square().mean()
    # END SOLUTION
