"""Writes code with every name the same, as copydetect does, in a process that has a budget for each work.

The patterns that take code apart are pygments' own, and nobody promises how long they take over a hostile text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.errors import GraderError, SubmissionError
from grader.intake.reading.budget import BudgetedProcess

Offset = tuple[int, int]


@dataclass(frozen=True)
class Filtered:
    """Code with every name the same, and how many characters it is shorter from which place on."""

    code: str
    offsets: list[Offset]


def filtered(text: str) -> Filtered:
    """Filter a text. Raises `SubmissionError` where that takes too much, `GraderError` without copydetect."""
    try:
        import copydetect  # noqa: F401, PLC0415 - an extra, which may be absent
    except ImportError:
        raise GraderError("comparing submissions needs copydetect: pip install -e '.[similar]'") from None
    return _from_plain(PROCESS.ask({"text": text}, "it"), len(text))


def rest() -> None:
    """End the process; the next text starts another one."""
    PROCESS.close()


class Service:
    """Filters a text, in the process that does nothing else."""

    def __init__(self) -> None:
        # Now, so that the first text's budget has not to pay for it.
        from copydetect.utils import filter_code  # noqa: PLC0415 - an extra, which may be absent

        self._filter_code = filter_code

    def answer(self, request: dict[str, Any]) -> Iterator[Any]:
        """Yield the filtered code, and its offsets."""
        code, offsets = self._filter_code(request["text"], "work.py")
        yield code
        yield offsets.tolist()


def _from_plain(parts: list[Any], longest: int) -> Filtered:
    try:
        code, offsets = parts
        places = [(at, offset) for at, offset in offsets]
        numbers = {type(number) for place in places for number in place}
        if type(code) is str and len(code) <= longest + 1 and numbers <= {int}:
            return Filtered(code, places)
    except (TypeError, ValueError):
        pass
    raise SubmissionError("reading it gave no answer that can be understood")


# One for all that is compared in a row, since it takes a second to start.
PROCESS = BudgetedProcess(__name__)
