"""Puts the interactive figures together: each a page of its own, without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fixtures import digits
from solutions.figures.drawing import STYLE

SOURCES = Path(__file__).with_name("pages")
WEEKS = {"week4": ("try-learning-rate",), "week5": ("try-convolution", "try-filter")}
DIGIT = 3  # the place of a digit with strokes in many directions
PAGE_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328 }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --ink: #f0f6fc } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 1rem auto; padding: 0 1rem;
  background: var(--ground); color: var(--ink) }
h1 { font-size: 1.4rem } svg { max-width: 100%; height: auto }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: center }
.weights { display: grid; grid-template-columns: repeat(3, 4rem); gap: .3rem } .weights input { font: inherit }
.row { display: flex; flex-wrap: wrap; gap: 2rem } figure { margin: 1rem 0 }
canvas { width: 252px; height: 252px; image-rendering: pixelated; display: block }
output { font-variant-numeric: tabular-nums; display: inline-block; min-width: 2.5rem }
"""


def pages() -> Iterator[tuple[str, str, str]]:
    """Yield each page's week, name and text."""
    for week, names in WEEKS.items():
        for name in names:
            body = (SOURCES / f"{name}.html").read_text(encoding="utf-8")
            yield week, name, _page(body.replace("/*DIGIT*/", str(_digit())))


def _page(body: str) -> str:
    title = body.split("<h1>", 1)[1].split("</h1>", 1)[0]
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}<title>{title}</title>\n<style>{STYLE}{PAGE_STYLE}</style>\n'
        f"</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _digit() -> list[int]:
    """Return 28×28 pixels from 0 to 255, row by row."""
    images, _ = digits.originals()
    return [int(value) for value in digits.to_bytes(images[DIGIT]).flatten().tolist()]
