"""What only a desktop has, students' code may ask for: it gets figures in memory, and plain progress bars."""

import importlib
import sys

import matplotlib
import pytest
import torch.utils
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
    for name in ("torch.utils.tensorboard", "tensorboardX"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(torch.utils, "tensorboard", None, raising=False)
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


@pytest.mark.parametrize(
    "line",
    [
        "from torch.utils.tensorboard import SummaryWriter",
        "from torch.utils import tensorboard; SummaryWriter = tensorboard.SummaryWriter",
        "import torch.utils.tensorboard; SummaryWriter = torch.utils.tensorboard.SummaryWriter",
        "from tensorboardX import SummaryWriter",
    ],
)
def test_what_is_logged_for_tensorboard_goes_nowhere(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(line, names)
    writer = names["SummaryWriter"](log_dir="logs/first")
    writer.add_scalar("loss", 0.5, 1)
    with names["SummaryWriter"](comment="second") as other:
        other.add_graph(None)
    writer.close()
    assert list(tmp_path.iterdir()) == []
