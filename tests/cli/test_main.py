"""Every command is documented, says in one line what is wrong, has its exit code, and loads only what it needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import grader
from grader.cli.main import COMMANDS, cli, main
from grader.course import Course
from grader.errors import CourseError, SubmissionError, UsageError
from grader.judging.job import Job
from grader.results import CheckResult, Outcome, Report
from tests.support.makers import lay_out

ROOT = Path(__file__).parents[2]
EACH = [pytest.param(command, id=command.name) for command in COMMANDS]
# What takes long to import: most of it is for grading itself.
HEAVY = {
    "torch", "torchvision", "numpy", "hypothesis", "pytest", "matplotlib", "sklearn", "nbclient", "distributed",
    "copydetect",
}  # fmt: skip
MEDIUM = {"rich", "jinja2", "sqlite3", "msgpack", "psutil", "nbformat", "yaml", "grader.intake", "grader.sandbox"}


def run(*words: str | Path) -> Result:
    """Run a command as a person would; whatever is raised in it is the test's failure."""
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def current_course(one_check_course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course of one week, as the current folder."""
    monkeypatch.chdir(one_check_course.root)
    return one_check_course


# Help


@pytest.mark.parametrize("listed", EACH)
def test_every_command_describes_itself_as_it_is_listed_and_ends_in_an_example(listed: click.Command) -> None:
    result = run(str(listed.name), "--help")
    assert result.exit_code == 0
    about = str(listed.short_help)
    description = " ".join(result.stdout.split("\n\n")[1].split())
    assert description == f"{about[0].upper()}{about[1:]}."
    assert result.stdout.splitlines()[-1].startswith(f"example:  python -m grader {listed.name}")


@pytest.mark.parametrize("listed", EACH)
def test_every_example_parses(listed: click.Command) -> None:
    example = run(str(listed.name), "-h").stdout.splitlines()[-1]
    words = example.split()[5:]
    assert listed.make_context(listed.name, words).command.name == listed.name


@pytest.mark.parametrize("listed", EACH)
def test_every_option_has_a_help_text(listed: click.Command) -> None:
    context = listed.make_context(listed.name, [], resilient_parsing=True)
    options = [param for param in context.command.get_params(context) if isinstance(param, click.Option)]
    assert options
    assert [option.opts for option in options if not option.help] == []


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_lists_the_commands_in_the_order_of_the_work(word: str) -> None:
    result = run(word)
    lines = result.stdout.partition("Commands:\n")[2].splitlines()
    names = [line.split()[0] for line in lines if not line.startswith("   ")]
    assert (result.exit_code, names) == (0, [command.name for command in COMMANDS])


def modules_after(*commands: tuple[str, ...]) -> set[str]:
    """Return what is imported after these commands have run in a process of their own."""
    code = f"import sys; from grader.cli.main import main\nfor words in {commands!r}: main(words)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_neither_torch_nor_anything_else_that_takes_long() -> None:
    found = modules_after(("--help",), ("--version",))
    assert found & (HEAVY | MEDIUM) == set()
    assert "click" in found


def test_a_commands_own_help_imports_nothing_of_what_grading_takes() -> None:
    found = modules_after(*((str(command.name), "--help") for command in COMMANDS))
    assert found & HEAVY == set()
    assert "grader.batch.run" in found


def test_the_console_script_is_the_same_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["grader"].partition(":")
    assert getattr(import_module(module), name) is main


def test_the_version_is_shown() -> None:
    assert run("--version").stdout.startswith(f"grader {grader.__version__}")


def test_a_shell_completes_commands_and_options() -> None:
    def complete(words: str, number: int) -> str:
        environment = {"_GRADER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        return CliRunner().invoke(cli, [], prog_name="grader", env=environment).stdout

    assert complete("grader ov", 1) == "plain,override\n"
    assert complete("grader batch --dry", 2) == "plain,--dry-run\n"
    assert "plain,bwrap\n" in complete("grader batch x --sandbox ", 4)


# What makes no sense


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Commands:"),
        (["no-such-command"], "No such command"),
        (["batc"], "'batch'"),
        (["run"], "Missing argument 'WEEK'"),
        (["batch"], "Missing argument 'SUBMISSIONS'"),
        (["batch", "x", "--jobs", "0"], "'--jobs'"),
        (["batch", "x", "--jobs", "many"], "'--jobs'"),
        (["batch", "x", "--sandbox", "none"], "'--sandbox'"),
        (["batch", "x", "--week"], "'--week' requires an argument"),
        (["batch", "x", "--out", "--dry-run"], "'--out' requires an argument"),
        (["similar", "x", "--least", "101"], "'--least'"),
        (["validate", "--seeds", "0"], "'--seeds'"),
        (["release"], "either --to or --branch"),
        (["release", "--to", "a", "--branch", "b"], "either --to or --branch"),
        (["run", "week5", "--sub", "x"], "Did you mean '--submission'?"),
    ],
)
def test_arguments_that_do_not_parse_are_a_usage_error_with_status_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    # The same from Python, which takes the status.
    assert main(words) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["run", "week99"], ["week99", "week1"]),
        (["run", "../week1"], ["../week1", "week1"]),
        (["run", "week1", "--submission", "no-such-folder"], ["no-such-folder"]),
        (["batch", "no-such-folder"], ["no-such-folder"]),
        (["batch", "no-such-folder", "--dry-run"], ["no-such-folder"]),
        (["batch", ".", "--week", "week99"], ["week99", "week1"]),
        (["batch", ".", "--scheduler", "tcp://x:1", "--device", "cuda"], ["--device cuda"]),
    ],
)
def test_what_is_not_there_is_one_line_and_status_2(current_course: Course, words: list[str], names: list[str]) -> None:
    before = sorted(current_course.root.rglob("*"))
    result = run(*words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("grader: ")
    assert all(name in line for name in names)
    assert sorted(current_course.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (UsageError("m"), 2, "grader: m\n"),
        (SubmissionError("m"), 1, "grader: m\n"),
        (CourseError("m"), 1, "grader: m\n"),
        (BrokenPipeError(), 1, ""),
        (KeyboardInterrupt(), 130, "\ngrader: interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_ends_a_command_early_has_its_status_and_no_traceback(
    error: BaseException, status: int, says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    closed: list[int] = []  # the output that nobody reads any more: this process's own goes to pytest
    monkeypatch.setattr("grader.cli.process.streams.os.dup2", lambda source, target: closed.append(target))
    monkeypatch.setattr("grader.cli.student.run.students_course", fails)
    assert main(["run", "week1"]) == status
    assert capfd.readouterr().err == says
    assert bool(closed) == isinstance(error, BrokenPipeError)


# What commands print


def test_a_dry_run_lists_what_was_found_and_writes_nothing(current_course: Course, tmp_path: Path) -> None:
    inbox = lay_out(tmp_path / "class", {"ada/work.py": "def double(n):\n    return 2 * n\n"})
    out = tmp_path / "reports"
    result = run("batch", inbox, "--out", out, "--dry-run")
    assert result.exit_code == 0
    first, header, line = result.stdout.splitlines()
    assert first == "1 to grade, layout: plain"
    assert header.split() == ["Student", "week", "files"]
    assert line.split() == ["ada", "week1", "ada:", "work.py"]
    assert not out.exists()


def test_a_dry_run_names_last_what_cannot_be_graded_and_before_that_what_is_no_submission(
    current_course: Course, tmp_path: Path
) -> None:
    names = ("zoe/work.py", "ada.zip", "ben.ipynb", "essay.docx")
    result = run("batch", lay_out(tmp_path / "class", dict.fromkeys(names, "")), "--dry-run")
    assert result.exit_code == 1
    _, _, found, _, title, ignored, *rest = result.stdout.splitlines()
    assert found.split() == ["zoe", "week1", "zoe:", "work.py"]
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
    current_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.judging.pool.JudgeProcess", OneReport)
    (tmp_path / "Work (1).py").write_text("")
    result = run("run", "week1", "--submission", tmp_path / "Work (1).py")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "note: Work (1).py taken as work.py"
    assert lines[-1] == "provisional: Work (1) week1: test_hidden.py::a is broken: KeyError: 'axes'"


def test_an_out_folder_that_cannot_be_written_is_a_usage_error(current_course: Course, tmp_path: Path) -> None:
    inbox = lay_out(tmp_path, {"class/ada/work.py": "", "file": ""}) / "class"
    result = run("batch", inbox, "--out", tmp_path / "file" / "reports")
    assert result.exit_code == 2
    assert "choose another --out" in result.stderr
