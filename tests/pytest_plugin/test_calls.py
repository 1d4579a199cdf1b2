"""What a probe did is told as a call of the student's function, read from the probe's source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from grader.pytest_plugin.calls import Asked

# Probes in the styles in which checks' authors write them.


def plain(student: Any, size: int, **options: int) -> Any:
    return student.lenet.conv_output_size(size, 3, **options)


def by_module(student: Any, images: torch.Tensor) -> Any:
    inspection, calls = student.inspection, []
    calls.append(inspection.apply_filter(images, [[1]]))
    return calls


def by_name(student: Any, pool_type: str) -> Any:
    subsample = student.inspection.subsample
    return subsample(torch.zeros(1), pool_type)


def network(student: Any, classes: int, images: torch.Tensor) -> Any:
    model = student.lenet.LeNet(classes)
    model.eval()
    return model(images)


def measured(student: Any, weight: torch.Tensor, state: dict[str, torch.Tensor]) -> Any:
    return student.fcnn.FCNN(len(weight), weight[0].numel(), weight.shape[1], state["last"].shape[0], weight.shape)


def part(student: Any, which: int, image: torch.Tensor) -> Any:
    pipeline = student.training.make_transforms(0.5, 0.25)[which]
    return [pipeline(image) for _ in range(3)]


def chosen(student: Any, function: str, sizes: tuple[int, ...]) -> Any:
    return getattr(student.lenet, function)(*sizes)


def either(student: Any, images: torch.Tensor, as_numpy: bool) -> Any:
    return student.training.pixel_stats(images.numpy() if as_numpy else images)


def by_table(student: Any, returned: str, slope: float) -> Any:
    functions = {"a number": lambda x: 7.5, "a line": lambda x: x * slope}
    return student.fcnn.derivative(functions[returned], 2)


def recorded(student: Any, lr: float) -> Any:
    return student.kit.trained(loop_of(student), lr, student.device)


def loop_of(student: Any) -> Any:
    train = student.training.train
    return lambda model, loader, optimizer, criterion, device: train(model, loader, device)


def in_order(student: Any, log_interval: int) -> Any:
    loop = student.kit.in_order(student.training.train, "model device loader", 1, log_interval=log_interval)
    return student.kit.trained(loop)


def asked_by_the_kit(student: Any, images: torch.Tensor, classes: int) -> Any:
    with student.instead("lenet"):
        return student.kit.answer_of(student.lenet.LeNet(classes), images, {})


@contextmanager
def class_of(student: Any) -> Iterator[Any]:
    own = student.batchnorm.BatchNorm2d
    student.batchnorm.BatchNorm2d = None
    yield student.vgg.VGG
    student.batchnorm.BatchNorm2d = own


def with_helper(student: Any, classes: int) -> Any:
    with class_of(student) as make:
        model = make(classes)
    return model


def whole(student: Any, epochs: int) -> Any:
    return run_on("cpu", student, epochs)


def run_on(device: str, handle: Any, times: int) -> Any:
    model = handle.fcnn.FCNN(784, 10)
    return handle.training.fit(model, device, times)


def nothing(student: Any, size: int) -> int:
    return size


ASKED: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], list[str], str]] = {
    "options": (plain, (7,), {"stride": 2}, ["conv_output_size"], "conv_output_size(7, 3, stride=2)"),
    "a module's other name": (by_module, (torch.zeros(2, 3),), {}, ["apply_filter"],
                              "apply_filter(tensor 2×3 float32, [[1]])"),
    "a function's other name": (by_name, ("max",), {}, ["subsample"], "subsample(torch.zeros(1), 'max')"),
    "a network": (network, (4, torch.zeros(2, 9)), {}, ["LeNet"],
                  "model = LeNet(4), then model(tensor 2×9 float32)"),
    "a part of what is returned": (part, (1, "image"), {}, ["make_transforms"],
                                   "pipeline = make_transforms(0.5, 0.25)[1], then pipeline('image')"),
    "a name as an argument": (chosen, ("pool_output_size", (6, 2)), {}, ["pool_output_size"], "pool_output_size(6, 2)"),
    "a choice": (either, (torch.zeros(2, 3, 3), False), {}, ["pixel_stats"], "pixel_stats(tensor 2×3×3 float32)"),
    "the other choice": (either, (torch.zeros(2, 3, 3), True), {}, ["pixel_stats"], "pixel_stats(images.numpy())"),
    "a helper's class": (with_helper, (8,), {}, ["VGG"], "model = VGG(8)"),
    "a table of the probe's": (by_table, ("a line", 0.5), {}, ["derivative"], "derivative(lambda x: x * 0.5, 2)"),
    "a table without that name": (by_table, ("a curve", 0.5), {}, ["derivative"],
                                  "derivative(functions['a curve'], 2)"),
    "measures of arguments": (measured, (torch.zeros(3, 4, 2), {"last": torch.zeros(5, 1)}), {}, ["FCNN"],
                              "FCNN(3, 8, 4, 5, weight.shape)"),
    "what the kit runs": (recorded, (0.1,), {}, ["train"], "train(model, loader, device)"),
    "what the kit runs in order": (in_order, (3,), {}, ["train"], "train(model, device, loader, 1, log_interval=3)"),
    "what the kit asks": (asked_by_the_kit, (torch.zeros(1, 28, 28), 9), {}, ["LeNet"],
                          "model = LeNet(9), then model(tensor 1×28×28 float32)"),
    "several functions": (whole, (3,), {}, ["FCNN", "fit"], ""),
    "none": (nothing, (3,), {}, [], ""),
    "arguments that do not fit": (nothing, (3, 4), {}, [], ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_a_run_is_told_as_a_call_of_the_students_function(name: str) -> None:
    probe, args, kwargs, names, text = ASKED[name]
    asked = Asked(probe, args, kwargs)
    assert (asked.names, asked.text) == (names, text)


def test_a_function_made_at_run_time_has_no_source_and_no_call() -> None:
    made: dict[str, Any] = {}
    exec("def probe(student): return student.lenet.f()", made)
    assert (Asked(made["probe"]).names, Asked(made["probe"]).text) == ([], "")


def test_the_place_is_where_the_function_or_class_is_defined() -> None:
    files = {"lenet.py": "import torch\n\n\ndef conv_output_size(size):\n    return size\n\nclass LeNet:\n    pass\n"}
    assert Asked(plain, (7,)).place(lambda file: files.get(file, "")) == "lenet.py:4"
    assert Asked(network, (4, 1)).place(lambda file: files.get(file, "")) == "lenet.py:7"
    assert Asked(by_name, ("max",)).place(lambda file: files.get(file, "")) == ""
    assert Asked(whole, (3,)).place(lambda file: files.get(file, "")) == ""
