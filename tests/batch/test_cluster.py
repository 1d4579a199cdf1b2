"""Classes graded by real Dask workers: lost ones, different ones, none at all; every submission graded exactly once."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from distributed import Client

from grader.batch import cluster
from grader.batch.backend import cluster_backend
from grader.batch.cluster import Cluster
from grader.errors import ClusterError, GraderError, UsageError
from grader.judging.job import Job, Ungraded
from grader.judging.pool import Pool
from grader.results import Report
from grader.sandbox import Process
from tests.support import sandboxes
from tests.support.courses import copied
from tests.support.machines import ROOT, Machines, tree, wait_until
from tests.support.machines import Process as Worker
from tests.support.makers import put
from tests.support.quick import FEW
from tests.support.runs import finish, grades, start, wait_for

# What grades in place of judges where a test is not about them: it imports no torch.
STAND_IN = """
import os, signal, threading
from grader.course import Course
from grader.errors import SandboxError
from grader.judging import pool
from grader.results import CheckResult, Outcome, Report
from grader.version import VERSION

class StandIn:
    def __init__(self, root, *_):
        self.course = Course(root)
        self.closed = threading.Event()

    def grade(self, job):
        if self.closed.wait(0.3):
            raise SandboxError("killed")
        if b"end the worker" in job.files["work.py"]:
            os.kill(os.getpid(), signal.SIGKILL)
        check = CheckResult("test_week1.py::test_double", "1.1", "Twice", False, 60, 60, Outcome.PASSED, "")
        digest = self.course.assignment(job.week).digest
        return Report(job.student, job.week, job.seed, VERSION, job.digest, digest, (check,))

    def close(self):
        self.closed.set()

pool.JudgeProcess = StandIn
"""
# Judges that start quickly, of which one is lost to a submission and not `TRIES`.
ONE_TRY = """
import grader.judging.pool
from grader.judging import fork_server_client
from tests.support.quick import FEW

grader.judging.pool.TRIES = 1
fork_server_client.Shortcuts = lambda: FEW
"""


def job(name: str, body: str = "return 2 * n") -> Job:
    return Job(name, "week1", {"work.py": f"def double(n):\n    {body}\n".encode()}, f"digest of {name}", (), 0)


@pytest.fixture(scope="module")
def fatal_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course(tmp_path_factory.mktemp("course"))


def make_course(folder: Path) -> Path:
    copied("fatal", folder)
    (folder / "grader").symlink_to(ROOT / "grader")  # as in a checkout, so that judges run this grader, too
    return folder


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler for all tests that do not end it."""
    started = Machines(tmp_path_factory.mktemp("scheduler"))
    yield started
    started.close()


@pytest.fixture
def machines(tmp_path: Path, scheduler: Machines) -> Iterator[Machines]:
    """What starts workers for one test."""
    started = Machines(tmp_path, scheduler)
    yield started
    started.close()
    scheduler.wait_for(workers=0)


@pytest.fixture
def mortal_machines(tmp_path: Path) -> Iterator[Machines]:
    """Machines whose scheduler a test may end."""
    started = Machines(tmp_path)
    yield started
    started.close()


def judges_of(worker: Worker) -> list[psutil.Process]:
    return [child for child in tree(worker.pid) if "grader.judging.fork_server" in child.cmdline()]


def timeless(done: Report | Ungraded) -> tuple[object, ...]:
    """A report but for the times."""
    assert isinstance(done, Report), done.message
    checks = [(check.id, check.outcome, check.points, check.message) for check in done.checks]
    return done.student, checks, done.submission, done.grader, done.assignment, done.environment


def test_a_killed_workers_submissions_are_graded_elsewhere_once_and_as_by_the_local_pool(
    fatal_root: Path, machines: Machines
) -> None:
    """A judge that dies costs only its own submission, too; when the run ends, no judge and no task is left."""
    bodies = ["return 2 * n", "return n + 2", "return 2 * n if n > 1 else 0", "import time; time.sleep(0.4); return 42"]
    jobs = [job(f"student{number}", bodies[number % 4]) for number in range(10)]
    first, second = (machines.worker(name, preload=ONE_TRY) for name in ("first", "second"))
    beside = ThreadPoolExecutor(1)  # at the same time, as judges take their time to start
    here = beside.submit(lambda: sorted(map(timeless, Pool(fatal_root, ["week1"], 1, Process(), FEW).run(jobs))))
    said: list[str] = []
    grading = Cluster(fatal_root, machines.address, "process", said.append)
    reports: list[Report] = []
    failures: list[Ungraded] = []
    machines.wait_for(workers=2)
    with Client(machines.address, set_as_default=False) as observer:
        for done in grading.run([*jobs, job("mallory", "return 'end the judge'")], ["week1"]):
            (reports if isinstance(done, Report) else failures).append(done)
            assert tasks_at(observer) <= 3
            if len(reports) == 3:
                wait_until(lambda: judges_of(first) and judges_of(second))
                judges = judges_of(first)
                first.kill()
        assert tasks_at(observer) == 0
    assert sorted(map(timeless, reports)) == here.result()
    assert {report.score for report in reports} == {100, 0, 60}
    (failure,) = failures
    assert failure.job.student == "mallory"
    assert failure.message.startswith("worker second (tcp://127.0.0.1:")
    assert "the judge died while grading" in failure.message
    assert psutil.wait_procs(judges, timeout=20)[1] == []
    assert (judges_of(second), second.poll()) == ([], None)
    assert not grading.confined
    assert sorted(line.split()[1] for line in said if "NO SANDBOX" in line) == ["first", "second"]


def tasks_at(observer: Client) -> int:
    """Count the tasks that the scheduler holds."""
    return int(observer.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))


def test_a_submission_that_kills_its_workers_is_given_up_and_the_others_are_graded(
    fatal_root: Path, machines: Machines
) -> None:
    machines.worker("phoenix", nanny=True, preload=STAND_IN)
    jobs = [job("ana"), job("mallory", "return 'end the worker'"), job("bo")]
    ana, mallory, bo = Cluster(fatal_root, machines.address, "process", print, most=1).run(jobs, ["week1"])
    assert isinstance(mallory, Ungraded)
    assert mallory.message.startswith("2 workers died, one after the other, while they had it; the last was tcp://")
    assert [done.student for done in (ana, bo) if isinstance(done, Report)] == ["ana", "bo"]


def test_a_worker_that_is_told_to_end_leaves_its_submission_to_another_one(
    fatal_root: Path, machines: Machines
) -> None:
    leaving = machines.worker("leaving", preload=STAND_IN)
    machines.worker("staying", preload=STAND_IN)
    machines.wait_for(workers=2)
    students = [f"student{number:02}" for number in range(12)]
    done = []
    for one in Cluster(fatal_root, machines.address, "process", print).run(map(job, students), ["week1"]):
        done.append(one)
        if len(done) == 2:
            leaving.terminate()
    assert [one for one in done if isinstance(one, Ungraded)] == []
    assert sorted(one.student for one in done if isinstance(one, Report)) == students
    assert leaving.wait(20) == 0


def test_workers_that_differ_are_all_named_before_anything_is_graded(
    fatal_root: Path, machines: Machines, tmp_path: Path
) -> None:
    other = make_course(tmp_path / "other")
    checks = other / "assignments" / "week1" / "test_week1.py"
    put(checks, checks.read_text().replace("60", "50").replace("40", "50").encode())
    shutil.copytree(ROOT / "grader", tmp_path / "newer" / "grader")
    put(tmp_path / "newer" / "grader" / "__init__.py", b'__version__ = "9.0"\n')
    machines.worker("checks", GRADER_COURSE=str(other))
    machines.worker("nothing", GRADER_COURSE=str(tmp_path / "nowhere"))
    machines.worker("newer", PYTHONPATH=str(tmp_path / "newer"))
    machines.worker("bare", PATH=str(tmp_path))
    machines.wait_for(workers=4)
    with pytest.raises(ClusterError) as caught:
        list(Cluster(fatal_root, machines.address, "bwrap", print).run([job("ana")], ["week1"]))
    message = str(caught.value)
    assert "run the same command again" in message
    by_name = {part.split()[1]: part for part in message.split(". ") if part.startswith("worker ")}
    assert by_name["checks"].count(" there, ") == 1 or sandboxes.missing()
    assert "the checks of week1: " in by_name["checks"] or sandboxes.missing()
    assert "there is no week 'week1' in" in by_name["nothing"]
    assert "the grader: 9.0+" in by_name["newer"] or sandboxes.missing()
    assert "bubblewrap (the program `bwrap`) is not installed" in by_name["bare"]


def test_a_worker_that_joins_late_and_differs_ends_the_run_by_its_first_job(
    fatal_root: Path, machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 1e9)  # so that nobody but the worker itself can notice
    machines.worker("good", preload=STAND_IN)
    machines.wait_for(workers=1)
    jobs = (job(f"student{number}") for number in range(600))  # more than there is time for until it joins
    graded = []
    with pytest.raises(ClusterError, match=r"worker late \(tcp.*\) may not grade: there is no week 'week1'"):
        for done in Cluster(fatal_root, machines.address, "process", print, most=3).run(jobs, ["week1"]):
            graded.append(done)
            if len(graded) == 1:
                machines.worker("late", GRADER_COURSE=str(tmp_path / "nowhere"))
    assert graded
    assert all(isinstance(done, Report) for done in graded)


def test_a_worker_that_can_grade_nothing_does_not_drain_the_class(fatal_root: Path, machines: Machines) -> None:
    raises = "def grade(self, job):\n    raise SandboxError('the disk is full')\n"
    broken = f"from grader.judging import pool\nfrom grader.errors import SandboxError\n{raises}"
    machines.worker("broken", preload=f"{broken}pool.JudgeProcess.grade = grade\n")
    lost = []
    with pytest.raises(ClusterError, match=r"worker broken \(tcp.*\) may not grade: the disk is full"):
        for done in Cluster(fatal_root, machines.address, "process", print).run(
            [job(str(n)) for n in range(9)], ["week1"]
        ):
            lost.append(done)
    assert [isinstance(done, Ungraded) and done.message.endswith(": the disk is full") for done in lost] == [True] * 4


def test_without_workers_a_run_says_so_and_gives_up(fatal_root: Path, machines: Machines) -> None:
    said: list[str] = []
    with pytest.raises(ClusterError, match=r"has had no worker for 1 s: start some"):
        list(Cluster(fatal_root, machines.address, "process", said.append, patience=1).run([job("ana")], ["week1"]))
    assert said == [f"{machines.address} has no worker; waiting 1 s for one (dask worker {machines.address})"]


def test_without_a_scheduler_one_error_names_the_address(fatal_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ClusterError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:1; start one"):
        list(Cluster(fatal_root, "tcp://127.0.0.1:1", "process", print).run([job("ana")], ["week1"]))
    with pytest.raises(UsageError, match=r"--scheduler nonsense://host:1: .*an address looks like tcp://host:8786"):
        list(Cluster(fatal_root, "nonsense://host:1", "process", print).run([job("ana")], ["week1"]))


def test_where_nothing_is_to_grade_no_scheduler_is_needed(fatal_root: Path) -> None:
    assert list(Cluster(fatal_root, "tcp://127.0.0.1:1", "process", print).run([], [])) == []


def test_without_distributed_the_error_says_what_to_install(fatal_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for name in ("cluster", "cluster_worker"):
        monkeypatch.delitem(sys.modules, f"grader.batch.{name}")
    with pytest.raises(GraderError, match=r"needs distributed: pip install 'torch-autograder\[cluster\]'"):
        cluster_backend(fatal_root, "tcp://127.0.0.1:1", "process", print)


def test_an_interrupted_run_and_one_without_its_scheduler_are_finished_by_the_same_command(
    machines: Machines, mortal_machines: Machines, tmp_path: Path
) -> None:
    """In the end the gradebook holds each submission once."""
    course = make_course(tmp_path / "course")
    students = [f"student{number}" for number in range(12)]
    for student in students:
        put(course / "submissions" / student / "work.py", b"def double(n):\n    return 42\n")
    worker = mortal_machines.worker("one", preload=STAND_IN)
    command = ("--scheduler", mortal_machines.address, "--sandbox", "process")
    process = start(course, *command)
    wait_for(process, "[2/12]")
    process.send_signal(signal.SIGINT)
    status, output = finish(process)
    assert (status, "Traceback" in output, worker.poll()) == (130, False, None)
    assert "run the same command again to go on" in output
    process = start(course, *command)
    wait_for(process, "[2/")
    mortal_machines.processes[0].kill()
    status, output = finish(process)
    assert (status, "Traceback" in output) == (1, False)
    assert output.splitlines()[-1].startswith(f"grader: the scheduler at {mortal_machines.address} was lost")
    assert len(graded(course)) >= 4
    machines.worker("two", preload=STAND_IN)
    status, output = finish(start(course, "--scheduler", machines.address, "--sandbox", "process"))
    assert (status, "graded WITHOUT A SANDBOX" in output) == (0, True)
    assert grades(course) == dict.fromkeys(students, "60")
    assert sorted(graded(course)) == sorted(students)


def graded(course: Path) -> list[str]:
    """List the students of all attempts in the gradebook, with repetitions."""
    with sqlite3.connect(course / "reports" / "gradebook.sqlite") as book:
        return [student for (student,) in book.execute("SELECT name FROM attempts JOIN people ON people.id = person")]
