"""What only a desktop has, students' code may ask for: it gets figures in memory, and plain progress bars."""

import importlib

import matplotlib
import pytest
import tqdm.auto
import tqdm.notebook
from matplotlib import pyplot

from grader.inside.importing.desktop import without_desktop


@pytest.fixture(autouse=True)
def _restored(monkeypatch):
    patched = [(matplotlib, "use"), (pyplot, "switch_backend"), (tqdm.tqdm, "monitor_interval")]
    patched += [
        (tqdm, "tqdm_notebook"),
        (tqdm, "tnrange"),
        (tqdm.notebook, "tqdm_notebook"),
        (tqdm.notebook, "tnrange"),
    ]
    patched += [(module, name) for module in (tqdm.auto, tqdm.notebook) for name in ("tqdm", "trange")]
    for owner, name in patched:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    without_desktop()


@pytest.mark.parametrize("backend", ["TkAgg", "MacOSX", "Qt5Agg", "nbAgg", "module://ipympl.backend_nbagg", "WebAgg"])
def test_a_back_end_that_shows_windows_is_asked_for_in_vain(backend):
    matplotlib.use(backend)
    matplotlib.use(backend, force=True)
    pyplot.switch_backend(backend)
    assert pyplot.get_backend().lower() == "agg"
    pyplot.close(pyplot.figure())


@pytest.mark.parametrize("name", ["tqdm", "tqdm.auto", "tqdm.notebook", "tqdm.autonotebook"])
def test_every_progress_bar_works_without_widgets(name, capfd):
    module = importlib.import_module(name)
    assert list(module.tqdm([1, 2], leave=False)) == [1, 2]
    assert list(module.trange(3)) == [0, 1, 2]
    with module.tqdm(total=2) as bar:
        bar.update(1)
        bar.set_postfix(loss=1.0)
        bar.write("text")
