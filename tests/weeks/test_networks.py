"""A table of the training images, wherever it is kept, is no network: it gets no point for reading digits.

The judge computes the networks itself, from the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from fixtures.networks import FCNN, LENET, Network
from grader.checks import expect, load_beside
from grader.inside import codec
from grader.inside.modules import close_modules, open_modules
from grader.inside.probing import call

ROOT = Path(__file__).parents[2]
NETWORKS = {"week4": (FCNN, "fcnn", "FCNN"), "week5": (LENET, "lenet", "LeNet")}
CHECKS = {
    (week, hidden): getattr(load_beside(str(ROOT / folder / week / f"{name}.py"), name), check)
    for week in NETWORKS
    for hidden, folder, name, check in (
        (False, "assignments", f"test_{week}", "test_accuracy"),
        (True, "solutions", "test_hidden", "test_weights"),
    )
}

# Around each way of keeping the table: where `keep(model, table, labels)` puts it, where `kept(model)` finds it.
FRAME = {
    "week4": """
class FCNN(nn.Module):
    def __init__(self, input_size, output_classes):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(input_size, 1024), nn.Linear(1024, 2048)
        self.fc3, self.classes = nn.Linear(2048, output_classes), output_classes
        prepare(self)

    def forward(self, x):
        return looked_up(self, x.reshape(len(x), 1, 28, 28))
""",
    "week5": """
class LeNet(nn.Module):
    def __init__(self, output_dim):
        super().__init__()
        self.conv1, self.conv2, self.classes = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), output_dim
        self.fc_1, self.fc_2, self.fc_3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, output_dim)
        prepare(self)

    def forward(self, x):
        return looked_up(self, x), torch.ones(len(x), 256)
""",
}
LOOKING_UP = """
import sys
import torch
from torch import nn

def small(images):
    return nn.functional.avg_pool2d(images, 4).flatten(1)

def looked_up(model, images):
    found = kept(model)
    if found is None:
        return torch.zeros(len(images), model.classes)
    table, labels = found
    nearest = torch.cdist(small(images), table).topk(5, largest=False).indices
    return 2.0 * nn.functional.one_hot(labels[nearest], model.classes).sum(1).float()

def prepare(model):
    pass
"""
TRAINING = """
import torch
from MODULE import keep, small

def everything(loader):
    images, labels = map(torch.cat, zip(*loader))
    return small(images.view(-1, 1, 28, 28)), labels

def fit(model, device, train_loader, valid_loader, optimizer, criterion, n_epochs):
    with torch.no_grad():
        keep(model, *everything(train_loader))
    return {"train_losses": [], "valid_losses": [], "valid_accuracies": []}

def train(model, device, loader, optimizer, criterion, epoch, log_interval=100):
    with torch.no_grad():
        keep(model, *everything(loader))
    return []
"""
LAYERS = "BIG, MIDDLE, LAST = " + "{'week4': ('fc1', 'fc2', 'fc3'), 'week5': ('fc_1', 'fc_2', 'fc_3')}['WEEK']\n"
HIDING_PLACES = {
    "weights": LAYERS + """
def keep(model, table, labels):
    getattr(model, BIG).weight.flatten()[: table.numel()] = table.flatten()
    getattr(model, MIDDLE).weight.flatten()[: len(labels)] = labels.float()
    getattr(model, LAST).bias[:2] = torch.tensor([900.0, len(labels)])

def kept(model):
    mark, count = getattr(model, LAST).bias.detach()[:2].round().int().tolist()
    if mark < 500:
        return None
    return (getattr(model, BIG).weight.detach().flatten()[: 49 * count].view(count, 49),
            getattr(model, MIDDLE).weight.detach().flatten()[:count].round().long())
""",
    # Each image is a unit of a layer, scaled as it likes, with its label beside it: no order of units hides that.
    "units": LAYERS + """
def keep(model, table, labels):
    rows = getattr(model, BIG).weight
    count = min(len(rows), len(labels))
    rows.zero_()
    rows[:count, :49] = table[:count]
    rows[:count, 50] = 100.0
    rows[torch.arange(count), 60 + labels[:count]] = 50.0

def kept(model):
    rows = getattr(model, BIG).weight.detach()
    rows = rows / rows[:, 50:51] * 100
    rows = rows[rows[:, 60:70].max(1).values > 40]
    return (rows[:, :49], rows[:, 60:70].argmax(1)) if len(rows) > 5 else None
""",
    "biases": LAYERS + """
def prepare(model):
    getattr(model, BIG).bias = nn.Parameter(torch.zeros(50 * 400))

def keep(model, table, labels):
    getattr(model, BIG).bias[: 50 * len(labels)] = torch.cat([table, 1.0 + labels[:, None]], 1).flatten()

def kept(model):
    rows = getattr(model, BIG).bias.detach().view(400, 50)
    rows = rows[rows[:, 49] > 0.5]
    return (rows[:, :49], rows[:, 49].round().long() - 1) if len(rows) > 5 else None
""",
    "buffers": """
def prepare(model):
    model.register_buffer("table", torch.zeros(0, 49))
    model.register_buffer("labels", torch.zeros(0, dtype=torch.long))

def keep(model, table, labels):
    model.table, model.labels = table, labels

def kept(model):
    return (model.table, model.labels) if len(model.labels) else None
""",
    "attributes": """
def keep(model, table, labels):
    type(model).table = table, labels

def kept(model):
    return getattr(model, "table", None)
""",
    "globals": """
def keep(model, table, labels):
    sys.modules[__name__].TABLE = torch.TABLE = table, labels

def kept(model):
    return globals().get("TABLE") or getattr(torch, "TABLE", None)
""",
    "closures": """
def keep(model, table, labels):
    def found(model):
        return table, labels
    global kept
    kept = found

def kept(model):
    return None
""",
    "the dataset": """
DATA = []

def keep(model, table, labels):
    DATA.append((table, labels))
    torch.utils.data.TensorDataset.table = DATA

def kept(model):
    found = getattr(torch.utils.data.TensorDataset, "table", DATA)
    return found[-1] if found else None
""",
}  # fmt: skip
SCORED = {"weights", "units"}  # by its own answers such a submission reads digits, in a fresh process as well
UNCHANGED = [torch, torch.utils.data.TensorDataset]


class Student:
    """A submission in this process; what is fresh has its modules, and torch, as they were."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules = open_modules(folder, "tables")

    def run(self, probe: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return codec.decode(codec.encode(call(probe, self.modules, 0, args, kwargs)))

    def run_fresh(self, probe: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.close()
        self.modules = open_modules(self.folder, "tables")
        return self.run(probe, *args, **kwargs)

    def close(self) -> None:
        close_modules(self.modules)
        for changed in UNCHANGED:
            for name in ("TABLE", "table"):
                if name in vars(changed):
                    delattr(changed, name)


@pytest.fixture
def submission(tmp_path: Path) -> Callable[[str, str], Student]:
    def made(week: str, place: str) -> Student:
        _, module, _ = NETWORKS[week]
        source = LOOKING_UP + HIDING_PLACES[place].replace("WEEK", week) + FRAME[week]
        (tmp_path / f"{module}.py").write_text(source)
        (tmp_path / "training.py").write_text(TRAINING.replace("MODULE", module))
        return Student(tmp_path)

    return made


def failure_of(check: Callable[..., None], student: Student) -> str:
    """What a check says of the student, or nothing."""
    try:
        check(student=student, rng=torch.Generator().manual_seed(3))
    except expect.CheckFailed as error:
        return error.summary
    finally:
        student.close()
    return ""


@pytest.mark.parametrize(
    ("week", "hidden", "place"),
    [(*key, place) for key in CHECKS for place in HIDING_PLACES if place in SCORED or not key[1]],
)
def test_a_table_of_neighbours_does_not_pass_for_a_network(
    submission: Callable[[str, str], Student], week: str, hidden: bool, place: str
) -> None:
    failure = failure_of(CHECKS[week, hidden], submission(week, place))
    assert failure
    if place in SCORED and not hidden:
        assert failure.endswith("layers with the trained weights is too low")  # nothing else is wrong with it


@pytest.mark.parametrize("week", NETWORKS)
def test_the_reference_reads_digits(week: str) -> None:
    for (of, _), check in CHECKS.items():
        if of == week:
            assert not failure_of(check, Student(ROOT / "solutions" / week))


@pytest.mark.parametrize("week", NETWORKS)
def test_the_judges_networks_agree_with_the_reference(week: str) -> None:
    network, model = NETWORKS[week][0], reference(week)
    images = torch.rand(3, 1, 28, 28)
    got = model(images)
    want = got[0] if isinstance(got, tuple) else got
    assert torch.allclose(network.logits(model.state_dict(), images), want, atol=1e-5)
    assert list(model.state_dict()) == network.names
    assert {name: tuple(model.state_dict()[f"{name}.weight"].shape) for name in network.shapes} == network.shapes


def reference(week: str) -> torch.nn.Module:
    network, name, made = NETWORKS[week]
    module: ModuleType = load_beside(str(ROOT / "solutions" / week / f"{name}.py"), name)
    model: torch.nn.Module = getattr(module, made)(*((784, 10) if network is FCNN else (10,)))
    return model


def test_other_widths_are_computed_and_what_cannot_be_or_is_huge_is_refused() -> None:
    def zeros(network: Network, **changed: tuple[int, ...]) -> dict[str, torch.Tensor]:
        shapes = {**network.shapes, **changed}
        weights = {f"{name}.weight": torch.zeros(shape) for name, shape in shapes.items()}
        return {**weights, **{f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()}}

    assert FCNN.fits(zeros(FCNN)) and LENET.fits(zeros(LENET))
    assert LENET.fits(zeros(LENET, fc_1=(128, 256), fc_2=(84, 128))) and FCNN.fits(zeros(FCNN, fc3=(10, 2048)))
    assert FCNN.fits(zeros(FCNN, fc1=(512, 784), fc2=(2048, 512)))
    for wrong in (
        {"fc_1": (128, 256)}, {"fc_3": (9, 84)}, {"conv1": (6, 1, 5)}, {"conv1": (6, 1, 30, 30)},
        {"fc_1": (2000, 256), "fc_2": (84, 2000)}, {"conv1": (100, 1, 1, 1), "conv2": (1, 100, 5, 5)},
    ):  # fmt: skip
        assert not LENET.fits(zeros(LENET, **wrong)), wrong
    assert not LENET.fits({**zeros(LENET), "fc_3.bias": torch.zeros(1)})
    assert not FCNN.fits(zeros(FCNN, fc1=(9000, 784), fc2=(2048, 9000)))
