"""Code is taken apart for comparing within a budget; what takes too much is named, all else is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cli.main import main
from grader.course import find_course
from grader.intake.reading.budget import Budget, BudgetedProcess
from grader.similarity import tokens
from grader.similarity.compare import LONGEST, Work, similar_pairs
from tests.intake.reading.slow import sources
from tests.support import amount
from tests.support.makers import put

COURSE = find_course(Path(__file__).parent)
OURS = (COURSE.root / "solutions" / "week5" / "lenet.py").read_text(encoding="utf-8")


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch):
    process = BudgetedProcess("tests.similarity.slow_words", Budget(seconds=1))
    monkeypatch.setattr(tokens, "PROCESS", process)
    yield
    process.close()


@pytest.mark.usefixtures("small_budget")
def test_a_work_that_takes_too_much_is_named_and_the_others_are_compared() -> None:
    left_out: list[tuple[str, str]] = []
    texts = {"ana": OURS, "ben": OURS, "eve": f"slow\n{OURS}", "joe": "x = 1\n" * LONGEST}
    works = [Work(name, "week5", text) for name, text in texts.items()]
    (pair,) = similar_pairs(works, "", 0.5, lambda work, why: left_out.append((work.student, why)))
    assert (pair.left.student, pair.right.student, pair.share) == ("ana", "ben", 1.0)
    assert left_out == [
        ("eve", "reading it took more than 1 s of computing; hand in the week's own files alone"),
        ("joe", "it has more than 200,000 characters"),
    ]


def test_the_command_names_whoever_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"ana": OURS, "ben": OURS, "eve": "x = 1\n" * (LONGEST // 6 + 1)}.items():
        put(tmp_path / "class" / name / "lenet.py", text.encode())
    put(tmp_path / "class" / "bad.zip", b"PK")
    out = tmp_path / "similar"
    assert main(["similar", str(tmp_path / "class"), "--week", "week5", "--layout", "plain", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "of ben" in printed.out.splitlines()[0]
    bad, long = printed.err.splitlines()
    assert bad.startswith("not compared: bad, week5: bad.zip is damaged")
    assert long == "not compared: eve, week5: it has more than 200,000 characters"


def test_every_hostile_source_is_compared_or_named() -> None:
    left_out: list[str] = []
    works = [Work(name, "week5", text) for name, text in sources(amount.of(6_000, 20_000)).items()]
    ours = [Work(name, "week5", OURS) for name in ("ana", "ben")]
    pairs = similar_pairs([*works, *ours], "", 0.5, lambda work, why: left_out.append(work.student))
    assert ("ana", "ben") in {(pair.left.student, pair.right.student) for pair in pairs}
    assert not {"ana", "ben"}.intersection(left_out)


def test_a_work_comes_back_with_every_name_the_same() -> None:
    found = tokens.filtered("def size(a):  # words\n    return a + 1\n")
    assert found.code == "defF(V):returnV+1"
    assert found.offsets[0] == (0, 0)
