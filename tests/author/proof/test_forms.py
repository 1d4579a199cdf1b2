"""Every form in which students hand correct modules in gives modules that do what these do."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from grader.author.proof.forms import FORMS, TOUCHES, Delivery, deliver
from grader.course import Course
from grader.inside.importing.desktop import without_desktop
from grader.inside.modules import StudentModules, close_modules, open_modules
from grader.intake.collect import collect
from grader.intake.contents import read_entry
from grader.intake.places import find_places
from grader.intake.weeks import Weeks

COURSE = Course(Path(__file__).parents[3])
WEEKS = ("week4", "week5", "week6", "week7")


def reference(week: str) -> dict[str, str]:
    folder = COURSE.root / "solutions" / week
    return {module: (folder / f"{module}.py").read_text() for module in COURSE.assignment(week).modules}


def loader() -> DataLoader:
    return DataLoader(TensorDataset(torch.arange(24.0).reshape(6, 4), torch.tensor([0, 1, 0, 1, 0, 1])), batch_size=2)


def ask_week4(student: StudentModules) -> list[Any]:
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    history = student.training.fit(model, "cpu", loader(), loader(), optimizer, nn.CrossEntropyLoss(), 2)
    network = student.fcnn.FCNN(4, 3).eval()
    return [student.fcnn.derivative(lambda x: x**3, 2), history, network(torch.ones(1, 4)).tolist()]


class _Pair(nn.Linear):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x), x


def ask_week5(student: StudentModules) -> list[Any]:
    model = _Pair(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = student.training.train(model, "cpu", loader(), optimizer, nn.CrossEntropyLoss(), 1, 1)
    logits, hidden = student.lenet.LeNet(3).eval()(torch.ones(2, 1, 28, 28))
    filtered = student.inspection.apply_filter(torch.ones(1, 1, 3, 3), [[1.0, 2.0], [3.0, 4.0]])
    return [student.lenet.conv_output_size(9, 3), losses, logits.tolist(), hidden.shape, filtered.tolist()]


def ask_week6(student: StudentModules) -> list[Any]:
    model = nn.Sequential(nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss = student.training.train(model, loader(), optimizer, nn.CrossEntropyLoss(), "cpu")
    y, mean, _ = student.batchnorm.batch_norm(torch.arange(16.0).reshape(2, 2, 2, 2), torch.ones(2), torch.zeros(2))
    layer = student.batchnorm.BatchNorm2d(2)(torch.arange(16.0).reshape(2, 2, 2, 2))
    names = student.data.format_label("001.Black_footed_Albatross"), student.vgg.adaptive_pool_filter_size(14, 7)
    return [loss, y.tolist(), mean.tolist(), layer.tolist(), names, student.transfer.count_parameters(model)]


def ask_week7(student: StudentModules) -> list[Any]:
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scheduler = student.recipe.make_scheduler(optimizer, 6, 2)
    losses = student.recipe.train_epoch(model, loader(), optimizer, scheduler, "cpu", 2, alpha=0.0)
    network = student.resnet.ResNet(3, 1, 2).eval()
    image = torch.ones(1, 8, 8)
    heatmap = student.gradcam.grad_cam(network, network.stage1, image)
    names = student.resnet.parameter_table(network), student.resnet.count_flops(network, image)
    return [losses, optimizer.param_groups[0]["lr"], names, network(image[None]).tolist(), heatmap.tolist()]


ASK: Mapping[str, Callable[[StudentModules], list[Any]]] = {
    "week4": ask_week4,
    "week5": ask_week5,
    "week6": ask_week6,
    "week7": ask_week7,
}


@contextlib.contextmanager
def opened(week: str, delivery: Delivery) -> Iterator[StudentModules]:
    """Take a delivery in as the grader does, and open what it has made of it."""
    weeks = Weeks(COURSE.assignments(), (week,))
    with tempfile.TemporaryDirectory() as folder:
        entry, work = Path(folder, "ana"), Path(folder, week)
        for path, content in delivery.files.items():
            _write(entry / path, content)
        contents = read_entry(entry)
        (place,) = [place for place in find_places(contents, "ana", weeks)[0] if place.week == week]
        files, notes = collect(contents, place, weeks.assignments[week], weeks)
        assert notes or set(delivery.files) <= set(files), "what was made of it is said"
        for path, content in files.items():
            _write(work / path, content)
        student = open_modules(work, week)
        try:
            yield student
        finally:
            close_modules(student)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def answers(week: str, delivery: Delivery) -> list[Any]:
    with opened(week, delivery) as student:
        for module, names in COURSE.assignment(week).names.items():
            for name in names:
                assert callable(getattr(getattr(student, module), name)), f"{module}.{name}"
        torch.manual_seed(0)
        return ASK[week](student)


@pytest.fixture(scope="module")
def right() -> dict[str, list[Any]]:
    """What the reference answers."""
    without_desktop()
    return {week: answers(week, deliver(reference(week), week, "modules")) for week in WEEKS}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_alone_changes_nothing(right, form):
    week = WEEKS[list(FORMS).index(form) % len(WEEKS)]
    assert answers(week, deliver(reference(week), week, form)) == right[week]


@pytest.mark.parametrize("first", range(0, len(TOUCHES), 6))
@pytest.mark.parametrize("form", ["modules", "notebook"])
def test_touches_change_nothing(right, form, first):
    week = WEEKS[first // 6 % len(WEEKS)]
    delivery = deliver(reference(week), week, form, list(TOUCHES)[first : first + 6])
    assert answers(week, delivery) == right[week], delivery.steps


def deliveries(week: str) -> st.SearchStrategy[Delivery]:
    """Draw a form with any touches; it shrinks to the plain modules."""
    touches = st.lists(st.sampled_from(list(TOUCHES)), unique=True, max_size=5)
    return st.builds(partial(deliver, reference(week), week), st.sampled_from(list(FORMS)), touches)


@given(st.sampled_from(WEEKS).flatmap(lambda week: st.tuples(st.just(week), deliveries(week))))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_forms_are_composed_nothing_changes(right, drawn):
    week, delivery = drawn
    assert answers(week, delivery) == right[week], delivery.steps


def test_a_use_that_does_not_hold_is_seen():
    sources = {"lenet": "def f():\n    '''Doc.'''\n    return 1\n"}
    files = deliver(sources, "week5", "modules", ["object"]).files
    names: dict[str, Any] = {}
    exec(files["lenet.py"], names)
    names["cfg_"].log = False
    with pytest.raises(AssertionError):
        names["f"]()


@pytest.mark.parametrize("touch", ["object", "own call"])
@pytest.mark.parametrize(
    "source",
    [
        "def f(): return 1\n",
        "def f(): x = 'é'; return 1\n",
        "def f():\n    '''What it gives.'''\n    @functools.cache\n    def g():\n        return 1\n    return g()\n",
        "def f():\n    @functools.cache\n    @same\n    class G: x = 1\n    return G().x\n",
    ],
)
def test_a_use_goes_before_whatever_a_function_begins_with(source, touch):
    head = "import functools\nsame = lambda x: x\n"
    (made,) = deliver({"m": head + source}, "week5", "modules", [touch]).files.values()
    names: dict[str, Any] = {}
    exec(made, names)
    assert b"a value is another one" in made
    assert names["f"]() == 1
