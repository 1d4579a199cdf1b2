"""The stretch tasks' checks, worth no points: `pytest assignments/week7/stretch/checks.py`."""

import copy
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import deeper


def convolved(x, layer, norm, **options):
    """A convolution without bias, and its normalisation in training mode."""
    return norm(nn.functional.conv2d(x, layer.weight, **options))


def test_a_bottleneck_is_narrow_in_the_middle():
    torch.manual_seed(7)
    block = deeper.Bottleneck(8, 16, stride=2)
    shapes = [tuple(layer.weight.shape) for layer in (block.conv1, block.conv2, block.conv3)]
    assert shapes == [(4, 8, 1, 1), (4, 4, 3, 3), (16, 4, 1, 1)], f"the three weights have the shapes {shapes}"
    found = block(torch.zeros(2, 8, 6, 6)).shape
    assert found == (2, 16, 3, 3), f"2×8×6×6 becomes {tuple(found)}, and it should be 2×16×3×3"


def test_a_bottleneck_adds_what_comes_in():
    torch.manual_seed(7)
    block, x = deeper.Bottleneck(8, 8), torch.randn(3, 8, 5, 5)
    inside = convolved(x, block.conv1, block.bn1).clamp(min=0)
    inside = convolved(inside, block.conv2, block.bn2, padding=1).clamp(min=0)
    expected = (x + convolved(inside, block.conv3, block.bn3)).clamp(min=0)
    assert torch.allclose(block(x), expected, atol=1e-5), "with equal shapes the shortcut is x itself"
    assert not list(block.shortcut.parameters()), "the shape stays, so the shortcut has nothing to learn"


def test_the_average_goes_a_part_of_the_way():
    average, model = nn.Linear(1, 1), nn.Linear(1, 1)
    for module, value in ((average, 1.0), (model, 3.0)):
        for parameter in module.parameters():
            nn.init.constant_(parameter, value)
    for expected in (1.2, 1.38):
        deeper.update_average(average, model, decay=0.9)
        found = [parameter.item() for parameter in average.parameters()]
        assert all(abs(value - expected) < 1e-5 for value in found), f"{found}, and both should be {expected}"
    assert model.weight.item() == 3.0, "the model has changed"


def test_the_average_has_the_models_running_averages_and_no_graph():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    average = copy.deepcopy(model)
    model(torch.randn(4, 1, 5, 5, generator=torch.Generator().manual_seed(7)))
    deeper.update_average(average, model, decay=0.5)
    assert torch.equal(average[1].running_mean, model[1].running_mean), "buffers are copied, not averaged"
    assert all(parameter.is_leaf and parameter.requires_grad for parameter in average.parameters())


def test_images_lose_their_change_as_wholes():
    torch.manual_seed(7)
    found = deeper.drop_path(torch.ones(2000, 2, 2, 2), 0.25, training=True)
    values = found.flatten(1)
    assert (values == values[:, :1]).all(), "within one image all values go, or all stay"
    lost = (values[:, 0] == 0).float().mean().item()
    assert 0.2 < lost < 0.3, f"{lost:.0%} of the images lost their change, and the rate is 25 %"
    assert torch.allclose(values[values > 0], torch.tensor(4 / 3)), "what stays is divided by 1 − rate"


def test_evaluation_changes_nothing():
    change = torch.randn(5, 2, 3, 3, generator=torch.Generator().manual_seed(7))
    assert torch.equal(deeper.drop_path(change, 0.5, training=False), change)
    assert torch.equal(deeper.drop_path(change, 0.0, training=True), change)
