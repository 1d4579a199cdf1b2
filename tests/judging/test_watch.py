"""Without a sandbox a submission may change the grader and the course: then there is an error, and no grade."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import cache_from_source, source_hash
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.batch import cluster_worker
from grader.batch.cluster_worker import Judges, Terms, facts
from grader.errors import SandboxError, TamperError
from grader.gradebook import Gradebook
from grader.judging.job import Job
from grader.judging.judge_process import JudgeProcess
from grader.judging.pool import grade_patiently
from grader.judging.watch import Watch
from grader.sandbox import Process
from tests.support import amount, warm
from tests.support.courses import copied
from tests.support.makers import lay_out
from tests.support.quick import QUICK, quick

ROOT = Path(__file__).parents[2]
PACKAGE = {"__init__.py": "", "verdict.py": "passed = False\n", "reports/page.j2": "<p>"}
FIXTURES = {"__init__.py": "", "digits.py": "", "labels.csv": "1,2", "submissions/ana/work.py": ""}


@pytest.fixture
def watched_root(tmp_path: Path) -> Path:
    """A grader and a course that are nobody else's: whole folders, side by side."""
    root = copied("attacked", tmp_path / "course")
    lay_out(root / "grader", PACKAGE)
    lay_out(root / "fixtures", FIXTURES)
    test = root / "assignments" / "week1" / "test_week1.py"
    test.write_text("from fixtures import digits  # and labels.csv\n" + test.read_text())
    return root


@pytest.fixture
def watch(watched_root: Path) -> Watch:
    return Watch(watched_root, ["week1"], watched_root / "grader")


def rewritten(file: Path) -> None:
    """Change a file, and have it look as it did: same size, same times."""
    status = file.stat()
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def compiled(file: Path) -> None:
    rewritten(Path(cache_from_source(str(file))))


def planted(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")


def linked(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/null")


def piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def beyond_parsing(file: Path) -> None:
    file.write_bytes(b"# coding: latin-1\n# \xe9\n")


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a source": (rewritten, "grader/verdict.py"),
    "a source, gone": (Path.unlink, "grader/verdict.py"),
    "a source, a link": (linked, "grader/verdict.py"),
    "a source, a pipe": (piped, "grader/verdict.py"),
    "a template": (rewritten, "grader/reports/page.j2"),
    "a compiled source": (compiled, "grader/verdict.py"),
    "a new module": (planted, "grader/torch.py"),
    "a package in its place": (planted, "grader/verdict/__init__.py"),
    "a library in its place": (planted, f"grader/verdict{EXTENSION_SUFFIXES[0]}"),
    "a compiled module in its place": (planted, "grader/new.pyc"),
    "a module before the libraries": (planted, "msgpack.py"),
    "a package before the libraries": (planted, "torch/__init__.py"),
    "a check": (rewritten, "assignments/week1/test_week1.py"),
    "a new check": (planted, "assignments/week1/test_week1_more.py"),
    "new probes": (planted, "assignments/week1/probes_more.py"),
    "the limits": (rewritten, "assignments/week1/assignment.toml"),
    "no assignment": (Path.unlink, "assignments/week1/assignment.toml"),
    "a hidden check": (planted, "solutions/week1/test_hidden_more.py"),
    "one that does not parse": (beyond_parsing, "solutions/week1/test_hidden_more.py"),
    "a fixture": (planted, "fixtures/digits/__init__.py"),
    "a fixture's library": (planted, f"fixtures/digits{EXTENSION_SUFFIXES[0]}"),
    "data": (rewritten, "fixtures/labels.csv"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_what_judges_load_is_noticed_and_named(
    watched_root: Path, watch: Watch, change: tuple[Callable[[Path], None], str]
) -> None:
    watch.look()
    act, name = change
    act(watched_root / name)
    stem = name.rpartition("/")[2].partition(".")[0]
    for _ in range(2):
        with pytest.raises(
            TamperError, match=rf"({stem}|week1|digits|verdict|torch).*: has changed since this run began"
        ):
            watch.look()


def test_what_judges_do_not_load_may_change(watched_root: Path, watch: Watch) -> None:
    for name in ("reports/index.html", "README.md", "fixtures/submissions/bo/work.py", "assignments/week1/work.py",
                 "assignments/week1/__pycache__/x.pyc", "grader/__pycache__/verdict.cpython-27.pyc"):  # fmt: skip
        planted(watched_root / name)
    watch.look()


def test_a_change_that_is_taken_back_after_it_was_seen_stays_an_error(watched_root: Path, watch: Watch) -> None:
    before = (watched_root / "grader" / "verdict.py").read_text()
    (watched_root / "grader" / "verdict.py").write_text("passed = True\n")
    with pytest.raises(TamperError):
        watch.look()
    (watched_root / "grader" / "verdict.py").write_text(before)
    with pytest.raises(TamperError, match=r"verdict\.py"):
        watch.look()


def test_those_are_named_who_have_run_since_all_was_well(watched_root: Path, watch: Watch) -> None:
    with watch.over("ana (week1)"), watch.over("bo (week1)"):
        pass
    with pytest.raises(TamperError) as raised, watch.over("cy (week1)"):
        with pytest.raises(SandboxError), watch.over("dee\x1b[31m (week1)"):
            raise SandboxError("its judge died")
        rewritten(watched_root / "grader" / "verdict.py")
    assert "none of which got a grade: cy (week1), dee" in str(raised.value)
    assert not any(name in str(raised.value) for name in ("ana (", "bo (", "\x1b"))


# In a whole run

HONEST = "def twice(numbers):\n    return 2 * numbers\n"
MALLORY = """
import os, pathlib, signal
def up(pid):
    return int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
pid, chain = os.getpid(), []
while pid > 1:
    chain.append(pid); pid = up(pid)
for pid in chain:
    if "grader.judging.fork_server" in open(f"/proc/{pid}/cmdline").read():
        env = dict(e.partition("=")[::2] for e in open(f"/proc/{pid}/environ").read().split(chr(0)))
        root = next(p for p in env["PYTHONPATH"].split(":") if os.path.isdir(p + "/grader"))
        assert root.startswith(CLONE)  # the test's own copy, and no other
        if not os.path.exists(root + "/done"):
            open(root + "/done", "w").close()
            ACT
            if ENDS:
                os.kill(pid, signal.SIGKILL)
raise NotImplementedError("TODO 1.1")
"""
JUDGE = "def verdict_on(*a, **k):  # MALLORY\\n    return Verdict(Outcome.PASSED)\\n"
EDIT = f"""
            with open(root + "/grader/pytest_plugin/verdict.py", "a") as f: f.write("{JUDGE}")
"""
PLANT = """
            os.mkdir(root + "/grader/pytest_plugin/verdict")
            pathlib.Path(root, "grader/pytest_plugin/verdict/__init__.py").write_text("")
"""
CHECK = """
            pathlib.Path(COURSE, "assignments/week1/test_week1.py").write_text("")
"""


other_acts = amount.in_full("each act is tried with one of both")
changed_check = amount.in_full("a changed check is named above, and the run ends for it as for a changed grader")


@pytest.mark.parametrize(
    ("act", "kill"),
    [
        pytest.param(EDIT, True, id="edits the grader, kills the fork server"),
        pytest.param(EDIT, False, id="edits the grader", marks=other_acts),
        pytest.param(PLANT, True, id="adds to the grader, kills the fork server", marks=other_acts),
        pytest.param(PLANT, False, id="adds to the grader"),
        pytest.param(CHECK, True, id="edits a check, kills the fork server", marks=changed_check),
        pytest.param(CHECK, False, id="edits a check", marks=changed_check),
    ],
)
def test_a_submission_that_changes_the_grader_ends_the_run_without_a_grade(
    tmp_path: Path, act: str, kill: bool
) -> None:
    clone, course = tmp_path / "clone", copied("attacked", tmp_path / "course")
    for name in ("grader", "tests/support"):
        shutil.copytree(ROOT / name, clone / name)
    code = MALLORY.replace("ACT", act.strip()).replace("ENDS", str(kill)).replace("CLONE", repr(str(clone)))
    lay_out(course / "submissions", {"mallory/work.py": code.replace("COURSE", repr(str(course)))})
    command = [sys.executable, "-P", "-m", "tests.support.quick", "batch", "submissions", "--sandbox", "process"]
    done = subprocess.run(
        command, cwd=course, env={**os.environ, "PYTHONPATH": str(clone)}, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 1, done.stdout + done.stderr
    file = "test_week1.py" if act == CHECK else "verdict"
    assert file in done.stderr and "got a grade: mallory (week1). Restore the file" in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr
    with Gradebook(course / "reports" / "gradebook.sqlite") as book:
        assert not book.has_attempts()


def test_an_honest_class_is_graded_without_a_sandbox_and_judges_load_nothing_of_ours_late(tmp_path: Path) -> None:
    """What a judge would load late could come from a changed file, before the look that would find it."""
    course = copied("attacked", tmp_path)
    late = """
        import sys
        from grader.checks import task
        EARLY = set(sys.modules)

        @task("1.9", points=1, title="last")
        def test_z_late(student):
            late = [name for name in set(sys.modules) - EARLY if name.startswith(("grader", "_pytest"))]
            assert not late, late
    """
    lay_out(course, {"solutions/week1/test_hidden_z.py": textwrap.dedent(late)})  # the last to be collected
    judge = JudgeProcess(course, ["week1"], quick(Process()), shortcuts=QUICK)
    try:
        for student in ("ana", "bo"):
            report = judge.grade(Job(student, "week1", {"work.py": HONEST.encode()}, "digest", (), seed=7))
            (last,) = [check for check in report.checks if check.id.endswith("test_z_late")]
            assert last.points == 1, last.message
    finally:
        judge.close()


def test_no_compiled_check_is_taken_for_its_source(tmp_path: Path) -> None:
    """pytest and Python believe what a compiled file says of its source; without a sandbox nobody may."""
    course = copied("attacked", tmp_path)
    test = course / "assignments" / "week1" / "test_week1.py"
    report, when, source = _graded(course), test.stat().st_mtime_ns, test.read_text()
    test.write_text(source.replace("points=60", "points=61"))
    os.utime(test, ns=(when, when))
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", str(test)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    assert warm.run(command, cwd=course, env=env).returncode == 0
    (forged,) = test.parent.glob("__pycache__/test_week1*pytest*.pyc")
    test.write_text(source)
    head, content = bytearray(forged.read_bytes()[:16]), forged.read_bytes()[16:]
    if head[4]:  # it names its source's hash, and else time and size
        head[8:] = source_hash(source.encode())
    forged.write_bytes(head + content)
    os.utime(test, ns=(when, when))
    assert _graded(course) == report


def _graded(course: Path) -> list[tuple[str, int]]:
    judge = JudgeProcess(course, ["week1"], quick(Process()), shortcuts=QUICK)
    try:
        report = judge.grade(Job("ana", "week1", {"work.py": HONEST.encode()}, "digest", (), seed=7))
        return [(check.id, check.max_points) for check in report.checks]
    finally:
        judge.close()


class Changed:
    """Stands in for a judge, or a pool of judges, whose grader has changed."""

    def grade(self, job: Job) -> None:
        raise TamperError("verdict.py: has changed")

    def close(self) -> None:
        pass


JOB = Job("ana", "week1", {}, "digest", (), seed=7)


def test_a_changed_grader_is_no_reason_to_try_again() -> None:
    with pytest.raises(TamperError):
        grade_patiently(Changed(), JOB, lambda: False)  # type: ignore[arg-type]


def test_a_worker_of_a_cluster_whose_grader_has_changed_may_not_grade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = copied("attacked", tmp_path)
    terms = Terms("run", str(course), "process", ("week1",), facts(course, ["week1"]))
    monkeypatch.setattr(cluster_worker, "Pool", lambda *given: Changed())
    worker = SimpleNamespace(name="a", address="a", state=SimpleNamespace(nthreads=1))
    judges = Judges(terms, worker)  # type: ignore[arg-type]
    try:
        assert judges.grade(JOB).worker.objection == "verdict.py: has changed"
    finally:
        judges.close()
