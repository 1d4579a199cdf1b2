"""What week 6's public checks ask of `training.py`: each probe calls it and returns plain data."""

import copy
import functools
import inspect
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CPU = torch.device("cpu")


def accuracy(student, logits, labels):
    return student.training.calculate_accuracy(logits, labels)


def times(student, pairs):
    return [student.training.epoch_time(start, end) for start, end in pairs]


# 6.14: the loops, on models of the judge's own


def attempt(call):
    """What it returns, or None where it raises."""
    try:
        return call()
    except Exception:
        return None


class Number(float):
    """A number that gives itself when it is asked as a tensor is."""

    def item(self):
        return float(self)


def right_accuracy(own):
    """A `calculate_accuracy` that is right, and gives a tensor or a number as the student's does."""
    logits, labels = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), torch.tensor([0, 1, 1])
    found = attempt(lambda: own(logits, labels))
    if isinstance(found, torch.Tensor) and found.shape == () and abs(float(found) - 2 / 3) < 1e-4:
        return own

    def calculate_accuracy(logits, labels, *_, **__):
        rows = zip(logits.tolist(), labels.tolist(), strict=True)
        fraction = sum(row.index(max(row)) == label for row, label in rows) / len(logits)
        return Number(fraction) if isinstance(found, float) else torch.tensor(fraction)

    return calculate_accuracy


def right_time(own):
    """An `epoch_time` that is right. One that gives a text is left alone: whoever calls it expects that."""
    found = attempt(lambda: own(0.0, 125.5))
    if isinstance(found, str) or attempt(lambda: tuple(found)) == (2, 5):
        return own
    return lambda start, end, *_, **__: (int(end - start) // 60, int(end - start) % 60)


class Linear(nn.Module):
    """Linear classifier on flat features that records how it was called."""

    def __init__(self, weight, bias):
        super().__init__()
        self.layer = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            self.layer.weight.copy_(weight)
            self.layer.bias.copy_(bias)
        self.modes = []
        self.grad_modes = []
        self.devices = []
        self.first = None

    def forward(self, features):
        self.modes.append(self.training)
        self.devices.append(str(features.device))
        logits = self.layer(features)
        self.first = logits.detach().clone() if self.first is None else self.first
        self.grad_modes.append(logits.requires_grad)  # whichever way gradients are switched off
        return logits


class Normed(Linear):
    """The same behind batch normalisation and dropout, which show in the values whether the mode is right."""

    def __init__(self, weight, bias, mean, var):
        super().__init__(weight, bias)
        self.norm = nn.BatchNorm1d(weight.shape[1])
        self.norm.running_mean.copy_(mean)
        self.norm.running_var.copy_(var)
        self.dropout = nn.Dropout(0.5)

    def forward(self, features):
        return super().forward(self.dropout(self.norm(features)))


class Located(nn.CrossEntropyLoss):
    """Cross-entropy that records where logits and labels are."""

    def __init__(self):
        super().__init__()
        self.devices = []

    def forward(self, logits, labels):
        self.devices.append([str(logits.device), str(labels.device)])
        return super().forward(logits, labels)


def signature_of(function):
    """The names of a function's parameters, in order; None where it takes any name."""
    parameters = inspect.signature(function).parameters.values()
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return None if anything else [parameter.name for parameter in parameters]


@torch.no_grad()
def recording_after(call):
    """Whether gradients are recorded after a call before which they were not. Nothing can be trained without them."""
    with suppress(RuntimeError):
        call()
    return torch.is_grad_enabled()


def trained(student, weight, bias, features, labels, batch_size, lr, again=False):
    """One epoch of the student's `train` on a linear model, plain SGD, with stale gradients to begin with.

    Then `again`, with a copy of the model, while no gradients are recorded.
    """
    with student.instead("training", calculate_accuracy=right_accuracy):
        model = Linear(weight, bias)
        model.eval()
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 5.0)
        loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        result = student.training.train(model, loader, optimizer, nn.CrossEntropyLoss(), CPU)
        grad_enabled = [torch.is_grad_enabled()]
        if again:
            twin = copy.deepcopy(model)
            rest = (loader, torch.optim.SGD(twin.parameters(), lr=lr), nn.CrossEntropyLoss(), CPU)
            grad_enabled.append(recording_after(lambda: student.training.train(twin, *rest)))
        return {
            "result": result,
            "weight": model.layer.weight,
            "bias": model.layer.bias,
            "modes": model.modes,
            "grad_enabled": grad_enabled,
            "requires_grad": [p.requires_grad for p in model.parameters()],
        }


def evaluated(student, weight, bias, mean, var, features, labels, batch_size):
    """The student's `evaluate` on a model with batch normalisation and dropout that is in training mode."""
    with student.instead("training", calculate_accuracy=right_accuracy):
        model = Normed(weight, bias, mean, var)
        model.train()
        model.norm.bias.requires_grad_(False)
        model.layer.bias.grad = torch.full_like(model.layer.bias, 3.0)
        loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
        rest = (loader, nn.CrossEntropyLoss(), CPU)
        result = student.training.evaluate(model, *rest)
        recording = torch.is_grad_enabled()
        return {
            "result": result,
            "grad_enabled": [recording, recording_after(lambda: student.training.evaluate(model, *rest))],
            "modes": model.modes,
            "grad_modes": model.grad_modes,
            "first": model.first,
            "weight": model.layer.weight,
            "running_mean": model.norm.running_mean,
            "running_var": model.norm.running_var,
            "bias_grad": model.layer.bias.grad,
            "requires_grad": {name: p.requires_grad for name, p in model.named_parameters()},
        }


def loops_elsewhere(student, weight, bias, features, labels):
    """Of `train` and `evaluate`: the parameters; where inputs and labels are when they are given another device."""
    with student.instead("training", calculate_accuracy=right_accuracy):
        found = {}
        for name in ("train", "evaluate"):
            loop = getattr(student.training, name)
            with student.elsewhere() as device:
                model, criterion = Linear(weight, bias).to(device), Located()
                loader = DataLoader(TensorDataset(features, labels), batch_size=4)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                loop(model, loader, *([optimizer] if name == "train" else []), criterion, device)
            found[name] = located(loop, device, model, criterion)
        return found


def located(function, device, model, criterion):
    return {
        "parameters": signature_of(function),
        "device": str(device),
        "inputs": model.devices,
        "labels": criterion.devices,
        "first": model.first,
    }


# 6.16: fit


class Watch:
    """What happens in a run of `fit`: the model's weights whenever it is validated, and the checkpoint's afterwards."""

    def __init__(self, model, losses, file):
        self.model = model
        self.losses = losses
        self.file = file
        self.validated = []
        self.saved = []
        self.calls = []

    def note_saved(self):
        """The checkpoint as it is after an epoch: before anything of the next one happens."""
        if len(self.saved) < len(self.validated):
            self.saved.append(weight_in(self.file))

    def note_validation(self):
        """One validation pass begins; its scripted loss."""
        self.note_saved()
        self.validated.append(self.model.weight.detach().clone())
        return self.losses[len(self.validated) - 1] if len(self.validated) <= len(self.losses) else 99.0


def weight_in(file):
    """The checkpoint's weight, or what is wrong with it."""
    if not file.is_file():
        return "no file"
    try:
        state = torch.load(file, weights_only=True)
    except Exception as error:
        return f"it does not load with weights_only=True: {type(error).__name__}"
    if not isinstance(state, dict) or not isinstance(state.get("weight"), torch.Tensor):
        return "it is not a bare state dict"
    return state["weight"]


def fitted(student, losses, as_text, stand_ins, weight):
    """The student's `fit` of a linear model, with a weight to begin with, whose validation losses are given.

    With `stand_ins` the module's `train` (which here only changes the weight) and `evaluate` are replaced; without, the
    criterion says the given losses whenever no gradients are recorded.
    """
    with student.instead("training", epoch_time=right_time, calculate_accuracy=right_accuracy):
        model = nn.Linear(3, 2)
        with torch.no_grad():
            model.weight.copy_(weight)
        data = TensorDataset(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]))
        loaders = [DataLoader(data, batch_size=4), DataLoader(data, batch_size=4)]
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "best.pt"
            watch = Watch(model, losses, file)

            def criterion(logits, labels):
                if torch.is_grad_enabled():
                    watch.note_saved()
                    return nn.functional.cross_entropy(logits, labels)
                return torch.tensor(watch.note_validation())

            with replaced_loops(student.training if stand_ins else None, watch, loaders, {}):
                history = student.training.fit(
                    model, *loaders, optimizer, criterion, CPU, len(losses), str(file) if as_text else file
                )
            watch.note_saved()
            return {
                "history": history is not None,
                "validated": watch.validated,
                "saved": watch.saved,
                "end": model.weight.detach().clone(),
                "calls": watch.calls,
                "file": weight_in(file),
            }


def handed_on(student, weight, bias, features, labels):
    """The parameters of `fit`, and what it gives to `train` and `evaluate` when it is given another device.

    No checkpoint can be loaded there: what happens after the calls is for other checks.
    """
    with student.instead("training", epoch_time=right_time, calculate_accuracy=right_accuracy):
        with tempfile.TemporaryDirectory() as folder, student.elsewhere() as device:
            model, criterion = Linear(weight, bias).to(device), Located()
            data = TensorDataset(features, labels)
            loaders = [DataLoader(data, batch_size=4), DataLoader(data, batch_size=4)]
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            watch, ended = Watch(model.layer, [0.5, 0.4], Path(folder) / "best.pt"), True
            given = {"model": model, "optimizer": optimizer, "criterion": criterion, "device": device}
            with replaced_loops(student.training, watch, loaders, given):
                try:
                    student.training.fit(model, *loaders, optimizer, criterion, device, 2, watch.file)
                except Exception:
                    ended = False
                    if not watch.calls and not model.devices:
                        raise
        return {"calls": watch.calls, "ended": ended, **located(student.training.fit, device, model, criterion)}


@contextmanager
def replaced_loops(training, watch, loaders, known):
    """Have `train` and `evaluate` only note their loader, and what of the `known` they did not get.

    Also what the model says of the data at that moment.
    """
    own = [getattr(training, name, None) for name in ("train", "evaluate")]
    if training is None or None in own:
        yield
        return

    def note(kind, args, kwargs):
        given = [*args, *kwargs.values()]
        names = zip(("train", "valid"), loaders, strict=True)
        loader = next((name for name, one in names if any(g is one for g in given)), "another")
        needed = [name for name in known if kind == "train" or name != "optimizer"]
        missing = [name for name in needed if not any(is_same(g, known[name]) for g in given)]
        watch.calls.append([kind, loader, missing, answer_to(loaders[0], watch.model)])

    def train(*args, **kwargs):
        watch.note_saved()
        note("train", args, kwargs)
        with torch.no_grad():
            watch.model.weight.add_(1.0)
        return 1 / len(watch.calls), 0.5  # the loss falls in training, whatever validation says

    def evaluate(*args, **kwargs):
        note("evaluate", args, kwargs)
        return watch.note_validation(), 0.5

    training.train, training.evaluate = train, evaluate
    try:
        yield
    finally:
        training.train, training.evaluate = own


@torch.no_grad()
def answer_to(loader, layer):
    """What a layer says of a loader's data."""
    return layer(loader.dataset.tensors[0].to(layer.weight.device))


def is_same(one, known):
    """Whether an argument is what is known; a device may be given by its name."""
    return str(one) == str(known) if isinstance(known, torch.device) else one is known
