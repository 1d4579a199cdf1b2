"""Every backend keeps the same promises: judges on this machine, the workers of a cluster, and one in memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.batch.backend import Backend, LocalBackend
from grader.batch.cluster import Cluster
from grader.errors import ClusterError
from grader.judging import pool
from grader.judging.job import Job, Ungraded
from grader.judging.pool import TRIES, grade_all
from grader.results import Report
from grader.sandbox import Process
from tests.support.courses import copied
from tests.support.machines import Machines

# What grades in place of judges, here and in a worker.
STAND_IN = """
import threading
from grader.course import Course
from grader.errors import CourseError, SandboxError
from grader.judging import pool
from grader.results import CheckResult, Outcome, Report
from grader.version import VERSION

class StandIn:
    def __init__(self, root, *_):
        self.course = Course(root)
        self.closed = threading.Event()
        self.tries = 0

    def grade(self, job):
        work = job.files["work.py"]
        if work == b"for ever" and self.closed.wait(60):
            raise SandboxError("killed")
        if work == b"in vain":
            self.tries += 1
            raise SandboxError(f"died {self.tries} times")
        if work == b"nowhere":
            raise CourseError("the checks cannot be loaded")
        check = CheckResult("test_week1.py::test_double", "1.1", "Twice", False, 60, 60, Outcome.PASSED, "")
        digest = self.course.assignment(job.week).digest
        return Report(job.student, job.week, job.seed, VERSION, job.digest, digest, (check,))

    def close(self):
        self.closed.set()
"""


@dataclass
class InTurn:
    """Jobs in flight that land in the order of their students' names; a job is graded when it lands."""

    judge: Any
    flying: list[Job] = field(default_factory=list)

    def room(self) -> int:
        return 2

    def submit(self, job: Job) -> None:
        self.flying.append(job)

    def landed(self) -> Iterator[Report | Ungraded]:
        self.flying.sort(key=lambda job: job.student, reverse=True)
        yield pool.grade_patiently(self.judge, self.flying.pop(), lambda: False)

    def close(self) -> None:
        self.flying.clear()


@dataclass
class InMemory:
    """The smallest backend."""

    judge: Any
    says: str = "in memory"
    confined: bool = True

    def prepare(self, weeks: Sequence[str], count: int) -> None: ...

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        return grade_all(InTurn(self.judge), jobs)

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def one_check_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("one_check", tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def shared_machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    started = Machines(tmp_path_factory.mktemp("machines"))
    started.worker("one", threads=2, preload=f"{STAND_IN}\npool.JudgeProcess = StandIn\n")
    started.wait_for(workers=1)
    yield started
    started.close()


@dataclass(frozen=True)
class Kind:
    """A backend, and how many jobs it may draw ahead of their results."""

    backend: Backend
    window: int


@pytest.fixture(params=["local", "cluster", "memory"])
def kind(request: pytest.FixtureRequest, one_check_root: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    names: dict[str, Any] = {}
    exec(STAND_IN, names)
    monkeypatch.setattr(pool, "JudgeProcess", names["StandIn"])
    makers: dict[str, Callable[[], Kind]] = {
        "local": lambda: Kind(LocalBackend(one_check_root, Process(), 2), 2 * pool.AHEAD),
        "cluster": lambda: Kind(
            Cluster(one_check_root, request.getfixturevalue("shared_machines").address, "process", print, most=3), 3
        ),
        "memory": lambda: Kind(InMemory(names["StandIn"](one_check_root)), 2),
    }
    return makers[request.param]()


def job(number: int, work: bytes = b"") -> Job:
    return Job(f"student{number:02}", "week1", {"work.py": work}, f"digest {number}", (), 0)


class Drawn:
    """Jobs one after the other, and how many were asked for."""

    def __init__(self, *jobs: Job) -> None:
        self.jobs, self.count = jobs, 0

    def __iter__(self) -> Iterator[Job]:
        for one in self.jobs:
            self.count += 1
            yield one


def student(done: Report | Ungraded) -> str:
    return done.job.student if isinstance(done, Ungraded) else done.student


def test_each_job_is_graded_once_whatever_the_order(kind: Kind) -> None:
    jobs = [job(number) for number in (3, 1, 9, 0, 7, 2, 8, 4, 6, 5)]
    done = list(kind.backend.run(jobs, ["week1"]))
    assert all(isinstance(one, Report) for one in done)
    assert sorted(map(student, done)) == sorted(one.student for one in jobs)


def test_where_there_are_no_jobs_there_is_no_result(kind: Kind) -> None:
    assert list(kind.backend.run([], ["week1"])) == []


def test_jobs_are_drawn_no_more_than_a_window_ahead(kind: Kind) -> None:
    drawn = Drawn(*map(job, range(12)))
    for count, _ in enumerate(kind.backend.run(drawn, ["week1"]), 1):
        assert count <= drawn.count <= count + kind.window
    assert drawn.count == 12


@pytest.mark.parametrize("end", ["close", "interrupt"])
def test_a_run_that_is_left_draws_no_more_and_does_not_wait_for_judges(kind: Kind, end: str) -> None:
    # As many that end as are in flight at a time: in which order a cluster takes those is not promised.
    drawn = Drawn(*(job(number, b"" if number < kind.window else b"for ever") for number in range(12)))
    results = kind.backend.run(drawn, ["week1"])
    for _ in range(kind.window):
        done = next(results)
        assert isinstance(done, Report), done.message
    so_far = drawn.count
    if end == "close":
        results.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            results.throw(KeyboardInterrupt)
    assert drawn.count == so_far <= 2 * kind.window
    assert next(results, None) is None


def test_an_error_of_whoever_gives_jobs_ends_the_run(kind: Kind) -> None:
    def jobs() -> Iterator[Job]:
        yield job(0)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(kind.backend.run(jobs(), ["week1"]))


def test_a_job_whose_judges_die_is_given_up_after_as_many_tries_and_the_others_are_graded(kind: Kind) -> None:
    done = list(kind.backend.run([job(0), job(1, b"in vain"), job(2)], ["week1"]))
    (lost,) = (one for one in done if isinstance(one, Ungraded))
    assert lost.job.student == "student01"
    assert lost.message.endswith(f"died {TRIES} times")
    assert sorted(map(student, done)) == ["student00", "student01", "student02"]


def test_what_fails_everywhere_is_said_of_every_job_or_ends_the_run(kind: Kind) -> None:
    jobs = [job(number, b"nowhere") for number in range(6)]
    if isinstance(kind.backend, Cluster):
        with pytest.raises(ClusterError, match=r"worker one .* may not grade: the checks cannot be loaded"):
            list(kind.backend.run(jobs, ["week1"]))
        return
    done = list(kind.backend.run(jobs, ["week1"]))
    assert {one.message for one in done if isinstance(one, Ungraded)} == {"the checks cannot be loaded"}
    assert sorted(map(student, done)) == [one.student for one in jobs]


def test_what_was_prepared_and_never_run_is_ended(one_check_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pool.ForkServer, "start", lambda self: said.append("start"))
    close = pool.Pool.close
    monkeypatch.setattr(pool.Pool, "close", lambda self: (said.append("close"), close(self)))
    backend = LocalBackend(one_check_root, Process(), 8)
    backend.prepare(["week1"], 3)
    backend.prepare(["week1"], 2)
    backend.close()
    backend.close()
    assert said == ["start", "close"]
