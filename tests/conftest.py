"""What every test of the kit shares: plots without a screen, one thread, and nothing left outside temporary folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Set before anything imports matplotlib; workers and judges inherit or choose their own.
_MATPLOTLIB = tempfile.TemporaryDirectory(prefix="grader-tests-matplotlib-")
os.environ["MPLCONFIGDIR"] = _MATPLOTLIB.name
os.environ["MPLBACKEND"] = "agg"

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums come out the same on every machine, and several test runs share one machine fairly."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def same_folder() -> Iterator[None]:
    """A test that changes the working folder does not change it for the next."""
    before = Path.cwd()
    yield
    os.chdir(before)
