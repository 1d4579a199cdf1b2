"""$TITLE's hidden checks: 40 points.

Most checks have one of the five shapes that `solutions/README.md` shows: a value, a tensor, a module's parameters, a
training loop, a figure.
"""

import torch

from grader.checks import expect, load_probes, task

probes = load_probes(__file__)


@task("$N.1", points=40, title="gradients flow through mean_squared_error", hint="Nothing may cut the graph.")
def test_gradient(student, rng):
    predictions, targets = torch.randn(2, 4, 3, 2, generator=rng)
    got = student.run(probes.gradient, predictions, targets)
    expect.true(got is not None, "no gradient reaches the predictions")
    # d/dp of the mean of (p − t)² is 2 (p − t) / N.
    expect.close(got, 2 * (predictions - targets) / predictions.numel(), "the gradient")
