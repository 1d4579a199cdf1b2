"""Writes pages that show pairs of alike submissions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup, escape

from grader.escape import plain
from grader.files import write_atomically
from grader.reports.pages import render_page
from grader.similarity.compare import Pair, Span


def write_pages(pairs: Sequence[Pair], out: Path) -> None:
    """Write index.html with all pairs, and pair-1.html and so on with both sides."""
    for number, pair in enumerate(pairs, 1):
        sides = [
            {"work": pair.left, "share": pair.share_left, "text": marked(pair.left.text, pair.spans_left)},
            {"work": pair.right, "share": pair.share_right, "text": marked(pair.right.text, pair.spans_right)},
        ]
        write_atomically(out / f"pair-{number}.html", render_page("pair.html.j2", sides=sides))
    write_atomically(out / "index.html", render_page("similar.html.j2", pairs=pairs))


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """Mark what also stands in the other text, and return markup that is safe to put into a page."""
    return Markup("").join(_pieces(text, spans))


def _pieces(text: str, spans: Sequence[Span]) -> Iterator[Markup]:
    at = 0
    for start, end in sorted(spans):
        start, end = max(at, start), min(end, len(text))
        if start < end:
            yield escape(plain(text[at:start]))
            yield Markup("<mark>{}</mark>").format(plain(text[start:end]))
            at = end
    yield escape(plain(text[at:]))
