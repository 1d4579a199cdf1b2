"""What week 6's public checks ask of `training.py`: each probe calls it and returns plain data."""

import copy
import functools
import inspect
import tempfile
from contextlib import nullcontext, suppress
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


def train_loop(student):
    return student.kit.in_order(student.training.train, "model loader optimizer criterion device")


def evaluate_loop(student):
    return student.kit.in_order(student.training.evaluate, "model loader criterion device")


def trained(student, *problem, again=False):
    """One epoch of the student's `train` on a linear model, plain SGD, with stale gradients to begin with."""
    with student.instead("training", calculate_accuracy=right_accuracy):
        return student.kit.trained(train_loop(student), *problem, again=again)


def evaluated(student, *problem):
    """The student's `evaluate` on a model with batch normalisation and dropout that is in training mode."""
    with student.instead("training", calculate_accuracy=right_accuracy):
        return student.kit.evaluated(evaluate_loop(student), *problem)


def loop_elsewhere(student, name, *problem):
    """The parameters of `train` or `evaluate`; where inputs and labels are when it is given another device."""
    loop = {"train": train_loop, "evaluate": evaluate_loop}[name]
    with student.instead("training", calculate_accuracy=right_accuracy):
        return student.kit.located(getattr(student.training, name), loop(student), *problem)


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

            with replaced_loops(student, watch, loaders, {}) if stand_ins else nullcontext():
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
            model, criterion = student.kit.Linear(weight, bias).to(device), student.kit.Located()
            data = TensorDataset(features, labels)
            loaders = [DataLoader(data, batch_size=4), DataLoader(data, batch_size=4)]
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            watch, ended = Watch(model.layer, [0.5, 0.4], Path(folder) / "best.pt"), True
            given = {"model": model, "optimizer": optimizer, "criterion": criterion, "device": device}
            with replaced_loops(student, watch, loaders, given):
                try:
                    student.training.fit(model, *loaders, optimizer, criterion, device, 2, watch.file)
                except Exception:
                    ended = False
                    if not watch.calls and not model.calls.devices:
                        raise
        places = student.kit.places_of(student.training.fit, device, model, criterion)
        return {"calls": watch.calls, "ended": ended, **places}


def replaced_loops(student, watch, loaders, known):
    """Have `train` and `evaluate` only note their loader, and what of the `known` they did not get.

    Also what the model says of the data at that moment.
    """

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

    return student.instead("training", train=lambda own: train, evaluate=lambda own: evaluate)


@torch.no_grad()
def answer_to(loader, layer):
    """What a layer says of a loader's data."""
    return layer(loader.dataset.tensors[0].to(layer.weight.device))


def is_same(one, known):
    """Whether an argument is what is known; a device may be given by its name."""
    return str(one) == str(known) if isinstance(known, torch.device) else one is known
