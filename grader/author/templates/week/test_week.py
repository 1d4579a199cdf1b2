"""$TITLE's public checks: 60 points. Run them with `pytest assignments/$WEEK`."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.checks import expect, load_probes, task

probes = load_probes(__file__)


@task("$N.1", points=60, title="mean_squared_error averages over all entries",
      hint="How many entries does the sum have?")  # fmt: skip
@given(rows=st.integers(1, 5), columns=st.integers(1, 5), seed=st.integers(0, 2**31 - 1))
def test_mean_squared_error(student, rows, columns, seed):
    generator = torch.Generator().manual_seed(seed)
    predictions, targets = torch.randn(2, rows, columns, generator=generator)
    got = student.run(probes.error_and_gradient, predictions, targets)
    # An oracle of its own: a sum in plain Python, not the reference's line.
    pairs = zip(predictions.flatten().tolist(), targets.flatten().tolist(), strict=True)
    want = sum((p - t) ** 2 for p, t in pairs) / (rows * columns)
    expect.close(expect.field(got, "error"), torch.tensor(want), "mean_squared_error", sizes={"entries": rows * columns})
