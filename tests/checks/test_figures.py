"""What a figure's evidence says is compared by type first: arrays have no truth value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grader.checks import figures

ODD = (np.zeros((3, 0)), np.zeros(2), torch.zeros(2), torch.zeros(3, 0), None, "", [], {}, 0.5)


@pytest.mark.parametrize("field", ["type", "figure", "shows", "axes"])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_evidence_of_a_figure_fails_a_check_at_most(field: str, odd: Any) -> None:
    right = {"type": "Figure", "figure": True, "shows": 0, "axes": [{}, {}]}
    assert len(figures.axes_of(right, 2)) == 2
    if field == "type":  # a name that is shown where there is no figure
        assert len(figures.axes_of({**right, field: odd}, 2)) == 2
        right["figure"] = False
    with pytest.raises(AssertionError):
        figures.axes_of({**right, field: odd}, 2)
