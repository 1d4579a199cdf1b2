"""Finds the pairs of works that share enough fingerprints for a closer look, those that share most first.

Counting takes time in proportion to fingerprints times works. In a large class beside several earlier years, counting
pair by pair in a table would take hours and gigabytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any

ENOUGH = 0.5  # of the share that is asked for: fingerprints are a sample of the code


def candidates(hashes: Mapping[int, Collection[int]], now: Collection[int], least: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of works, by their numbers, the lower one first; one of each is of those in `now`.

    `hashes` has the fingerprints of each work, without what is common.
    """
    import numpy as np  # noqa: PLC0415 - slow, and copydetect, which may be absent, brings it

    numbers = sorted(hashes)
    shared = _Shared([hashes[number] for number in numbers])
    sizes = np.array([max(1, len(hashes[number])) for number in numbers], np.int64)
    is_now = np.array([number in now for number in numbers], bool)
    places = np.arange(len(numbers))
    found: list[tuple[Any, Any, Any]] = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))]
    for place in places[is_now].tolist():
        count = np.bincount(np.concatenate([*shared.owners(place), places[:0]]), minlength=len(numbers))
        share = count / np.minimum(sizes, sizes[place])
        (alike,) = np.nonzero((share > 0) & (share >= ENOUGH * least) & (~is_now | (places > place)))
        found.append((np.full(len(alike), place, np.int32), alike.astype(np.int32), share[alike]))
    left, right, share = map(np.concatenate, zip(*found, strict=True))
    for one in np.lexsort((right, left, -share)).tolist():
        low, high = sorted((numbers[left[one]], numbers[right[one]]))
        yield low, high


class _Shared:
    """Which works have each fingerprint: places of works, fingerprint by fingerprint, in one array.

    A work may have 60,000 fingerprints, and an object for each of them takes gigabytes in a large class.
    """

    def __init__(self, hashes: list[Collection[int]]) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        lengths = np.array([len(own) for own in hashes], np.int64)
        every = np.fromiter(chain.from_iterable(hashes), np.int64, int(lengths.sum()))
        _, kinds, counts = np.unique(every, return_inverse=True, return_counts=True)
        self._owners = np.repeat(np.arange(len(hashes), dtype=np.int32), lengths)[np.argsort(kinds, kind="stable")]
        self._ends = np.cumsum(counts)
        self._begins = self._ends - counts
        self._kinds = np.split(kinds, np.cumsum(lengths)[:-1])  # of each work

    def owners(self, place: int) -> list[Any]:
        """Return the places of the works that have it, for each fingerprint of a work that others have as well."""
        begins, ends = self._begins[self._kinds[place]], self._ends[self._kinds[place]]
        shared = ends - begins > 1
        ranges = zip(begins[shared].tolist(), ends[shared].tolist(), strict=True)
        return [self._owners[begin:end] for begin, end in ranges]
