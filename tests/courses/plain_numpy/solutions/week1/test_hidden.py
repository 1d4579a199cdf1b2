"""Week 1's hidden checks: 50 points."""

import numpy as np

from fixtures.numbers import draw
from grader.checks import expect, load_probes, task

probes = load_probes(__file__)


@task("1.1", points=25, title="running_mean averages long windows", hint="How long is a window?")
def test_long_windows(student, rng):
    values = draw(rng, 40)
    kernel = np.full(7, 1 / 7)
    expect.close(student.run(probes.long_means, values), np.convolve(values, kernel, mode="valid"), "running_mean")


@task("1.2", points=25, title="standardised gives rows of deviation 1", hint="Which deviation?")
def test_rows_have_deviation_one(student, rng):
    table = 5 * draw(rng, 3, 9)
    squares = np.mean(student.run(probes.wide_rows, table) ** 2, axis=1)
    expect.close(squares, np.ones(3), "the mean square of each standardised row")
