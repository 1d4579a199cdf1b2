"""Writes pages that show clusters of alike submissions, and each of their pairs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup, escape

from grader.escape import plain
from grader.files import write_atomically
from grader.reports.pages import render_page
from grader.similarity.clusters import Cluster
from grader.similarity.compare import Span
from grader.similarity.works import Likeness


def write_pages(found: Likeness, out: Path) -> None:
    """Write index.html with all clusters, and pair-1.html and so on with both sides of their pairs."""
    numbers = {pair: number for number, pair in enumerate((p for one in found.clusters for p in one.pairs), 1)}
    for pair, number in numbers.items():
        sides = [
            {"work": pair.left, "share": pair.share_left, "text": marked(pair.left.text, pair.spans_left)},
            {"work": pair.right, "share": pair.share_right, "text": marked(pair.right.text, pair.spans_right)},
        ]
        page = render_page("pair.html.j2", sides=sides, mistakes=pair.mistakes)
        write_atomically(out / f"pair-{number}.html", page)
    _remove_old(out, len(numbers))
    shown = [
        {"cluster": one, "percent": percent(one), "numbers": [numbers[p] for p in one.pairs]} for one in found.clusters
    ]
    write_atomically(out / "index.html", render_page("similar.html.j2", found=found, clusters=shown))


def percent(cluster: Cluster) -> str:
    """Say how much is alike in a cluster: `95 %`, or `70 to 95 %`."""
    low, high = (round(100 * share) for share in cluster.shares)
    return f"{high} %" if low == high else f"{low} to {high} %"


def _remove_old(out: Path, last: int) -> None:
    """Remove the pages of pairs that an earlier run found, and this one did not: nobody shall judge by them."""
    for page in out.glob("pair-*.html"):
        number = page.stem.removeprefix("pair-")
        if number.isdecimal() and int(number) > last:
            page.unlink()


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """Mark what also stands in the other text, and return markup that is safe to put into a page."""
    return Markup("").join(_pieces(text, spans))


def whole_words(text: str, spans: Sequence[Span]) -> list[Span]:
    """Widen spans to whole words, trim blanks at their ends, and join those that meet."""
    found: list[Span] = []
    for start, end in sorted(_widened(text, max(0, start), min(end, len(text))) for start, end in spans):
        if start >= end:
            continue
        if found and not text[found[-1][1] : start].strip():
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _widened(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while 0 < start < end and _in_word(text, start):
        start -= 1
    while start < end < len(text) and _in_word(text, end):
        end += 1
    return start, end


def _in_word(text: str, at: int) -> bool:
    """Tell whether a place lies between two characters of one word."""
    return all(sign.isalnum() or sign == "_" for sign in text[at - 1 : at + 1])


def _pieces(text: str, spans: Sequence[Span]) -> Iterator[Markup]:
    at = 0
    for start, end in whole_words(text, spans):
        yield escape(plain(text[at:start]))
        yield Markup("<mark>{}</mark>").format(plain(text[start:end]))
        at = end
    yield escape(plain(text[at:]))
