"""Finds the pairs of works that share enough fingerprints for a closer look, those that share most first.

Counting takes time in proportion to fingerprints times works. In a large class beside several earlier years, counting
pair by pair in a table would take hours and gigabytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

ENOUGH = 0.5  # of the share that is asked for: fingerprints are a sample of the code


def candidates(hashes: Mapping[int, Collection[int]], now: Collection[int], least: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of works, by their numbers, the lower one first; one of each is of those in `now`.

    `hashes` has the fingerprints of each work, without what is common.
    """
    import numpy as np  # noqa: PLC0415 - slow, and copydetect, which may be absent, brings it

    numbers = sorted(hashes)
    owners = _owners([hashes[number] for number in numbers])
    sizes = np.array([max(1, len(hashes[number])) for number in numbers], np.int64)
    is_now = np.array([number in now for number in numbers], bool)
    places = np.arange(len(numbers))
    found: list[tuple[Any, Any, Any]] = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))]
    for place in places[is_now].tolist():
        others = [owners[hashed] for hashed in hashes[numbers[place]]]
        count = np.bincount(np.concatenate([*others, places[:0]]), minlength=len(numbers))
        share = count / np.minimum(sizes, sizes[place])
        (alike,) = np.nonzero((share > 0) & (share >= ENOUGH * least) & (~is_now | (places > place)))
        found.append((np.full(len(alike), place, np.int32), alike.astype(np.int32), share[alike]))
    left, right, share = map(np.concatenate, zip(*found, strict=True))
    for one in np.lexsort((right, left, -share)).tolist():
        low, high = sorted((numbers[left[one]], numbers[right[one]]))
        yield low, high


def _owners(hashes: list[Collection[int]]) -> dict[int, Any]:
    """Return the places of the works that have it, by the fingerprint."""
    import numpy as np  # noqa: PLC0415 - as above

    found: dict[int, list[int]] = {}
    for place, own in enumerate(hashes):
        for hashed in own:
            found.setdefault(hashed, []).append(place)
    return {hashed: np.array(places, np.int64) for hashed, places in found.items()}
