"""A backend that judges nothing, for tests of what happens around judging."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from grader.course import Course
from grader.judging.job import Job, Ungraded
from grader.results import CheckResult, Outcome, Report
from grader.version import VERSION

CHECK = CheckResult("test.py::test", "1", "A test", False, 1, 1, Outcome.PASSED, "")
# What the course `one_check` has.
ONE_CHECK = CheckResult("test_week1.py::test_double", "1.1", "Double", False, 100, 100, Outcome.PASSED, "")


class Passing:
    """Passes every job; `jobs` are those that came. With `most` it is interrupted at the job after that many."""

    says, confined = "nobody judges", True

    def __init__(self, course: Course, most: int | None = None, check: CheckResult = CHECK) -> None:
        self._course = course
        self._check = check
        self._most = most
        self.jobs: list[Job] = []

    def prepare(self, weeks: Sequence[str], count: int) -> None: ...

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        for job in jobs:
            if len(self.jobs) == self._most:
                raise KeyboardInterrupt
            self.jobs.append(job)
            digest = self._course.assignment(job.week).digest
            yield Report(job.student, job.week, job.seed, VERSION, job.digest, digest, (self._check,))

    def close(self) -> None: ...
