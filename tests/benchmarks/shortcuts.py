"""Measures what each shortcut of judging earns: `python tests/benchmarks/shortcuts.py [SUBMISSIONS] [CLASS …]`.

Three classes over all weeks are graded with all shortcuts, without each one, and without any: one in which all answers
are alike (the references, each changed by a comment), one in which no two are (every number that a module gives away
is another one in its seventh digit), and a mixed one (a third of each of these, and a third with a known mistake).
CPU seconds are those of all processes that grade, from the start to the last report. They come from a control group,
where other programs do not count, or from the whole machine where no group can be made. Rounds take turns, so that an
hour in which the machine is slower falls on all rows.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.author.proof.mutants import load_mutants, reference_files  # noqa: E402
from grader.course import Assignment, Course  # noqa: E402
from grader.judging.job import Job  # noqa: E402
from grader.judging.pool import Pool  # noqa: E402
from grader.judging.shortcuts import NAMES, without  # noqa: E402
from grader.results import Report  # noqa: E402
from grader.sandbox import choose  # noqa: E402
from tests.benchmarks.throughput import busy  # noqa: E402

ROUNDS = 2
CLASSES = ("alike", "different", "mixed")
SETTINGS = {"all shortcuts": (), **{f"without {name}": (name,) for name in NAMES}, "none": NAMES}

# Appended to a module: what its functions and networks give away differs a little from everybody else's.
DIFFERENT = """

def _differently(function, factor=1 + {number} * 1e-7):
    import functools

    def changed(value):
        import torch

        if isinstance(value, float) or (torch.is_tensor(value) and value.is_floating_point()):
            return value * factor
        return type(value)(map(changed, value)) if type(value) in (tuple, list) else value

    return functools.wraps(function)(lambda *args, **kwargs: changed(function(*args, **kwargs)))


for _name, _value in list(globals().items()):
    if getattr(_value, "__module__", None) == __name__ and not _name.startswith("_"):
        if isinstance(_value, type) and "forward" in vars(_value):
            _value.forward = _differently(_value.forward)
        elif type(_value) is type(lambda: 0):
            globals()[_name] = _differently(_value)
"""


def main(count: int, kinds: Sequence[str]) -> None:
    """Print a table for each class."""
    course, sandbox = Course(ROOT), choose("bwrap")
    for kind in kinds:
        jobs = list(hand_in(course, kind, count))
        spent: dict[str, list[float]] = {label: [] for label in SETTINGS}
        for _ in range(ROUNDS):
            for label, left_out in SETTINGS.items():
                pool = Pool(ROOT, list(course.assignments()), len(os.sched_getaffinity(0)), sandbox, without(left_out))
                with cpu_seconds() as seconds:
                    reports = [done for done in pool.run(jobs) if isinstance(done, Report)]
                assert len(reports) == len(jobs)
                spent[label].append(seconds[0])
        show(kind, len(jobs), spent)


def show(kind: str, count: int, spent: dict[str, list[float]]) -> None:
    print(f"\n{kind}: {count} submissions, {ROUNDS} rounds")
    print(f"{'':24}{'CPU s a submission':>20}{'more than with all':>20}{'in each round':>18}")
    first = spent["all shortcuts"]
    for label, seconds in spent.items():
        more = [100 * (one / other - 1) for one, other in zip(seconds, first, strict=True)]
        rounds = " ".join(f"{one:+.1f}" for one in more)
        print(
            f"{label:24}{statistics.fmean(seconds) / count:20.2f}{statistics.fmean(more):+18.1f} %{rounds:>18}",
            flush=True,
        )


def hand_in(course: Course, kind: str, count: int) -> Iterator[Job]:
    """A class of this kind, its weeks in turn."""
    weeks = [
        (assignment, cycle(load_mutants(course.root, assignment.week))) for assignment in course.assignments().values()
    ]
    kinds = cycle(("alike", "different", "mistaken") if kind == "mixed" else (kind,))
    for number, ((assignment, mutants), one) in enumerate(islice(zip(cycle(weeks), _each(kinds, len(weeks))), count)):
        files = reference_files(assignment)
        if one == "mistaken":
            files = next(mutants).apply(files)
        yield _job(assignment, number, _changed(files, one, number))


def _each(kinds: Iterator[str], times: int) -> Iterator[str]:
    for kind in kinds:
        yield from [kind] * times


def _changed(files: dict[str, bytes], kind: str, number: int) -> dict[str, bytes]:
    end = DIFFERENT.format(number=number + 1) if kind == "different" else f"\n# student {number}\n"
    return {name: content + end.encode() if name.endswith(".py") else content for name, content in files.items()}


def _job(assignment: Assignment, number: int, files: dict[str, bytes]) -> Job:
    return Job(f"student{number:04}", assignment.week, files, f"{number:064x}", (), seed=0)


@contextlib.contextmanager
def cpu_seconds() -> Iterator[list[float]]:
    """CPU seconds of the block, its processes included, as the only entry of the list, once it has ended."""
    seconds: list[float] = []
    with _group() as group:
        begin = _used(group)
        yield seconds
        seconds.append(_used(group) - begin)


@contextlib.contextmanager
def _group() -> Iterator[Path | None]:
    """A control group of this process and all that it starts, where this user can make one."""
    for mount in (Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup")):
        group = mount / f"grader-benchmark-{os.getpid()}"
        try:
            group.mkdir()
            (group / "cgroup.procs").write_text(str(os.getpid()))
        except OSError:
            continue
        try:
            yield group
        finally:
            (mount / "cgroup.procs").write_text(str(os.getpid()))
            with contextlib.suppress(OSError):
                group.rmdir()
        return
    yield None


def _used(group: Path | None) -> float:
    if group is None:
        return busy()
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e9
    first = (group / "cpu.stat").read_text().split("\n", 1)[0]  # usage_usec, of cgroup v2
    return int(first.split()[1]) / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30, sys.argv[2:] or CLASSES)
