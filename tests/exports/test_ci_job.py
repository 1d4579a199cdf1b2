"""Grading in a CI job: the host is found, its files are written, and the student's copy of the grader is never run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.author.release import package
from grader.cli.main import main
from grader.course import Course
from grader.errors import CourseError, GraderError, UsageError
from grader.exports import ci_job
from grader.results import CheckResult, Outcome, Report
from grader.sandbox import Sandbox
from tests.support import quick
from tests.support.courses import copied

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
CLASSROOM50 = {"CLASSROOM": "dl", "ASSIGNMENT": "w5", "SUBMISSION_TAG": "submit/1", "OWNER": "ana"}
OUTCOMES = (
    CheckResult("test_week5.py::a", "5.1", "A", False, 4, 4, Outcome.PASSED),
    CheckResult("test_week5.py::b", "5.2", "B", False, 0, 6, Outcome.FAILED, "::error::boo\nwrong"),
)
REPORT = Report("ana", "week5", 0, "0.1.0", "a" * 64, "b" * 64, OUTCOMES)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({}, "plain"),
        ({"GITHUB_ACTIONS": "true"}, "github"),
        ({"GITHUB_ACTIONS": "true", **CLASSROOM50}, "classroom50"),
        ({"CLASSROOM": "dl"}, "plain"),
    ],
)
def test_the_host_is_known_by_its_environment(environment: dict[str, str], host: str) -> None:
    assert ci_job.find_job(environment).host == host
    assert ci_job.find_job(environment).folder == Path.cwd()


def test_gradescope_is_known_by_its_folder_and_names_the_students(tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    job = ci_job.find_job({"AUTOGRADER_HOME": str(tmp_path)})
    assert (job.host, job.folder) == ("gradescope", tmp_path / "submission")
    assert ci_job.student_of(job) == ""
    (tmp_path / "submission_metadata.json").write_text('{"users": [{"name": "Ana"}, {"name": "Bo"}]}')
    assert ci_job.student_of(job) == "Ana, Bo"


def test_a_submission_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="say with --submission"):
        ci_job.find_job({"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path / "gone")})


def job(host: str, folder: Path, **environment: str) -> ci_job.CiJob:
    paths = {name: str(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    return ci_job.CiJob(host, folder, {**paths, **environment}, folder)


def test_classroom50_finds_its_files_in_the_checkout(tmp_path: Path) -> None:
    ci_job.write(job("classroom50", tmp_path, **CLASSROOM50), REPORT, tmp_path / "out")
    assert (read(tmp_path / "result.json")["score"], read(tmp_path / "result.json")["max-score"]) == (4, 10)
    assert (tmp_path / "release-body.md").read_text().startswith("# Week 5: 4 of 10 points")
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "status=failure\nsummary=week5: 4 of 10 points\n"
    assert not (tmp_path / "GITHUB_STEP_SUMMARY").exists()  # its runner copies the release's body there


def test_the_submissions_time_is_its_commits(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    dates = {**os.environ, "GIT_COMMITTER_DATE": "2026-10-05T23:00:00+02:00"}
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "a"], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, env=dates)
    ci_job.write(job("classroom50", tmp_path, **CLASSROOM50), REPORT, tmp_path / "out")
    assert read(tmp_path / "result.json")["datetime"] == "2026-10-05T21:00:00Z"


def test_the_host_tells_the_submissions_time(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    commit = {"id": "abc", "timestamp": "2026-10-05T23:00:00+02:00"}
    event.write_text(json.dumps({"head_commit": commit}))
    told = {**CLASSROOM50, "GITHUB_EVENT_PATH": str(event), "GITHUB_SHA": "abc"}
    ci_job.write(job("classroom50", tmp_path, **told), REPORT, tmp_path / "out")
    assert read(tmp_path / "result.json")["datetime"] == "2026-10-05T21:00:00Z"


OTHER = '{"head_commit": {"id": "other", "timestamp": "2020-01-01T00:00:00Z"}}'
NO_TIME = ("", "{", "[]", "null", '{"head_commit": null}', '{"head_commit": {"timestamp": 3}}', OTHER)


@pytest.mark.parametrize("event", NO_TIME)
def test_an_event_that_does_not_tell_the_time_is_passed_over(tmp_path: Path, event: str) -> None:
    (tmp_path / "event.json").write_text(event)
    told = {**CLASSROOM50, "GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_SHA": "abc"}
    ci_job.write(job("classroom50", tmp_path, **told), REPORT, tmp_path / "out")
    assert not read(tmp_path / "result.json")["datetime"].startswith("2020")


def test_github_gets_outputs_variables_and_a_summary(tmp_path: Path) -> None:
    ci_job.write(job("github", tmp_path), REPORT, tmp_path / "out")
    outputs = (tmp_path / "GITHUB_OUTPUT").read_text().splitlines()
    assert outputs == ["runners=Week5Task1,Week5Task2", "score=4", "max-score=10"]
    names = [line.partition("=")[0] for line in (tmp_path / "GITHUB_ENV").read_text().splitlines()]
    assert names == ["WEEK5TASK1_RESULTS", "WEEK5TASK2_RESULTS"]
    assert "# Week 5: 4 of 10 points" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "junit.xml", "report.html", "report.json", "report.md",
    ]  # fmt: skip


def test_a_summary_stays_below_githubs_limit(tmp_path: Path) -> None:
    long = tuple(
        CheckResult(f"t::{n}", "5.1", "A", False, 0, 1, Outcome.ERROR, "\N{GRINNING FACE}" * 7000) for n in range(60)
    )
    ci_job.write(job("github", tmp_path), Report("a", "week5", 0, "v", "s", "a", long), tmp_path / "out")
    assert (tmp_path / "GITHUB_STEP_SUMMARY").stat().st_size < ci_job.LARGEST_SUMMARY
    assert "open report.html" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


def test_gradescope_finds_its_results(tmp_path: Path) -> None:
    ci_job.write(job("gradescope", tmp_path), REPORT, tmp_path / "out")
    assert read(tmp_path / "results" / "results.json")["score"] == 4


@pytest.mark.parametrize("link", ["grader-report", "grader-report/report.html", "nested/out"])
@pytest.mark.parametrize("host", ci_job.HOSTS)
def test_no_report_follows_a_link_that_a_student_has_committed(
    host: str, link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the job names its folder, and wherever in the repository the submission lies."""
    victim = tmp_path / "victim"
    checkout = tmp_path / "checkout"
    for folder in (victim / "out", checkout / ".git", checkout / "assignments" / "week5", checkout / "nested"):
        folder.mkdir(parents=True)
    (victim / "precious").write_text("mine")
    is_file = link.endswith(".html")
    (checkout / link).parent.mkdir(exist_ok=True)
    (checkout / link).symlink_to(victim / "precious" if is_file else victim)
    out = (checkout / link).parent if is_file else checkout / link / "sub"
    monkeypatch.chdir(checkout)
    for folder, named in ((checkout, out), (checkout / "assignments" / "week5", out.relative_to(checkout))):
        try:
            ci_job.write(job(host, folder, **CLASSROOM50), REPORT, named)
        except GraderError as error:
            assert "is a symbolic link" in str(error)
        assert (victim / "precious").read_text() == "mine"
        assert sorted(path.name for path in victim.rglob("*")) == ["out", "precious"]


@pytest.mark.parametrize("name", ["result.json", "release-body.md", "grader-report.html"])
def test_a_hosts_file_in_the_checkout_replaces_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / name).symlink_to("victim")
    ci_job.write(job("classroom50", tmp_path, **CLASSROOM50), REPORT, tmp_path / "out")
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / name).is_symlink()


def test_the_report_is_private_and_what_the_host_reads_is_not(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        for host in ("classroom50", "gradescope"):
            ci_job.write(job(host, tmp_path / host, **CLASSROOM50), REPORT, tmp_path / host / "out")
    finally:
        os.umask(before)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {
        "classroom50/result.json": 0o644,
        "classroom50/release-body.md": 0o644,
        "classroom50/grader-report.html": 0o644,
        "classroom50/GITHUB_OUTPUT": 0o644,
        "gradescope/results": 0o755,
        "gradescope/results/results.json": 0o644,
    }


def test_what_is_printed_is_no_command_to_github(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ci_job.quoted(job("github", tmp_path, GITHUB_ACTIONS="true")):
        print("::set-output name=score::100")
        print("works: ##[notice title=Autograding report]{}")
    matcher, first, command, notice, last = capsys.readouterr().out.splitlines()
    assert matcher == "::remove-matcher owner=python::"
    assert (command, notice) == (": :set-output name=score::100", "works: # #[notice title=Autograding report]{}")
    token = first.removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token) and last == f"::{token}::"


# As hosts run it


@pytest.fixture(scope="module")
def sums_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small course, committed, with what students start from."""
    root = copied("sums", tmp_path_factory.mktemp("sums") / "course", {f"{SUMS}/sums.py": HALF.partition("\n\n")[0]})
    commit(root, ["git", "-C", str(root), "init", "-q"])
    return root


SUMS = "assignments/week5"
HALF = "def half(n):\n    return n / 2\n\n\ndef double(n):\n    return n + 1\n"  # one function of two is right


@pytest.fixture(scope="module")
def checkout(sums_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's repository, whose own grader and sitecustomize would give full marks."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(sums_root / SUMS, folder / SUMS)
    (folder / SUMS / "sums.py").write_text(HALF)
    for name in ("grader/__init__.py", "grader/__main__.py", "sitecustomize.py", "torch.py", "fixtures/__init__.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("raise SystemExit('the student’s copy ran')\n")
    with (folder / SUMS / "test_week5.py").open("a") as stream:
        stream.write("\n# all of this passes now\n")
    return folder


def commit(folder: Path, *before: list[str]) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (*before, *(["git", "-C", str(folder), *w] for w in (["add", "-A"], [*who, "commit", "-qm", "x"]))):
        subprocess.run(words, check=True)


def run(command: list[str], folder: Path, **environment: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB")}
    done = subprocess.run(command, cwd=folder, env={**env, **environment}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("cold_start")
def test_the_students_own_grader_is_never_run(sums_root: Path, checkout: Path, tmp_path: Path) -> None:
    paths = {"GITHUB_OUTPUT": str(tmp_path / "o"), "GITHUB_ENV": str(tmp_path / "e"), "GITHUB_ACTIONS": "true"}
    command = [sys.executable, "-P", "-m", "tests.support.quick", "ci", "week5", "--out", str(tmp_path / "out")]
    text = run([*command, "--course", str(sums_root)], checkout, PYTHONPATH=str(ROOT), **paths)
    assert "the student’s copy ran" not in text
    report = Report.load(tmp_path / "out" / "report.json")
    assert (report.score, report.max_score) == (50, 100)
    assert any("test_week5.py" in note for note in report.notes)
    assert f"score={report.score}\n" in (tmp_path / "o").read_text()


def test_an_empty_submission_is_graded_and_says_why_it_has_nothing(sums_root: Path, tmp_path: Path) -> None:
    home = tmp_path / "autograder"
    (home / "submission").mkdir(parents=True)
    (home / "submission" / "essay.txt").write_text("sorry")
    command = [sys.executable, "-P", "-m", "tests.support.quick", "ci", "week5", "--out", str(tmp_path / "out")]
    run([*command, "--course", str(sums_root)], tmp_path, AUTOGRADER_HOME=str(home), PYTHONPATH=str(ROOT))
    results = read(home / "results" / "results.json")
    assert results["score"] == 0 and "nothing to grade was found" in results["output"]


@pytest.mark.parametrize("host", ci_job.HOSTS)
def test_a_ci_job_without_a_sandbox_is_refused_unless_it_is_asked_for_by_name(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody reads a warning in a job's log, so there is neither a grade nor any other file."""
    used: list[Sandbox] = []
    monkeypatch.setenv("PATH", str(tmp_path))  # no bubblewrap there
    monkeypatch.setattr("grader.cli.single.grade_ci_job", lambda *given: (used.append(given[3]), (REPORT, []))[1])
    words = ["ci", "week5", "--host", host, "--submission", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "`bwrap`) is not installed" in said and "--sandbox process" in said
    assert not used and not list(tmp_path.iterdir())
    assert main([*words, "--sandbox", "process"]) == 0
    assert [sandbox.confined for sandbox in used] == [False]


@pytest.mark.parametrize("name", ["action.yml", "README.md", "grader/author/templates/hosts/gradescope_run.sh"])
def test_no_host_is_told_to_do_without_a_sandbox(name: str) -> None:
    assert not re.search(r"grader ci .*--sandbox (auto|process)", (ROOT / name).read_text())


# Bundles


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course as it stands here, committed: what is packaged is what git tracks."""
    folder = tmp_path_factory.mktemp("course") / "course"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    tracked = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True)
    for name in tracked.stdout.split("\0")[:-1]:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "assignments" / "a file of this test").touch()
    commit(folder)
    return Course(folder)


def test_the_classroom50_bundle_holds_nothing_secret(committed: Course) -> None:
    files = package.classroom50(committed, committed.assignment("week5"))
    assert not [name for name in files if "solutions" in name or "hidden" in name.rpartition("/")[2]]


def test_the_classroom50_bundle_grades(sums_root: Path, checkout: Path, tmp_path: Path) -> None:
    course = Course(sums_root)
    for name, content in package.classroom50(course, course.assignment("week5")).items():
        (tmp_path / "bundle" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bundle" / name).write_bytes(content)
    wrapper = tmp_path / "venv" / "bin" / "python"
    wrapper.parent.mkdir(parents=True)
    bundled = tmp_path / "bundle" / "course"
    quick.as_python(wrapper, bundled)
    work = tmp_path / "work"
    shutil.copytree(checkout, work)
    bundle = {"CLASSROOM50_BUNDLE_DIR": str(tmp_path / "bundle"), "GRADER_VENV": str(tmp_path / "venv")}
    places = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "o"), **bundle}
    run([sys.executable, "-P", str(tmp_path / "bundle" / "autograder.py")], work, **CLASSROOM50, **places)
    result = read(work / "result.json")
    assert (result["score"], result["max-score"]) == (30, 60)
    assert "status=failure" in (tmp_path / "o").read_text()


def test_a_student_tree_cannot_be_packaged_for_gradescope(committed: Course, tmp_path: Path) -> None:
    shutil.copytree(committed.root / "assignments", tmp_path / "assignments")
    with pytest.raises(CourseError, match="package it where solutions/ is"):
        package.gradescope(committed, Course(tmp_path).assignment("week5"))


@pytest.mark.parametrize("name", ["action.yml", "assignments/workflow.yml", ".github/workflows/tests.yml"])
def test_a_workflow_parses_has_a_time_limit_and_hands_out_no_secret(name: str) -> None:

    text = (ROOT / name).read_text()
    data = yaml.safe_load(text)
    assert "secrets." not in text and "pull_request_target" not in text
    if name != "action.yml":
        assert data["permissions"] == {"contents": "read"}
        assert all(job["timeout-minutes"] for job in data["jobs"].values())
        steps = [step for job in data["jobs"].values() for step in job["steps"]]
        checkouts = [step for step in steps if str(step.get("uses")).startswith("actions/checkout")]
        assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)
    else:
        # An input within a script would be read as a part of it.
        assert not [step for step in data["runs"]["steps"] if "${{" in step.get("run", "")]
        assert "timeout" in data["runs"]["steps"][-1]["run"]


STUB = """#!/bin/sh
echo "$PWD: ${0##*/} $*" >> "$LOG"
if [ "$2" = -m ] && [ "$3" = venv ]; then
    for last in "$@"; do :; done
    mkdir -p "$last/bin" && cp "$0" "$last/bin/python" && cp "$0" "$last/bin/uv"
fi
"""


def calls(folder: Path) -> list[tuple[str, str]]:
    """What the stubs have noted: where each was called, and how."""
    return [tuple(line.split(": ", 1)) for line in (folder / "log").read_text().splitlines()]  # type: ignore[misc]


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for all programs that a host's script starts; each notes its working folder and its words."""
    (tmp_path / "bin").mkdir()
    for name in ("python3", "sudo", "apt-get", "sysctl", "timeout"):
        (tmp_path / "bin" / name).write_text(STUB)
        (tmp_path / "bin" / name).chmod(0o755)
    for name in ("checkout", "course"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path


def test_the_action_starts_no_program_in_the_checkout(stubs: Path) -> None:
    """Python would import from there, and uv would read settings."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    places = {"GITHUB_ACTION_PATH": str(stubs / "course"), "PYTHON": str(stubs / "bin" / "python3")}
    for script in scripts:
        run(["bash", "-eo", "pipefail", "-c", script], stubs / "checkout", VENV=str(stubs / "venv"), **places)
    found = calls(stubs)
    assert len(found) == 7 and {where for where, _ in found} == {str(stubs / "course")}
    assert [words for _, words in found if words.startswith("python") and " -I " not in words] == []
    assert [words for _, words in found if words.startswith("uv") and " --no-config " not in words] == []
    assert re.search(r"\S* -P -m grader ci ", found[-1][1])


def test_no_cache_that_a_students_workflow_can_fill_brings_programs() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    assert [step["uses"] for step in steps if "uses" in step] == [
        "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97"
    ]
    assert not [step for step in steps if "cache" in step.get("with", {})]


def test_classroom50_starts_no_program_in_the_checkout(stubs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (stubs / "bundle" / "course").mkdir(parents=True)
    script = stubs / "bundle" / "autograder.py"
    shutil.copy(ROOT / "grader/author/templates/hosts/classroom50.py", script)
    for name in ("RUNNER_TEMP", "CLASSROOM50_BUNDLE_DIR", "GRADER_VENV"):
        monkeypatch.delenv(name, raising=False)
    start = f"import runpy, sys; sys.executable = {str(stubs / 'bin' / 'python3')!r}; "
    start += f"runpy.run_path({str(script)!r}, run_name='__main__')"
    run([sys.executable, "-I", "-c", start], stubs / "checkout", TMPDIR=str(stubs))
    found = calls(stubs)
    assert {where for where, _ in found} == {str(stubs / "bundle" / "course")}
    assert [words for _, words in found if words.startswith("python") and not re.search(" -[IP] -m ", words)] == []
    assert [words for _, words in found if words.startswith("uv") and " --no-config " not in words] == []
    assert " -P -m grader ci " in found[-1][1]
    # Nobody else on the machine can have made its folder before.
    folder = found[-1][1].partition("--out ")[2].removesuffix("/grader-report")
    assert Path(folder).parent == stubs and Path(folder).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["gradescope_setup.sh", "gradescope_run.sh"])
def test_gradescopes_scripts_import_nothing_from_their_working_folder(name: str) -> None:
    text = (ROOT / "grader/author/templates/hosts" / name).read_text()
    calls = re.findall(r"python3?\"?((?: -\w+)*) (?:-m|-c) ", text)
    assert calls and all(re.search("-[IP]", options) for options in calls), calls


def test_the_scripts_parse() -> None:
    for script in (ROOT / "grader" / "author" / "templates" / "hosts").glob("*.sh"):
        subprocess.run(["bash", "-n", str(script)], check=True)
