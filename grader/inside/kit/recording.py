"""Models and losses that note how they were called, and loops that are run on them: `checks.loops` judges the notes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ..elsewhere import elsewhere
from .calls import parameters, recording_after
from .layers import WithoutDropout

CPU = torch.device("cpu")
STALE, KEPT = 5.0, 3.0  # in every gradient before a loop trains, and in the bias's before one evaluates
# A loop of the student's, called with a model, a loader, an optimizer (None to evaluate), a criterion and a device.
Loop = Callable[[nn.Module, DataLoader[Any], Any, nn.Module, torch.device], Any]
Model = TypeVar("Model", bound=nn.Module)


class Calls:
    """What a model was asked, call by call; copies of the model note theirs here as well."""

    def __init__(self) -> None:
        self.modes: list[bool] = []  # whether it was in training mode
        self.grad_modes: list[bool] = []  # whether what it gave belongs to a graph, whichever way that is switched off
        self.devices: list[str] = []  # where the inputs were
        self.sizes: list[int] = []  # the inputs' first axes
        self.inputs: list[torch.Tensor] = []  # what they were
        self.first: torch.Tensor | None = None  # the first answer

    def __deepcopy__(self, memo: dict[int, Any]) -> Calls:
        return self

    def note(self, model: nn.Module, inputs: torch.Tensor, answer: Any) -> None:
        """Note one call."""
        logits = answer[0] if isinstance(answer, (tuple, list)) else answer
        self.modes.append(model.training)
        self.grad_modes.append(logits.requires_grad)
        self.devices.append(str(inputs.device))
        self.sizes.append(len(inputs))
        self.inputs.append(inputs.detach().clone())
        self.first = logits.detach().clone() if self.first is None else self.first


def watched(model: Model) -> Model:
    """Have a model of the probe's own note in `model.calls` how it is called, from now on; return it."""
    kind = type(model)

    def forward(self: Any, inputs: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        answer = kind.forward(self, inputs, *args, **kwargs)
        self.calls.note(self, inputs, answer)
        return answer

    model.__class__ = type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})
    model.calls = Calls()
    return model


class Linear(nn.Module):
    """Notes its calls: a linear classifier of N×features, or of images N×… with so many pixels.

    With `pair` it gives `(logits, features)`, as some nets do. `norm` keeps the mean of what it is given in training
    mode, which batch normalisation does there alone.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, pair: bool = False) -> None:
        super().__init__()
        self.layer = nn.Linear(weight.shape[1], weight.shape[0])
        self.layer.load_state_dict({"weight": weight, "bias": bias})
        self.norm = nn.BatchNorm1d(weight.shape[1], affine=False, momentum=None)
        self.pair = pair
        self.calls = Calls()

    def forward(self, inputs: torch.Tensor) -> Any:
        features = inputs.flatten(1)
        self.norm(features.detach())
        return self._answer(inputs, features)

    def _answer(self, given: torch.Tensor, features: torch.Tensor) -> Any:
        logits = self.layer(features)
        answer = (logits, features) if self.pair else logits
        self.calls.note(self, given, answer)
        return answer


class Normed(Linear):
    """The same behind batch normalisation and dropout, which show in the values whether the mode is right."""

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, var: torch.Tensor, pair: bool = False
    ) -> None:
        super().__init__(weight, bias, pair)
        self.norm = nn.BatchNorm1d(weight.shape[1])
        self.norm.running_mean, self.norm.running_var = mean.clone(), var.clone()
        self.dropout = nn.Dropout(0.5)

    def forward(self, inputs: torch.Tensor) -> Any:
        return self._answer(inputs, self.dropout(self.norm(inputs.flatten(1))))


class Located(nn.CrossEntropyLoss):
    """Cross-entropy that notes where logits and labels are."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[list[str]] = []

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        self.devices.append([str(logits.device), str(labels.device)])
        return super().forward(logits, labels)


def trained(
    loop: Loop, weight: torch.Tensor, bias: torch.Tensor, features: torch.Tensor, labels: torch.Tensor,
    batch_size: int, lr: float, again: bool = False, pair: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run a training loop once on a linear classifier in evaluation mode, by plain SGD, with stale gradients before.

    Then `again`, with a copy of the model, while no gradients are recorded.
    """
    model, loader = Linear(weight, bias, pair), DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    model.eval()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, STALE)
    result = loop(model, loader, torch.optim.SGD(model.parameters(), lr=lr), nn.CrossEntropyLoss(), CPU)
    found = {
        "result": result,
        "modes": model.calls.modes,
        "weight": model.layer.weight.detach().clone(),
        "bias": model.layer.bias.detach().clone(),
        "seen": model.norm.running_mean,
        "grad_enabled": [torch.is_grad_enabled()],
        "requires_grad": [p.requires_grad for p in model.parameters()],
    }
    if again:
        twin = copy.deepcopy(model)
        rest = torch.optim.SGD(twin.parameters(), lr=lr), nn.CrossEntropyLoss(), CPU
        found["grad_enabled"].append(recording_after(lambda: loop(twin, loader, *rest)))
    return found


def evaluated(
    loop: Loop, weight: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, var: torch.Tensor,
    features: torch.Tensor, labels: torch.Tensor, batch_size: int, pair: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run an evaluation loop on a classifier with batch normalisation and dropout that is in training mode.

    Then once more while no gradients are recorded.
    """
    model = Normed(weight, bias, mean, var, pair)
    model.train()
    model.norm.bias.requires_grad_(False)
    model.layer.bias.grad = torch.full_like(model.layer.bias, KEPT)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    rest = loader, None, nn.CrossEntropyLoss(), CPU
    result, recording = loop(model, *rest), torch.is_grad_enabled()
    return {
        "result": result,
        "grad_enabled": [recording, recording_after(lambda: loop(model, *rest))],
        "modes": model.calls.modes,
        "grad_modes": model.calls.grad_modes,
        "first": model.calls.first,
        "weight": model.layer.weight,
        "running_mean": model.norm.running_mean,
        "running_var": model.norm.running_var,
        "bias_grad": model.layer.bias.grad,
        "requires_grad": {name: p.requires_grad for name, p in model.named_parameters()},
    }


def predicted(
    loop: Loop, weight: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, var: torch.Tensor,
    images: torch.Tensor, labels: torch.Tensor, batch_size: int, pair: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Do as `evaluated` for a loop that collects tensors: whether they are `attached` to a graph, in place of calls."""
    found = evaluated(loop, weight, bias, mean, var, images, labels, batch_size, pair)
    attached = [bool(one.requires_grad) for one in found["result"] if isinstance(one, torch.Tensor)]
    return {**{name: found[name] for name in ("result", "grad_enabled", "running_mean")}, "attached": attached}


def located(
    function: Callable[..., Any], loop: Loop, weight: torch.Tensor, bias: torch.Tensor, features: torch.Tensor,
    labels: torch.Tensor, pair: bool = False, results: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return the function's parameters, and where inputs and labels were when `loop` gave it a device of its own.

    With `results` also where the parts of the result are.
    """
    with elsewhere() as device:
        model, criterion = Linear(weight, bias, pair).to(device), Located()
        loader = DataLoader(TensorDataset(features, labels), batch_size=4)
        result = loop(model, loader, torch.optim.SGD(model.parameters(), lr=0.1), criterion, device)
        notes = places_of(function, device, model, criterion)
        if results:
            parts = result if isinstance(result, (tuple, list)) else [result]
            notes["results"] = [str(one.device) if isinstance(one, torch.Tensor) else "cpu" for one in parts]
    return notes


def places_of(
    function: Callable[..., Any], device: torch.device, model: Any, criterion: Located | None = None
) -> dict[str, Any]:
    """Return a function's parameters, and where a model of the kit's and a `Located` loss noted inputs and labels."""
    return {
        "parameters": parameters(function),
        "device": str(device),
        "inputs": model.calls.devices,
        "labels": criterion.devices if criterion else [],
        "first": model.calls.first,
    }


def on_device(
    device: torch.device, train: Callable[[torch.device, nn.Module], Any], criterion: nn.Module | None = None
) -> dict[str, Any]:
    """Return what `train(device, criterion)` gives (`after`), and the `losses` of its batches, dropout switched off.

    A GPU costs no points, however it fails: then all is done over again without it.
    """
    try:
        return _recorded(device, train, criterion)
    except Exception:
        if device.type == "cpu":
            raise
        return _recorded(CPU, train, criterion)


def _recorded(
    device: torch.device, train: Callable[[torch.device, nn.Module], Any], criterion: nn.Module | None
) -> dict[str, Any]:
    noting, losses = copy.deepcopy(criterion or nn.CrossEntropyLoss()), list[float]()
    # The learning curve: what the criterion gives while gradients are recorded.
    noting.register_forward_hook(
        lambda _, given, value: losses.append(value.item()) if torch.is_grad_enabled() else None
    )
    with WithoutDropout():
        return {"after": train(device, noting), "losses": losses}
