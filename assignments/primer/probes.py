"""Run beside the student's code: they call it, and return plain data."""

import torch
from torch import nn


def corners(student, image):
    return student.exercises.corners(image)


def centred(student, table):
    return student.exercises.centred(table)


def scaled(student, pixels):
    array = pixels.numpy().copy()
    return {"scaled": student.exercises.scaled(array), "array": torch.tensor(array)}


def mean_on(student, values):
    with student.elsewhere() as device:
        return {"mean": student.exercises.mean_on(values, device), "here": student.exercises.mean_on(values, "cpu")}


def slope(student, x):
    return student.exercises.slope(x)


def parabola(student, values, x):
    model = student.exercises.Parabola()
    names = sorted(name for name, _ in model.named_parameters())
    before = model(x)
    for name, value in zip("abc", values, strict=True):
        with torch.no_grad():
            getattr(model, name).fill_(value)
    return {"names": names, "before": before, "after": model(x)}


def squares(student, length):
    data = student.exercises.Squares(length)
    return {"length": len(data), "items": [list(data[index]) for index in range(length)]}


def one_step(student, weight, x, y, steps):
    model = nn.Linear(1, 1)
    with torch.no_grad():
        model.weight.fill_(weight)
        model.bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.weight.grad = torch.ones(1, 1)  # as left over from an earlier step
    losses = [student.exercises.one_step(model, optimizer, x, y) for _ in range(steps)]
    return {"losses": losses, "weight": model.weight, "bias": model.bias}
