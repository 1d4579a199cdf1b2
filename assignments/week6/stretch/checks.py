"""The stretch tasks' checks, worth no points: `pytest assignments/week6/stretch/checks.py`."""

import math
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import tuning


def features():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.MaxPool2d(2))


def trainable(module):
    return [name for name, parameter in module.named_parameters() if parameter.requires_grad]


def test_the_last_children_with_parameters_wake_up():
    expected = {
        0: [],
        1: ["3.weight", "3.bias"],
        2: ["1.weight", "1.bias", "3.weight", "3.bias"],
        5: ["0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"],
    }
    for n, names in expected.items():
        module = features()
        tuning.unfreeze_last(module, n)
        assert trainable(module) == names, f"with n={n} these are trainable: {trainable(module)}"


def test_what_was_awake_is_frozen_again():
    module = features()
    for n in (2, 1):
        tuning.unfreeze_last(module, n)
    assert trainable(module) == ["3.weight", "3.bias"]


def test_the_schedule_rises_on_a_line_and_falls_on_a_cosine():
    for step, rate in {0: 0.25, 1: 0.5, 3: 1.0, 4: 1.0, 8: 0.5, 12: 0.0}.items():
        found = tuning.warm_up_cosine(step, warm_up=4, total=12, lr=1.0)
        assert math.isclose(found, rate, abs_tol=1e-9), f"step {step}: {found}, and it should be {rate}"
    assert math.isclose(tuning.warm_up_cosine(6, 4, 12, 2.0), 1 + math.sqrt(0.5))


def test_there_may_be_no_warm_up():
    assert math.isclose(tuning.warm_up_cosine(0, 0, 10, 0.3), 0.3)


def test_label_smoothing_is_torchs():
    generator = torch.Generator().manual_seed(6)
    for classes, smoothing in ((2, 0.2), (5, 0.1), (7, 0.0)):
        logits = 30 * torch.randn(9, classes, generator=generator)
        labels = torch.randint(classes, (9,), generator=generator)
        expected = nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        found = tuning.smooth_cross_entropy(logits, labels, smoothing)
        assert torch.allclose(found, expected, rtol=1e-4), f"smoothing {smoothing}: {found}, torch {expected}"


def test_label_smoothing_can_be_trained_with():
    logits = torch.zeros(3, 4, requires_grad=True)
    tuning.smooth_cross_entropy(logits, torch.tensor([0, 1, 2]), 0.1).backward()
    assert logits.grad is not None and logits.grad.any()
