"""Week 6, part 4: what fine-tuning needs."""

from torch import nn


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters; those that are shared count once."""
    # BEGIN SOLUTION 6.9: count the numbers that training changes
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # END SOLUTION


def freeze(module: nn.Module) -> None:
    """Have no parameter of the module require gradients; everything else stays as it is."""
    # BEGIN SOLUTION 6.10: switch gradients off, parameter by parameter
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    # END SOLUTION


def swap_head(model: nn.Module, output_dim: int) -> nn.Module:
    """Replace the last layer of `model.classifier` by a fresh `Linear` with `output_dim` outputs; returns the model."""
    # BEGIN SOLUTION 6.11: replace the classifier's last layer
    old = model.classifier[-1]
    model.classifier[-1] = nn.Linear(old.in_features, output_dim)
    return model
    # END SOLUTION


def discriminative_param_groups(model: nn.Module, lr: float, factor: float = 10) -> list[dict]:
    """Groups for an optimizer: `features` learns at `lr / factor`, every other trainable parameter at `lr`."""
    # BEGIN SOLUTION 6.12: sort the trainable parameters into two groups
    slow = [parameter for parameter in model.features.parameters() if parameter.requires_grad]
    known = {id(parameter) for parameter in slow}
    fast = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    return [{"params": slow, "lr": lr / factor}, {"params": fast, "lr": lr}]
    # END SOLUTION
