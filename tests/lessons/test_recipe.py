"""What week 6 says of its recipe is what was measured, and it can be measured again."""

from __future__ import annotations

from pathlib import Path

import pytest

from solutions.figures import recipe
from tests.support import amount

ROOT = Path(__file__).parents[2]
WORDS = {"tuned": "fine-tuning", "frozen": "frozen features", "scratch": "from scratch"}


def told(kind: str) -> str:
    values = recipe.read()[kind]
    return f"{min(values):.0f} to {max(values):.0f} %"


@pytest.mark.parametrize("file", ["assignments/week6/README.md", "solutions/week6/lesson.md"])
def test_the_ranges_are_those_that_were_measured(file: str) -> None:
    text = " ".join((ROOT / file).read_text(encoding="utf-8").split())
    for kind, words in WORDS.items():
        assert f"{words} {told(kind)}" in text


def test_fine_tuning_is_better_than_both_others() -> None:
    means = {kind: sum(values) / len(values) for kind, values in recipe.read().items()}
    assert len(recipe.read()["tuned"]) == recipe.SEEDS
    assert means["tuned"] > means["frozen"] > means["scratch"]


@amount.in_full("what was measured is committed")
def test_it_can_be_measured_again() -> None:
    found = recipe.results(seeds=1)
    for kind, values in found.items():
        assert values[0] == pytest.approx(recipe.read()[kind][0], abs=6)
