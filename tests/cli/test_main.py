from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from grader.cli import main
from grader.errors import CourseError, SubmissionError, UsageError
from grader.judging.job import Job
from grader.results import CheckResult, Outcome, Report


def commands() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in main.build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with one week, as the current folder; the environment that commands change is put back."""
    week = tmp_path / "course" / "assignments" / "week1"
    week.mkdir(parents=True)
    (week / "assignment.toml").write_text('title = "First"\nweek = "week1"\nmodules = ["lenet"]\n')
    (week / "test_week1.py").write_text("")
    monkeypatch.chdir(tmp_path / "course")
    return tmp_path / "course"


@pytest.mark.parametrize("name", commands())
def test_every_command_describes_itself_and_ends_in_an_example(name: str) -> None:
    parser = commands()[name]
    assert parser.description and parser.description.endswith(".")
    assert parser.epilog and parser.epilog.startswith(f"example:  python -m grader {name}")
    assert parser.get_default("command")


@pytest.mark.parametrize("name", commands())
def test_every_example_parses(name: str) -> None:
    words = (commands()[name].epilog or "").split()[4:]
    assert main.build_parser().parse_args(words).command is commands()[name].get_default("command")


@pytest.mark.parametrize("name", commands())
def test_every_option_has_a_help_text(name: str) -> None:
    options = [action for action in commands()[name]._actions if action.option_strings]
    assert options
    assert not [action.option_strings for action in options if not action.help]


def test_help_shows_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["batch", "--help"])
    assert caught.value.code == 0
    assert "example:  python -m grader batch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["run", "week99"], ["week99", "week1"]),
        (["run", "../week1"], ["../week1", "week1"]),
        (["run", "week1", "--submission", "no-such-folder"], ["no-such-folder"]),
        (["batch", "no-such-folder"], ["no-such-folder"]),
        (["batch", "no-such-folder", "--dry-run"], ["no-such-folder"]),
        (["batch", ".", "--week", "week99"], ["week99", "week1"]),
    ],
)
def test_what_is_not_there_is_one_line_and_status_2(
    course: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], names: list[str]
) -> None:
    before = sorted(course.rglob("*"))
    assert main.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("grader: ")
    assert all(name in line for name in names)
    assert sorted(course.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-command"], ["run"], ["batch", "x", "--jobs", "0"], ["batch", "x", "--jobs", "many"]]
)
def test_arguments_that_do_not_parse_exit_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status"), [(UsageError("m"), 2), (SubmissionError("m"), 1), (CourseError("m"), 1)])
def test_errors_of_the_kit_have_their_status_and_no_traceback(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(main, "_course", fails)
    assert main.main(["run", "week1"]) == status
    assert capsys.readouterr().err == "grader: m\n"


def test_a_closed_pipe_is_no_crash(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise BrokenPipeError

    monkeypatch.setattr(main, "_course", fails)
    assert main.main(["run", "week1"]) == 1
    assert capfd.readouterr().err == ""


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--version"])
    assert capsys.readouterr().out.startswith("grader 0.")


def test_a_dry_run_lists_what_was_found_and_writes_nothing(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = tmp_path / "class" / "ada"
    ada.mkdir(parents=True)
    (ada / "lenet.py").write_text("def double(n):\n    return 2 * n\n")
    out = tmp_path / "reports"
    assert main.main(["batch", str(tmp_path / "class"), "--out", str(out), "--dry-run"]) == 0
    first, header, line = capsys.readouterr().out.splitlines()
    assert first == "1 to grade, layout: plain"
    assert header.split() == ["Student", "week", "files"]
    assert line.split() == ["ada", "week1", "ada:", "lenet.py"]
    assert not out.exists()


def test_a_dry_run_names_last_what_cannot_be_graded_and_before_that_what_is_no_submission(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = tmp_path / "class"
    (inbox / "zoe").mkdir(parents=True)
    (inbox / "zoe" / "lenet.py").write_text("")
    for name in ("ada.zip", "ben.ipynb", "essay.docx"):
        (inbox / name).write_text("")
    assert main.main(["batch", str(inbox), "--dry-run"]) == 1
    _, _, found, _, title, ignored, *rest = capsys.readouterr().out.splitlines()
    assert found.split() == ["zoe", "week1", "zoe:", "lenet.py"]
    assert (title, ignored) == ("Ignored", "essay.docx  a .docx file is no submission")
    assert rest[0].startswith("not gradable: ada: ada.zip is an empty file")
    assert rest[1].startswith("not gradable: ben: notebook ben.ipynb is damaged")


class OneReport:
    """In place of a judge: a report with a note, in which a hidden check broke."""

    def __init__(self, *_: object) -> None: ...

    def grade(self, job: Job) -> Report:
        check = CheckResult("test_hidden.py::a", "1.1", "a", True, 0, 9, Outcome.BROKEN, "KeyError: 'axes'")
        return Report(job.student, job.week, job.seed, "v", "s", "a", (check,), job.notes)

    def close(self) -> None: ...


def test_a_run_says_how_the_submission_was_read_first_and_what_broke_last(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.judging.pool.JudgeProcess", OneReport)
    (tmp_path / "LeNet (1).py").write_text("")
    assert main.main(["run", "week1", "--submission", str(tmp_path / "LeNet (1).py")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "note: LeNet (1).py taken as lenet.py"
    assert lines[-1] == "provisional: LeNet (1) week1: test_hidden.py::a is broken: KeyError: 'axes'"


def test_an_out_folder_that_cannot_be_written_is_a_usage_error(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = tmp_path / "class" / "ada"
    ada.mkdir(parents=True)
    (ada / "lenet.py").write_text("")
    (tmp_path / "file").write_text("")
    assert main.main(["batch", str(tmp_path / "class"), "--out", str(tmp_path / "file" / "reports")]) == 2
    assert "choose another --out" in capsys.readouterr().err
