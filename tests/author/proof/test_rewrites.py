"""Rewrites change how a program is written, and nothing that it does; what a check takes amiss is shrunk."""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch

from grader.author.proof import forms, rewrites, rewritten_trials, trials
from grader.author.proof.forms import FORMS, TOUCHES
from grader.author.proof.mutants import Mutant, reference_files
from grader.author.proof.rewrites import REWRITES, Step, Steps, asked_names
from grader.author.proof.rewritten_trials import Form, Program
from grader.author.proof.trials import Subject, Trial
from grader.course import Assignment, Course
from grader.inside.modules import close_modules, open_modules
from grader.results import CheckResult, Outcome, Report

ASKED = frozenset({"Net", "evaluate", "total", "batch_norm"})
FILES = {
    "net.py": b'''"""A network, and what goes with it."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from helpers import squares

class Net(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4)
        self.fc2 = nn.Linear(in_features=4, out_features=3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        flat = images.flatten(start_dim=1)
        hidden = F.relu(self.fc1(flat))
        return self.fc2(hidden)

def evaluate(model, device, loader, criterion) -> tuple[float, float]:
    """Mean loss and accuracy."""
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            logits = model(images)
            loss += criterion(logits, labels).item()
            correct += (logits.argmax(dim=1) == labels).sum().item()
    return loss / len(loader), 100.0 * correct / 8

def total(values: list[float]) -> float:
    return sum(squares(values))

def batch_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(dim=(0, 2, 3))
    var = x.var(dim=(0, 2, 3), unbiased=False)
    shape = (1, -1, 1, 1)
    return gamma.view(shape) * (x - mean.view(shape)) / (var.view(shape) + eps).sqrt() + beta.view(shape), mean, var
''',
    "helpers.py": b"""import math
LIMIT = 1

def is_large(value):
    return value > LIMIT

def squares(values):
    value = -1.0
    kept = [value ** 2 / 255 for value in values if is_large(value)]
    return kept if value < 0 else [math.nan]
""",
}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[torch.Tensor]:
    return results(FILES, tmp_path_factory.mktemp("plain"))


def results(files: dict[str, bytes], folder: Path) -> list[torch.Tensor]:
    """What the program gives: a loss, an accuracy, a sum, gradients, a normalised batch."""
    for path, source in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(source)
    modules = open_modules(folder, "week1")
    try:
        return asked_of(modules.net)
    finally:
        close_modules(modules)


def asked_of(net: ModuleType) -> list[torch.Tensor]:
    x, y = torch.arange(48.0).view(8, 1, 2, 3).sin(), torch.arange(8) % 3
    model = net.Net(6).eval()
    model(x)
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_((torch.arange(parameter.numel()) + number).cos().view_as(parameter))
    loader = [(x[:5], y[:5]), (x[5:], y[5:])]
    loss, accuracy = net.evaluate(model, torch.device("cpu"), loader, torch.nn.functional.cross_entropy)
    assert torch.is_grad_enabled()
    assert type(loss) is float
    model(x).square().sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    normalised = net.batch_norm(x, torch.ones(1), torch.zeros(1))
    return [torch.tensor([loss, accuracy, net.total([3.0, 0.5, 2.0])]), *gradients, *normalised]


def check(files: dict[str, bytes], folder: Path, wanted: list[torch.Tensor]) -> None:
    found = results(files, folder)
    assert len(found) == len(wanted)
    for value, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(value, want)


@pytest.mark.parametrize("name", REWRITES)
def test_each_rewrite_changes_the_text_and_not_the_results(
    name: str, tmp_path: Path, wanted: list[torch.Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    plain = rewrites.rewritten(FILES, (), ASKED)
    forms = [rewrites.rewritten(FILES, (Step(name, draw),), ASKED) for draw in range(4)]
    changed = [form for number, form in enumerate(forms) if form != plain and form not in forms[:number]]
    assert changed
    for number, form in enumerate(changed):
        check(form, folder_in(tmp_path, number), wanted)


@pytest.mark.parametrize("start", range(3))
def test_many_rewrites_together_do_not_change_the_results(
    start: int, tmp_path: Path, wanted: list[torch.Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    for number, steps in enumerate(rewrites.forms_of(6, start)):
        check(rewrites.rewritten(FILES, steps, ASKED), folder_in(tmp_path, number), wanted)


def folder_in(folder: Path, number: int) -> Path:
    (folder / str(number)).mkdir()
    return folder / str(number)


def test_forms_are_drawn_alike_for_one_start_and_otherwise_for_another() -> None:
    first, again, other = (rewrites.forms_of(8, start) for start in (1, 1, 2))
    assert first == again != other
    assert len(first) == 8
    assert {step.rewrite for steps in rewrites.forms_of(150, 0) for step in steps} == set(REWRITES)


def test_a_step_is_applied_alike_each_time() -> None:
    steps = rewrites.forms_of(5, 3)[-1]
    assert rewrites.rewritten(FILES, steps, ASKED) == rewrites.rewritten(FILES, steps, ASKED)


def programs() -> Iterator[tuple[str, dict[str, bytes]]]:
    course = Course(Path(__file__).parents[3])
    for week, assignment in course.assignments().items():
        assert assignment.hidden_folder is not None
        reference = {
            f"{name}.py": (assignment.hidden_folder / f"{name}.py").read_bytes() for name in assignment.modules
        }
        yield f"{week} reference", reference
        yield from ((f"{week} {name}", files) for name, files in trials.variants_of(assignment))


@pytest.mark.parametrize(("name", "files"), [pytest.param(*one, id=one[0]) for one in programs()])
def test_every_program_of_the_weeks_can_be_rewritten(name: str, files: dict[str, bytes]) -> None:
    steps = [Step(rewrite, 1) for rewrite in REWRITES]
    random.Random(name).shuffle(steps)
    asked = rewrites.asked_names(files)
    after = rewrites.rewritten(files, tuple(steps), asked)
    for path, source in after.items():
        compile(source, path, "exec")
    lost = {path: asked & names_of(source) - names_of(after[path]) for path, source in files.items()}
    assert not any(lost.values()), lost


def names_of(source: bytes) -> set[str]:
    """What a module gives to others, wherever it has it from."""
    body = ast.parse(source).body
    imported = {
        a.asname or a.name for node in body if isinstance(node, ast.Import | ast.ImportFrom) for a in node.names
    }
    assigned = {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return imported | assigned | {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


# What is taken amiss is shrunk, with a grader that takes lambdas amiss.

PASSED = CheckResult("test_week1.py::a", "1.1", "a", False, 60, 60, Outcome.PASSED)
FAILED = CheckResult("test_week1.py::a", "1.1", "a", False, 0, 60, Outcome.FAILED, "no lambdas")
LONG: Steps = (Step("renamed-locals", 2), Step("lambdas", 3), Step("talking", 1), Step("named-results", 4))


def grade(subjects: Sequence[Subject], amiss: bytes = b"lambda") -> list[Trial]:
    return [Trial(one, report(FAILED if amiss in b"".join(one.files.values()) else PASSED)) for one in subjects]


def report(check: CheckResult) -> Report:
    return Report("x", "week1", 0, "g", "s", "a", (check,))


@pytest.fixture(scope="module")
def week5() -> Assignment:
    return Course(Path(__file__).parents[3]).assignment("week5")


def test_trouble_is_shrunk_to_the_step_that_makes_it(week5: Assignment) -> None:
    program, form, text = rewritten_trials.smallest(Program("reference", FILES), Form(LONG), "trouble", week5, grade)
    assert (program.name, [step.rewrite for step in form.steps]) == ("reference", ["lambdas"])
    assert text == "test_week1.py::a takes 60: no lambdas"


def test_trouble_with_the_way_of_handing_in_is_shrunk_to_what_makes_it(week5: Assignment) -> None:
    program = Program("reference", reference_files(week5))
    form = Form(LONG[:1], "notebook", ("star", "own call", "magics"))
    takes_amiss = partial(grade, amiss=b"pick_")
    _, found, _ = rewritten_trials.smallest(program, form, "trouble", week5, takes_amiss)
    assert found == Form((), "notebook", ("own call",))
    assert str(found) == "handed in as 'notebook' 'own call'"


@pytest.mark.parametrize("hand_in", ["notebook", "one file", "script"])
def test_a_program_is_taken_in_as_a_student_hands_it_in(week5: Assignment, hand_in: str) -> None:
    program = Program("reference", reference_files(week5))
    files = program.rewritten(Form((), hand_in), week5, 0).files
    defined = {getattr(node, "name", "") for source in files.values() for node in ast.walk(ast.parse(source))}
    assert asked_names(week5.skeletons) <= defined


def test_what_intake_refuses_has_no_files(week5: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = forms.Delivery({"notes.txt": b"x"}, ())
    monkeypatch.setattr(forms, "deliver", lambda *_: nothing)
    assert Program("reference", reference_files(week5)).rewritten(Form((), "notebook"), week5, 0).files == {}


def test_forms_are_drawn_with_all_ways_of_handing_in_and_alike_for_one_start(week5: Assignment) -> None:
    first, again = (rewritten_trials.drawn_forms(week5, (), 200, 1) for _ in range(2))
    assert first == again
    assert {form.hand_in for _, form in first} == {"", *FORMS}
    assert {touch for _, form in first for touch in form.touches} == set(TOUCHES)


def test_a_mutant_has_to_lose_its_points_in_every_form_and_no_others(week5: Assignment) -> None:
    mutant = Mutant("m", "net.py", "a", "b", ("1.1",), "a reason")
    program = Program("mutant m", FILES, mutant)
    (right, wrong) = grade([program.rewritten(form, week5, 0) for form in (Form(LONG), Form())])
    assert program.trouble(right) == ""
    assert program.trouble(wrong) == "it keeps all points of task 1.1"
    other = Program("mutant m", FILES, Mutant("m", "net.py", "a", "b", ("1.2",), "a reason"))
    assert other.trouble(right) == "it keeps all points of task 1.2; it loses points of task 1.1, too"


def test_a_program_that_was_not_graded_is_trouble(week5: Assignment) -> None:
    subject = Program("reference", FILES).rewritten(Form(), week5, 0)
    assert Program("reference", FILES).trouble(Trial(subject, None, "no judge")) == "no judge"
    assert sys.modules.get("net") is None


def test_a_base_class_calls_the_class_over_it_and_not_itself() -> None:
    source = b"""from torch import nn
class Net(nn.Module):
    def __init__(self, width):
        super(Net, self).__init__()
        self.fc = nn.Linear(width, 2)
    def forward(self, x):
        return self.fc(x)
"""
    written = [
        rewrites.rewritten({"net.py": source}, (Step("base-classes", seed),), frozenset({"Net"})) for seed in range(6)
    ]
    assert any(b"NetLayers" in files["net.py"] for files in written)
    for files in written:
        names: dict[str, type[torch.nn.Module]] = {}
        exec(files["net.py"], names)
        assert names["Net"](3)(torch.ones(1, 3)).shape == (1, 2)


@pytest.mark.parametrize("sets", ["nn.init.zeros_(self.fc1.bias)", "self.count = len(list(self.parameters()))", ""])
def test_a_layer_whose_weights_are_used_at_once_does_not_become_lazy(sets: str) -> None:
    lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()",
             "        self.fc1 = nn.Linear(3, 4)", f"        {sets or 'pass'}"]  # fmt: skip
    files = {"net.py": "\n".join(["from torch import nn", *lines]).encode()}
    found = [rewrites.rewritten(files, [Step("lazy-layers", draw)], ASKED)["net.py"] for draw in range(20)]
    assert any(b"LazyLinear" in one for one in found) is not bool(sets)


RUNS_ITSELF = b"""import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4), nn.Linear(4, 2)
        self.out = self(torch.zeros(1, width)).shape[1]
        if width > 3:
            return
        self.small = True
    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))
"""


@pytest.mark.parametrize("name", REWRITES)
def test_a_network_that_runs_before_its_init_has_ended_still_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for draw in range(4):
        files = rewrites.rewritten({"net.py": RUNS_ITSELF}, (Step(name, draw),), frozenset({"Net"}))
        folder = folder_in(tmp_path, draw)
        for path, source in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(source)
        modules = open_modules(folder, "week1")
        try:
            for width in (3, 4):
                assert modules.net.Net(width).eval()(torch.ones(5, width)).shape == (5, 2)
        finally:
            close_modules(modules)
