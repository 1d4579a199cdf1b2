"""The five shapes of solutions/README.md are short, pass what is right, and find what is wrong."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest

from grader.author.lines import of_week, summary
from grader.cli.main import COMMANDS
from grader.course import Course
from grader.kernel.session import run_checks
from grader.pytest_plugin.local import LocalStudents
from grader.results import Outcome
from tests.support.courses import copied

PAGE = Path(__file__).parents[2] / "solutions" / "README.md"
SHAPES = re.findall(
    r"```python\n# probes\.py\n(.*?)# test_week9\.py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)
CHECKS = """import torch
from hypothesis import given, strategies as st
from grader.checks import expect, figures, load_probes, loops, task

probes = load_probes(__file__)


"""
RIGHT = """import torch


def double(n):
    return n + n


def flatten(images):
    return images.flatten(1)


class Net(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.fc1 = torch.nn.Linear(8, hidden)
        self.fc2 = torch.nn.Linear(hidden, 3)


def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def plot(losses):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    axes.plot(losses)
    axes.set_ylabel("loss")
    return figure
"""
MISTAKES = {
    "9.1": ("return n + n", "return n * n"),
    "9.2": ("images.flatten(1)", "images.flatten(0)"),
    "9.3": ("Linear(8, hidden)", "Linear(8, hidden, bias=False)"),
    "9.4": ("optimizer.zero_grad()", "pass"),
    "9.5": ("axes.plot(losses)", "axes.plot(losses[1:])"),
}


@pytest.fixture(scope="module")
def shapes_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    files = {
        "assignments/week1/probes.py": "\n\n".join(probe for probe, _ in SHAPES),
        "assignments/week1/test_week1.py": CHECKS + "\n\n".join(check for _, check in SHAPES),
    }
    return Course(copied("one_check", tmp_path_factory.mktemp("shapes"), files))


def test_there_are_five_and_each_takes_less_than_fifteen_lines() -> None:
    assert len(SHAPES) == len(MISTAKES)
    assert [probe + check for probe, check in SHAPES if len(written(probe + check)) >= 15] == []


def written(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_what_is_right_passes_and_each_mistake_costs_its_own_check(shapes_course: Course, tmp_path: Path) -> None:
    for task, (right, wrong) in {"": ("", ""), **MISTAKES}.items():
        work = tmp_path / (task or "right")
        work.mkdir()
        assert right in RIGHT
        (work / "work.py").write_text(RIGHT.replace(right, wrong, 1) if task else RIGHT, encoding="utf-8")
        results = run_checks(shapes_course.assignment("week1"), LocalStudents(work, 0))
        assert {check.task for check in results} == set(MISTAKES)
        lost = {check.task: check.message for check in results if check.outcome is not Outcome.PASSED}
        assert set(lost) == ({task} if task else set()), lost


def test_a_checks_lines_are_its_own_and_its_share_of_the_probes_that_it_runs(shapes_course: Course) -> None:
    found = of_week(shapes_course.assignment("week1"))
    assert {name.partition("::test_")[2] for name in found} == {"double", "flatten", "parameters", "train", "plot"}
    lines = sum(len(written(probe + check)) for probe, check in SHAPES)
    assert sum(found.values()) == lines


def test_a_check_of_week_5_takes_less_than_fifteen_lines_in_the_middle_and_so_does_each_common_shape() -> None:
    found = of_week(Course(PAGE.parents[1]).assignment("week5"))
    assert statistics.median(found.values()) < 15
    common = {
        "a value": "conv_output_size pool_output_size subsample apply_filter filter_dtype filters pooling",
        "a shape": "lenet_shapes lenet_single_image",
        "a module's parameters": "lenet_layers lenet_gradients",
        "a split": "split_covers split_transforms split_seed split_generators",
        "a training loop": "train_weights train_losses train_mode loops_device training",
        "an evaluation": "validate_loss validate_changes_nothing validation get_predictions predictions",
        "a figure": "own_figures plot_filter plot_confusion_matrix plot_most_incorrect single_entries other_plots",
    }
    by_check = {name.partition("::test_")[2]: lines for name, lines in found.items()}
    long = {name: by_check[name] for names in common.values() for name in names.split() if by_check[name] >= 15}
    assert long == {}


def test_a_week_is_summed_up_in_a_line() -> None:
    assert summary("week9", {"a": 3.0, "b": 20.0, "c": 14.9}) == "week9: 3 checks, 15 lines in the middle, 2 under 15"


def test_the_week_that_the_guides_begin_is_not_there_yet() -> None:
    """Whoever types their first command in this repository gets a week, and no refusal."""
    (new,) = [command.load() for command in COMMANDS if command.name == "new"]
    root = PAGE.parents[1]
    for text in (PAGE.read_text(encoding="utf-8"), (root / "README.md").read_text(encoding="utf-8"), str(new.epilog)):
        named = re.findall(r"python -m grader new (week\d+)", text)
        assert named
        assert set(named).isdisjoint(Course(root).assignments())
