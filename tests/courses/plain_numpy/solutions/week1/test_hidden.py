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
    centred = table - np.mean(table, axis=1)[:, None]
    lengths = np.linalg.norm(centred, axis=1)[:, None] / 3  # of nine numbers, so the root of nine
    expect.close(student.run(probes.wide_rows, table), centred / lengths, "standardised")
