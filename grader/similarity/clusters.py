"""Joins pairs of alike works to clusters: ten copies of one work are one finding, and not forty-five."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.similarity.compare import Pair, Work


@dataclass(frozen=True)
class Cluster:
    """Works that are alike, each with at least one other, and their pairs, the most alike first."""

    week: str
    works: tuple[Work, ...]
    pairs: tuple[Pair, ...]

    @property
    def shares(self) -> tuple[float, float]:
        """The least and the greatest share of its pairs."""
        shares = [pair.share for pair in self.pairs]
        return min(shares), max(shares)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The rare mistakes that two of its works have in common, each once."""
        return tuple(dict.fromkeys(mistake for pair in self.pairs for mistake in pair.mistakes))

    @property
    def names(self) -> str:
        """All whose works these are."""
        return ", ".join(work.label for work in self.works)


def clusters_of(pairs: Sequence[Pair]) -> list[Cluster]:
    """Join pairs that have a work in common; the most alike first."""
    place: dict[Work, list[Pair]] = {}
    for pair in pairs:
        left, right = place.get(pair.left, []), place.get(pair.right, [])
        joined = [*left, *(right if right is not left else []), pair]
        for other in joined:
            place[other.left] = place[other.right] = joined
    found = {id(joined): joined for joined in place.values()}
    clusters = [_cluster(joined) for joined in found.values()]
    return sorted(clusters, key=lambda one: (-round(one.shares[1], 3), -len(one.works), one.names))


def _cluster(pairs: list[Pair]) -> Cluster:
    works = {work: None for pair in pairs for work in (pair.left, pair.right)}
    ordered = sorted(pairs, key=lambda pair: (-round(pair.share, 3), pair.left.label, pair.right.label))
    return Cluster(pairs[0].left.week, tuple(sorted(works, key=lambda work: (work.year, work.label))), tuple(ordered))
