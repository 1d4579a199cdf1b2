"""Sets up every test of the kit: plots without a screen, one thread, and nothing left outside temporary folders."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.course import Course
from tests.support import amount, kernels, warm
from tests.support.courses import copied

# Set before anything imports matplotlib or torch: their caches stay in the clone, as everything does.
_CACHE = Path(__file__).parents[1] / ".cache"
os.environ["MPLCONFIGDIR"] = str(_CACHE / "matplotlib")
os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(_CACHE / "torch")
os.environ["MPLBACKEND"] = "agg"
# Tests start some hundred processes: each would compile the grader anew where bytecode is not kept.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# One thread for the processes that tests start, too: several at once would wait for each other's threads.
os.environ["OMP_NUM_THREADS"] = "1"

# What is imported and collected stays to the end: to look through it for garbage again and again finds nothing.
gc.disable()

pytest_plugins = ["pytester"]
collect_ignore = ["courses"]  # their checks are for courses, not for this one


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under `-n` run each file in one process: its tests share judges and workers, which take seconds to start."""
    if config.option.dist != "load":  # somebody has asked for another way
        return None
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums come out the same on every machine, and several test runs share one machine fairly."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def warm_fork_servers() -> Iterator[None]:
    """Tests fork what would take seconds to start. `warm.cold` is for tests of the start itself."""
    with warm.started():
        yield


@pytest.fixture(scope="session")
def warm_kernels() -> Iterator[None]:
    """Kernels of notebooks are forked, too."""
    with kernels.forked():
        yield


@pytest.fixture
def cold_start() -> Iterator[None]:
    """The test starts its fork servers as the kit does."""
    with warm.cold():
        yield


# What takes longest comes last, so that a plain mistake shows within the first minute.
SLOW = ("sandbox", "judging", "batch", "author", "attacks", "weeks")
# Of those, the files that take longest come first: what is short fills what time is left on the other cores.
LONG = (
    "test_trials.py",
    "test_evidence.py",
    "test_sample_class.py",
    "test_outcomes.py",
    "test_cluster.py",
    "test_attack.py",
    "test_confinement.py",
    "test_worker_client.py",
    "test_run.py",
)

LONGEST = 900  # seconds that a test may take on a very busy machine


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by stage. The order within a stage stays; every worker of xdist sorts alike."""
    items.sort(key=_stage)
    for item in items:
        if not amount.ALL:  # a sample of anything ends long before, and what hangs shows where
            item.add_marker(pytest.mark.timeout(LONGEST))


def pytest_collection_finish() -> None:
    """Look for garbage from now on, in what tests make alone."""
    gc.freeze()
    gc.enable()


def _stage(item: pytest.Item) -> int:
    here = Path(__file__).parent
    room = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
    if room not in SLOW:
        return 0
    return LONG.index(item.path.name) + 1 if item.path.name in LONG else SLOW.index(room) + 1 + len(LONG)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """After a run without failures, remove the temporary folders; after others they are there to look at."""
    base = getattr(getattr(session.config, "_tmp_path_factory", None), "_basetemp", None)
    if base is not None and exitstatus == 0 and session.config.option.basetemp is None:
        shutil.rmtree(base, ignore_errors=True)
        with contextlib.suppress(OSError):
            for left in base.parent.glob("*-current"):
                left.unlink()
            base.parent.rmdir()


@pytest.fixture(autouse=True)
def same_folder() -> Iterator[None]:
    """A test that changes the working folder does not change it for the next."""
    before = Path.cwd()
    yield
    os.chdir(before)


@pytest.fixture
def one_check_course(tmp_path: Path) -> Course:
    return Course(copied("one_check", tmp_path / "course"))


@pytest.fixture
def two_weeks_course(tmp_path: Path) -> Course:
    return Course(copied("two_weeks", tmp_path / "course"))
