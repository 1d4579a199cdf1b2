"""Finds submissions that are suspiciously alike, by copydetect: winnowed k-grams of tokens with every name the same.

Common code says nothing: the skeleton, and what a good part of the class has in common, are left out.
Code is taken apart in a process that has a budget for each work (`tokens`). What is done with it here takes time in
proportion to its length, which is bounded, for each work and for each pair that is looked at (`candidates`).
Winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003.
"""

from __future__ import annotations

import io
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.errors import SubmissionError
from grader.similarity.candidates import candidates
from grader.similarity.tokens import filtered

K, WINDOW = 25, 6  # characters of filtered code; all equal code that is longer than K + WINDOW is found
LEAST_OWN = 400  # characters that are not common code; with fewer there is nothing to compare
LONGEST = 200_000  # characters; nobody writes more than that for a week
COMMON = 0.5  # code is common if a larger part of the class has it
MOST_LOOKED = 5_000  # pairs of one week; a class that has more of them has another problem
FEW = 10  # but in a small class only if more students than these have it

Span = tuple[int, int]


@dataclass(frozen=True)
class Work:
    """One week's work as text: its modules, one after the other. `names` are those who share it, if there are several.

    `year` names the folder of an earlier class, and is empty for the class that is looked at.
    """

    student: str
    week: str
    text: str
    names: tuple[str, ...] = ()
    year: str = ""

    @property
    def who(self) -> tuple[str, ...]:
        """All whose work it is."""
        return self.names or (self.student,)

    @property
    def label(self) -> str:
        """Say whose work it is, and of which class."""
        return f"{self.student} ({self.year})" if self.year else self.student


@dataclass(frozen=True)
class Pair:
    """Two submissions: the share of each one's own code that stands in the other, and where, in characters."""

    left: Work
    right: Work
    share_left: float
    share_right: float
    spans_left: tuple[Span, ...]
    spans_right: tuple[Span, ...]
    mistakes: tuple[str, ...] = ()  # rare ones, which both have made

    @property
    def share(self) -> float:
        """The greater of both shares, so that a copy hidden among a student's own code is found as well."""
        return max(self.share_left, self.share_right)


def text_of(files: Mapping[str, bytes]) -> str:
    """Return a submission's Python files as one text, each under its name."""
    parts = [
        f"# {name}\n{content.decode('utf-8', 'replace')}".rstrip() for name, content in sorted(files.items())
        if name.endswith(".py")
    ]  # fmt: skip
    return "\n\n".join(parts).replace("\r\n", "\n").replace("\0", "\ufffd") + "\n"


def similar_pairs(
    works: Sequence[Work],
    skeleton: str,
    least: float,
    left_out: Callable[[Work, str], None] = lambda work, why: None,
    aside: Callable[[Work, Work], bool] = lambda left, right: False,
) -> list[Pair]:
    """Find the pairs of one week's works that share at least `least` of their code, the most alike first.

    Works of earlier years are not compared with each other, nor two that are left `aside`. `left_out` is told of each
    work that cannot be compared, and why. Only the `MOST_LOOKED` pairs that share most are looked at.
    Raises `GraderError` where copydetect is not installed.
    """
    prints = dict(_fingerprints(works, left_out))
    owners: dict[int, set[int]] = defaultdict(set)
    for number, one in prints.items():
        for hashed in one.hashes:
            owners[hashed].add(number)
    now = {number for number, work in enumerate(works) if not work.year}
    limit = max(FEW, int(COMMON * len(now)))
    common = set(_fingerprint(skeleton).hashes) | {hashed for hashed, who in owners.items() if len(who & now) > limit}
    for one in prints.values():
        _leave_out(one, common)
    owned = {number: one.hashes for number, one in prints.items() if one.token_coverage >= LEAST_OWN}
    wanted = (two for two in candidates(owned, now, least) if not aside(works[two[0]], works[two[1]]))
    pairs = (_pair(works, prints, *two) for two in itertools.islice(wanted, MOST_LOOKED))
    found = [pair for pair in pairs if pair.share >= least]
    return sorted(found, key=lambda pair: (-round(pair.share, 3), pair.left.label, pair.right.label))


def _pair(works: Sequence[Work], prints: Mapping[int, object], left: int, right: int) -> Pair:
    from copydetect import compare_files  # noqa: PLC0415 - an extra, which may be absent

    _, shares, spans = compare_files(prints[left], prints[right])
    first, second = (
        tuple(sorted((int(start), int(end)) for start, end in zip(*one, strict=True))) if len(one) else ()
        for one in spans
    )
    return Pair(works[left], works[right], float(shares[0]), float(shares[1]), first, second)


def _fingerprints(  # type: ignore[no-untyped-def]
    works: Sequence[Work], left_out: Callable[[Work, str], None]
):
    for number, work in enumerate(works):
        try:
            if len(work.text) > LONGEST:
                raise SubmissionError(f"it has more than {LONGEST:,} characters")
            yield number, _fingerprint(work.text)
        except SubmissionError as error:
            left_out(work, str(error))


def _fingerprint(text: str):  # type: ignore[no-untyped-def]
    code = filtered(text)
    import numpy as np  # noqa: PLC0415 - slow, and copydetect, which may be absent, brings it
    from copydetect import CodeFingerprint  # noqa: PLC0415 - an extra, which may be absent

    one = CodeFingerprint("work.py", K, WINDOW, filter=False, fp=io.StringIO(code.code))
    one.offsets = np.array(code.offsets)
    return one


def _leave_out(one, common: set[int]) -> None:  # type: ignore[no-untyped-def]
    from copydetect.utils import get_token_coverage  # noqa: PLC0415 - an extra, which may be absent

    one.hashes = {hashed for hashed in one.hashes if hashed not in common}
    one.hash_idx = {hashed: places for hashed, places in one.hash_idx.items() if hashed in one.hashes}
    one.token_coverage = get_token_coverage(one.hash_idx, one.k, len(one.filtered_code))
