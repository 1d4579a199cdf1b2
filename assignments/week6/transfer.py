"""Week 6, part 4: what fine-tuning needs."""

from torch import nn


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters; those that are shared count once."""
    raise NotImplementedError("TODO 6.9: count the numbers that training changes")


def freeze(module: nn.Module) -> None:
    """Have no parameter of the module require gradients; everything else stays as it is."""
    raise NotImplementedError("TODO 6.10: switch gradients off, parameter by parameter")


def swap_head(model: nn.Module, output_dim: int) -> nn.Module:
    """Replace the last layer of `model.classifier` by a fresh `Linear` with `output_dim` outputs; returns the model."""
    raise NotImplementedError("TODO 6.11: replace the classifier's last layer")


def discriminative_param_groups(model: nn.Module, lr: float, factor: float = 10) -> list[dict]:
    """Groups for an optimizer: `features` learns at `lr / factor`, every other trainable parameter at `lr`."""
    raise NotImplementedError("TODO 6.12: sort the trainable parameters into two groups")
