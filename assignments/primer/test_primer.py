"""The primer's checks, for yourself alone: `pytest assignments/primer`. Each counts one point, and no point counts."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)


def in_float32(got, what):
    expect.true(got.dtype == torch.float32, f"{what} has the type {got.dtype}, and should have torch.float32")


@task("0.1", points=1, title="the corners of an image", hint="`image[0, -1]` is the last number of the first row.")
@given(height=st.integers(2, 5), width=st.integers(2, 5))
def test_corners(student, height, width):
    image = torch.arange(float(height * width)).reshape(height, width)
    last = height * width - 1.0
    want = torch.tensor([0.0, width - 1.0, last - width + 1.0, last])
    expect.close(student.run(probes.corners, image), want, "corners")


@task("0.2", points=1, title="columns without their means", hint="Which dimension has to go for a mean by column?")
@given(rows=st.integers(1, 4), columns=st.integers(1, 4))
def test_centred(student, rows, columns):
    table = torch.arange(float(rows * columns)).reshape(rows, columns) ** 2
    expect.close(student.run(probes.centred, table), table - table.sum(0) / rows, "centred")


@task("0.3", points=1, title="bytes as numbers from 0 to 1", hint="Which type has `from_numpy` kept?")
def test_scaled(student):
    pixels = torch.tensor([[0, 51], [102, 255]], dtype=torch.uint8)
    found = student.run(probes.scaled, pixels)
    expect.close(expect.field(found, "scaled"), torch.tensor([[0.0, 0.2], [0.4, 1.0]]), "scaled")
    in_float32(found["scaled"], "scaled's result")
    expect.close(expect.field(found, "array"), pixels, "the array that scaled was given")


@task(
    "0.4", points=1, title="a mean on a device", hint="Make the tensor on the device; `.item()` brings a number back."
)
def test_mean_on(student):
    found = student.run(probes.mean_on, [1.0, 2.0, 6.0])
    expect.near(expect.field(found, "here"), 3.0, "mean_on with the CPU")
    expect.near(expect.field(found, "mean"), 3.0, "mean_on with another device")


@task("0.5", points=1, title="a slope by autograd", hint="Which call fills in `.grad`?")
@given(x=st.integers(-5, 5))
def test_slope(student, x):
    expect.near(student.run(probes.slope, x), 3.0 * x**2 - 4, "slope")


@task("0.6", points=1, title="a parabola as a module", hint="Only an `nn.Parameter` is listed by `parameters()`.")
def test_parabola(student):
    x = torch.tensor([[-1.0], [0.0], [2.0]])
    found = student.run(probes.parabola, [1.0, -2.0, 3.0], x)
    expect.equal(expect.field(found, "names"), ["a", "b", "c"], "the names of Parabola's parameters")
    expect.close(expect.field(found, "before"), torch.zeros(3, 1), "a new Parabola's answer")
    expect.close(expect.field(found, "after"), torch.tensor([[6.0], [3.0], [3.0]]), "Parabola with a=1, b=-2, c=3")


@task("0.7", points=1, title="a data set of squares", hint="Each item is a pair of tensors, not of numbers.")
def test_squares(student):
    found = student.run(probes.squares, 5)
    expect.integer(expect.field(found, "length"), 5, "len(Squares(5))")
    for index, item in enumerate(expect.items(expect.field(found, "items"), 5, "the items of Squares(5)")):
        pair = expect.items(item, 2, f"Squares(5)[{index}]")
        for got, want in zip(pair, (index, index**2), strict=True):
            expect.close(got, torch.tensor([float(want)]), f"Squares(5)[{index}]")
            in_float32(got, f"Squares(5)[{index}]")


@task("0.8", points=1, title="one step of training", hint="Gradients add up until `zero_grad` clears them.")
def test_one_step(student):
    x, y = torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [2.0]])
    found = student.run(probes.one_step, 0.5, x, y, 2)
    weight, bias, losses = torch.tensor([[0.5]]), torch.zeros(1), []
    for _ in range(2):
        gap = weight * x + bias - y
        losses.append(float((gap**2).mean()))
        weight, bias = weight - 0.1 * (2 * gap * x).mean(), bias - 0.1 * (2 * gap).mean()
    for got, want in zip(expect.items(expect.field(found, "losses"), 2, "the losses"), losses, strict=True):
        expect.near(got, want, "one_step's loss")
    expect.close(expect.field(found, "weight"), weight, "the weight after two steps")
    expect.close(expect.field(found, "bias"), bias, "the bias after two steps")
