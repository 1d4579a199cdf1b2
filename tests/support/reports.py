"""Reports for tests, and a reader of pages."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import torch

from grader.checks import show
from grader.results import CheckResult, Outcome, Report
from grader.results.exhibits import Exhibit

HOSTILE = "</pre></span><script>alert(1)</script>\n```\n# ![x](http://evil.example/y) \x1b[31m \u202e & &lt;"


WRONG = (
    "hidden: no gradient reaches conv1\n"
    "  called with  images: tensor 4×1×28×28 float32, output_dim=10\n"
    "  expected     a gradient for every parameter\n"
    "  got          none for conv1.weight, conv1.bias\n"
    "  because      hidden was detached"
)


def check(task: str, title: str, outcome: Outcome, points: int, message: str = "", **more: Any) -> CheckResult:
    earned = points if outcome is Outcome.PASSED else 0
    hidden = more.pop("hidden", False)
    file = "test_hidden.py" if hidden else "test_week5.py"
    name = f"{file}::test_{title.replace(' ', '_')}"
    return CheckResult(name, task, title, hidden, earned, points, outcome, message, **more)


def sample_report(student: str = "zoë.müller") -> Report:
    """A week in which every outcome occurs."""
    checks = (
        check("5.1", "output size of a convolution", Outcome.PASSED, 3),
        check("5.1", "output size of other inputs", Outcome.PASSED, 2, hidden=True),
        check("5.2", "figures of a single entry", Outcome.BROKEN, 4, "KeyError: 'axes'", hidden=True),
        check("5.3", "values of LeNet", Outcome.FAILED, 2, "logits: wrong values", hidden=True),
        check("5.3", "hidden is part of the graph", Outcome.FAILED, 4, WRONG, hint="What cuts a graph?"),
        check("5.3", "fc_1 and *fc_2* keep <their> shapes", Outcome.PASSED, 4),
        check("5.4", "the test pipeline is fixed", Outcome.TODO, 5, "TODO 5.4: two pipelines"),
        check("5.5", "validation uses the test pipeline", Outcome.SKIPPED, 5, "needs task 5.4"),
        check("5.6", "a filter's corner", Outcome.ERROR, 5, HOSTILE, hint="Where may the corner go?"),
        check("5.7", "pool types in any case", Outcome.TIMEOUT, 4, "timeout after 20 s"),
        check("5.8", "one epoch of training", Outcome.MEMORY, 6, "memory ran out"),
        check("5.9", "probabilities in order", Outcome.KILLED, 5, "ended by SIGSEGV"),
        check("5.10", "the most confident mistakes", Outcome.INVALID, 6, "a generator"),
    )
    notes = ("week5.zip: unpacked", "printed:\n" + HOSTILE)
    return Report(student, "week5", 7, "0.1.0", "3f" * 32, "9a" * 32, checks, notes)


def full_report(student: str = "ana", week: str = "week5") -> Report:
    """A week in which everything passes."""
    checks = (check("5.1", "size", Outcome.PASSED, 60), check("5.2", "pool", Outcome.PASSED, 40, hidden=True))
    return Report(student, week, 7, "0.1.0", "11" * 32, "9a" * 32, checks)


class Page(HTMLParser):
    """The tags, the attributes and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw[self.cdata_elem] = self.raw.get(self.cdata_elem, "") + data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def policy(self) -> dict[str, str]:
        (content,) = [a["content"] for t, a in self.tags if t == "meta" and "http-equiv" in a]
        assert content is not None
        return dict(part.strip().split(" ", 1) for part in content.split(";"))


def source_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


BAND = {"per": 2, "low": [1.0, 0.5], "high": [2.0, 1.5]}


LABELS = torch.tensor([0, 0, 1, 1, 2])


# Row 1 takes a 0 for a 1, row 4 a 2 for a 0 and is surer of it.
LOGITS = torch.tensor([[5.0, 0, 0], [0, 1, 0], [0, 5, 0], [0, 4, 0], [9, 0, 0]])


NAMES = ("seven", "eight", "five")


def everything() -> tuple[Exhibit, ...]:
    images = torch.zeros(5, 1, 4, 4, dtype=torch.uint8)
    show.curve("Loss", [2.0, 1.0, 0.5, 0.7, 0.1], BAND)
    show.confusion(LOGITS, LABELS, NAMES)
    show.mistakes(images, LOGITS, LABELS, NAMES)
    return show.take()[0]


def shown_report(**changes: Any) -> Report:
    report = full_report()
    first = replace(report.checks[0], exhibits=everything(), **changes)
    return replace(report, checks=(first, *report.checks[1:]))


def timeless(report: Report) -> Report:
    """The report but for how long its checks took, which is all that may differ when the same work is graded again."""
    return replace(report, checks=tuple(replace(check, seconds=0.0) for check in report.checks))
