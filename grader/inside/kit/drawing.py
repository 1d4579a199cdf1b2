"""Describes what a figure shows, as plain data: `checks.figures` judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def drawn(plot: Callable[[], Any], *parts: str) -> dict[str, Any]:
    """Return what a plotting function gave and drew: of each axes the `parts`.

    These are `pictures`, `meshes`, `lines`, `texts`, `names` of its two axes, `title`, `count` of all that is drawn,
    and `box`, its place in pixels.
    """
    import matplotlib.pyplot as plt  # a quarter of a second, for those who draw
    from matplotlib.figure import Figure

    shows: list[int] = []
    showing: tuple[Any, ...] = (plt, Figure)
    before = [one.show for one in showing]

    def show(*args: Any, **kwargs: Any) -> None:
        shows.append(1)

    for one in showing:
        one.show = show
    try:
        figure = plot()
    finally:
        for one, own in zip(showing, before, strict=True):
            one.show = own
    is_figure = isinstance(figure, Figure)
    if is_figure and "box" in parts:
        figure.draw_without_rendering()  # only what is laid out has its final place
    axes = [{part: PARTS[part](ax) for part in parts} for ax in figure.axes] if is_figure else []
    plt.close("all")
    return {"type": type(figure).__name__, "figure": is_figure, "shows": len(shows), "axes": axes}


def beside_another(module: Any, plots: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """For each of a module's plots, beside another figure: whether it gives its own, left that alone, in how many axes.

    `plots` holds what each is called with, by its name. `pictures` are all pictures in these figures.
    """
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    found: dict[str, Any] = {}
    pictures: list[Any] = []
    for name, given in plots.items():
        plt.close("all")
        other, ax = plt.subplots()
        before = len(ax.get_children())
        figure = getattr(module, name)(*given)
        untouched = other.axes == [ax] and len(ax.get_children()) == before
        used = sum(map(_is_used, figure.axes)) if isinstance(figure, Figure) else None
        found[name] = [figure is not other, untouched, used]
        axes = figure.axes if isinstance(figure, Figure) else []
        pictures += [picture for own in axes for picture in PARTS["pictures"](own)]
    plt.close("all")
    return {**found, "pictures": pictures}


def _is_used(ax: Any) -> bool:
    return bool(ax.images or ax.collections or ax.texts or ax.lines or ax.patches)


def _plain(values: Any) -> Any:
    return np.ma.filled(np.ma.asarray(values).astype(float), np.nan)


def _pictures(ax: Any) -> list[Any]:
    """Return the images in an axes, then what is drawn as a grid of cells (`pcolormesh`), as one sees it."""
    grids = [one for one in ax.collections if one.get_array() is not None and hasattr(one, "get_coordinates")]
    return [_plain(image.get_array()) for image in ax.images] + [_seen(grid, ax) for grid in grids]


def _seen(grid: Any, ax: Any) -> Any:
    """Return the cells' values, the upper row first: `pcolormesh` begins at the bottom unless the axis is inverted."""
    corners, values = np.asarray(grid.get_coordinates()), _plain(grid.get_array())
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    if values.size != rows * columns:
        return values  # colours, or values at the corners
    cells = values.reshape(rows, columns)
    if bool(corners[-1, 0, 1] > corners[0, 0, 1]) != ax.yaxis_inverted():
        cells = cells[::-1]
    if bool(corners[0, -1, 0] > corners[0, 0, 0]) == ax.xaxis_inverted():
        cells = cells[:, ::-1]
    return cells.copy()


PARTS: dict[str, Callable[[Any], Any]] = {
    "box": lambda ax: [float(v) for v in ax.bbox.extents],  # within subfigures as well
    "pictures": _pictures,
    "meshes": lambda ax: [_plain(one.get_array()) for one in ax.collections if one.get_array() is not None],
    "lines": lambda ax: [[_plain(line.get_xdata(orig=False)), _plain(line.get_ydata(orig=False))] for line in ax.lines],
    "texts": lambda ax: [text.get_text() for text in ax.texts],
    "names": lambda ax: [ax.get_xlabel(), ax.get_ylabel()],
    "title": lambda ax: ax.get_title(),
    "count": lambda ax: len(ax.get_children()),
}
