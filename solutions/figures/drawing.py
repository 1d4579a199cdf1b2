"""Writes a drawing as SVG, with a title and a description, in colours that follow light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; text-anchor: middle }
.left { text-anchor: start } .small { font-size: 11px } .large { font-size: 15px; font-weight: 600 }
.quiet { fill: #59636e } .mono { font-family: ui-monospace, monospace }
.box { fill: #f6f8fa; stroke: #818b98 } .one { fill: #b6daff; stroke: #0969da } .two { fill: #ffd8a8; stroke: #bc4c00 }
.three { fill: #b4e5b8; stroke: #1a7f37 } .four { fill: #e2d0ff; stroke: #8250df } .none { fill: none; stroke: #818b98 }
.dashed { fill: none; stroke: #818b98; stroke-dasharray: 4 3 } .line { fill: none; stroke: #59636e; stroke-width: 1.5 }
.curve1 { fill: none; stroke: #0969da; stroke-width: 2 }
.curve2 { fill: none; stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 6 3 }
.curve3 { fill: none; stroke: #1a7f37; stroke-width: 2; stroke-dasharray: 2 3 } .green { fill: #116329 }
.ink { fill: #1f2328 } .heat { fill: #bc4c00 }
.head { fill: #59636e } .blue { fill: #0550ae } .orange { fill: #953800 } .ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .quiet { fill: #b1bac4 } .box { fill: #21262d; stroke: #818b98 } .ground { fill: #0d1117 }
.one { fill: #0c3b70; stroke: #58a6ff } .two { fill: #6e2f02; stroke: #f0883e }
.three { fill: #0f4d22; stroke: #3fb950 } .four { fill: #43227a; stroke: #bc8cff }
.line { stroke: #b1bac4 } .head { fill: #b1bac4 }
.curve1 { stroke: #58a6ff } .curve2 { stroke: #f0883e } .blue { fill: #79c0ff } .orange { fill: #ffa657 }
.curve3 { stroke: #3fb950 } .green { fill: #7ee787 } .ink { fill: #f0f6fc } .heat { fill: #f0883e }
}
"""
COLOURS = ("one", "two", "three", "four")


class Drawing:
    """Shapes on a sheet of `width`×`height` pixels; `description` says in words what is to be seen."""

    def __init__(self, name: str, title: str, description: str, width: int, height: int) -> None:
        self.name = name
        self.title = title
        self.description = description
        self.width = width
        self.height = height
        self._shapes: list[str] = [f'<rect class="ground" width="{width}" height="{height}"/>']

    def rect(self, x: float, y: float, width: float, height: float, kind: str = "box", corner: float = 0) -> None:
        corners = f' rx="{corner:g}"' if corner else ""
        self._shapes.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{corners}/>'
        )

    def text(self, x: float, y: float, words: object, kind: str = "") -> None:
        kinds = f' class="{kind}"' if kind else ""
        self._shapes.append(f'<text{kinds} x="{x:g}" y="{y:g}">{escape(str(words), quote=False)}</text>')

    def line(self, points: Sequence[tuple[float, float]], kind: str = "line") -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(f'<polyline class="{kind}" points="{path}"/>')

    def arrow(self, x: float, y: float, to_x: float, to_y: float, kind: str = "line", head: str = "head") -> None:
        """Draw a line with a head at its end."""
        length = max(1e-6, ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5)
        along, across = ((to_x - x) / length, (to_y - y) / length), (-(to_y - y) / length, (to_x - x) / length)
        back = (to_x - 8 * along[0], to_y - 8 * along[1])
        self.line([(x, y), back], kind)
        wings = [(back[0] + 4 * side * across[0], back[1] + 4 * side * across[1]) for side in (1, -1)]
        corners = " ".join(f"{a:.1f},{b:.1f}" for a, b in [(to_x, to_y), *wings])
        self._shapes.append(f'<polygon class="{head}" points="{corners}"/>')

    def grid(self, x: float, y: float, rows: Sequence[Sequence[object]], cell: float, kind: str = "box") -> None:
        """Draw a table of numbers, each in a cell of its own."""
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                self.rect(x + j * cell, y + i * cell, cell, cell, kind)
                self.text(x + (j + 0.5) * cell, y + (i + 0.5) * cell + 4.5, value, "mono")

    def pixels(self, x: float, y: float, rows: Sequence[Sequence[float]], cell: float, kind: str = "ink") -> None:
        """Draw a picture: each number, in percent, says how strongly its pixel is filled, in steps of ten."""
        by_level: dict[int, list[str]] = {}
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                place = f"M{x + j * cell:g} {y + i * cell:g}h{cell:g}v{cell:g}h{-cell:g}z"
                by_level.setdefault(round(value / 10), []).append(place)
        for level in sorted(by_level.keys() - {0}):
            path = "".join(by_level[level])
            self._shapes.append(f'<path class="{kind}" fill-opacity="{level / 10:g}" d="{path}"/>')

    def svg(self) -> str:
        """Return the file's text."""
        ids = f"{self.name}-title", f"{self.name}-description"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-labelledby="{ids[0]} {ids[1]}">'
        )
        words = [
            f'<title id="{ids[0]}">{escape(self.title)}</title>',
            f'<desc id="{ids[1]}">{escape(self.description)}</desc>',
        ]
        return "\n".join([head, *words, f"<style>{STYLE}</style>", *self._shapes, "</svg>", ""])


def signed(value: int) -> str:
    """Write a number with a minus sign in place of a hyphen."""
    return str(value).replace("-", "−")
