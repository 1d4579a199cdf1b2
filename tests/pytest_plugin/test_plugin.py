"""Plain pytest shows students scores and what to do next.

A process of its own takes seconds to import torch. So two tests share the plain run, and what only selects checks or
refuses options runs in the tests' own process.
"""

from __future__ import annotations

import io
import os
import pdb
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.debugging import pytestPDB

from grader import history
from grader.pytest_plugin.chosen import Chosen
from grader.pytest_plugin.commands import quoted
from grader.pytest_plugin.ending import score_lines
from grader.results import CheckResult, Outcome
from tests.support import warm
from tests.support.courses import copied


@pytest.fixture(scope="module")
def desk_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("desk", tmp_path_factory.mktemp("course"))


class Desk:
    """Runs pytest as a student does; the plain run once for all tests."""

    def __init__(self, pytester: pytest.Pytester, course: Path, plain: list[pytest.RunResult]) -> None:
        self.pytester = pytester
        self.course = course
        self.plain = plain

    def run(self) -> pytest.RunResult:
        """`pytest assignments/week1`, in a process of its own."""
        if not self.plain:
            self.plain.append(self.run_anew())
        return self.plain[0]

    def run_anew(self, *arguments: str) -> pytest.RunResult:
        command = [sys.executable, "-m", "pytest", "assignments/week1", *arguments]
        done = warm.run(command, cwd=self.course)
        return pytest.RunResult(done.returncode, done.stdout.splitlines(), done.stderr.splitlines(), duration=0)

    def run_here(self, *arguments: str) -> pytest.RunResult:
        """Run in the tests' own process, which has imported torch."""
        os.chdir(self.course)
        return self.pytester.runpytest_inprocess("assignments/week1", *arguments)


@pytest.fixture(scope="module")
def plain_runs() -> list[pytest.RunResult]:
    return []


@pytest.fixture
def student_desk(pytester: pytest.Pytester, desk_root: Path, plain_runs: list[pytest.RunResult]) -> Desk:
    return Desk(pytester, desk_root, plain_runs)


def score(result: pytest.RunResult) -> list[str]:
    """The lines under the heading of the score table."""
    text = result.stdout.str()
    assert re.search(r"=+ score =+", text), text
    return re.split(r"=+ score =+\n", text)[1].splitlines()


def test_a_run_says_what_is_wrong_to_do_and_waiting_and_ends_in_the_score(student_desk: Desk) -> None:
    result = student_desk.run()
    text = result.stdout.str()
    assert result.ret == 1
    assert re.search(r"test_week1\.py FTFw\.\.", text)
    # Why, in plain words: nothing of the checks, of the grader or of Hypothesis.
    for line in (
        "Task 1.1: Twice a number  (0 of 20 points)",
        "double: wrong value; expected 2, got 3",
        "  called as    double(1)",
        "  expected     2",
        "  got          3",
        "  hint         Look at the operator.",
        "  run again    pytest assignments/week1 --task 1.1",
        "your code raised IndexError: list index out of range (lenet.py:9), in index()",
        "  lenet.py:6 in index",
        "      return helper([])",
        "  lenet.py:9 in helper",
        "      return values[2]",
    ):
        assert line in text.splitlines()
    for noise in (
        "Traceback",
        "NotImplementedError",
        "Falsifying",
        "Failing test case",
        "You can reproduce",
        "grader/",
        "probes.py",
    ):
        assert noise not in text
    table = score(result)
    order = [match[1] for line in table if (match := re.match(r"\W*(1\.\d+)\s", line))]
    assert order == ["1.1", "1.2", "1.3", "1.4", "1.10"]
    assert any("40/100" in line for line in table)
    assert any(re.match(r"1\.2 +0/20 .* to do", line) for line in table)
    assert any(re.match(r"1\.4 +0/10 .* waiting", line) for line in table)
    # And what was wrong is what `--lf` runs again.
    again = student_desk.run_here("--lf", "-q")
    assert again.ret == 1
    again.assert_outcomes(failed=2, deselected=0)
    assert "test_free" not in again.stdout.str()


def test_task_and_submission_select_what_runs_and_whose_code(student_desk: Desk) -> None:
    result = student_desk.run_here("--task", "1.1", "--task", "1.3", "--submission", "other", "-p", "no:cacheprovider")
    assert result.ret == 0
    result.assert_outcomes(passed=2, deselected=4)
    assert any("30" in line for line in score(result))


def test_one_command_runs_a_task_again_however_the_run_was_spelled(student_desk: Desk) -> None:
    os.chdir(student_desk.course)
    for words in (["assignments/week1/test_week1.py::test_index"], ["assignments", "--task", "1.3"]):
        result = student_desk.pytester.runpytest_inprocess(*words, "-p", "no:cacheprovider")
        assert score(result)[-2].strip() == "pytest assignments/week1 --task 1.3"


def test_a_folder_with_spaces_is_quoted_in_a_way_that_every_shell_takes() -> None:
    assert quoted("assignments/Übung1") == "assignments/Übung1"
    assert quoted(r"C:\Users\Ana Lú\week5") == r'"C:\Users\Ana Lú\week5"'
    assert quoted("a $b") == "'a $b'"


def test_a_task_that_no_check_has_is_one_line(student_desk: Desk) -> None:
    result = student_desk.run_here("--task", "1.1", "--task", "9.9")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "no check belongs to task 9.9; there are: 1.1, 1.2, 1.3, 1.4, 1.10" in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_pytests_own_options_stop_at_the_first_failure_and_select_by_name(student_desk: Desk) -> None:
    result = student_desk.run_here("-x", "-k", "double or index", "-p", "no:cacheprovider")
    assert result.ret == 1
    assert "lenet.py:9" not in result.stdout.str()
    result.assert_outcomes(failed=1, deselected=4)


def test_a_run_that_stops_early_is_noted_for_the_tasks_whose_checks_all_ran(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    root = copied("desk", tmp_path, {"course.toml": 'title = "Numbers"\n'})
    checks = root / "assignments/week1/test_week1.py"
    checks.write_text(
        checks.read_text().replace('"1.3", points=10, title="Crashes"', '"1.2", points=10, title="Crashes"')
    )
    os.chdir(root)
    kept = {"-k free": [], "--maxfail=1": ["1.1"], "--maxfail=2": ["1.1"], "--maxfail=3": ["1.1", "1.2"]}
    for option, tasks in kept.items():  # the second ends in the middle of task 1.2
        pytester.runpytest_inprocess("assignments/week1", "-p", "no:cacheprovider", *option.split())
        assert [step.task for step in history.read(root)] == tasks


def test_two_processes_give_the_same_score_table(student_desk: Desk) -> None:
    pytest.importorskip("xdist")
    alone = student_desk.run()
    shared = student_desk.run_anew("-n", "2", "-p", "no:cacheprovider")
    assert (alone.ret, shared.ret) == (1, 1)
    assert points(shared) == points(alone)
    assert len(points(alone)) == 6


def points(result: pytest.RunResult) -> list[tuple[str, str]]:
    """`("1.1", "0/20")` for each line of the score table."""
    return re.findall(r"^(1\.\d+|all) .*?(\d+/\d+)", "\n".join(score(result)), re.MULTILINE)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Type some lines into the debugger of the next run."""

    def type_in(lines: str) -> None:
        class Typed(pdb.Pdb):
            def __init__(self) -> None:
                super().__init__(stdin=io.StringIO(lines), stdout=sys.stdout, readrc=False)
                self.use_rawinput = False

        monkeypatch.setattr(pdb, "Pdb", Typed)
        monkeypatch.setattr(pytestPDB, "_wrapped_pdb_cls", None)

    return type_in


def debugged(student_desk: Desk, task: str) -> str:
    return student_desk.run_here("--task", task, "-x", "--pdb", "-s", "-p", "no:cacheprovider").stdout.str()


def test_the_debugger_runs_a_wrong_example_again_and_stops_in_the_students_function(
    student_desk: Desk, typed: Callable[[str], None]
) -> None:
    typed("p n\np 3 * n\nc\n")
    text = debugged(student_desk, "1.1")
    assert "double: wrong value; expected 2, got 3" in text
    assert "stops in double (lenet.py:2)" in text
    assert "lenet.py(3)double()\n-> return 3 * n" in text
    assert "(Pdb) 1\n(Pdb) 3\n" in text
    assert "The example has run to its end." in text and "0/20" in text


def test_the_debugger_stops_at_the_students_line_that_raised_with_their_frames_alone(
    student_desk: Desk, typed: Callable[[str], None]
) -> None:
    typed("p values\nw\nq\n")
    text = debugged(student_desk, "1.3")
    assert "lenet.py(9)helper()\n-> return values[2]" in text
    assert "(Pdb) []\n" in text
    assert "lenet.py(6)index()" in text and "probes.py(" not in text and "Quitting debugger" in text


def test_without_checks_the_plugin_is_silent(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import sys\ndef test_a():\n    assert 'torch' not in sys.modules\n")
    result = pytester.runpytest_subprocess()
    assert result.ret == 0
    assert " score " not in result.stdout.str()


def test_a_weeks_folder_is_not_on_the_path_whatever_settings_a_student_has(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Else a file of theirs called `random.py` or `torch.py` would stand for the library in the checks, too."""
    week = copied("desk", tmp_path) / "assignments" / "week1"
    (week / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    (week / "test_own.py").write_text(
        "import sys\nfrom pathlib import Path\ndef test_path():\n"
        "    assert str(Path(__file__).parent) not in sys.path\n"
    )
    os.chdir(week)
    pytester.runpytest_inprocess("test_own.py", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_syntax_error_is_told_once_with_what_else_it_ends(student_desk: Desk) -> None:
    broken = student_desk.course / "broken" / "week1"
    broken.mkdir(parents=True)
    for file in (student_desk.course / "other" / "week1").glob("*.py"):
        (broken / file.name).write_text(file.read_text())
    (broken / "lenet.py").write_text("def double(number):\n    return (number\n")
    result = student_desk.run_here("--submission", "broken", "-p", "no:cacheprovider")
    text = result.stdout.str()
    told = "your code raised SyntaxError: '(' was never closed (lenet.py:2)"
    assert text.split("= score =")[0].count("SyntaxError") == 1
    assert re.search(rf"^{re.escape(told)}.*\n", text, re.MULTILINE)
    assert re.search(r"^  also ends +\d more checks?, of task 1\.", text, re.MULTILINE)
    assert "Look at the operator." not in text
    assert any(line == "Next: task 1.1 (error), lenet.py:2: Twice a number" for line in score(result))
    assert result.ret == 1


def test_a_student_who_asks_for_german_is_told_in_german(student_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = student_desk.course / "kaputt" / "week1"
    broken.mkdir(parents=True)
    (broken / "training.py").write_text((student_desk.course / "other/week1/training.py").read_text())
    (broken / "lenet.py").write_text("def double(number):\n    return (number\n")
    monkeypatch.setenv("GRADER_LANGUAGE", "de_DE.UTF-8")
    text = student_desk.run_here("--submission", "kaputt", "-p", "no:cacheprovider").stdout.str()
    told = "dein Code hat SyntaxError ausgelöst: '(' was never closed (lenet.py:2)"
    assert told in text
    assert re.search(r"^  beendet auch +\d weitere Prüfung(en)? von Aufgabe 1\.", text, re.MULTILINE)
    assert re.search(r"=+ Ergebnis =+\n", text) and "Weiter: Aufgabe 1.1 (Fehler), lenet.py:2: " in text
    english = student_desk.run_here(
        "--submission", "kaputt", "--language", "en", "--task", "1.1", "-p", "no:cacheprovider"
    )
    assert "Next: task 1.1 (error)" in english.stdout.str()


def test_a_chapter_has_no_hidden_checks_to_speak_of(tmp_path: Path) -> None:
    passed = CheckResult("t::a", "1.1", "a", False, 1, 1, Outcome.PASSED)
    (tmp_path / "course.toml").write_text('title = "Numbers"\n')
    for kind, says in (("chapter", "Every check passes."), ("assignment", "Hidden checks are worth 40 points more")):
        folder = tmp_path / "assignments" / kind
        folder.mkdir(parents=True)
        (folder / f"{kind}.toml").touch()
        lines = score_lines([passed], Chosen(count=1, folders=frozenset([folder])), "pytest", (200, False), False)
        assert says in lines[-1]
