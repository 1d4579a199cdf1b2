"""What is wrong in a week's files is said before anything is graded: by file and line, in a sentence, once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.author.proof import drawing
from grader.author.proof.static import faults_of
from grader.author.proof.validate import Part
from grader.cli.main import main
from grader.course import Course
from grader.errors import UsageError
from tests.author.proof.test_validate import WEEK, change
from tests.support import warm

ROOT = Path(__file__).parents[3]
PUBLIC, HIDDEN = f"assignments/{WEEK}", f"solutions/{WEEK}"
TEST, PROBES, REFERENCE = f"{PUBLIC}/test_{WEEK}.py", f"{PUBLIC}/probes.py", f"{HIDDEN}/exercise.py"
VERDICT = "return bool(torch.allclose(error, ((predictions - targets) ** 2).mean()))"

# A file, what stands there, what a tired author writes, where that is said, and what.
MISTAKES = [
    (TEST, "want = sum(", "want = sum((", f"{TEST}:", "this is no Python"),
    (TEST, "def test_mean", "def tests_mean", f"{TEST}:", "its name must begin with test_"),
    (TEST, "points=60", "points=50", f"{TEST}:", "the public checks are worth 50 points, not 60"),
    (TEST, "points=60", "points=59.5", f"{TEST}:", "points must be a whole number, not 59.5"),
    (TEST, "points=60, ", "", f"{TEST}:", "has no points"),
    (TEST, "points=60", "point=60", f"{TEST}:", "has no `point`; did you mean `points`?"),
    (TEST, 'hint="How many entries does the sum have?"', 'hint=""', f"{TEST}:", "has no hint"),
    (TEST, ',\n      hint="How many entries does the sum have?"', "", f"{TEST}:", "has no hint"),
    (TEST, "points=60", 'needs=("7.7",), points=60', f"{TEST}:", "needs task 7.7, which no check has"),
    (TEST, "points=60", 'needs="7.1", points=60', f"{TEST}:", "needs its own task"),
    (TEST, "expect.close(", "expect.closes(", f"{TEST}:", "there is no expect.closes; did you mean `close`?"),
    (TEST, "import expect,", "import expects,", f"{TEST}:", "has no expects; did you mean `expect`?"),
    (TEST, "import torch\n", "import torch\nfrom fixtures import numbers\n", f"{TEST}:", "there is no fixtures"),
    (TEST, "import torch\n", "import torch\nimport grader.check\n", f"{TEST}:", "there is no module grader.check"),
    (TEST, '@task("7.1"', '@task("7.2"', f"{TEST}:", f"task 7.2 has no heading in {PUBLIC}/README.md"),
    (f"{HIDDEN}/test_hidden.py", "@task(", "# @task(", f"{HIDDEN}/test_hidden.py:", "has no @task"),
    (f"{HIDDEN}/test_hidden.py", "    expect.true(got is not None", "    return\n    expect.true(True", "", ""),
    (f"{PUBLIC}/README.md", "### 7.1", "### 7.2", f"{PUBLIC}/README.md:", "the heading is of task 7.2"),
    (f"{PUBLIC}/assignment.toml", "[limits]", "dew = 2026-10-05T23:59:00Z\n[limits]", ":", "did you mean `due`?"),
    (f"{PUBLIC}/assignment.toml", "[limits]", "[limit]", ":", "there is no [limit]; did you mean `limits`?"),
    (f"{PUBLIC}/assignment.toml", "= 300", "= -5", ":", "`seconds` under [limits] must be a whole number"),
    (f"{PUBLIC}/assignment.toml", '["exercise"]', '["exercise", "helpers"]', ":", "`modules` names helpers"),
    (f"{PUBLIC}/assignment.toml", '["exercise"]', '["exercise", "kit"]', ":", "`student.kit` is something else"),
    (TEST, "import expect,", "import expect, loops, seeds,", "", ""),
    (TEST, "    generator = torch", "    seeds.generators(1)\n    generator = torch", "", ""),
    (TEST, "import torch\n", "import torch\nfrom grader.checks import seeds\nseeds.generators(1)\n", f"{TEST}:",
     "there is no seeds.generators; did you mean `generator`?"),
    (TEST, "import torch\n", "import torch\nfrom grader.checks import splits\nsplits.judge_part()\n", f"{TEST}:",
     "there is no splits.judge_part; did you mean `judge_parts`?"),
    (PROBES, "    if getattr", "    student.kit.draw()\n    if getattr", f"{PROBES}:", "no student.kit.draw; did you"),
    (PROBES, "\n\ndef", "\nfrom grader.checks import expect\n\ndef", f"{PROBES}:", "a probe imports grader.checks"),
    (PROBES, "\n\ndef", "\nfrom solutions.week7 import exercise\n\ndef", f"{PROBES}:", "a probe imports solutions"),
    (PROBES, "\n\ndef", "\nfrom . import other\n\ndef", f"{PROBES}:", "a probe imports"),
    (PROBES, 'return {"error": error, "gradient": predictions.grad}', VERDICT, f"{PROBES}:", "returns a verdict"),
    (PROBES, '{"error": error, ', '{"error": torch.isclose(error, error), ', f"{PROBES}:", "compares with"),
    (PROBES, "    if getattr", "    assert error\n    if getattr", f"{PROBES}:", "asserts"),
    (REFERENCE, "    # END SOLUTION\n", "", f"{REFERENCE}:", "has no END SOLUTION"),
    (REFERENCE, "SOLUTION 7.1: average", "SOLUTION 7.1 average", f"{REFERENCE}:", "write the marker as"),
    (REFERENCE, "SOLUTION 7.1:", "SOLUTION 7.4:", f"{REFERENCE}:", "the region is of task 7.4, which no check has"),
    (f"{HIDDEN}/mutants.toml", 'find = ".square().mean()"', 'find = "mean"', "mutants.toml:3: ", "must stand once"),
    (f"{HIDDEN}/mutants.toml", 'says = "a sum', 'sais = "a sum', "mutants.toml:3: mutant", "did you mean `says`?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "place", "says"), MISTAKES)
def test_a_mistake_is_a_sentence_with_file_and_line(
    new_course: Course, name: str, old: str, new: str, place: str, says: str
) -> None:
    file = new_course.root / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    told = [f"{where}: {text}" for where, text in faults_of(Course(new_course.root), WEEK)]
    if not says:
        assert told == []
        return
    assert [line for line in told if place in line and says in line], told
    assert len(told) == len(set(told)) <= 2, told


def test_a_name_twice_and_evidence_that_nobody_looks_at(new_course: Course) -> None:
    file = new_course.root / TEST
    text = file.read_text()
    check = text[text.index("@task") :]
    file.write_text(text.replace("points=60", "points=30") + "\n\n" + check.replace("points=60", "points=30"))
    ((place, said),) = faults_of(new_course, WEEK)
    assert place.startswith(f"{TEST}:") and said.startswith("test_mean_squared_error stands in line ")
    file.write_text(text[: text.index("    # An oracle")] + '    expect.true(True, "ok")\n')
    ((_, said),) = faults_of(new_course, WEEK)
    assert "never looks at got, so no answer can fail it" in said


def test_helpers_of_probes_may_compare_and_what_they_decide_is_no_evidence(new_course: Course) -> None:
    file = new_course.root / PROBES
    text = file.read_text()
    helper = "\n\ndef right(a, b):\n    return abs(a - b) < 1e-3\n"
    file.write_text(text + helper)
    assert faults_of(new_course, WEEK) == []
    file.write_text(
        text.replace('return {"error": error, "gradient": predictions.grad}', "return right(error, 0)") + helper
    )
    ((_, said),) = faults_of(new_course, WEEK)
    assert "returns a verdict" in said


def test_nothing_is_graded_where_something_is_wrong_and_nothing_is_a_traceback(
    new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    change(new_course.root / TEST, "want = sum(", "want = sum((")
    assert main(["validate", WEEK]) == 1
    said = capsys.readouterr()
    assert "nothing was graded, as 1 fault comes first" in said.out and said.out.count("this is no Python") == 1
    assert "Traceback" not in said.out + said.err and "INTERNALERROR" not in said.out + said.err


def test_the_weeks_of_this_course_have_no_such_fault() -> None:
    course = Course(ROOT)
    assert [fault for week in course.assignments() for fault in faults_of(course, week)] == []


def test_a_hidden_check_on_one_input_passes_on_another_seeds_evidence(
    new_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.author.proof.drawing.comparison.subprocess", SimpleNamespace(run=warm.run))
    assignment = new_course.assignment(WEEK)
    assert drawing.fixed_checks(assignment) == []
    hidden = new_course.root / HIDDEN / "test_hidden.py"
    change(hidden, "torch.randn(2, 4, 3, 2, generator=rng)", "torch.arange(48.0).view(2, 4, 3, 2)")
    assert drawing.fixed_checks(assignment) == ["test_hidden.py::test_gradient"]


def test_a_part_of_a_week_is_chosen_by_task_or_by_name() -> None:
    from grader.author.proof.mutants import Mutant

    mutants = [Mutant(name, "a.py", "a", "b", (task,), "why") for name, task in (("one", "7.1"), ("two", "7.2"))]
    assert [one.id for one in Part("7.2").of(mutants)] == ["two"]
    assert [one.id for one in Part(mutants=("one",)).of(mutants)] == ["one"]
    assert Part().of(mutants) == mutants
    with pytest.raises(UsageError, match="did you mean `two`"):
        Part(mutants=("tow",)).of(mutants)
    with pytest.raises(UsageError, match="no mutant is of that task"):
        Part("7.9").of(mutants)
