"""A calibration runs probes as a check does, and measures the programs that are named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.author.proof.calibration import Program, print_table


def test_probes_find_what_a_student_has_and_one_program_is_measured_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work.py").write_text("def half(n):\n    return n // 2\n\n\ndef score(n):\n    return half(n)\n")

    def right(own: Callable[[int], int]) -> Callable[[int], float]:
        return lambda n: n / 2

    def run(student: Program, seed: int) -> list[float]:
        assert student.device.type == "cpu" and student.kit.raised(lambda: 1 / 0)["raised"] == "ZeroDivisionError"
        with student.instead("work", half=right):
            return [student.work.score(2 * seed + 1)]

    programs = {"reference": None, "one more": ("work", r"return half\(n\)", "return half(n) + 1")}
    monkeypatch.setattr(sys, "argv", ["calibrate.py", "2", "one more"])
    print_table(tmp_path, ("work",), programs, ("score",), run)
    rows = capsys.readouterr().out.splitlines()[2:]
    assert rows == ["| one more | 2.000 | 0.707 | 1.500 to 2.500 |"]
