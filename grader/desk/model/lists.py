"""Cuts long lists into pages: none of them grows with the class and the weeks beyond what a browser shows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload
from urllib.parse import urlencode

T = TypeVar("T")
AROUND = 2  # pages before and after the shown one that are linked


@dataclass(frozen=True)
class Sheet(Generic[T]):
    """The items of one page, and how many there are on all pages. `query` chose them, and `key` is the page's there."""

    items: Sequence[T]
    count: int
    number: int
    pages: int
    query: Mapping[str, str]
    key: str = "page"

    def address(self, number: int) -> str:
        """Return the address of another page of the same."""
        said = {**self.query, self.key: str(number)}
        return f"?{urlencode({name: value for name, value in said.items() if value}, errors='backslashreplace')}"

    @property
    def linked(self) -> list[int]:
        """The pages that are linked by their numbers: the first, the last, and those around this one; 0 for a gap."""
        near = range(self.number - AROUND, self.number + AROUND + 1)
        numbers = sorted({1, self.pages, *(number for number in near if 1 <= number <= self.pages)})
        found: list[int] = []
        for number in numbers:
            found += [0] if found and number > found[-1] + 1 else []
            found.append(number)
        return found


class Paged(Sequence[T]):
    """A list of known length that is read from the gradebook part by part, by the first place and how many."""

    def __init__(self, count: int, read: Callable[[int, int], Sequence[T]]) -> None:
        self._count, self._read = count, read

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...

    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, int):
            return self._read(place, 1)[0]
        first, last, _ = place.indices(self._count)
        return self._read(first, max(0, last - first))


def page_number(text: str) -> int:
    """Read the number of a page; what makes no sense is the first one."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def sheet(items: Sequence[T], most: int, query: Mapping[str, str], key: str = "page") -> Sheet[T]:
    """Return the page of a list that a query names, of at most so many items; beyond the last one, the last."""
    pages = max(1, -(-len(items) // most))
    number = min(page_number(query.get(key, "")), pages)
    return Sheet(items[(number - 1) * most : number * most], len(items), number, pages, dict(query), key)
