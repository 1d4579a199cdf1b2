"""Parameters of a student's network by name, and dropout that is switched off however it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .. import says


class NotAsAsked(Exception):
    """A layer of the student's is not what the task asks for."""


@torch.no_grad()
def set_weights(model: torch.nn.Module, weights: Mapping[str, torch.Tensor], images: torch.Tensor) -> None:
    """Copy tensors named like `conv1.weight` into the model's layers, reached by attribute.

    The model first sees the images: a lazy layer has no weights before its first input.
    """
    model(images)
    for name, value in weights.items():
        layer, part = name.rsplit(".", 1)
        place: Any = model
        for step in layer.split("."):
            place = getattr(place, step)
        own = getattr(place, part)
        if own is None:
            raise NotAsAsked(says(f"{layer} has no {part}"))
        if own.shape != value.shape:
            raise NotAsAsked(says(f"{name} has the shape {tuple(own.shape)}, and not {tuple(value.shape)}"))
        own.copy_(value)


def answer_of(
    model: torch.nn.Module,
    images: torch.Tensor,
    weights: Mapping[str, torch.Tensor] | None = None,
    example: torch.Tensor | None = None,
) -> Any:
    """Return what a model gives in evaluation mode, with `weights`, if any, copied into its layers.

    Before that it sees `example`, or else the images. An error over a single image, without the batch's axis, says so.
    """
    model.eval()
    if weights is not None:
        set_weights(model, weights, images if example is None else example)
    try:
        return model(images)
    except RuntimeError as error:
        if images.dim() == 3:
            error.args = (f"{error}; {says('a single image has no batch axis')}",)
        raise


def weights_of(model: torch.nn.Module, layers: Iterable[str]) -> dict[str, torch.Tensor]:
    """Return copies of the layers' weights and biases on the CPU, named like `conv1.weight`."""
    return {
        f"{layer}.{part}": getattr(getattr(model, layer), part).detach().cpu().clone()
        for layer in layers
        for part in ("weight", "bias")
    }


def shapes_of(model: torch.nn.Module, layers: Iterable[str], example: torch.Tensor | None = None) -> dict[str, Any]:
    """Return the shape of each layer's weight, None for what is not there, and the names of all `layers` that are.

    The model first sees `example`, where one is given: a lazy layer has no weights before its first input.
    """
    if example is not None:
        with torch.no_grad():
            model(example)
    found: dict[str, Any] = {"layers": [name for name, _ in model.named_children()]}
    for layer in layers:
        weight = getattr(getattr(model, layer, None), "weight", None)
        found[layer] = list(weight.shape) if isinstance(weight, torch.Tensor) else None
    return found


def gradients_of(
    model: torch.nn.Module, images: torch.Tensor, layers: Iterable[str], part: int | None = None
) -> dict[str, Any]:
    """Return each layer's greatest gradient, None for none, of the sum of squares of what the model gives for images.

    `part` is the place of the output among several. `cut` says that it belongs to no graph, `returned` what came in
    place of a tensor.
    """
    model.eval()
    result = model(images)
    several = isinstance(result, (tuple, list))
    output = result if part is None else result[part] if several and part < len(result) else None
    if not isinstance(output, torch.Tensor):
        return {"returned": type(result).__name__}
    if not output.requires_grad:
        return {"cut": True}
    output.square().sum().backward()
    grads = {layer: getattr(model, layer).weight.grad for layer in layers}
    return {layer: None if grad is None else float(grad.abs().max()) for layer, grad in grads.items()}


class WithoutDropout(TorchFunctionMode):
    """While it is on, dropout lets everything through: it is welcome, and a short run has no time for it."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if "dropout" in getattr(func, "__name__", ""):
            return args[0] if args else kwargs["input"]
        return func(*args, **kwargs)
