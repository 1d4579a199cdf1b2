"""Week 1's public checks: 50 points."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.numbers import draw
from grader.checks import expect, load_probes, task

probes = load_probes(__file__)


@task("1.1", points=25, title="running_mean averages each window", hint="How many windows are there?")
@given(width=st.integers(1, 4), more=st.integers(0, 6), seed=st.integers(0, 2**31 - 1))
def test_running_mean(student, width, more, seed):
    values = np.random.default_rng(seed).normal(size=width + more)
    sums = [sum(values[start + step] for step in range(width)) for start in range(more + 1)]
    expect.close(student.run(probes.means, values, width), np.array(sums) / width, "running_mean")


@task("1.2", points=25, title="standardised gives rows of mean 0", hint="Along which axis?")
def test_rows_have_mean_zero(student, rng):
    table = 3 + draw(rng, 4, 5)
    got = student.run(probes.rows, table)
    centred = np.array([row - sum(row) / len(row) for row in table])
    expect.close(got, centred / np.sqrt(np.mean(centred**2, axis=1, keepdims=True)), "standardised")
