"""What week 4's public checks ask of your code: each probe calls it and returns plain data.

Probes run beside your code and decide nothing; the checks in `test_week4.py` judge what they return.
"""

import gc
import random
import weakref
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

CPU = torch.device("cpu")
LAYERS = ("fc1", "fc2", "fc3")


# 4.1: seeds


def draws(student, seed, before, numbers):
    """How each generator shuffles the `numbers` after `set_seed`, and what it gives then.

    `before` numbers are drawn from each of them first.
    """
    for _ in range(before):
        random.random()
        np.random.rand()
        torch.rand(1)
    student.training.set_seed(seed)
    return {
        "Python's random": [*random.sample(numbers, len(numbers)), random.random(), random.randint(0, 10**9)],
        "NumPy": [*np.random.permutation(numbers).tolist(), *np.random.rand(3).tolist()],
        "torch": [
            *(numbers[place] for place in torch.randperm(len(numbers)).tolist()),
            *torch.cat([torch.rand(3), nn.Linear(2, 2).weight.detach().flatten()]).tolist(),
        ],
    }


# 4.2: the derivative

FUNCTIONS = {
    "polynomial": lambda x, a, b, c: a * x**2 + b * x + c,
    "sine": lambda x, a, b, c: a * torch.sin(b * x) + c,
    "half": lambda x, a, b, c: a * x * x.detach() + b * x,  # to autograd, x.detach() is a constant
}


def derivative(student, name, x, a, b, c):
    """The student's derivative of one of the functions above, and what that function was given."""
    seen = []

    def f(point):
        kind = "Tensor" if isinstance(point, torch.Tensor) else type(point).__name__  # an nn.Parameter is one, too
        seen.append([kind, str(getattr(point, "dtype", "")), list(getattr(point, "shape", [-1]))])
        return FUNCTIONS[name](point, a, b, c)

    return {"derivative": student.fcnn.derivative(f, x), "seen": seen}


def derivative_of(student, returned, x, slope=3.0):
    """The derivative of a function that ignores its input, or of `slope`·x."""
    another_leaf = torch.tensor(3.0, requires_grad=True)
    returning = {
        "a number": lambda point: 7.5,
        "a tensor without a graph": lambda point: torch.tensor(2.0),
        "a tensor of another leaf": lambda point: another_leaf * 2,
        "slope·x": lambda point: point * slope,
    }
    return student.fcnn.derivative(returning[returned], x)


def left_alive(student, x):
    """A derivative, and whether the tensor that f was given still exists after the call."""
    gc.freeze()  # only what comes from here on is searched: all of torch's objects would take long
    alive = []

    def f(point):
        alive.append(weakref.ref(point))
        return point**3 + 2 * point

    slope = student.fcnn.derivative(f, x)
    gc.collect()
    gc.unfreeze()
    return {"derivative": slope, "alive": [reference() is not None for reference in alive]}


# 4.3: pixel statistics


def pixel_stats(student, images, as_numpy):
    return student.training.pixel_stats(images.numpy() if as_numpy else images)


# 4.4 and 4.5: the split and the loaders


def split(student, labels, **options):
    """The items of both parts."""
    return student.kit.split_items(student.training.split_train_valid(student.kit.Numbers(labels), **options))


def draws_after_split(student, seed, labels):
    """What the global generators, seeded before the split, give after it, and the items of both parts."""
    split, data, items = student.training.split_train_valid, student.kit.Numbers(labels), student.kit.split_items
    return student.kit.draws_after(seed, lambda: items(split(data, seed=seed + 1)))


def batches(student, lengths, passes, **options):
    """For each of the three loaders: the numbers in its batches, for several passes over it."""
    datasets = [TensorDataset(torch.arange(length), torch.zeros(length)) for length in lengths]
    loaders = student.training.make_loaders(*datasets, **options)
    if not isinstance(loaders, (tuple, list)):
        return {"returned": type(loaders).__name__}
    loaders = [without_workers(loader) for loader in loaders]
    return {
        "kinds": [isinstance(loader, DataLoader) for loader in loaders],
        "passes": [[[numbers.tolist() for numbers, _ in loader] for _ in range(passes)] for loader in loaders],
    }


def without_workers(loader):
    """The loader, which loads in this process: worker processes change no batch, but take long to start."""
    if isinstance(loader, DataLoader):
        loader.num_workers = loader.timeout = 0
    return loader


# 4.6: the network


def weights_of(seed, sizes):
    """Parameters for layers of these sizes, drawn from a generator of their own.

    Entry (i, j) of a matrix is number 7·i + j of a row of random numbers: millions of them would take long to draw.
    """
    gen = torch.Generator().manual_seed(seed)
    weights = {}
    for number, (width, size) in enumerate(zip(sizes[1:], sizes, strict=False), start=1):
        row = torch.randn(7 * width + size, generator=gen) * (2 / size) ** 0.5
        weights[f"fc{number}.weight"] = row.as_strided((width, size), (7, 1)).contiguous()
        weights[f"fc{number}.bias"] = torch.randn(width, generator=gen) * 0.1
    return weights


def fcnn_outputs(student, inputs, classes, seed=None, constants=({},), layers=LAYERS):
    """One network's logits for each of `inputs`, batches of one size of image.

    With `seed` the weights of `layers` come from `weights_of`, and for each of `constants`, which fills some of them,
    the network is asked anew.
    """
    size = inputs[0][0].numel()
    model = student.fcnn.FCNN(size, classes)
    model.eval()
    drawn = {} if seed is None else weights_of(seed, [size, 1024, 2048, classes])
    weights = {name: value for name, value in drawn.items() if name.split(".")[0] in layers}
    logits = []
    for constant in constants:
        filled = {name: torch.full_like(weights[name], value) for name, value in constant.items()}
        student.kit.set_weights(model, {**weights, **filled}, inputs[0][:1])
        logits += [model(batch) for batch in inputs]
    return logits


def fcnn_logits(student, inputs, classes):
    """A new network's logits for one batch, of images or flat."""
    return student.kit.answer_of(student.fcnn.FCNN(inputs[0].numel(), classes), inputs)


def fcnn_layers(student, size, classes):
    """Shapes of the layers' weights, by name; None for what is not there."""
    return student.kit.shapes_of(student.fcnn.FCNN(size, classes), LAYERS, torch.zeros(1, size))


# 4.7 to 4.10: the loops, on models of the judge's own


def train_loop(student, **options):
    return student.kit.in_order(student.training.train, "model device loader optimizer criterion", 1, **options)


def validate_loop(student):
    return student.kit.in_order(student.training.validate, "model device loader criterion")


def trained(student, weight, bias, features, labels, batch_size, lr, again=False, **options):
    """One epoch of the student's `train` on a linear model, plain SGD, with stale gradients to begin with."""
    loop = train_loop(student, **options)
    return student.kit.trained(loop, weight, bias, features, labels, batch_size, lr, again=again)


def trained_elsewhere(student, *problem):
    """The parameters of the student's `train`; where inputs and labels are when it is given another device."""
    return student.kit.located(student.training.train, train_loop(student), *problem)


def validated(student, *problem):
    """The student's `validate` on a model with batch normalisation and dropout that is in training mode."""
    return student.kit.evaluated(validate_loop(student), *problem)


def validated_elsewhere(student, *problem):
    """The parameters of the student's `validate`; where inputs and labels are when it is given another device."""
    return student.kit.located(student.training.validate, validate_loop(student), *problem)


def fitted(student, weight, bias, train, valid, batch_size, lr, epochs, stand_ins):
    """The student's `fit` on a linear model, with another device than the CPU.

    With `stand_ins` (what `train` and `validate` are to return in each epoch) these two are replaced, and it is noted
    how they were called.
    """
    calls = []
    training = student.training
    with student.elsewhere() as device:
        model, criterion = student.kit.Linear(weight, bias).to(device), student.kit.Located()
        loaders = {name: DataLoader(TensorDataset(*data), batch_size=batch_size) for name, data in
                   (("train", train), ("valid", valid))}  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        given = {"model": model, "device": device, "optimizer": optimizer, "criterion": criterion}
        with replaced_loops(student, loaders, given, stand_ins, calls):
            result = training.fit(model, device, loaders["train"], loaders["valid"], optimizer, criterion, epochs)
    wanted = ("train_losses", "valid_losses", "valid_accuracies")
    history = {key: result[key] for key in wanted if key in result} if isinstance(result, dict) else result
    where = student.kit.places_of(training.fit, device, model, criterion)
    return {"history": history, "calls": calls, "weight": model.layer.weight, **where}


def replaced_loops(student, loaders, given, stand_ins, calls):
    """Have `train` and `validate` only note their loader, epoch, interval, and what of `given` they did not get.

    Also what the model says of the data at that moment.
    """
    if stand_ins is None:
        return nullcontext()

    def note(kind, names, args, kwargs):
        got = [*args, *kwargs.values()]
        named = {**dict(zip(names, args, strict=False)), **kwargs}
        loader = next((name for name, known in loaders.items() if any(g is known for g in got)), "another loader")
        epoch = named.get("epoch", next((g for g in got[:6] if isinstance(g, (int, np.integer))), None))
        missing = [name for name in names if name in given and not any(is_same(g, given[name]) for g in got)]
        answer = answer_to(loaders["train" if kind == "train" else "valid"], given["model"])
        calls.append([kind, loader, [int(epoch or 0), int(named.get("log_interval", 100))], missing, answer])
        return stand_ins[kind][min(sum(call[0] == kind for call in calls), len(stand_ins[kind])) - 1]

    def train(*args, **kwargs):
        names = ("model", "device", "train_loader", "optimizer", "criterion", "epoch", "log_interval")
        return list(note("train", names, args, kwargs))

    def validate(*args, **kwargs):
        return tuple(note("validate", ("model", "device", "loader", "criterion", "dataset_name"), args, kwargs))

    return student.instead("training", train=lambda own: train, validate=lambda own: validate)


@torch.no_grad()
def answer_to(loader, model):
    """What a model's layer says of a loader's data."""
    layer, features = model.layer, loader.dataset.tensors[0]
    return layer(features.to(layer.weight.device))


def is_same(one, known):
    """Whether an argument is what is known; a device may be given by its name."""
    return str(one) == str(known) if isinstance(known, torch.device) else one is known


def predicted(student, weight, bias, mean, var, images):
    """The student's `predict` for each of N×C×H×W images, by a model that arrives in training mode each time."""
    model, kit = student.kit.Normed(weight, bias, mean, var), student.kit
    classes = []
    for image in images:
        model.train()
        classes.append(student.fcnn.predict(model, image, CPU))
    recording = torch.is_grad_enabled()
    return {
        "classes": classes,
        "grad_enabled": [recording, kit.recording_after(lambda: student.fcnn.predict(model, images[0], CPU))],
        "running_mean": model.norm.running_mean,
    }


def predicted_elsewhere(student, weight, bias, image):
    """The parameters of the student's `predict`, and where the image is when it is given another device."""
    with student.elsewhere() as device:
        model = student.kit.Linear(weight, bias).to(device)
        student.fcnn.predict(model, image, device)
    return student.kit.places_of(student.fcnn.predict, device, model)


# 4.11: the whole


class Pictures(Dataset):
    """Normalised images and labels, one by one."""

    def __init__(self, images, labels):
        self.images = images
        self.labels = labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], int(self.labels[index])


def trained_weights(student, images, labels, seed, mean, std, lr, epochs):
    """FCNN's parameters after short training on the student's device; uint8 images.

    Everything around the network and `fit` is the student's as well, as far as it works: where one of these gives
    nothing usable, `mean` and `std`, a plain split, or a plain loader stand in, since each has its own checks.
    """

    def train(device, criterion):
        return trained_on(device, criterion, student, images, labels, seed, mean, std, lr, epochs)

    got = student.kit.on_device(student.device, train)
    return {**got["after"], "losses": got["losses"]}


def trained_on(device, criterion, student, images, labels, seed, mean, std, lr, epochs):
    training = student.training
    attempt(lambda: training.set_seed(seed))
    stats = attempt(lambda: [float(value) for value in training.pixel_stats(images[:, 0])])
    usable = stats is not None and len(stats) == 2 and abs(stats[0] - mean) < 0.01 and abs(stats[1] - std) < 0.01
    mean, std = stats if usable else (mean, std)
    data = Pictures((images.float() / 255 - mean) / std, labels)
    parts = attempt(lambda: training.split_train_valid(data))
    split = sized(parts, 2, len(data)) and len(parts[0]) > len(parts[1]) and holding_pairs(parts)
    cut = len(data) * 9 // 10  # of more there would be a small batch, which throws a network back
    parts = parts if split else (Subset(data, range(cut)), Subset(data, range(cut, len(data))))
    loaders = attempt(lambda: training.make_loaders(*parts, parts[1]))
    loading = isinstance(loaders, (tuple, list)) and all(isinstance(loader, DataLoader) for loader in loaders)
    if loading:
        loaders = [without_workers(loader) for loader in loaders]
    else:
        loaders = [DataLoader(part, batch_size=64) for part in parts]
    model = student.fcnn.FCNN(images[0].numel(), 10)
    with torch.no_grad():
        model(data.images[:1])
    optimizer = torch.optim.SGD(model.to(device).parameters(), lr=lr, momentum=0.9, fused=True)
    training.fit(model, device, loaders[0], loaders[1], optimizer, criterion, epochs)
    own = {"stats": usable, "split": split, "loaders": loading}
    return {"after": student.kit.weights_of(model, LAYERS), "stats": [mean, std], "own": own}


def attempt(call):
    """What it returns, or None where it raises."""
    try:
        return call()
    except Exception:
        return None


def sized(parts, count, total):
    """Whether these are `count` datasets of `total` items together."""
    lengths = attempt(lambda: [len(part) for part in parts])
    return lengths is not None and len(lengths) == count and sum(lengths) == total and min(lengths) > 0


def holding_pairs(parts):
    """Whether the first item of each is an image with its label."""
    return attempt(lambda: all(isinstance(part[0][0], torch.Tensor) and len(part[0]) == 2 for part in parts)) is True


def predictions_with(student, weights, images, mean, std, few=0):
    """Logits of a new FCNN for a `few` uint8 images, and with these parameters for all."""
    model = student.fcnn.FCNN(images[0].numel(), 10)
    inputs = (images.float() / 255 - mean) / std
    model.eval()
    with torch.no_grad():
        untrained = model(inputs[:few])
        student.kit.set_weights(model, weights, inputs[:1])
        return {"untrained": untrained, "logits": model(inputs)}
