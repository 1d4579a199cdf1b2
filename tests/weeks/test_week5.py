"""Week 5's own promises: oracles that agree with the reference, fair digits."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from fixtures import digits
from grader.checks import load_beside, loops
from tests.support.stand_ins import StandIn

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def public() -> ModuleType:
    return load_beside(str(ROOT / "assignments" / "week5" / "test_week5.py"), "test_week5")


@pytest.fixture(scope="module")
def hidden() -> ModuleType:
    return load_beside(str(ROOT / "solutions" / "week5" / "test_hidden.py"), "test_hidden")


def test_the_public_oracles_agree_with_torch(public: ModuleType) -> None:
    images, kernel = torch.rand(2, 1, 7, 6), [[1.0, -2.0], [0.5, 3.0]]
    want = torch.nn.functional.conv2d(images, torch.tensor(kernel)[None, None])
    assert torch.allclose(public.slide(images, kernel), want, atol=1e-5)
    want = torch.nn.functional.avg_pool2d(images[:, :, :6], 3)
    assert torch.allclose(public.pool(images[:, :, :6], 3, lambda cell: cell.mean(-1)), want)
    for size, window, step, padding in ((28, 5, 1, 0), (9, 4, 3, 2), (7, 7, 2, 1)):
        layer = torch.nn.Conv1d(1, 1, window, step, padding)
        assert public.places(size, window, step, padding) == layer(torch.zeros(1, 1, size)).shape[-1]


def test_plots_are_drawn_with_a_stand_in_that_does_not_stay(public: ModuleType, hidden: ModuleType) -> None:
    def draw(images: torch.Tensor, kernel: list[list[float]]) -> None:
        drawn_with.append(inspection.apply_filter(images, kernel).shape)

    drawn_with: list[tuple[int, ...]] = []
    inspection = SimpleNamespace(apply_filter=len, plot_filter=draw)
    images, kernel = torch.zeros(1, 1, 4, 4), [[1.0, 0.0], [0.0, 1.0]]
    public.probes.plot_filter(StandIn(inspection=inspection), images, kernel)
    hidden.probes.plotted(StandIn(inspection=inspection), "plot_filter", images, kernel)
    assert drawn_with == [(1, 1, 3, 3)] * 2
    assert inspection.apply_filter is len


def test_the_closed_formula_of_training_agrees_with_autograd() -> None:
    x, y, weight, bias = loops.problem(torch.Generator().manual_seed(0), 11, 4, 3)
    new_weight, new_bias, losses, *_ = loops.descend(x, y, weight, bias, 4, 0.3)
    w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    for step, (inputs, labels) in enumerate(zip(x.split(4), y.split(4), strict=True)):
        loss = torch.nn.functional.cross_entropy(inputs @ w.T + b, labels)
        assert losses[step] == pytest.approx(loss.item(), rel=1e-4)
        grads = torch.autograd.grad(loss, [w, b])
        with torch.no_grad():
            w -= 0.3 * grads[0]
            b -= 0.3 * grads[1]
    assert torch.allclose(w, new_weight, atol=1e-5) and torch.allclose(b, new_bias, atol=1e-5)


def test_digits_are_renumbered_and_distorted_for_each_seed() -> None:
    first, again, other = (digits.draw(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.train_images, again.train_images) and torch.equal(first.test_labels, again.test_labels)
    assert first.train_images.shape == (1437, 1, 28, 28) and len(first.test_labels) == 360
    assert first.train_images.dtype == torch.uint8
    assert not torch.equal(first.train_labels, other.train_labels)
    originals = digits.to_bytes(digits.originals()[0]).flatten(1)
    assert not (originals[:, None] == first.test_images[:5].flatten(1)).all(-1).any()


def test_a_label_known_by_heart_is_no_better_than_a_guess() -> None:
    known_images, known_labels = digits.originals()
    found = []
    for seed in range(8):
        data = digits.draw(torch.Generator().manual_seed(seed))
        nearest = torch.cdist(data.test_images.flatten(1) / 255.0, known_images.flatten(1)).argmin(1)
        found.append((known_labels[nearest] == data.test_labels).float().mean().item())
    assert sum(found) / len(found) < 0.3


def test_the_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    images, labels = digits.originals()
    pixels, theirs = load_digits(return_X_y=True)
    small = torch.from_numpy(pixels.reshape(-1, 1, 8, 8) / 16.0).float()
    enlarged = torch.nn.functional.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
    assert torch.equal(images, enlarged)
    assert torch.equal(labels, torch.from_numpy(theirs))


def test_sizes_that_are_wrong_cost_neither_pooling_nor_the_network(public: ModuleType) -> None:
    def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
        return size  # wrong

    def pool_output_size(size: int, kernel_size: int, stride: int | None = None) -> int:
        return lenet.conv_output_size(size, kernel_size, stride or kernel_size)

    lenet = SimpleNamespace(conv_output_size=conv_output_size, pool_output_size=pool_output_size)
    student = StandIn(lenet=lenet)
    assert public.probes.pool_output_size(student, 9, 4, stride=2) == 3
    assert public.probes.conv_output_size(student, 9, 4) == 9
    assert lenet.conv_output_size is conv_output_size
