"""The stretch task's checks, worth no points: `pytest assignments/week4/stretch/checks.py`."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

import momentum


def weights():
    generator = torch.Generator().manual_seed(4)
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in ((3, 2), (4,))]


def paths(make, steps=5):
    """Where an optimizer takes two tensors by a loss that bends differently in each direction."""
    tensors = weights()
    optimizer = make(iter(tensors))
    for _ in range(steps):
        optimizer.zero_grad()
        (tensors[0].square().sum() + (tensors[1] ** 4).sum()).backward()
        optimizer.step()
    return tensors


def test_two_steps_by_hand():
    p = torch.tensor(1.0, requires_grad=True)
    optimizer = momentum.Momentum([p], lr=0.1, momentum=0.9)
    for expected in (0.8, 0.42):
        optimizer.zero_grad()
        (2 * p).backward()
        optimizer.step()
        assert abs(p.item() - expected) < 1e-6, f"p is {p.item():.3f}, and by hand {expected}"


def test_it_goes_where_torch_goes():
    for rate, inertia in ((0.05, 0.9), (0.02, 0.5), (0.1, 0.0)):
        found = paths(lambda given, lr=rate, m=inertia: momentum.Momentum(given, lr, m))
        wanted = paths(lambda given, lr=rate, m=inertia: torch.optim.SGD(given, lr=lr, momentum=m))
        for one, other in zip(found, wanted, strict=True):
            assert torch.allclose(one, other, atol=1e-5), f"with lr={rate} and momentum={inertia} torch goes elsewhere"


def test_a_parameter_without_a_gradient_stays():
    used, unused = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = momentum.Momentum([used, unused], lr=0.1)
    used.sum().backward()
    optimizer.step()
    assert unused.tolist() == [1.0, 1.0] and used.tolist() != [1.0, 1.0]


def test_the_step_leaves_no_graph():
    p = torch.ones(2, requires_grad=True)
    optimizer = momentum.Momentum([p], lr=0.1)
    p.sum().backward()
    optimizer.step()
    assert p.is_leaf and p.requires_grad, "the parameter itself has to be changed, inside of torch.no_grad()"


def test_zero_grad_forgets_the_last_batch():
    p = torch.ones(2, requires_grad=True)
    optimizer = momentum.Momentum([p], lr=0.1)
    p.sum().backward()
    optimizer.zero_grad()
    assert p.grad is None or not p.grad.any()
