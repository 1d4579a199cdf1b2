"""A check works out once for each draw what it needs no student for."""

import pytest
import torch

from grader.checks import computed_once, memo


def test_the_same_draw_is_computed_once_and_another_one_anew() -> None:
    asked = []

    @computed_once
    def total(batches: list[torch.Tensor], seed: int, scale: float = 1.0) -> float:
        asked.append(seed)
        return scale * sum(float(batch.sum()) for batch in batches)

    for _ in range(2):  # the content counts, not the object
        assert total([torch.ones(2), torch.ones(3)], 1) == 5
        assert total([torch.ones(2), torch.ones(4)], 1) == 6
        assert total([torch.ones(2), torch.ones(3)], 2) == 5
        assert total([torch.ones(2), torch.ones(3)], 1, scale=2.0) == 10
        assert total([torch.ones(5)], 1) == 5  # of the same numbers in another shape
    assert asked == [1, 1, 2, 1, 1]


def test_only_the_latest_results_are_kept() -> None:
    asked = []

    @computed_once
    def twice(number: int) -> int:
        asked.append(number)
        return 2 * number

    for number in [*range(memo.KEPT + 1), memo.KEPT, 0]:
        assert twice(number) == 2 * number
    assert asked == [*range(memo.KEPT + 1), 0]


def test_a_failed_computation_is_not_kept() -> None:
    asked = []

    @computed_once
    def half(number: int) -> int:
        asked.append(number)
        if len(asked) == 1:
            raise ValueError("the first time it fails")
        return number // 2

    with pytest.raises(ValueError, match="the first time"):
        half(4)
    assert half(4) == half(4) == 2
    assert asked == [4, 4]
