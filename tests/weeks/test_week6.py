"""Week 6's probes do what they say: short products, and networks trained where they should be."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from grader.checks import load_beside
from tests.support.stand_ins import StandIn

CHECKS = Path(__file__).parents[2] / "assignments" / "week6" / "test_week6_vgg.py"


@pytest.fixture(scope="module")
def vgg() -> ModuleType:
    return load_beside(str(CHECKS), "probes_vgg")


@pytest.fixture
def products(vgg: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the matrices with which short products are taken, as they are."""
    shapes: list[tuple[int, ...]] = []
    plain = vgg.correlated

    def counted(rows: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(matrix.shape))
        return plain(rows, matrix)

    monkeypatch.setattr(vgg, "correlated", counted)
    return shapes


@pytest.mark.parametrize("steps", [(1, 1), (8, 1), (1, 8), (1, 3)])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2), (7, 3), (3, 7), (64, 63), (300, 500)])
def test_a_short_product_equals_torchs(vgg: ModuleType, size: tuple[int, int], steps: tuple[int, int]) -> None:
    matrix, rows = torch.randn(8 * sum(size)).as_strided(size, steps), torch.randn(4, size[0])
    torch.testing.assert_close(vgg.correlated(rows, matrix), rows @ matrix, rtol=1e-4, atol=1e-4)


WAYS: dict[str, Callable[..., torch.Tensor]] = {
    "linear": nn.functional.linear,
    "matmul": lambda x, weight, bias: x @ weight.T + bias,
    "addmm": lambda x, weight, bias: torch.addmm(bias, x, weight.t()),
    "einsum": lambda x, weight, bias: torch.einsum("ni,oi->no", x, weight) + bias,
    "scaled addmm": lambda x, weight, bias: torch.addmm(bias, x, weight.t(), beta=1.0, alpha=0.5),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_a_linear_layer_gives_the_same(
    vgg: ModuleType, products: list[tuple[int, ...]], way: str
) -> None:
    x, bias = torch.randn(3, 50, requires_grad=True), torch.randn(20)
    weight = torch.randn(vgg.STEP * 19 + 50).as_strided((20, 50), (vgg.STEP, 1))
    want = WAYS[way](x, weight, bias)
    (slope,) = torch.autograd.grad(want.square().sum(), x)
    with vgg.ShortProducts():
        found = WAYS[way](x, weight, bias)
        (gradient,) = torch.autograd.grad(found.square().sum(), x)
    torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(gradient, slope, rtol=1e-4, atol=1e-3)
    if way in ("linear", "matmul", "addmm"):
        assert products == [(50, 20), (20, 50)]


def test_ordinary_matrices_are_left_to_torch(vgg: ModuleType, products: list[tuple[int, ...]]) -> None:
    x, layer = torch.randn(3, 5), nn.Linear(5, 1)
    want = layer(x)
    with vgg.ShortProducts():
        assert torch.equal(layer(x), want)
        assert torch.equal(x @ torch.eye(5), x)
    assert not products


def test_weights_of_a_vgg_take_little_memory_and_are_those_of_the_seed(vgg: ModuleType) -> None:
    shapes = {"features.0.weight": [8, 3, 3, 3], "classifier.0.weight": [4096, 25088], "classifier.0.bias": [4096]}
    first, again, other = (vgg.vgg_weights(shapes, seed) for seed in (1, 1, 2))
    assert {name: list(value.shape) for name, value in first.items()} == shapes
    assert sum(value.untyped_storage().nbytes() for value in first.values()) < 1_000_000
    assert all(vgg.is_short(value) for value in first.values() if value.dim() == 2)
    for name, value in first.items():
        assert torch.equal(value.flatten()[:100], again[name].flatten()[:100])
        assert not torch.equal(value.flatten()[:100], other[name].flatten()[:100])


def module_of(variant: str, name: str) -> ModuleType:
    """One module of a correct solution, in which the loops call the small functions."""
    file = CHECKS.parents[2] / "solutions" / "week6" / "variants" / variant / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{variant}_{name}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unfinished(*args: object) -> None:
    raise NotImplementedError("TODO 6.13: not yet")


WRONG_ACCURACIES: dict[str, Callable[..., object]] = {
    "in percent": lambda logits, labels: 100 * (logits.argmax(1) == labels).float().mean(),
    "no tensor": lambda logits, labels: (logits.argmax(1) == labels).float().mean().item(),
    "not averaged": lambda logits, labels: (logits.argmax(1) == labels).float(),
    "of columns": lambda logits, labels: (logits.argmax(0) == labels[:3]).float().mean(),
    "to do": unfinished,
}


@pytest.mark.parametrize("wrong", WRONG_ACCURACIES)
def test_loops_that_use_a_wrong_accuracy_are_judged_with_a_right_one(wrong: str) -> None:
    probes, training = load_beside(str(CHECKS), "probes_training"), module_of("careful", "training")
    given = torch.randn(3, 5), torch.randn(3), torch.randn(10, 5), torch.randint(0, 3, (10,)), 4, 0.1
    want = probes.trained(StandIn(training=training), *given)["result"]
    training.calculate_accuracy = own = WRONG_ACCURACIES[wrong]
    assert probes.trained(StandIn(training=training), *given)["result"] == pytest.approx(want)
    assert training.calculate_accuracy is own


def test_a_layer_that_uses_a_wrong_batch_norm_is_judged_with_a_right_one(vgg: ModuleType) -> None:
    module = module_of("careful", "batchnorm")
    given = [torch.randn(2, 3, 4, 4)], torch.rand(3), torch.rand(3)
    want = vgg.layer_run(StandIn(batchnorm=module), *given)["state"]["running_var"]
    module.batch_norm = lambda x, gamma, beta, eps=1e-5: (x, x.mean((0, 2, 3)), x.mean((0, 2, 3)))
    found = vgg.layer_run(StandIn(batchnorm=module), *given)["state"]["running_var"]
    torch.testing.assert_close(found, want)
