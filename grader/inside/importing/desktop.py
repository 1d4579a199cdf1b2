"""Makes harmless what a desktop has and a grader lacks: windows, a notebook's widgets, and a log to look at later."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any


def without_desktop() -> None:
    """Draw figures in memory alone, whatever back end is asked for; progress bars are plain text, logs go nowhere."""
    import matplotlib
    from matplotlib import pyplot

    pyplot.switch_backend("agg")  # at once: it is the function by which the first figure would do it
    matplotlib.use = _ignored
    pyplot.switch_backend = _ignored
    with contextlib.suppress(ImportError):
        _plain_progress()
    _silent_logs()


def without_counts() -> None:
    """Say how long this process has computed, and nothing else of what it has used: the sandbox refuses to tell."""
    import resource

    def used(who: int, /) -> resource.struct_rusage:
        seconds = time.process_time() if who != resource.RUSAGE_CHILDREN else 0.0
        return resource.struct_rusage((seconds, 0.0, *[0] * 14))

    resource.getrusage = used


def _ignored(*args: Any, **more: Any) -> None:
    """Ask for a back end in vain, or log something."""


def _plain_progress() -> None:
    """Give tqdm's plain bars to who asks for a notebook's, without a thread that watches them."""
    import tqdm.auto
    import tqdm.notebook

    tqdm.tqdm.monitor_interval = 0
    for module in (tqdm.auto, tqdm.notebook):
        module.tqdm, module.trange = tqdm.tqdm, tqdm.trange
    tqdm.notebook.tqdm_notebook, tqdm.notebook.tnrange = tqdm.tqdm, tqdm.trange
    tqdm.tqdm_notebook, tqdm.tnrange = tqdm.tqdm, tqdm.trange


class SummaryWriter:
    """Takes what is logged for TensorBoard, and writes nothing: nobody looks at a log of the grading machine's."""

    def __init__(self, log_dir: object = "runs", *args: Any, **more: Any) -> None:
        self.log_dir = str(log_dir)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return _ignored

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End without a file to close."""


def _silent_logs() -> None:
    """Let a writer be imported by both its names, whether or not TensorBoard is installed."""
    import torch.utils

    for name in ("torch.utils.tensorboard", "tensorboardX"):
        module = ModuleType(name)
        module.__dict__["SummaryWriter"] = SummaryWriter
        sys.modules[name] = module
    torch.utils.__dict__["tensorboard"] = sys.modules["torch.utils.tensorboard"]
