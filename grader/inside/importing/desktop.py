"""Makes harmless what a desktop has and a grader lacks: windows, and a notebook's widgets."""

from __future__ import annotations

import contextlib
from typing import Any


def without_desktop() -> None:
    """Let figures be drawn in memory alone, whatever back end is asked for, and progress bars be plain text."""
    import matplotlib
    from matplotlib import pyplot

    pyplot.switch_backend("agg")  # at once: it is the function by which the first figure would do it
    matplotlib.use = _ignored
    pyplot.switch_backend = _ignored
    with contextlib.suppress(ImportError):
        _plain_progress()


def _ignored(*args: Any, **more: Any) -> None:
    """Ask for a back end in vain."""


def _plain_progress() -> None:
    """Give tqdm's plain bars to who asks for a notebook's, without a thread that watches them."""
    import tqdm.auto
    import tqdm.notebook

    tqdm.tqdm.monitor_interval = 0
    for module in (tqdm.auto, tqdm.notebook):
        module.tqdm, module.trange = tqdm.tqdm, tqdm.trange
    tqdm.notebook.tqdm_notebook, tqdm.notebook.tnrange = tqdm.tqdm, tqdm.trange
    tqdm.tqdm_notebook, tqdm.tnrange = tqdm.tqdm, tqdm.trange
