"""Probes of week 4's hidden checks."""

import gc
import random
import weakref
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

CPU = torch.device("cpu")
LAYERS = ("fc1", "fc2", "fc3")


def seeded(student, seed, before, numbers):
    """Draws after `set_seed` of kinds that keep a state of their own; each generator has been used `before`.

    Two of them shuffle the `numbers` first.
    """
    for _ in range(before):
        random.gauss(0, 1)
        np.random.normal()
        torch.randn(3)
    student.training.set_seed(seed)
    model = nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 2))
    order = list(numbers)
    random.shuffle(order)
    return {
        "random": [*order, random.gauss(0, 1)],
        "numpy": [*np.random.permutation(numbers).tolist(), float(np.random.normal())],
        "torch": torch.cat(
            [model(torch.ones(3, 4)).detach().flatten(), torch.randn(2), torch.bernoulli(torch.full((9,), 0.5))]
        ),
    }


CURVES = {
    "composed": lambda x: torch.exp(torch.sin(x * x)),
    "rational": lambda x: (x**3 - 2 * x) / (1 + x * x),
    "indexed": lambda x: torch.stack([x, x * x, x**3])[1] * 3,
    "detached": lambda x: x.detach() ** 2 * x,
    "pieces": lambda x: torch.where(x > 0, x * 4, x * -2),
}


def slopes(student, name, points):
    return [student.fcnn.derivative(CURVES[name], x) for x in points]


def slope_and_rest(student, x):
    """A derivative where f uses a parameter too, what is left alive of it, and the caller's gradient mode."""
    gc.freeze()  # only what comes from here on is searched: all of torch's objects would take long
    parameter = torch.tensor(3.0, requires_grad=True)
    alive = []

    def f(point):
        alive.append(weakref.ref(point))
        return parameter * point**2

    value = student.fcnn.derivative(f, x)
    gc.collect()
    gc.unfreeze()
    return {"value": value, "alive": [r() is not None for r in alive], "grad_enabled": torch.is_grad_enabled()}


def stats_of(student, images, as_numpy):
    """The statistics, and whether the images are what they were."""
    given = images.numpy() if as_numpy else images
    before = given.copy() if as_numpy else given.clone()
    result = student.training.pixel_stats(given)
    return {"result": result, "unchanged": given.dtype == before.dtype and bool((given == before).all())}


class Pairs(Dataset):
    """Items (tensor [n, n²], label) of a dataset that allows no index out of range."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        index = int(index)
        if not 0 <= index < len(self.labels):
            raise IndexError(index)
        return torch.tensor([index, index * index]), self.labels[index]


def split_twice(student, labels, other_seed, **options):
    """Items of both parts, and of the training part of a second split amid other global seeds."""
    train, valid = student.training.split_train_valid(Pairs(labels), **options)
    found = {"train": [train[i] for i in range(len(train))], "valid": [valid[i] for i in range(len(valid))]}
    random.seed(other_seed)
    np.random.seed(other_seed)
    torch.manual_seed(other_seed)
    again, _ = student.training.split_train_valid(Pairs(labels), **options)
    return {**found, "again": [again[i] for i in range(len(again))]}


def loaded(student, lengths, passes, *args, **options):
    """For each loader and pass: its batches of numbers and labels."""
    datasets = [TensorDataset(torch.arange(n) * 3, torch.arange(n) % 7) for n in lengths]
    loaders = student.training.make_loaders(*datasets, *args, **options)
    for loader in loaders:
        if isinstance(loader, DataLoader):  # here too, no worker process has to start
            loader.timeout = loader.num_workers = 0
    return [[[[numbers, labels] for numbers, labels in loader] for _ in range(passes)] for loader in loaders]


def weights_of(seed, sizes):
    """Parameters for layers of these sizes, drawn from a generator of their own; rows of a matrix overlap."""
    gen = torch.Generator().manual_seed(seed)
    weights = {}
    for number, (width, size) in enumerate(zip(sizes[1:], sizes, strict=False), start=1):
        row = torch.randn(5 * width + size, generator=gen) * (2 / size) ** 0.5
        weights[f"fc{number}.weight"] = row.as_strided((width, size), (5, 1)).contiguous()
        weights[f"fc{number}.bias"] = torch.randn(width, generator=gen) * 0.1
    return weights


def fcnn_with(student, images, classes, seed):
    """FCNN's logits for given weights, and the gradients of fc1's and fc3's biases of the sum of squares."""
    size = images[0].numel()
    model, weights = student.fcnn.FCNN(size, classes), weights_of(seed, [size, 1024, 2048, classes])
    logits = student.kit.answer_of(model, images, weights, torch.zeros(1, size))
    if getattr(logits, "requires_grad", False):
        logits.square().sum().backward()
    return {"logits": logits, "gradients": [model.fc1.bias.grad, model.fc3.bias.grad]}


def trained(student, state, features, labels, log_interval):
    """State after two epochs of the student's `train`, and the losses of each."""
    train = student.training.train
    loop = student.kit.in_order(train, "model device loader optimizer criterion", 1, log_interval)
    return student.kit.trained_net(loop, state, features, labels, 4, 2, lr=0.1, momentum=0.9)


def trained_frozen(student, state, features, labels):
    """One epoch with a frozen layer; the criterion takes sums."""
    model = student.kit.Net(state)
    model.first.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01)
    loader = DataLoader(TensorDataset(features, labels), batch_size=5)
    summed = nn.CrossEntropyLoss(reduction="sum")
    losses = student.training.train(model, CPU, loader, optimizer, summed, 2, log_interval=2)
    return {
        "losses": losses,
        "state": dict(model.state_dict()),
        "requires_grad": {name: bool(p.requires_grad) for name, p in model.named_parameters()},
        "grad_enabled": torch.is_grad_enabled(),
    }


def validated(student, *problem):
    validate = student.training.validate
    loop = student.kit.in_order(validate, "model device loader criterion", "Test")
    return student.kit.evaluated_net(loop, *problem)


def fitted(student, state, train, valid, epochs, stand_ins):
    """The student's `fit`, with stand-ins for its loops (or, without `stand_ins`, with its own), and their calls."""
    model = student.kit.Net(state)
    loaders = {name: DataLoader(TensorDataset(*data), batch_size=6) for name, data in
               (("train", train), ("valid", valid))}  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    training, calls = student.training, []
    with replaced_loops(student, loaders, model, stand_ins, calls):
        given = (model, CPU, loaders["train"], loaders["valid"], optimizer, nn.CrossEntropyLoss())
        result = training.fit(*given, epochs)
    wanted = ("train_losses", "valid_losses", "valid_accuracies")
    history = {key: result[key] for key in wanted if key in result} if isinstance(result, dict) else result
    return {"history": history, "calls": calls, "state": dict(model.state_dict())}


def replaced_loops(student, loaders, model, stand_ins, calls):
    if stand_ins is None:
        return nullcontext()

    def stand_in(kind):
        def loop(*args, **kwargs):
            given = [*args, *kwargs.values()]
            loader = next((name for name, known in loaders.items() if any(g is known for g in given)), "another")
            calls.append([kind, loader, any(g is model for g in given)])
            result = stand_ins[kind][sum(call[0] == kind for call in calls) - 1]
            return list(result) if kind == "train" else tuple(result)

        return loop

    train, validate = stand_in("train"), stand_in("validate")
    return student.instead("training", train=lambda own: train, validate=lambda own: validate)


def predicted(student, state, images):
    """`predict` of each image by a network in training mode; its state and flags afterwards."""
    model = student.kit.Net(state, dropout=0.5)
    classes = []
    for image in images:
        model.train()
        classes.append(student.fcnn.predict(model, image, CPU))
    return {
        "classes": classes,
        "state": dict(model.state_dict()),
        "requires_grad": [bool(p.requires_grad) for p in model.parameters()],
    }
