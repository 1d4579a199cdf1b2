"""What probes record with notes what happened, whichever way a program is written, and leaves nothing behind."""

from __future__ import annotations

import copy
from functools import partial
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from grader.checks import expect, figures, loops, oracles, seeds
from grader.inside import codec, kit

CPU = torch.device("cpu")


def train(model: nn.Module, loader: Any, optimizer: Any, criterion: nn.Module, device: torch.device) -> list[float]:
    model.train()
    losses = []
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x.to(device)), y.to(device))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def evaluate(model: nn.Module, loader: Any, _: Any, criterion: nn.Module, device: torch.device) -> tuple[float, float]:
    model.eval()
    with torch.no_grad():
        found = [(model(x.to(device)), y.to(device)) for x, y in loader]
        losses = [criterion(logits, y).item() for logits, y in found]
    hits = sum(int((logits.argmax(1) == y).sum()) for logits, y in found)
    return sum(losses) / len(losses), 100 * hits / sum(len(y) for _, y in found)


@pytest.mark.parametrize(
    ("step", "interval", "said"), [(2, 100, "batches 0, 2, 4"), (1, 2, "every batch"), (3, 2, "0, 3, 6")]
)
def test_losses_of_another_interval_are_told_by_the_batches_that_they_are_of(
    step: int, interval: int, said: str
) -> None:
    after = loops.descend(*loops.problem(seeds.generator(3), 23, 5, 3), 4, 0.1)
    with pytest.raises(expect.CheckFailed) as failed:
        loops.judge_losses(after.losses[::step], after, interval)
    assert said in str(failed.value.because)
    assert ("the default of log_interval is 100" in str(failed.value.because)) is (interval == 100)


def test_a_right_loop_passes_what_judges_loops() -> None:
    gen = seeds.generator(3)
    x, y, weight, bias = loops.problem(gen, 23, 5, 3)
    got = plain(kit.trained(train, weight, bias, x, y, 4, 0.1, again=True))
    loops.judge_descent(got, loops.descend(x, y, weight, bias, 4, 0.1))
    loops.judge_losses(expect.field(got, "result"), loops.descend(x, y, weight, bias, 4, 0.1), 1)
    loops.judge_training_mode(plain(kit.trained(train, weight, bias, x, y, 4, 0.1)) | {"modes": [True]})
    with pytest.raises(AssertionError, match="gradients are switched on"):
        loops.judge_training_mode(plain(kit.trained(switching, weight, bias, x, y, 4, 0.1, again=True)))
    *given, mean, var, logits = loops.normed_problem(gen)
    x, y, weight, bias = given
    got = plain(kit.evaluated(evaluate, weight, bias, mean, var, x, y, 8))
    loops.judge_untouched(got, weight, mean, var, "evaluation")
    loops.judge_answered(got, logits, "evaluate")
    loops.judge_mean_loss(got, "evaluate", logits, y, 8)
    loops.judge_percentage(got, "evaluate", logits, y, 8)
    got = plain(kit.located(train, train, weight, bias, x, y))
    loops.judge_parameters(got, ("model", "loader", "optimizer"), "train")
    loops.judge_devices(got, "train")
    loops.judge_first(got, x, weight, bias, "train")


def plain(evidence: Any) -> Any:
    """Evidence as a judge gets it."""
    return codec.decode(codec.encode(evidence))


def switching(*args: Any) -> Any:
    """A loop that ends with gradients on, whatever they were before."""
    with torch.enable_grad():
        result = train(*args)  # type: ignore[arg-type]
    torch.set_grad_enabled(True)
    return result


def test_any_model_notes_its_calls_and_so_do_its_copies_and_whoever_calls_forward() -> None:
    model = kit.watched(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)))
    model(torch.zeros(5, 2, 2))
    model.eval()
    with torch.no_grad():
        model.forward(torch.zeros(2, 2, 2))
        copy.deepcopy(model)(torch.zeros(1, 2, 2))
    calls: kit.Calls = model.calls  # type: ignore[assignment]
    assert calls.modes == [True, False, False]
    assert calls.grad_modes == [True, False, False]
    assert calls.sizes == [5, 2, 1]
    assert calls.devices == ["cpu"] * 3
    assert type(model).__name__ == "Sequential" and calls.first is not None and calls.first.shape == (5, 3)


def test_dropout_is_off_in_a_short_run_whichever_way_it_is_written() -> None:
    ones = torch.ones(1, 8, 4, 4)
    low = partial(torch.dropout, p=0.5, train=True)
    layers = torch.nn.Dropout(0.5), torch.nn.Dropout2d(0.5), torch.nn.functional.dropout, low
    with kit.WithoutDropout():
        assert all(torch.equal(layer(ones), ones) for layer in layers)
    assert all(bool((layer(ones) == 0).any()) for layer in layers)


def test_a_gpu_that_fails_costs_nothing_and_a_cpu_shows_why() -> None:
    def learn(device: torch.device, criterion: nn.Module) -> str:
        if device.type != "cpu":
            raise RuntimeError("out of order")
        criterion(torch.zeros(1, 2, requires_grad=True), torch.tensor([0]))
        with torch.no_grad():
            criterion(torch.zeros(1, 2), torch.tensor([0]))
        return str(device)

    got = kit.on_device(torch.device("cuda"), learn)
    assert (got["after"], len(got["losses"])) == ("cpu", 1)
    with pytest.raises(ZeroDivisionError):
        kit.on_device(CPU, lambda device, criterion: 1 / 0)


def test_weights_go_in_and_out_by_name_and_a_wrong_shape_is_named() -> None:
    gen, model = seeds.generator(0), nn.Sequential()
    model.add_module("fc", nn.Linear(3, 2))
    weights = oracles.weights(gen, {"fc": (2, 3)})
    kit.set_weights(model, weights, torch.zeros(1, 3))
    found = kit.weights_of(model, ["fc"])
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    assert kit.shapes_of(model, ["fc", "gone"]) == {"layers": ["fc"], "fc": [2, 3], "gone": None}
    with pytest.raises(kit.NotAsAsked, match=r"fc\.weight has the shape \(2, 3\), and not \(1, 3\)"):
        kit.set_weights(model, {"fc.weight": torch.zeros(1, 3)}, torch.zeros(1, 3))
    model.add_module("fc", nn.Linear(3, 2, bias=False))
    with pytest.raises(kit.NotAsAsked, match="fc has no bias"):
        kit.set_weights(model, weights, torch.zeros(1, 3))


class Mistyped(ValueError):
    """An exception of a program's own."""


def test_calls_are_told_by_what_they_raise_draw_and_take() -> None:
    def refuse() -> None:
        raise Mistyped("none of 'max'")

    assert kit.raised(refuse) == {"raised": "ValueError", "message": "none of 'max'"}
    assert kit.raised(lambda: 3) == {"returned": "int"}
    assert kit.parameters(train) == ["model", "loader", "optimizer", "criterion", "device"]
    assert kit.parameters(lambda **anything: None) is None
    with torch.random.fork_rng():
        seeds.judge_generators(kit.draws_after(5, lambda: None), 5)
        with pytest.raises(AssertionError, match="global generator of torch"):
            seeds.judge_generators(kit.draws_after(5, lambda: torch.rand(1)), 5)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("draw", ["pcolormesh", "pcolor"])
def test_a_picture_that_is_drawn_as_a_grid_of_cells_is_told_as_it_is_seen(draw: str, down: bool, left: bool) -> None:
    picture = torch.rand(4, 6, generator=seeds.generator(1))

    def plot() -> Any:
        fig, ax = plt.subplots()
        getattr(ax, draw)(picture.numpy())
        if down:
            ax.invert_yaxis()
        if left:
            ax.invert_xaxis()
        return fig

    (ax,) = figures.axes_of(plain(kit.drawn(plot, "pictures")), 1)
    seen = picture if down else picture.flip(0)
    assert figures.alike(figures.picture_of(ax), seen.flip(1) if left else seen)


def test_a_figure_is_told_by_its_parts_and_none_is_left() -> None:
    picture, points = torch.arange(6.0).view(1, 2, 3), [1.0, 3.0, 2.0]

    def plot() -> Any:
        figure, (left, right) = plt.subplots(1, 2)
        left.imshow(picture[0])
        right.plot(points)
        right.set(xlabel="epoch", ylabel="loss", title="training")
        plt.show()
        return figure

    got = plain(kit.drawn(plot, *kit.PARTS))
    assert plt.get_fignums() == [] and got["shows"] == 1 and got["type"] == "Figure"
    left, right = got["axes"]
    assert figures.show_all(picture[None], figures.pictures_of([left, right]))
    assert right["names"] == ["epoch", "loss"] and right["title"] == "training"
    ((x, y),) = figures.lines_of(right)
    assert y.tolist() == points and x.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(AssertionError, match="a line is none of numbers"):
        figures.lines_of({"lines": [[1, [2]]]})
    with pytest.raises(AssertionError, match="show\\(\\) is called"):
        figures.axes_of(got, 2)
    assert kit.drawn(lambda: None)["type"] == "NoneType"
    module = SimpleNamespace(plot=lambda image: plot(), draw=plt.plot)
    got = plain(kit.beside_another(module, {"plot": (picture,), "draw": (points,)}))
    assert (got["plot"], got["draw"]) == ([True, True, 2], [True, False, None])
    figures.judge_own(got, ["plot"], [picture])
    with pytest.raises(AssertionError, match="none of the plots shows an image"):
        figures.judge_own(got, ["plot"], [picture.flip(2)])
    with pytest.raises(AssertionError, match="draw returns no matplotlib Figure"):
        figures.judge_own(got, ["draw"])


def test_rows_of_pictures_are_judged_from_the_top() -> None:
    images = torch.rand(3, 1, 4, 4, generator=seeds.generator(0))
    rows = {"the originals": [images], "the filtered images": [images.flip(3), images * 0]}

    def plot(parts: Any, across: bool = False) -> Any:
        figure, axes = plt.subplots(2, 3) if not across else plt.subplots(3, 2)
        for row, batch in zip(axes.T if across else axes, parts, strict=True):
            for ax, image in zip(row, batch, strict=True):
                ax.imshow(image[0])
        return figure

    def judged(parts: Any, across: bool = False) -> None:
        figures.judge_rows(plain(kit.drawn(lambda: plot(parts, across), "pictures", "box")), rows)

    filtered = images.flip(3)
    judged((images, filtered))
    for parts, across, told in (
        ((filtered, images), False, "the originals are drawn in row 2 from the top, and belong in row 1"),
        ((images, filtered), True, "the originals are drawn, but not side by side in row 1 of 2"),
        ((images, images), False, "row 2 from the top does not show the filtered images"),
        ((filtered, filtered), False, "row 1 from the top does not show the originals"),
    ):
        with pytest.raises(AssertionError, match=told):
            judged(parts, across)


def test_a_loop_gets_its_parts_in_its_own_order() -> None:
    loop = kit.in_order(lambda *given, **options: (given, options), "device model", 1, interval=2)
    assert loop("m", "l", "o", "c", "d") == (("d", "m", 1), {"interval": 2})


def test_a_right_helper_leaves_other_arguments_to_the_students_own() -> None:
    instead = kit.right(lambda size, step=1: size // step)(lambda size, start: start)
    assert (instead(7, step=2), instead(7, start=3)) == (3, 3)


def test_what_collects_tensors_is_told_by_whether_they_belong_to_a_graph() -> None:
    *given, mean, var, logits = loops.normed_problem(seeds.generator(3))
    x, y, weight, bias = given
    images = x.view(-1, 1, 2, 2)

    def collect(model: nn.Module, loader: Any, *rest: Any) -> Any:
        model.eval()
        with torch.no_grad():
            found = [(images, labels, model(images.to(rest[-1])).softmax(1).cpu()) for images, labels in loader]
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    got = plain(kit.predicted(collect, weight, bias, mean, var, images, y, 8))
    loops.judge_predictions(got, "collect", images, y, logits, mean, 8)
    got = plain(kit.located(collect, collect, weight, bias, images, y, results=True))
    loops.judge_elsewhere(got, "collect", ("model", "loader"), x, weight, bias, labelled=False)
    with pytest.raises(AssertionError, match="images are left on the device"):
        loops.judge_returned({"results": ["cuda:0"]}, ["images"])
