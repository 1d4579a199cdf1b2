"""What students get holds no line of a solution that tells something, and lines that anybody writes are no leak."""

from __future__ import annotations

import json

import pytest

from grader.author.release import leaks
from grader.course import Course

ORDINARY = (
    "for images, labels in train_loader:",
    "for epoch in range(1, n_epochs + 1):",
    "loss = criterion(model(images), labels)",
    "images, labels = images.to(device), labels.to(device)",
    "with torch.no_grad(), torch.autocast(device):",
    "optimizer = torch.optim.Adam(model.parameters())",
    "losses.append(loss.item())",
    "return train_losses, valid_losses",
    '"valid_accuracy": valid_accuracy,',
    "def forward(self, images: torch.Tensor) -> torch.Tensor:",
    "except (OSError, ValueError):",
    "elif isinstance(value, torch.Tensor):",
    "self.classifier = nn.Sequential(",
    "generator = torch.Generator()",
)
TELLING = (
    "return (size - kernel_size) // stride + 1",
    "self.fc_2 = nn.Linear(120, 84)",
    "correct += (logits.argmax(dim=1) == labels).sum().item()",
    "return total / len(loader), right / len(loader.dataset)",
    "layers += [nn.Conv2d(channels, width, kernel_size=3)]",
    "names = sorted(path.name for path in folder.iterdir())",
    "mean = x.mean(dim=(0, 2, 3))",
    'raise ValueError(f"pool_type must be max, not {pool_type!r}")',
)
FILE = "solutions/week7/exercise.py"


def told(course: Course, answer: list[str], text: str) -> list[str]:
    """What a page with this text leaks of a task with this answer."""
    body = "".join(f"    {line}\n" for line in answer)
    reference = f"def f():\n    # BEGIN SOLUTION 7.1: do it\n{body}    # END SOLUTION\n"
    (course.root / FILE).write_text(reference, encoding="utf-8")
    return list(leaks.leaks_in({"page.md": text.encode()}, leaks.secrets_of(course)))


def test_short_lines_are_everybodys() -> None:
    assert leaks.normalised("  loss.backward()  # go") == "loss.backward()"
    secrets = {"a" * 30: leaks.Secret("a" * 30, "x")}
    assert list(leaks.leaks_in({"f": b"aaa " * 10}, secrets)) != []
    assert list(leaks.leaks_in({"f": b"aaa " * 9}, secrets)) == []


def test_a_line_that_anybody_would_write_tells_nothing_by_itself(new_course: Course) -> None:
    for line in ORDINARY:
        answer = [
            "first = torch.zeros(3, 4) @ other",
            line,
            *[")"] * line.endswith("("),
            "third = first.sum(dim=0) + 17",
        ]
        assert told(new_course, answer, f"So we write:\n\n    {line}\n") == [], line


def test_a_line_that_does_much_tells_wherever_it_stands(new_course: Course) -> None:
    for line in TELLING:
        found = told(new_course, ["first = 0", line, "third = 1"], f"So we\nwrite:\n\n- `{line}`  # as one does\n")
        assert found == [f"page.md:4 holds what {FILE}:4 has: {line}"]


def test_the_answers_of_stretch_tasks_are_secret_as_well(new_course: Course) -> None:
    file = new_course.root / "solutions" / "week7" / "stretch" / "more.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f"def f():\n    # BEGIN SOLUTION 7.9: do it\n    {TELLING[0]}\n    # END SOLUTION\n", encoding="utf-8"
    )
    found = list(leaks.leaks_in({"page.md": TELLING[0].encode()}, leaks.secrets_of(new_course)))
    assert found == [f"page.md:1 holds what solutions/week7/stretch/more.py:3 has: {TELLING[0]}"]


@pytest.mark.parametrize("apart", ["\n", "\n\n    ", "  # so\n  # and now\n"])
def test_an_ordinary_line_tells_where_it_is_the_whole_answer_or_the_next_follows(new_course: Course, apart) -> None:
    after = "output = network(images, labels)"
    for line in ORDINARY[:4]:
        assert len(told(new_course, ["", "# a comment", line], line)) == 1
        answer = [line, "", after, "third = 0"]
        assert told(new_course, answer, f"{line}\nelsewhere = 1\n{after}") == []
        (found,) = told(new_course, answer, f"{line}{apart}{after}")
        assert found.startswith("page.md:1 holds")
        assert f"{line} ⏎ {after}" in found


def test_a_leak_in_a_notebook_is_told_by_its_cell(new_course: Course) -> None:
    cells = [{"source": ["a\n", "b"]}, {"source": "c", "outputs": [{"text": ["x\n", TELLING[0]]}]}]
    notebook = json.dumps({"cells": cells, "metadata": {}}).encode()
    secret = leaks.Secret(leaks.normalised(TELLING[0]), "there:1", TELLING[0])
    (found,) = leaks.leaks_in({"n.ipynb": notebook}, {secret.text: secret})
    assert found.startswith("n.ipynb, cell 2:")
