"""Week 6, transfer."""

from collections.abc import Iterable

from torch import nn


def count_parameters(model: nn.Module) -> int:
    total = 0
    for _, parameter in model.named_parameters():
        if parameter.requires_grad:
            total += parameter.nelement()
    return total


def freeze(module: nn.Module) -> None:
    def off(parameters: Iterable[nn.Parameter]) -> None:
        for parameter in parameters:
            parameter.requires_grad = False

    for child in module.modules():
        off(child.parameters(recurse=False))


def swap_head(model: nn.Module, output_dim: int) -> nn.Module:
    last = len(model.classifier) - 1
    model.classifier[last] = nn.Linear(model.classifier[last].in_features, output_dim)
    return model


def discriminative_param_groups(model: nn.Module, lr: float, factor: float = 10) -> list[dict]:
    features = set(model.features.parameters())
    groups = {"features": {"params": [], "lr": lr / factor}, "rest": {"params": [], "lr": lr}}
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups["features" if parameter in features else "rest"]["params"].append(parameter)
    return list(groups.values())
