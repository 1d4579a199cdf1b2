"""Judges what `kit.drawn` and `kit.beside_another` tell of a figure, however it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from grader.checks import expect
from grader.inside import says

PREDICTIONS = says("the predictions")


def axes_of(got: Any, count: int) -> Sequence[Any]:
    """Return the axes of a figure that was returned, not shown; there have to be that many."""
    kind = expect.field(got, "type")
    nothing = says("it is None: is a `return` missing?") if type(kind) is str and kind == "NoneType" else None
    is_figure = expect.field(got, "figure") is True
    expect.true(is_figure, "no matplotlib Figure is returned", expected="Figure", got=kind, because=nothing)
    shows = expect.field(got, "shows")
    quiet = type(shows) is int and shows == 0  # evidence of any other type may have no truth value
    expect.true(quiet, "show() is called: return the figure, and leave showing it to the caller")
    axes = expect.items(expect.field(got, "axes"), None, "the figure's axes")
    bar = says("is one a colour bar? colorbar=False")
    extra = says("remove cells that stay empty, by ax.remove()") if count > 1 else bar
    expect.true(len(axes) <= count, f"the figure has too many axes: {extra}", expected=count, got=len(axes))
    expect.integer(len(axes), count, says("the number of axes in the figure"))
    return axes


def downwards(axes: Iterable[Any]) -> list[Any]:
    """Return axes from the top to the bottom; their `box` is needed."""
    boxes = [(expect.items(expect.field(ax, "box"), 4, "the place of an axes"), ax) for ax in axes]
    return [ax for _, ax in sorted(boxes, key=lambda one: -expect.number(one[0][1], "the place of an axes"))]


def pictures_of(axes: Iterable[Any]) -> list[torch.Tensor]:
    """Return all pictures in some axes as 2-d tensors, with or without colours."""
    found = [one for ax in axes for one in expect.items(expect.field(ax, "pictures"), None, "the pictures in an axes")]
    return flat(found)


def flat(pictures: Iterable[Any]) -> list[torch.Tensor]:
    """Return what are pictures as 2-d tensors, with or without colours."""
    found = [torch.from_numpy(one).double() for one in pictures if type(one) is np.ndarray and one.ndim in (2, 3)]
    return [one.mean(-1) if one.dim() == 3 else one for one in found]


def picture_of(ax: Any) -> torch.Tensor:
    """Return the first picture in an axes, as a 2-d tensor."""
    found = pictures_of([ax])
    expect.true(len(found) > 0, "an axes holds no picture")
    return found[0]


def shown_in(got: Any, count: int) -> list[torch.Tensor]:
    """Return the first picture in each of the axes of a figure that was returned; there have to be so many axes."""
    return [picture_of(ax) for ax in axes_of(got, count)]


def judge_rows(got: Any, rows: Mapping[str, Sequence[torch.Tensor]]) -> None:
    """A figure shows a row of pictures for each of `rows`, from the top: N×1×H×W images, each in one of its versions.

    `box` is needed of the axes. A row's name is that of its images: `{"the originals": [images]}`.
    """
    versions = {name: [*zip(*batches, strict=True)] for name, batches in rows.items()}
    count = len(next(iter(versions.values())))
    shown = [picture_of(ax) for ax in downwards(axes_of(got, len(rows) * count))]
    parts = [shown[start : start + count] for start in range(0, len(shown), count)]
    for number, (name, images) in enumerate(versions.items()):
        holding = [n for n, part in enumerate(parts, start=1) if all(show_one(image, part) for image in images)]
        place, own = number + 1, number + 1 in holding
        other = holding[0] if holding else None
        expect.true(own or other is None, f"{name} are drawn in row {other} from the top, and belong in row {place}")
        beside = all(show_one(image, shown) for image in images)
        expect.true(own or not beside, f"{name} are drawn, but not side by side in row {place} of {len(rows)}")
        expect.true(own, f"row {place} from the top does not show {name}")


def lines_of(ax: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the x and y values of each line in an axes; its `lines` are needed."""
    found = [expect.items(one, 2, "a line") for one in expect.items(expect.field(ax, "lines"), None, "the lines")]
    plain = [one for one in found if all(type(part) is np.ndarray and part.ndim == 1 for part in one)]
    expect.true(len(plain) == len(found), "a line is none of numbers")
    return [(torch.from_numpy(x).float(), torch.from_numpy(y).float()) for x, y in plain]


def alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Tell whether two pictures are equal up to brightness and contrast, as a picture may be drawn."""
    if a.shape != b.shape:
        return False
    a, b = a.double().flatten() - a.double().mean(), b.double().flatten() - b.double().mean()
    return bool((a @ b) > 0.99 * a.norm() * b.norm())


def show_all(images: Iterable[torch.Tensor], pictures: Sequence[torch.Tensor]) -> bool:
    """Tell whether each image 1×H×W is among the pictures."""
    return all(show_one([image], pictures) for image in images)


def show_one(images: Iterable[torch.Tensor], pictures: Sequence[torch.Tensor]) -> bool:
    """Tell whether some image 1×H×W is among the pictures."""
    return any(alike(image[0], picture) for image in images for picture in pictures)


def judge_own(got: Any, names: Iterable[str], images: Iterable[torch.Tensor] = ()) -> list[torch.Tensor]:
    """Each function that was run by `kit.beside_another` draws a figure of its own; return all pictures in them.

    Where there are images 1×H×W, which plots of this run were given, some picture shows one.
    """
    for name in names:
        own, untouched, shown = expect.items(expect.field(got, name), 3, f"what {name} draws")
        expect.true(shown is not None, f"{name} returns no matplotlib Figure: `return fig`")
        expect.true(own is True, f"{name} returns the figure that was current before: make its own, by plt.subplots()")
        expect.true(
            untouched is True, f"{name} draws into the figure that was current before: make its own, by plt.subplots()"
        )
        expect.instance(shown, int, says(f"the number of axes that {name} draws into"))
        expect.true(shown > 0, f"{name} draws nothing into the figure that it returns: pass its axes on, by ax=ax")
    pictures = flat(expect.items(expect.field(got, "pictures"), None, "the pictures"))
    given = [*images]
    expect.true(not given or show_one(given, pictures), "none of the plots shows an image that it is given")
    return pictures


def judge_confusion(
    ax: Any, labels: torch.Tensor, predicted: torch.Tensor, classes: int, name: str = PREDICTIONS
) -> None:
    """An axes shows the confusion matrix, as counts or fractions, a picture, a mesh or texts, with either row on top.

    Its `pictures`, `meshes`, `texts` and `names` are needed. `name` is what the student calls the predictions.
    """
    ones = torch.ones(len(labels)).double()
    counts = torch.zeros(classes, classes).double().index_put_((labels, predicted), ones, accumulate=True)
    drawn = [*expect.items(expect.field(ax, "pictures"), None, "pictures"),
             *expect.items(expect.field(ax, "meshes"), None, "meshes")]  # fmt: skip
    arrays = [torch.from_numpy(a) for a in drawn if type(a) is np.ndarray and a.size == counts.numel()]
    versions = [counts, counts / counts.sum(1, keepdim=True), (counts / counts.sum(0)).nan_to_num()]
    texts = expect.items(expect.field(ax, "texts"), None, "texts")
    expect.true(bool(drawn or texts), "nothing is drawn in the figure that is returned: draw into its axes (ax=…)")
    matches = not arrays and sorted(map(str, texts)) == sorted(str(int(c)) for c in counts.flatten())
    for turned in _orientations(ax):
        matches = matches or _among([version.T if turned else version for version in versions], arrays)
    own = torch.diag(counts.sum(1))
    alone = _among([own, own / own.sum(1), torch.diag(counts.sum(0))], arrays)
    expect.true(matches or not alone, f"the matrix compares the labels with themselves, and not with {name}")
    exchanged = _among([version.T for version in versions], arrays)
    expect.true(
        matches or not exchanged, "rows and columns are exchanged, or the names of the axes: rows are the true labels"
    )
    expect.true(matches, "the axes do not show the confusion matrix of true labels (rows) and predicted ones (columns)")


def judge_drawn(ax: Any) -> None:
    """Something is drawn in an axes, whatever it is; its `pictures`, `meshes` and `count` are needed."""
    empty = 12  # children of an axes on which nothing has been drawn, and a little room
    parts = [*expect.items(expect.field(ax, "pictures"), None, "pictures"),
             *expect.items(expect.field(ax, "meshes"), None, "meshes")]  # fmt: skip
    count = expect.number(expect.field(ax, "count"), says("the parts drawn"))
    expect.true(bool(parts) or count > empty, "nothing is drawn")


def _among(matrices: Iterable[torch.Tensor], arrays: Sequence[torch.Tensor]) -> bool:
    """Tell whether some matrix is drawn, as pictures and meshes hold it, from the top or from the bottom."""
    forms = [form for one in matrices for turned in (one, one.flip(0)) for form in (turned, turned.flatten())]
    return any(_same(array, form) for form in forms for array in arrays)


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Tell whether they are equal up to a factor, or on a scale of another kind, such as the logarithm."""
    if a.shape != b.shape:
        return False
    a, order = a.double().flatten(), b.flatten().argsort(stable=True)
    steps, rises = a[order].diff(), b.flatten()[order].diff()
    monotone = bool(((steps > 0) == (rises > 0)).all() and (steps >= 0).all())
    return monotone or expect.same_values(a / a.sum(), b.flatten() / b.sum(), atol=1e-5)


def _orientations(ax: Any) -> list[bool]:
    """Tell whether the rows may be the predicted classes, for each way that the axes' names allow."""
    along, up = (str(name).lower() for name in expect.items(expect.field(ax, "names"), 2, "the names of the axes"))
    if "pred" in up and "pred" not in along:
        return [True]
    return [False] if "pred" in along and "pred" not in up else [False, True]
