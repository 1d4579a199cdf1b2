"""Week 7's public checks of `gradcam.py`, tasks 7.12 and 7.13: 6 of 60 points."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import maps
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def drawn(gen, layer, channels=2, label=None):
    """Weights and an image whose map has a positive value, as almost all have."""
    while True:
        weights = maps.weights_of(gen, channels, 4, 3, (6, 7))
        image = torch.randn(channels, 6, 7, generator=gen)
        found, gradient, logits = maps.look(weights, image, layer, label)
        clear = logits.sort().values.diff().min() > 0.2 and (label is not None or logits.argmin() != 0)
        if clear and maps.heatmap(found, gradient).amax() > 0.5 and len(maps.slips(weights, image, layer, label)) > 9:
            return weights, image


def judge_map(got, weights, image, layer, label=None):
    size = tuple(maps.look(weights, image, layer, label).maps.shape[1:])
    large = type(got) is torch.Tensor and got.shape[-2:] == image.shape[1:] != size
    expect.true(not large, "the map of grad_cam is as large as the image: leave it as large as the layer's output",
                expected=list(size), got=list(got.shape) if large else None)  # fmt: skip
    want = maps.heatmap(*maps.look(weights, image, layer, label)[:2])
    context = lambda: maps.slips(weights, image, layer, label)  # noqa: E731
    expect.close(got, want, "the map of grad_cam", rtol=1e-3, atol=1e-3, context=context)


@task("7.12", points=3, title="grad_cam weights the layer's channels by their mean gradient", examples=8,
      hint="Whose gradient, with respect to what? Then: mean, weighted sum, ReLU, divide.")  # fmt: skip
@given(layer=st.sampled_from([0, 2]), label=st.sampled_from([None, 0, 2]), seed=seeds)
def test_grad_cam(student, layer, label, seed):
    weights, image = drawn(torch.Generator().manual_seed(seed), layer, label=label)
    got = student.run(probes.heatmap, weights, image, layer, label)
    modes = expect.items(expect.field(got, "modes"), None, "the modes seen")
    evaluating = len(modes) > 0 and all(mode is False for mode in modes)
    expect.true(evaluating, "grad_cam asks a model in training mode: call model.eval() first")
    judge_map(expect.field(got, "map"), weights, image, layer, label)


@task("7.12", points=1, title="grad_cam leaves the model as it was",
      hint="Hooks stay until they are removed, and backward() fills the gradients of all parameters.")  # fmt: skip
def test_grad_cam_leaves_model(student, rng):
    weights, image = drawn(rng, 2)
    gradient = torch.randn(3, generator=rng)
    got = student.run(probes.heatmap_twice, weights, image, gradient)
    for one in expect.items(expect.field(got, "maps"), 2, "the maps of grad_cam"):
        judge_map(one, weights, image, 2)
    attached = expect.items(expect.field(got, "attached"), 2, "whether the maps are attached to a graph")
    expect.true(all(one is False for one in attached), "the map of grad_cam is attached to a graph: detach() it")
    left = "grad_cam leaves hooks at the model: remove() them"
    expect.true(expect.same(expect.field(got, "hooks"), 0), left, got=expect.field(got, "hooks"))
    modes = expect.items(expect.field(got, "modes"), None, "the modes afterwards")
    training = all(mode is True for mode in modes) and len(modes) > 0
    expect.true(training, "grad_cam leaves the model in evaluation mode: put each module's mode back")
    changed = expect.items(expect.field(got, "changed"), None, "what has changed")
    expect.true(not changed, "grad_cam changes the model's parameters or buffers", got=", ".join(map(str, changed)))
    gone = "a gradient that was there before grad_cam is gone: zero_grad has no place here"
    names = [str(name) for name in expect.items(expect.field(got, "gradients"), None, "the parameters with a gradient")]
    expect.true("head.bias" in names, gone)
    filled = ", ".join(name for name in names if name != "head.bias")
    alone = f"grad_cam fills the gradients of {filled}, which had none: torch.autograd.grad gives the wanted one alone"
    expect.true(not filled, alone)
    expect.close(expect.field(got, "gradient"), gradient, "a gradient that was there before grad_cam")
    flags = expect.items(expect.field(got, "requires_grad"), 6, "requires_grad after grad_cam")
    expect.true(all(flag is True for flag in flags), "grad_cam changes requires_grad of parameters")
    expect.true(expect.field(got, "recording") is True, "gradients stay switched off after grad_cam")


# 7.13


def pictures_of(got):
    """The pictures of both axes of a figure that was returned, not shown, as 2-d tensors: grey, or RGB made grey."""
    kind = expect.field(got, "type")
    nothing = "it is None: is a `return` missing?" if expect.same(kind, "NoneType") else None
    expect.true(expect.field(got, "figure") is True, "plot_grad_cam returns no matplotlib Figure", expected="Figure",
                got=kind, because=nothing)  # fmt: skip
    expect.true(expect.field(got, "own") is True, "plot_grad_cam draws into another figure: make one of its own")
    shown = "plot_grad_cam calls show(): return the figure, and leave showing it to the caller"
    expect.true(expect.same(expect.field(got, "shows"), 0), shown)
    axes = expect.items(expect.field(got, "axes"), None, "the axes of plot_grad_cam")
    expect.true(
        len(axes) == 2, "plot_grad_cam draws other than two axes (is one a colour bar?)", expected=2, got=len(axes)
    )
    return [
        [array for array in map(grey, expect.items(ax, None, "the pictures in an axes")) if array is not None]
        for ax in axes
    ]


def grey(array):
    if type(array) is not np.ndarray or array.dtype.kind != "f" or array.ndim not in (2, 3):
        return None
    found = torch.from_numpy(np.nan_to_num(array))
    return found[..., :3].mean(-1) if found.dim() == 3 else found


def likeness(a, b):
    """The correlation of two pictures; 0 where their sizes differ."""
    if a.shape != b.shape:
        return 0.0
    a, b = a.double().flatten() - a.double().mean(), b.double().flatten() - b.double().mean()
    return float(a @ b / (a.norm() * b.norm()).clamp(min=1e-12))


def judge_plot(got, image, heatmap):
    first, second = pictures_of(got)
    plain = image.mean(0)
    expect.true(bool(first), "plot_grad_cam draws no picture in its left-hand axes")
    expect.true(bool(second), "plot_grad_cam draws no picture in its right-hand axes")
    over = "plot_grad_cam draws the heatmap over the image at the left: it belongs over the one at the right"
    expect.true(len(first) < 2, over)
    turned = likeness(first[0], plain.T) > 0.99
    why = "height and width are exchanged: permute(1, 2, 0) of a colour image puts the colours last" if turned else None
    expect.true(likeness(first[0], plain) > 0.99, "plot_grad_cam does not show the image in its left-hand axes",
                because=why)  # fmt: skip
    sizes = [tuple(array.shape) for array in second]
    small = "plot_grad_cam does not enlarge the heatmap to the size of the image"
    large_enough = any(size == tuple(plain.shape) for size in sizes[1:] or sizes)
    expect.true(large_enough, small, expected=str(tuple(plain.shape)), got=str(sizes[1:]))
    expect.true(
        len(second) > 1,
        "plot_grad_cam draws only one picture in its right-hand axes: the image belongs there, and the heatmap over it",
    )
    expect.true(
        likeness(second[0], plain) > 0.99,
        "plot_grad_cam does not show the image under the heatmap, in its right-hand axes",
    )
    rows = torch.linspace(0, heatmap.shape[0] - 1e-4, plain.shape[0]).long().clamp(max=heatmap.shape[0] - 1)
    columns = torch.linspace(0, heatmap.shape[1] - 1e-4, plain.shape[1]).long().clamp(max=heatmap.shape[1] - 1)
    large = heatmap[rows][:, columns]
    for name, other in (("upside down", large.flip(0)), ("from right to left", large.flip(1))):
        mirrored = any(likeness(array, other) > 0.9 for array in second[1:])
        expect.true(not mirrored, f"plot_grad_cam draws the heatmap {name}")
    expect.true(any(likeness(array, large) > 0.7 for array in second[1:]),
                "plot_grad_cam does not draw the heatmap, enlarged to the image's size, over the image")  # fmt: skip
    covers = [
        share for share in expect.items(expect.field(got, "covers"), None, "the pictures") if type(share) is float
    ]
    hidden = "plot_grad_cam hides the image under the heatmap: draw the heatmap half transparent, alpha=0.5"
    expect.true(len(covers) > 1 and all(share < 0.95 for share in covers[1:]), hidden)


def picture_and_map(rng, channels):
    """A random image, and a map with one bright corner of its own."""
    heat = 0.2 * torch.rand(4, 5, generator=rng)
    row, column = (most * int(torch.randint(0, 2, (1,), generator=rng)) for most in (2, 3))  # turned, it is elsewhere
    heat[row : row + 2, column : column + 2] += 0.8
    return torch.rand(channels, 20, 30, generator=rng), heat


@task("7.13", points=2, title="plot_grad_cam draws the image, and the heatmap over it",
      hint="The heatmap is smaller than the image: enlarge it first.")  # fmt: skip
def test_plot(student, rng):
    image, heat = picture_and_map(rng, 1)
    judge_plot(student.run(probes.plotted, image, heat), image, heat)
