"""Does once what a process does the first time, before any check waits for it: imports, draws, a picture, a step."""

from __future__ import annotations

import contextlib
import importlib

from hypothesis import given, settings
from hypothesis import strategies as st

SLOW = ("torch._dynamo", "torchvision.transforms", "matplotlib.pyplot", "sklearn.metrics", "PIL.Image")


def warm_up() -> None:
    """Import what students' code and checks use, and draw as checks do."""
    import torch  # noqa: PLC0415 - the checks have imported it

    torch.set_num_threads(1)
    for name in SLOW:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for once in (_draw, _plot, _train):
        with contextlib.suppress(Exception):  # checks would only be slower without
            once()


@settings(database=None, max_examples=20)
@given(number=st.integers(1, 64), numbers=st.lists(st.floats(0, 1, width=32), max_size=4), word=st.sampled_from("ab"))
def _draw(number: int, numbers: list[float], word: str) -> None:
    """Draw what checks draw."""


def _plot() -> None:
    """Draw a figure: the first one looks for fonts."""
    from matplotlib import pyplot  # noqa: PLC0415 - see `warm_up`

    figure, axes = pyplot.subplots(1, 2)
    axes[0].imshow([[0.0, 1.0], [1.0, 0.0]], cmap="gray")
    axes[0].set_title("a title")
    axes[1].plot([1, 2], label="a line")
    axes[1].legend()
    figure.canvas.draw()
    pyplot.close(figure)


def _train() -> None:
    """Train a small network by a step. Where a GPU is, a step starts threads that no fork would have."""
    import torch  # noqa: PLC0415 - see `warm_up`

    if torch.cuda.is_available():
        return
    with torch.random.fork_rng():
        network = torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8, 2)
        )
        optimizer = torch.optim.Adam(network.parameters())
        torch.nn.functional.cross_entropy(network(torch.rand(2, 1, 4, 4)), torch.tensor([0, 1])).backward()
        optimizer.step()
