"""Every outcome through the whole judge, on a course of one week; one judge process serves the module."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import psutil
import pytest

from grader.course import Limits
from grader.errors import CourseError, Killed, SandboxError
from grader.inside import wire
from grader.judging.fork_server_client import Forked, ForkServer
from grader.judging.job import Job, Ungraded
from grader.judging.judge_process import JudgeProcess
from grader.judging.pool import Pool, grade_patiently
from grader.judging.remote_student import RemoteStudent, SubmissionStudents
from grader.judging.shortcuts import NAMES, without
from grader.results import CheckResult, Outcome, Reason, Report
from grader.sandbox import Process
from grader.sandbox.worker_client import Keeper, KeeperDied, Worker
from tests.support import sandboxes
from tests.support.courses import copied
from tests.support.makers import install_plugin
from tests.support.quick import QUICK
from tests.support.reports import timeless

TRAIN = b"def train():\n    return 'trained'\n"


@pytest.fixture(scope="module")
def outcomes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copied("outcomes", tmp_path_factory.mktemp("course"))
    # What lies around a course must not change a grade.
    (root / "conftest.py").write_text("raise RuntimeError('read')")
    (root / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    install_plugin(root, "def pytest_collection_modifyitems(items):\n    del items[1:]\n")
    return root


@pytest.fixture(scope="module", params=sandboxes.BOTH)
def judge(request: pytest.FixtureRequest, outcomes_root: Path) -> Iterator[JudgeProcess]:
    warm = JudgeProcess(outcomes_root, ["week1"], sandboxes.named(request.param), shortcuts=QUICK)
    yield warm
    warm.close()


@pytest.fixture(scope="module")
def fork_server(outcomes_root: Path) -> Iterator[ForkServer]:
    """Start the fork server for tests that need a judge of their own. Its last user is this fixture."""
    shared = ForkServer(outcomes_root, ["week1"], sandboxes.usual(), QUICK)
    user = JudgeProcess(outcomes_root, ["week1"], sandboxes.usual(), fork_server=shared)
    user.grade(job("return 2 * n"))
    yield shared
    user.close()


@pytest.fixture
def fresh(outcomes_root: Path, fork_server: ForkServer) -> Iterator[JudgeProcess]:
    """A judge for one test, which may kill it."""
    judge = JudgeProcess(outcomes_root, ["week1"], sandboxes.usual(), fork_server=fork_server)
    yield judge
    judge.close()


@pytest.fixture(scope="module")
def judged_unconfined(outcomes_root: Path) -> Iterator[JudgeProcess]:
    """A judge whose checks may strike their keeper. It has seen nothing but what the tests show it in their order."""
    judge = JudgeProcess(outcomes_root, ["week1"], Process(), shortcuts=QUICK)
    yield judge
    judge.close()


def job(double: str, train: bytes | None = TRAIN, seed: int = 3, student: str = "Ada") -> Job:
    source = f"import os, signal, sys, torch\ndef double(n):\n    {double}\n"
    files = {"lenet.py": source.encode()} | ({} if train is None else {"training.py": train})
    return Job(student, "week1", files, "digest", ("a note",), seed)


def checks(report: Report) -> dict[str, CheckResult]:
    return {check.id.partition("::test_")[2]: check for check in report.checks}


def test_a_right_submission_earns_everything(judge: JudgeProcess) -> None:
    report = judge.grade(job("return 2 * n"))
    assert [(check.outcome, check.points) for check in report.checks] == [
        (Outcome.PASSED, 20),
        (Outcome.PASSED, 30),
        (Outcome.PASSED, 10),
        (Outcome.PASSED, 0),
        (Outcome.PASSED, 40),
    ]
    assert (report.score, report.max_score) == (100, 100)
    assert (report.student, report.week, report.seed, report.submission, report.notes) == (
        "Ada", "week1", 3, "digest", ("a note",),
    )  # fmt: skip
    assert [check.hidden for check in report.checks] == [False] * 4 + [True]
    assert not any(check.message or check.hint for check in report.checks)


def test_a_job_of_some_tasks_is_graded_by_their_checks_and_by_what_these_need(judge: JudgeProcess) -> None:
    whole = judge.grade(job("return 2 * n")).checks
    for tasks, wanted in ((("1.1",), {"1.1"}), (("1.2",), {"1.1", "1.2"}), (("1.2", "1.1"), {"1.1", "1.2"})):
        part = judge.grade(replace(job("return 2 * n"), tasks=tasks)).checks
        assert [check.id for check in part] == [check.id for check in whole if check.task in wanted]
        assert {check.outcome for check in part} == {Outcome.PASSED}
    assert {check.task for check in whole} > {"1.1"}


ENDS = {
    Outcome.FAILED: ("return 3 * n", "double: wrong value"),
    Outcome.TODO: ("raise NotImplementedError('TODO 1.1: write this')", "TODO 1.1: write this"),
    Outcome.ERROR: ("return 1 // 0 + n", "your code raised ZeroDivisionError"),
    Outcome.TIMEOUT: ("while True: pass", "timeout after 1 s: an endless loop, or far too slow"),
    Outcome.MEMORY: ("return bytearray(2**40)", "memory ran out"),
    Outcome.KILLED: ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
    Outcome.INVALID: ("return {n, n + 1}", "what came back is not of a type that can be judged"),
}


@pytest.mark.parametrize("outcome", ENDS)
def test_each_bad_end_has_its_outcome_and_costs_only_its_checks(judge: JudgeProcess, outcome: Outcome) -> None:
    code, summary = ENDS[outcome]
    report = judge.grade(job(code))
    public, hidden = checks(report)["double"], checks(report)["double_large"]
    assert (public.outcome, hidden.outcome) == (outcome, outcome)
    assert (public.points, hidden.points) == (0, 0)
    assert public.message.splitlines()[0].startswith(summary)
    assert hidden.message.splitlines()[0].startswith(summary)
    assert checks(report)["train"].outcome is Outcome.PASSED
    assert checks(report)["free"].outcome is Outcome.PASSED
    assert report.score == 40


def test_hidden_checks_show_no_input_and_no_value(judge: JudgeProcess) -> None:
    secrets = ("123454321", "246908642", "370362963")
    leak = "raise ValueError(f'{n} and {2 * n} and {3 * n}')"
    for code in (
        "return 3 * n",
        "return str(n)",
        leak,
        "return object() if n else n",
        "raise type(f'E{n}', (Exception,), {})()",
        "exec(compile('1/0', f'{n}.py', 'exec'))",
        "sys.exit(str(n))",
        "raise MemoryError(str(n))",
        "print(n); return 0",
    ):
        report = judge.grade(job(code))
        assert checks(report)["double_large"].outcome is not Outcome.PASSED
        hidden = json.dumps(checks(report.for_student())["double_large"].to_dict())
        assert not [secret for secret in secrets if secret in hidden]


def test_the_teacher_reads_all_of_a_hidden_check(judge: JudgeProcess) -> None:
    hidden = checks(judge.grade(job("return 3 * n")))["double_large"]
    assert "370362963" in hidden.message


def test_a_public_check_runs_before_any_hidden_one_in_another_process(judge: JudgeProcess) -> None:
    # What a hidden check left in its process would be in a public check's message.
    code = "seen = globals().setdefault('seen', []); seen.append(n); print(os.getpid(), seen); return 0"
    report = judge.grade(job(code))
    public, hidden = checks(report)["double"].output, checks(report)["double_large"].output
    assert "123454321" in hidden
    assert "123454321" not in public
    assert public.split()[0] != hidden.split()[0]


@pytest.mark.parametrize(
    "code",
    [
        "raise NotImplementedError(f'TODO 1.1: {n}')",
        "raise NotImplementedError(f'TODO {n}: x')",
        "raise sys.modules['grader_inside'].modules.ModuleEnded('killed', str(n))",
        "raise sys.modules['grader_inside'].modules.ModuleEnded('timeout', str(n))",
        "raise sys.modules['grader_inside'].modules.ModuleEnded('passed', str(n))",
    ],
)
def test_hidden_checks_show_no_text_that_the_students_code_chose(judge: JudgeProcess, code: str) -> None:
    code = f"import grader_inside.modules; {code}"
    hidden = checks(judge.grade(job(code)).for_student())["double_large"]
    assert hidden.outcome in (Outcome.SKIPPED, Outcome.TIMEOUT, Outcome.ERROR)
    assert hidden.message in set(Reason)


def test_public_failures_show_input_expected_value_and_hint(judge: JudgeProcess) -> None:
    check = checks(judge.grade(job("return 3 * n")))["double"]
    assert check.message.splitlines() == [
        "double: wrong value; expected 2000, got 3000",
        "  called as    double(1000)",
        "  expected     2000",
        "  got          3000",
    ]
    assert check.hint == "Look at the operator."


def test_what_needs_a_task_that_is_lost_waits_for_it(judge: JudgeProcess) -> None:
    train = checks(judge.grade(job("return n", b"def train():\n    return 'no'\n")))["train"]
    assert (train.outcome, train.points) == (Outcome.SKIPPED, 0)
    assert train.message == "needs task 1.1, which does not pass all its checks yet"
    alone = checks(judge.grade(job("return 2 * n", b"def train():\n    return 'no'\n")))["train"]
    assert alone.outcome is Outcome.FAILED


def test_a_todo_of_another_task_met_on_the_way_is_what_a_check_waits_for(judge: JudgeProcess) -> None:
    todo = b"def train():\n    raise NotImplementedError('TODO 1.3: x')\n"
    train = checks(judge.grade(job("return 2 * n", todo)))["train"]
    assert (train.outcome, train.message) == (Outcome.SKIPPED, "needs task 1.3, which is still to do")


def test_a_check_that_crashes_is_broken_and_says_where(judge: JudgeProcess) -> None:
    report = judge.grade(job("return 'crash the check'"))
    assert [check.id for check in report.broken] == ["test_week1.py::test_crashes"]
    assert report.broken[0].message.startswith("the check itself crashed: KeyError: 'a bug of ours' (test_week1.py:")


@pytest.mark.parametrize("module", [b"raise ValueError('at import')", b"def train(:", b"import os; os._exit(0)", None])
def test_a_module_that_cannot_be_imported_costs_its_own_checks(judge: JudgeProcess, module: bytes | None) -> None:
    report = judge.grade(job("return 2 * n", module))
    assert report.score == 70
    assert checks(report)["train"].outcome in (Outcome.ERROR, Outcome.KILLED)


def test_code_that_answers_differently_each_time_fails_and_breaks_nothing(judge: JudgeProcess) -> None:
    flaky = "open('count', 'a').write('x'); return 2 * n + (os.path.getsize('count') == 3)"
    check = checks(judge.grade(job(flaky)))["double"]
    assert check.outcome is Outcome.FAILED


def test_what_a_check_leaves_costs_no_other_its_points(judge: JudgeProcess) -> None:
    spoils = b"import builtins\nCALLS = builtins.__dict__.setdefault('calls', [])\n"
    train = spoils + b"def train():\n    return 'spoilt' if CALLS else 'trained'\n"
    report = judge.grade(
        job("import builtins; builtins.__dict__.setdefault('calls', []).append(n); return 2 * n", train)
    )
    assert report.score == 100


@pytest.mark.parametrize(
    ("where", "kills", "outcome"),
    [
        ("check", "self self", Outcome.KILLED),
        ("check", "self keeper self", Outcome.PASSED),
        ("import", "self self", Outcome.KILLED),
        ("import", "self keeper self", Outcome.PASSED),
    ],
)
def test_kills_by_an_outsider_cost_nothing_unless_they_go_on_alike(
    judged_unconfined: JudgeProcess, tmp_path: Path, where: str, kills: str, outcome: Outcome
) -> None:
    """A counter that all processes share stands in for the outsider, who strikes a check or its keeper.

    The check is the first hidden one, so none of its runs may have met what an earlier check did, and the first that
    passes comes after those that are killed: what it has answered would be known from then on.
    """
    count = tmp_path / "count"
    struck = (
        f"kills = {kills.split()}; open({str(count)!r}, 'a').write('x'); at = os.path.getsize({str(count)!r}) - 1; "
        "at < len(kills) and (kills[at] == 'keeper' and os.kill(os.getppid(), 9), os.kill(os.getpid(), 9))"
    )
    answer = "return 2 * n"
    source = job(f"if n > 10**8: {struck}\n    {answer}" if where == "check" else answer)
    if where == "import":
        source.files["lenet.py"] += f"{struck}\n".encode()
    assert checks(judged_unconfined.grade(source))["double_large"].outcome is outcome


def test_the_same_answers_are_judged_alike_whoever_gives_them(judge: JudgeProcess) -> None:
    first = judge.grade(job("return n + n"))
    again = judge.grade(job("return 2 * n"))
    assert timeless(again) == timeless(first)
    wrong_later = judge.grade(job("return 2 * n + (n > 1000)"))
    assert checks(wrong_later)["double"].outcome is Outcome.FAILED
    assert "called as    double(1001)" in checks(wrong_later)["double"].message


def test_judging_without_shortcuts_gives_the_same_reports_field_by_field(
    judge: JudgeProcess, outcomes_root: Path
) -> None:
    """With GRADER_ALL=1 also the weeks' references and mutants, and the sample class: see tests/weeks."""
    plain = JudgeProcess(outcomes_root, ["week1"], sandboxes.usual(), shortcuts=without((*NAMES, "imports")))
    try:
        for code in ("return 2 * n", "return n + n", "return 3 * n", WRONG_AT_TIMES):
            assert timeless(plain.grade(job(code))) == timeless(judge.grade(job(code)))
    finally:
        plain.close()


def test_submissions_share_nothing(judge: JudgeProcess) -> None:
    assert judge.grade(job("return 3 * n", student="Eve")).score == 40
    report = judge.grade(job("return 2 * n", student="Ada"))
    assert (report.student, report.score) == ("Ada", 100)


WRONG_AT_TIMES = "import random; return 2 * n + (n % 7 == 3) + 0 * random.random()"


def test_the_same_job_gives_the_same_report(judge: JudgeProcess) -> None:
    first = judge.grade(job(WRONG_AT_TIMES))
    judge.grade(job("os._exit(1)"))
    assert timeless(judge.grade(job(WRONG_AT_TIMES))) == timeless(first)


def test_another_seed_draws_other_inputs(judge: JudgeProcess) -> None:
    code = (
        "open('seen', 'a').write(f'{n} '); seen = open('seen').read().split(); "
        "assert len(seen) < 5, seen[:5]; return 2 * n"
    )
    messages = [checks(judge.grade(job(code, seed=seed)))["double"].message for seed in (1, 1, 2)]
    drawn = [message.partition("AssertionError: ")[2].splitlines()[0] for message in messages]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_judge_that_dies_is_named_and_replaced(fresh: JudgeProcess) -> None:
    fresh.grade(job("return 2 * n"))
    pid = fresh.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="the judge died while grading"):
        fresh.grade(job("return 2 * n"))
    assert fresh.grade(job("return 2 * n")).score == 100
    assert fresh.pid != pid


def test_a_judge_that_dies_before_it_can_grade_counts_as_killed(
    fresh: JudgeProcess, fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its death has nothing to do with the submission, which is not even sent."""
    fork = fork_server.fork

    def killed(user: object, *rest: Any) -> Forked:
        forked = fork(user, *rest)
        os.kill(forked.pid, signal.SIGKILL)
        while forked.connection.recv(64):  # what it may have said before
            pass
        return forked

    with monkeypatch.context() as patch:
        patch.setattr(fork_server, "fork", killed)
        with pytest.raises(Killed, match="before it began to grade"):
            fresh.grade(job("return 2 * n"))
    assert fresh.pid is None
    assert fresh.grade(job("return 2 * n")).score == 100


def fork_servers() -> list[psutil.Process]:
    """Those that this process has started."""
    below = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in below if "grader.judging.fork_server" in child.cmdline()]


def started_since(before: list[psutil.Process]) -> psutil.Process:
    """The fork server that has been started; a process has its command a moment after it is there."""
    end = time.monotonic() + 60
    while not (found := set(fork_servers()) - set(before)) and time.monotonic() < end:
        time.sleep(0.01)
    (early,) = found
    return early


@pytest.mark.usefixtures("cold_start")
def test_judges_are_forked_from_what_was_started_early(outcomes_root: Path) -> None:
    before = fork_servers()
    pool = Pool(outcomes_root, ["week1"], 2, sandboxes.usual(), QUICK)
    pool.start()
    early = started_since(before)
    reports = []
    for done in pool.run([job("return 2 * n"), job("return 2 * n", student="Bob")]):
        reports.append(done)
        assert {*fork_servers()} - {*before} == {early}
    assert [report.score for report in reports if isinstance(report, Report)] == [100, 100]
    assert not early.is_running()


@pytest.mark.usefixtures("cold_start")
def test_what_was_started_early_ends_where_there_is_nothing_to_grade(outcomes_root: Path) -> None:
    before = fork_servers()
    for end in (Pool.close, lambda pool: list(pool.run([]))):
        pool = Pool(outcomes_root, ["week1"], 2, Process(), QUICK)
        pool.start()
        early = started_since(before)
        end(pool)
        assert not early.is_running()
        pool.close()


class Fake:
    """Stands in for a fork server: its judge says that it is ready, has its reply ready as well, and has ended."""

    def __init__(self, reply: bytes) -> None:
        self.reply = framed(msgpack.packb({"ready": True})) + reply

    def fork(self, *_: object) -> Forked:
        ours, theirs = socket.socketpair()
        theirs.sendall(self.reply)
        theirs.shutdown(socket.SHUT_WR)
        self.theirs = theirs
        process = subprocess.Popen(["true"])
        end = os.pidfd_open(process.pid)
        process.wait()
        return Forked(process.pid, end, ours, tempfile.TemporaryFile())

    def watched(self, submission: str) -> AbstractContextManager[None]:
        return nullcontext()

    def leave(self, user: object) -> None:
        self.theirs.close()


def framed(reply: bytes) -> bytes:
    return struct.pack(">I", len(reply)) + reply


def faked(reply: bytes) -> JudgeProcess:
    return JudgeProcess(Path(), ["week1"], Process(), fork_server=Fake(reply))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply",
    [b"\xc1", msgpack.packb([]), msgpack.packb({}), msgpack.packb({"report": 3}), msgpack.packb({"report": {}})],
    ids=["no msgpack", "a list", "no report", "a number", "an empty report"],
)
def test_garbage_from_a_judge_is_a_failure_of_its_job_alone(reply: bytes) -> None:
    judge = faked(framed(reply))
    result = grade_patiently(judge, job("return 2 * n"), lambda: False)
    judge.close()
    assert isinstance(result, Ungraded)
    assert result.message
    assert not result.everywhere


def test_a_reply_beyond_the_limit_is_a_dead_judge() -> None:
    with pytest.raises(SandboxError, match="TooLong"):
        faked(struct.pack(">I", wire.LONGEST + 1)).grade(job("return 2 * n"))


def test_checks_that_cannot_be_loaded_are_the_courses_error(tmp_path: Path) -> None:
    (copied("outcomes", tmp_path) / "assignments/week1/test_week1.py").write_text("import no_such_module")
    judge = JudgeProcess(tmp_path, ["week1"], Process())
    with pytest.raises(CourseError, match=r"(?s)the checks of week1 cannot be loaded.*no_such_module"):
        judge.grade(job("return 2 * n"))
    judge.close()


def test_a_pool_grades_side_by_side_and_leaves_no_process(outcomes_root: Path, judge: JudgeProcess) -> None:
    """A submission's report is the same, whichever judge grades it."""
    here = judge.grade(job(WRONG_AT_TIMES, student="Eve"))
    before = _living()
    pool = Pool(outcomes_root, ["week1"], 2, sandboxes.usual(), QUICK)
    jobs = [job("return 2 * n", student=name) for name in ("Ada", "Bob")]
    jobs.append(job(WRONG_AT_TIMES, student="Eve"))
    reports = {}
    seen: set[int] = set()
    for done in pool.run(jobs):
        assert isinstance(done, Report)
        reports[done.student] = done
        seen |= _living() - before
    assert (reports["Ada"].score, reports["Bob"].score) == (100, 100)
    assert timeless(reports["Eve"]).checks == timeless(here).checks
    assert seen
    assert _left(before) == set()


def test_a_run_that_is_stopped_ends_before_its_jobs_do(outcomes_root: Path, fork_server: ForkServer) -> None:
    before = _living()
    pool = Pool(outcomes_root, ["week1"], 1, sandboxes.usual(), QUICK)

    def endless() -> Iterator[Job]:
        for number in range(20):
            if number == 3:
                pool.stop()
            yield job("return 2 * n", student=f"s{number}")
        raise AssertionError("it goes on")

    assert len(list(pool.run(endless()))) < 4
    assert _left(before) == set()


def _left(before: set[int]) -> set[int]:
    """Return what lives beside these; a sandbox that others use, too, ends a submission's processes a moment later."""
    end = time.monotonic() + 20
    while (left := _living() - before) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _living() -> set[int]:
    below = psutil.Process().children(recursive=True)
    return {child.pid for child in below if child.is_running() and child.status() != psutil.STATUS_ZOMBIE}


def test_a_sandbox_that_fails_is_nobodys_loss() -> None:
    """The judge says so instead of sending a report; the job counts as not graded."""
    reply = msgpack.packb({"error": "the worker process died twice", "killed": False})
    with pytest.raises(SandboxError, match="died twice"):
        faked(framed(reply)).grade(job("return 2 * n"))


def test_a_judge_draws_no_grade_from_a_check_without_a_process() -> None:
    class Broken(Worker):
        def keeper(self, *_: object) -> Keeper:
            raise KeeperDied

    students = SubmissionStudents(Broken(Process()))
    with pytest.raises(SandboxError, match="died twice before a check began"):
        students.begin("week1", {}, ["lenet"], Limits(), b"", 0)


def test_a_failure_in_the_middle_is_remembered() -> None:
    class Gone:
        left = queued = idle = 300.0
        looked = None

        def process(self) -> None:
            raise SandboxError("gone")

    students = SubmissionStudents(Worker(Process()))
    student = RemoteStudent(Gone(), 0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(SandboxError):
        student.run(lambda student: None)
    students.close(student)
    with pytest.raises(SandboxError, match="gone"):
        students.raise_failure()
