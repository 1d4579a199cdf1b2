"""The stretch tasks' checks, worth no points: `pytest assignments/week5/stretch/checks.py`."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import fields


def seen(layers):
    """Count the pixels that one number of the output depends on, by asking autograd."""
    column = torch.ones(1, 1, 120, requires_grad=True)
    x = column
    for kernel_size, stride in layers:
        x = nn.functional.conv1d(x, torch.ones(1, 1, kernel_size), stride=stride)
    x[0, 0, 0].backward()
    return int((column.grad != 0).sum())


def test_receptive_fields_are_what_autograd_sees():
    cases = ([(3, 1)], [(3, 1), (3, 1)], [(5, 1), (2, 2), (5, 1), (2, 2)], [(7, 2), (3, 2), (3, 1)], [])
    for layers in cases:
        expected = seen(layers)
        found = fields.receptive_field(layers)
        assert found == expected, f"{layers}: {found}, and autograd finds that {expected} pixels matter"


def test_the_network_has_lenets_layers_and_shapes():
    network = fields.MeanLeNet(7)
    assert network(torch.zeros(3, 1, 28, 28)).shape == (3, 7)
    assert sum(p.numel() for p in network.parameters()) == 44_426 - 850 + 84 * 7 + 7


def test_activation_comes_before_mean_pooling():
    torch.manual_seed(0)
    network = fields.MeanLeNet(4)
    images = 3 * torch.randn(2, 1, 28, 28)
    pool = nn.AvgPool2d(2)
    maps = pool(torch.tanh(network.conv2(pool(torch.tanh(network.conv1(images))))))
    linear = nn.Sequential(nn.Flatten(), network.fc_1, nn.Tanh(), network.fc_2, nn.Tanh(), network.fc_3)
    assert torch.allclose(network(images), linear(maps), atol=1e-5)


def test_every_layer_gets_a_gradient():
    network = fields.MeanLeNet(4)
    network(torch.randn(2, 1, 28, 28)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
