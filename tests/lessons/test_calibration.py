"""The accuracy tasks: each threshold lies far from what the reference reached in 20 seeds, and lessons repeat both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.author.proof.calibration import Program, program
from grader.checks import load_beside
from grader.course import Course

ROOT = Path(__file__).parents[2]
WEEKS = list(Course(ROOT).assignments())
FAR = 4  # deviations: a right solution loses points about once in 30,000 times
TITLE = re.compile(
    r"^# Why (\d\.\d+) asks for an accuracy of (\d+) %(?: and (?:a loss of at most|a lead of) ([\d.]+))?"
)


def measured(week: str) -> tuple[str, list[tuple[float, float, float]]]:
    """The task, and for accuracy and what else is asked the threshold, the reference's mean and its deviation."""
    text = (ROOT / "solutions" / week / "calibration.md").read_text(encoding="utf-8")
    title, row = TITLE.search(text), re.search(r"^\| reference \|(.*)$", text, re.MULTILINE)
    assert title is not None and row is not None and "calibrate.py 20` trains" in text.replace("fine-tunes", "trains")
    cells = [cell.strip() for cell in row[1].split("|")]
    asked = [float(title[2]) / 100]
    if title[3]:
        asked.append(float(title[3]) / (100 if " lead " in title[0] else 1))
    return title[1], [(one, float(cells[3 * n]), float(cells[3 * n + 1])) for n, one in enumerate(asked)]


@pytest.mark.parametrize("week", WEEKS)
def test_a_right_solution_is_far_from_the_threshold(week: str) -> None:
    _, found = measured(week)
    assert all(abs(mean - asked) >= FAR * deviation for asked, mean, deviation in found)


@pytest.mark.parametrize("week", WEEKS)
def test_the_table_can_be_made_anew(week: str) -> None:
    folder = ROOT / "solutions" / week
    calibrate = load_beside(str(folder / "calibrate.py"), "calibrate")
    modules = Course(ROOT).assignment(week).modules
    found = calibrate.results_of(Program(**{name: program(folder, name, None) for name in modules}), 0)
    measures = measured(week)[1]
    assert len(found) == 2
    assert all(
        abs(value - mean) < FAR * deviation for value, (_, mean, deviation) in zip(found, measures, strict=False)
    )


@pytest.mark.parametrize("week", WEEKS)
def test_the_lesson_asks_for_what_was_calibrated(week: str) -> None:
    task, found = measured(week)
    lesson = (ROOT / "assignments" / week / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(rf"^### {re.escape(task)} .*?(?=^##)", lesson, re.MULTILINE | re.DOTALL)
    words = " ".join(text.split())
    asked, mean, _ = found[0]
    assert f"at least {100 * asked:.0f} %" in words and f"about {100 * mean:.0f} %" in words
