"""Pairs for a closer look are those that comparing all with all would find; the most alike come first."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.similarity import compare
from grader.similarity.candidates import ENOUGH, candidates
from grader.similarity.compare import Work, similar_pairs


def code_of(numbers: Iterable[int]) -> str:
    """Write a line for each number, which no name tells from others: its operators are the number's bits."""
    lines = ("".join(f"x {'+-*/%@&|^<'[(n * 7919 // 10**place + place) % 10]} " for place in range(8)) for n in numbers)
    return "".join(f"y = {line}z\n" for line in lines)


HASHES = st.dictionaries(st.integers(0, 20), st.frozensets(st.integers(0, 8), max_size=6), max_size=9)


@given(HASHES, st.frozensets(st.integers(0, 20)), st.sampled_from([0.01, 0.3, 0.5, 1.0]))
def test_all_pairs_that_share_enough_are_found_once_and_earlier_works_are_not_paired(
    hashes: dict[int, frozenset[int]], now: frozenset[int], least: float
) -> None:
    shares = {
        (one, other): len(hashes[one] & hashes[other]) / max(1, min(len(hashes[one]), len(hashes[other])))
        for one, other in itertools.combinations(sorted(hashes), 2)
        if {one, other} & now
    }
    found = list(candidates(hashes, now, least))
    assert Counter(found) == Counter(two for two, share in shares.items() if share and share >= ENOUGH * least)
    assert [shares[two] for two in found] == sorted((shares[two] for two in found), reverse=True)


def test_fingerprints_that_one_work_alone_has_take_a_few_bytes_each() -> None:
    hashes = {number: range(10_000 * number, 10_000 * (number + 1)) for number in range(10)}
    list(candidates({0: range(9), 1: range(9)}, {0}, 0.5))  # numpy is imported
    tracemalloc.start()
    try:
        assert list(candidates(hashes, {*hashes}, 0.5)) == []
        assert tracemalloc.get_traced_memory()[1] < 100 * 100_000
    finally:
        tracemalloc.stop()


def test_of_too_many_pairs_the_most_alike_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = code_of(range(40))
    works = [Work("ana", "week5", whole), Work("bo", "week5", whole)]
    works += [Work(f"other {n}", "week5", code_of([*range(30), *range(100 + 40 * n, 130 + 40 * n)])) for n in range(6)]
    assert len(similar_pairs(works, "", 0.3)) > 1
    monkeypatch.setattr(compare, "MOST_LOOKED", 1)
    (pair,) = similar_pairs(works, "", 0.3)
    assert (pair.left.student, pair.right.student) == ("ana", "bo")
