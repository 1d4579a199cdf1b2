"""A worker turns whatever code does into an outcome; one warm worker serves the whole module."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest
import torch

from grader.checks import load_beside
from grader.errors import SandboxError
from grader.inside import codec
from grader.judging import submission_session
from grader.judging.pool import share_cores
from grader.judging.remote_student import RemoteStudent
from grader.judging.submission_session import Session
from grader.pytest_plugin.student import ProbeEnded
from grader.results import Outcome
from grader.sandbox import Process
from grader.sandbox.bubblewrap import ENVIRONMENT, Command
from grader.sandbox.cgroups import home as cgroup_home
from grader.sandbox.cgroups.group import NoCgroup
from grader.sandbox.processes import Usage, kill_tree, signal_name
from grader.sandbox.worker_client import Keeper, KeeperDied, Worker
from tests.support import amount, sandboxes
from tests.support.quick import quick

GIB = 1 << 30
OTHER_NAMES = {"HOME", "USER", "PWD", "TMPDIR", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR"} | {
    *("KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"),  # torch and scikit-learn set these
}

PROBES = """
import os

def act(student, *args):
    return student.lenet.act(*args)

def other(student):
    return student.training.VALUE

def echo(student, value):
    return value

def draw(student):
    import random
    import numpy
    import torch
    return [random.random(), float(numpy.random.rand()), torch.rand(1).item()]

def add_up(student):
    student.lenet.total = getattr(student.lenet, "total", 0) + 1
    return [os.getpid(), student.lenet.total]

def here(student):
    return [os.getcwd(), sorted(os.listdir("."))]

def collector(student):
    import gc
    return [gc.isenabled(), gc.get_freeze_count(), gc.get_stats()[2]["collections"]]
"""


@pytest.fixture(scope="module", params=sandboxes.BOTH)
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """In a sample it starts without preparations that only make coursework faster; tests/weeks has one with them."""
    sandbox = sandboxes.named(request.param)
    warm = Worker(sandbox if request.param == "bwrap" and amount.ALL else quick(sandbox))
    yield warm
    warm.close()


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    path = tmp_path_factory.mktemp("course") / "probes.py"
    path.write_text(PROBES)
    return load_beside(str(path), path.stem)


class Desk:
    """Puts submissions into the worker, one at a time."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.submission: Session | None = None

    def put(self, lenet: str, training: str = "VALUE = 7\n", memory: int = 3 * GIB) -> Session:
        self.clear()
        files = {"lenet.py": textwrap.dedent(lenet).encode(), "training.py": textwrap.dedent(training).encode()}
        self.submission = Session(self.worker, "week5", files, ["lenet", "training"], memory)
        return self.submission

    def clear(self) -> None:
        if self.submission is not None:
            self.submission.close()
            self.submission = None

    def student(self, seconds: float = 20.0, seed: int = 1) -> RemoteStudent:
        assert self.submission is not None
        return RemoteStudent(self.submission, seed, seconds)


@pytest.fixture
def desk(worker: Worker) -> Iterator[Desk]:
    it = Desk(worker)
    yield it
    it.clear()


def ended(student: RemoteStudent, probe: Callable[..., Any], *args: Any) -> ProbeEnded:
    with pytest.raises(ProbeEnded) as caught:
        student.run(probe, *args)
    student.close()
    return caught.value


def test_evidence_comes_back_by_value(desk: Desk, probes: ModuleType) -> None:
    desk.put("def act(x, n):\n    return {'sum': x + n, 'parts': (x, [n])}\n")
    got = desk.student().run(probes.act, torch.ones(2, 3), 4)
    assert torch.equal(got["sum"], torch.full((2, 3), 5.0))
    assert got["parts"][1] == [4]


def test_a_run_is_told_as_the_students_call_with_its_place(desk: Desk, probes: ModuleType) -> None:
    desk.put("import torch\n\ndef act(x, n):\n    return n\n")
    student = desk.student()
    student.run(probes.act, torch.zeros(2, 30), 4)
    student.close()
    assert student.asked is not None
    assert student.asked.names == ["act"]
    assert student.place == "lenet.py:3"


def test_an_error_shows_the_students_frames_alone(desk: Desk, probes: ModuleType) -> None:
    desk.put(
        """
        import torch
        def act(n):
            return inner(n)
        def inner(n):
            return torch.ones(2) @ torch.ones(n)
        """
    )
    student = desk.student()
    end = ended(student, probes.act, 3)
    assert (end.outcome, end.summary) == (Outcome.ERROR, "your code raised RuntimeError")
    assert (end.place, end.raised) == ("lenet.py:6", "RuntimeError")
    assert "inconsistent tensor size" in end.says
    assert end.frames.splitlines() == [
        "  lenet.py:4 in act",
        "      return inner(n)",
        "  lenet.py:6 in inner",
        "      return torch.ones(2) @ torch.ones(n)",
    ]


def test_what_changes_from_run_to_run_is_not_in_an_errors_text(desk: Desk, probes: ModuleType) -> None:
    desk.put("import tempfile\ndef act():\n    open(tempfile.mkdtemp() + f'/{object()}')\n")
    first, second = (ended(desk.student(), probes.act).says for _ in range(2))
    assert first == second
    assert first.startswith("[Errno 2] No such file or directory: '/tmp/tmp…/<object object at 0x…>'")


def test_a_check_goes_on_after_an_error(desk: Desk, probes: ModuleType) -> None:
    desk.put("def act(n):\n    return 1 / n\n")
    student = desk.student()
    with pytest.raises(ProbeEnded, match="ZeroDivisionError"):
        student.run(probes.act, 0)
    assert student.run(probes.act, 4) == 0.25
    student.close()


BAD_ENDS = {
    "exit": ("os._exit(3)", Outcome.KILLED, "exited inside the check (status 3)"),
    "exit in silence": ("os._exit(0)", Outcome.KILLED, "exited inside the check (status 0)"),
    "segmentation fault": ("os.kill(os.getpid(), signal.SIGSEGV)", Outcome.KILLED, "killed by SIGSEGV"),
    "abort": ("os.abort()", Outcome.KILLED, "killed by SIGABRT"),
    "sys.exit": ("sys.exit(0)", Outcome.ERROR, "your code called sys.exit"),
    "to do": ("raise NotImplementedError('TODO 5.1: fill in')", Outcome.TODO, "TODO 5.1: fill in"),
    "not implemented": (
        "raise NotImplementedError('hm')", Outcome.ERROR, "your code raised NotImplementedError",
    ),
    "interrupt": ("raise KeyboardInterrupt", Outcome.ERROR, "your code raised KeyboardInterrupt"),
    "own exception": ("raise Mine()", Outcome.ERROR, "your code raised an exception"),
    "memory error": ("raise MemoryError", Outcome.MEMORY, "memory ran out"),
    "object": ("return object()", Outcome.INVALID, "what came back is not of a type that can be judged"),
    "recursion": ("return act()", Outcome.ERROR, "your code raised RecursionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ENDS)
def test_what_code_does_to_itself_is_an_outcome_of_its_check(desk: Desk, probes: ModuleType, name: str) -> None:
    code, outcome, summary = BAD_ENDS[name]
    mine = "Mine = type('Mine', (Exception,), {'__str__': lambda self: 1 / 0})"
    desk.put(f"import os, signal, sys\n{mine}\ndef act():\n    {code}\n")
    end = ended(desk.student(), probes.act)
    assert (end.outcome, end.summary) == (outcome, summary)
    assert desk.student().run(probes.other) == 7


def test_who_writes_into_the_judges_connection_is_always_killed(desk: Desk, probes: ModuleType) -> None:
    """The judge hangs up at once, while the process is still about to reply, or waits for the next request already."""
    forger = "import os, time\ndef act(pause):\n    os.write(3, b'passed')\n    time.sleep(pause)\n    return 1\n"
    desk.put(forger)
    for pause in (0, 0.001, 0.002, 0.005, 0.01, 0.02) * 3:
        end = ended(desk.student(), probes.act, pause)
        assert (end.outcome, end.summary) == (Outcome.KILLED, "killed by SIGKILL")


def test_invalid_evidence_names_the_place(desk: Desk, probes: ModuleType) -> None:
    desk.put("def act():\n    return [1, {'k': object()}]\n")
    assert ended(desk.student(), probes.act).says == (
        "the result[1]['k'] is of type object, not plain data (a number, string, list, tuple, dict, array or tensor)"
    )


def test_an_endless_loop_is_stopped_and_later_runs_of_the_check_end_alike(desk: Desk, probes: ModuleType) -> None:
    desk.put(
        "def act():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n"
    )
    student = desk.student(seconds=0.3)
    end = ended(student, probes.act)
    assert end.outcome is Outcome.TIMEOUT
    assert end.summary == "timeout after 0.3 s: an endless loop, or far too slow"
    assert ended(student, probes.other) is end
    assert desk.student().run(probes.other) == 7


# Code that computes for a while in a process that has ended by the next look at the counters.
_ENDS = """
    import os, signal, time
    def compute():
        end = time.process_time() + 0.6
        while time.process_time() < end: pass
    def child(then=lambda: None):
        if os.fork() == 0:
            then()
            compute()
            os._exit(0)
        try: os.wait()
        except ChildProcessError: pass
    def grandchild():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        child()
        os._exit(0)
    def act(how):
        if how == "exit": compute(); os._exit(0)
        if how == "ignored": signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        child(grandchild if how == "grandchild" else lambda: None)
"""


@pytest.mark.parametrize("how", ["exit", "waited for", "ignored", "grandchild"])
def test_what_ended_processes_have_computed_is_the_submissions_time(desk: Desk, probes: ModuleType, how: str) -> None:
    """Code that is open can make it look like sleep, of which a submission has as much time again."""
    submission = desk.put(_ENDS)
    before, student = submission.left, desk.student()
    with contextlib.suppress(ProbeEnded):
        student.run(probes.act, how)
    student.close()
    if desk.worker.sandbox.confined or how in ("exit", "waited for"):
        assert before - submission.left > 0.55


@pytest.mark.parametrize("part", ["torch.ones(10**7)", "bytearray(10**7)"])
def test_a_low_memory_limit_leaves_torch_and_stops_a_hog(desk: Desk, probes: ModuleType, part: str) -> None:
    desk.put(f"import torch\ndef act():\n    kept = []\n    while True: kept.append({part})\n", memory=GIB)
    end = ended(desk.student(), probes.act)
    assert (end.outcome, end.summary) == (Outcome.MEMORY, "memory ran out")
    assert torch.equal(desk.student().run(probes.echo, torch.ones(1000)), torch.ones(1000))


def test_a_flood_of_output_holds_nothing_up(desk: Desk, probes: ModuleType) -> None:
    desk.put("def act():\n    for _ in range(400): print('x' * 100_000)\n    return 5\n")
    student = desk.student()
    assert student.run(probes.act) == 5
    student.close()


def test_a_flood_of_output_at_import_holds_nothing_up(desk: Desk, probes: ModuleType) -> None:
    desk.put("for _ in range(100): print('x' * 100_000)\n")
    assert desk.student().run(probes.other) == 7


def test_too_large_a_result_is_invalid(desk: Desk, probes: ModuleType) -> None:
    desk.put("import torch\ndef act():\n    return torch.zeros(2**25)\n")
    end = ended(desk.student(), probes.act)
    assert (end.outcome, end.says) == (Outcome.INVALID, "the result is too large: 128 MiB, at most 64 MiB")


def test_killing_the_parent_costs_one_check(desk: Desk, probes: ModuleType) -> None:
    desk.put("import os, signal, time\ndef act():\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)\n")
    end = ended(desk.student(seconds=0.5), probes.act)
    # In the sandbox the parent is the first process of its namespace, which nothing inside can kill.
    assert end.outcome is (Outcome.TIMEOUT if desk.worker.sandbox.confined else Outcome.KILLED)
    assert desk.student().run(probes.other) == 7


def test_a_module_that_hangs_costs_its_own_checks(
    desk: Desk, probes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission_session, "IMPORT_SECONDS", 0.3)
    desk.put("while True: pass\n")
    end = ended(desk.student(), probes.act)
    assert (end.outcome, end.says) == (Outcome.TIMEOUT, "importing lenet.py did not end within 0.3 s")
    assert desk.student().run(probes.other) == 7


def test_a_module_that_kills_its_process_costs_its_own_checks(desk: Desk, probes: ModuleType) -> None:
    desk.put("import os\nos._exit(0)\n")
    end = ended(desk.student(), probes.act)
    assert (end.outcome, end.says) == (Outcome.KILLED, "importing lenet.py ended the process")
    assert desk.student().run(probes.other) == 7


def test_a_module_that_does_not_parse_shows_its_line(desk: Desk, probes: ModuleType) -> None:
    desk.put("x = 1\ndef act(:\n    pass\n")
    end = ended(desk.student(), probes.act)
    assert end.summary == "your code raised SyntaxError"
    assert (end.place, end.raised) == ("lenet.py:2", "SyntaxError")
    assert "def act(:" in end.frames
    assert desk.student().run(probes.other) == 7


def test_a_module_that_answers_at_its_import_earns_nothing(worker: Worker, probes: ModuleType) -> None:
    """It finds its socket and sends the reply to its own import, and then garbage."""
    forged = struct.pack(">I", 5) + codec.encode(None) + struct.pack(">I", 5) + b"hello"
    source = f"""
import os, stat
for fd in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.write(fd, {forged!r})
    except OSError:
        pass
def act():
    return 1
"""
    submission = Session(worker, "week5", {"lenet.py": source.encode()}, ["lenet"], GIB)
    end = ended(RemoteStudent(submission, 0, 20.0), probes.act)
    submission.close()
    assert end.outcome is Outcome.INVALID


def test_a_missing_module_says_so(worker: Worker, probes: ModuleType) -> None:
    submission = Session(worker, "week5", {"LeNet5.py": b""}, ["lenet"], GIB)
    end = ended(RemoteStudent(submission, 0, 20.0), probes.act)
    submission.close()
    assert "lenet.py is missing from the submission, which has LeNet5.py" in end.says


def test_runs_of_a_check_share_a_process_and_fresh_runs_do_not(desk: Desk, probes: ModuleType) -> None:
    desk.put("total = 0\n")
    student = desk.student()
    (pid, one), (same, two) = student.run(probes.add_up), student.run(probes.add_up)
    assert (pid, one, two) == (same, 1, 2)
    (fresh, count), (another, again) = student.run_fresh(probes.add_up), student.run_fresh(probes.add_up)
    assert len({pid, fresh, another}) == 3
    assert (count, again) == (1, 1)
    last, anew = student.run(probes.add_up)
    assert last not in (pid, fresh, another)
    assert anew == 1
    student.close()


def test_checks_share_nothing(desk: Desk, probes: ModuleType) -> None:
    desk.put("total = 0\n")
    for _ in range(2):
        student = desk.student()
        assert student.run(probes.add_up)[1] == 1
        student.close()


def test_checks_that_share_follow_each_other_in_a_process_until_one_ends_badly(desk: Desk, probes: ModuleType) -> None:
    submission = desk.put("total = 0\ndef act():\n    while True:\n        pass\n")

    def add_up(shares: bool = True) -> tuple[int, int, bool]:
        student = RemoteStudent(submission, 1, 20.0, shares)
        pid, total = student.run(probes.add_up)
        student.close()
        return pid, total, student.shared

    first, second = add_up(), add_up()
    assert second == (first[0], 2, True)
    alone = add_up(shares=False)
    assert alone[0] != first[0]
    assert alone[1:] == (1, False)
    assert add_up()[1:] == (1, False)  # the keeper has one process at a time
    afresh = RemoteStudent(submission, 1, 20.0, shares=True)
    pid, total = afresh.run_fresh(probes.add_up)
    afresh.close()
    assert (total, afresh.shared) == (1, False)
    assert add_up() == (pid, 2, True)  # what was fresh for one check is for the next to share
    student = RemoteStudent(submission, 1, 0.5, shares=True)
    assert ended(student, probes.act).outcome is Outcome.TIMEOUT
    student.close()
    assert add_up()[1:] == (1, False)


def test_every_run_starts_from_the_checks_seed(desk: Desk, probes: ModuleType) -> None:
    desk.put("import torch\ntorch.rand(5)\n")
    student = desk.student(seed=5)
    first = student.run(probes.draw)
    assert student.run(probes.draw) == first == student.run_fresh(probes.draw)
    assert desk.student(seed=6).run(probes.draw) != first


def test_the_collector_watches_a_submission_and_never_looked_through_the_libraries(
    desk: Desk, probes: ModuleType
) -> None:
    """To look through them, again and again as they grow, would take the zygote a second."""
    desk.put("")
    is_on, frozen, looks = desk.student().run(probes.collector)
    assert is_on
    assert frozen > 100_000
    assert looks == 0


def test_children_and_daemons_are_gone_after_the_check(desk: Desk, probes: ModuleType) -> None:
    desk.put(
        """
        import os, subprocess, sys, time
        def act():
            first = os.fork()
            if first == 0:
                os.setsid()
                if os.fork() == 0:  # the usual double fork of a daemon
                    time.sleep(600)
                os._exit(0)
            os.waitpid(first, 0)  # so that those who look find a tree that stays as it is
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        """
    )
    student = desk.student()
    student.run(probes.act)
    started = below(desk.worker)
    assert len(started) == at_rest(desk.worker) + 4  # the keeper and those three
    student.close()
    assert soon(lambda: sum(map(alive, started)) == at_rest(desk.worker) + 1)


def test_daemons_of_an_import_are_gone_after_the_submission(desk: Desk, probes: ModuleType) -> None:
    desk.put(
        """
        import os, time
        first = os.fork()
        if first == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        os.waitpid(first, 0)
        def act():
            return 1
        """
    )
    student = desk.student()
    student.run(probes.act)
    started = below(desk.worker)
    assert len(started) == at_rest(desk.worker) + 3  # the keeper, the check and its daemon
    student.close()
    desk.clear()
    assert soon(lambda: sum(map(alive, started)) == at_rest(desk.worker))


def at_rest(worker: Worker) -> int:
    """Count the processes below a worker's first one without a submission: bubblewrap's second and the zygote."""
    return 2 if worker.sandbox.confined else 0


def soon(true: Callable[[], bool]) -> bool:
    """Tell whether it comes true soon; the kernel takes a moment to end a namespace."""
    end = time.monotonic() + 20
    while not (came := true()) and time.monotonic() < end:
        time.sleep(0.01)
    return came


def below(worker: Worker) -> set[int]:
    """The living processes below a worker's first one; all of them if none of them ends just now."""
    tree = psutil.Process(worker.start().pid).children(recursive=True)
    return {process.pid for process in tree if alive(process.pid)}


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_files_are_there_for_the_code_and_gone_afterwards(desk: Desk, probes: ModuleType) -> None:
    desk.put("def act():\n    open('left-behind.txt', 'w').write('x')\n")
    student = desk.student()
    student.run(probes.act)
    folder, names = student.run(probes.here)
    student.close()
    assert {"lenet.py", "training.py", "left-behind.txt"} <= set(names)
    assert Path(folder).name == "week5"
    student = desk.student()
    assert student.run(probes.here)[1] == ["lenet.py", "training.py"]  # nothing is left for the next check
    student.close()
    desk.clear()
    assert not Path(folder).parent.exists()


def test_a_module_cannot_reach_the_grader_or_the_surroundings(
    desk: Desk, probes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("import os, sys\ndef act():\n    return [sorted(os.environ), 'grader' in sys.modules, sys.argv]\n")
    names, has_grader, arguments = desk.student().run(probes.act)
    assert not has_grader
    assert arguments == [""]
    assert set(names) <= {*ENVIRONMENT, *OTHER_NAMES}


def test_a_module_may_read_its_command_line(desk: Desk, probes: ModuleType) -> None:
    desk.put(
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=0.5)\n"
        "args = parser.parse_args()\ndef act():\n    return args.lr\n"
    )
    assert desk.student().run(probes.act) == 0.5


def test_what_a_module_compiles_by_torch_runs_as_it_is_written(desk: Desk, probes: ModuleType) -> None:
    desk.put("import torch\n@torch.compile\ndef act():\n    return [hasattr(act, '_torchdynamo_orig_callable'), 3]\n")
    assert desk.student().run(probes.act) == [False, 3]  # there may be no C++ compiler, and little time


# What a student's process may answer to a probe request, with the judge's end in this process.

FORGED_REPLIES = {
    "nothing at all": b"",
    "one letter": b"E",
    "a verdict": b"P" + codec.encode("passed"),
    "garbage": b"E" + bytes(range(256)),
    "an exception that is a list": b"R" + codec.encode([1]),
    "an exception without frames": b"R" + codec.encode({"outcome": "error", "type": "X", "message": ""}),
    "frames that are no dicts": b"R" + codec.encode({"outcome": "error", "type": "X", "message": "", "frames": [1]}),
    "lines that are text": b"R"
    + codec.encode(
        {
            "outcome": "error",
            "type": "X",
            "message": "",
            "frames": [{"file": "a", "line": "1", "function": "", "code": ""}],
        }
    ),
}


class Forger:
    """Stands in for a check's process: every request gets the same reply."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply

    def run(self, request: object, seconds: float, more: object) -> bytes:
        return self.reply

    def usage(self) -> Usage:
        return Usage(0.0, 0.0)

    def end(self) -> int | None:
        return None


def judge_of(reply: bytes) -> RemoteStudent:
    class OneProcess:
        left = seconds = queued = idle = 300.0
        looked = None
        clock = contextlib.nullcontext

        def process(self) -> Any:
            return Forger(reply)

    return RemoteStudent(OneProcess(), 0, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FORGED_REPLIES)
def test_forged_replies_are_invalid_evidence(probes: ModuleType, name: str) -> None:
    assert ended(judge_of(FORGED_REPLIES[name]), probes.other).outcome is Outcome.INVALID


@pytest.mark.parametrize("outcome", ["passed", "broken", "skipped", "nonsense", ""])
def test_a_forged_outcome_earns_nothing_and_blames_nobody_else(probes: ModuleType, outcome: str) -> None:
    reply = b"R" + codec.encode({"outcome": outcome, "type": "X", "message": "m", "frames": []})
    assert ended(judge_of(reply), probes.other).outcome is Outcome.ERROR


def keeper_over(answer: Callable[[socket.socket], None]) -> Keeper:
    """A `Keeper` whose process is this test."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # tell who answers
    answer(theirs)
    theirs.shutdown(socket.SHUT_WR)
    try:
        return Keeper(Worker(Process()), ours, "week5", {}, GIB)
    finally:
        theirs.close()


@pytest.mark.parametrize(
    "sent",
    [b"", b"\0\0", struct.pack(">I", 2**31), struct.pack(">I", 5) + b"hello", struct.pack(">I", 100) + b"cut"],
    ids=["nothing", "half a length", "two gigabytes", "garbage", "cut off"],
)
def test_a_keeper_that_talks_nonsense_counts_as_dead(sent: bytes) -> None:
    with pytest.raises(KeeperDied):
        keeper_over(lambda theirs: theirs.sendall(sent))


@pytest.mark.parametrize(
    ("status", "text"),
    [(-9, "killed by SIGKILL"), (-200, "killed by signal 200"), (3, "exited inside the check (status 3)")],
)
def test_exit_statuses_are_put_into_words(status: int, text: str) -> None:
    assert signal_name(status) == text


def test_ending_a_process_that_is_gone_is_no_error() -> None:
    gone = max(psutil.pids()) + 1_000_000
    kill_tree(gone, root_too=True)


def parent_of_two() -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """A process with two children, and these."""
    code = "import os, time; os.fork() and os.fork(); os.write(1, b'up\\n'); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert [parent.stdout.readline() for _ in range(3)] == [b"up\n"] * 3
    return parent, psutil.Process(parent.pid).children()


def test_a_process_that_ends_while_it_is_looked_at_spares_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two children: looking at the first one fails, as when it has just ended."""
    parent, tree = parent_of_two()
    first, real = tree[0].pid, psutil.Process.status

    def status(process: psutil.Process) -> Any:
        if process.pid == first:
            raise psutil.NoSuchProcess(first)
        return real(process)

    monkeypatch.setattr(psutil.Process, "status", status)
    kill_tree(parent.pid, root_too=True)
    monkeypatch.undo()
    assert parent.wait(timeout=20) == -signal.SIGKILL
    assert not alive(tree[1].pid)
    os.kill(first, signal.SIGKILL)


def test_a_process_whose_parent_ends_while_it_is_looked_for_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two children: looks find the first one, then none, as when that has just ended above others."""
    parent, tree = parent_of_two()
    looks, real = [tree[:1], []], psutil.Process.children
    monkeypatch.setattr(
        psutil.Process, "children", lambda of, recursive: looks.pop(0) if looks else real(of, recursive)
    )
    kill_tree(parent.pid, root_too=True)
    assert parent.wait(timeout=20) == -signal.SIGKILL
    assert not any(alive(child.pid) for child in tree)


def test_a_zygote_that_dies_is_replaced_and_closing_the_worker_leaves_nothing(
    worker: Worker, probes: ModuleType
) -> None:
    first = worker.start()
    first.wait()
    os.kill(first.pid, signal.SIGKILL)
    submission = Session(worker, "week5", {"lenet.py": b""}, ["lenet"], GIB)
    student = RemoteStudent(submission, 0, 20.0)
    folder, _ = student.run(probes.here)
    zygote = psutil.Process(worker.start().pid)
    assert zygote.pid != first.pid
    pids = [zygote.pid, *(process.pid for process in zygote.children(recursive=True))]
    assert len(pids) == (5 if worker.sandbox.confined else 3)
    worker.close()
    assert not any(alive(pid) for pid in pids)
    submission.close()
    assert not Path(folder).exists()


COMPUTE = """
import time
def compute(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


@pytest.mark.parametrize("kind", sandboxes.BOTH)
def test_a_busy_machine_costs_a_check_nothing(kind: str, probes: ModuleType) -> None:
    core = min(os.sched_getaffinity(0))
    hog = f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"
    worker = Worker(quick(sandboxes.named(kind)), [core])
    worker.start().wait()
    hogs = [subprocess.Popen([sys.executable, "-c", hog]) for _ in range(4)]
    try:
        desk = Desk(worker)
        desk.put(f"{COMPUTE}\ndef act():\n    compute(0.5)\n    return 1\n")
        assert desk.student(seconds=1).run(probes.act) == 1
        desk.clear()
    finally:
        worker.close()
        for process in hogs:
            process.kill()
            process.wait()


def test_what_sleeps_for_ever_ends_and_the_message_says_so(desk: Desk, probes: ModuleType) -> None:
    desk.put("import time\ndef act():\n    time.sleep(600)\n")
    end = ended(desk.student(seconds=0.3), probes.act)
    assert end.summary == (
        "timeout: the code slept or waited for most of 1.2 s, and computed for less than the 0.3 s that it has"
    )


def test_the_runs_of_a_check_share_its_time(desk: Desk, probes: ModuleType) -> None:
    desk.put(f"{COMPUTE}\ndef act():\n    compute(0.7)\n    return 1\n")
    student = desk.student(seconds=1.5)
    assert [student.run(probes.act), student.run(probes.act)] == [1, 1]
    end = ended(student, probes.act)
    assert (end.outcome, end.summary) == (Outcome.TIMEOUT, "timeout after 1.5 s: an endless loop, or far too slow")


def test_all_checks_share_a_submissions_time(worker: Worker, probes: ModuleType) -> None:
    code = f"{COMPUTE}\ndef act():\n    compute(0.7)\n    return 1\n".encode()
    submission = Session(worker, "week5", {"lenet.py": code}, ["lenet"], GIB, seconds=2)
    for _ in range(2):
        student = RemoteStudent(submission, 0, 20.0)
        student.run(probes.act)
        student.close()
    end = ended(RemoteStudent(submission, 0, 20.0), probes.act)
    submission.close()
    assert end.outcome is Outcome.TIMEOUT
    assert end.summary == "timeout: all checks together have used up the 2 s that a submission has"


def test_a_submission_stays_on_its_cores(worker: Worker, probes: ModuleType) -> None:
    before = os.sched_getaffinity(0)
    alone = Worker(worker.sandbox, [min(before)], worker.start())
    code = b"import os\ndef act():\n    return sorted(os.sched_getaffinity(0))\n"
    for wanted, on in (([min(before)], alone), (sorted(before), worker)):
        submission = Session(on, "week5", {"lenet.py": code}, ["lenet"], GIB)
        assert RemoteStudent(submission, 0, 20.0).run(probes.act) == wanted
        submission.close()
    assert os.sched_getaffinity(0) == before


def test_judges_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3, 4})
    assert share_cores(2) == [[0, 2, 4], [1, 3]]
    assert share_cores(5) == [[0], [1], [2], [3], [4]]
    assert share_cores(7) == [[0], [1], [2], [3], [4], [0], [1]]


@pytest.mark.parametrize(
    ("code", "said"),
    [("raise SystemExit(7)", "ended with status 7"), ("import time; time.sleep(600)", "was not ready")],
)
def test_a_worker_that_does_not_start_says_how(monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    monkeypatch.setattr("grader.sandbox.zygote.START_SECONDS", 2.0)
    monkeypatch.setattr(Process, "command", lambda self, fd: Command([sys.executable, "-c", code], {}))
    cold = Worker(Process())
    with pytest.raises(SandboxError, match=said):
        cold.keeper("week5", {}, GIB)
    cold.close()


class Stub:
    """A way to control groups, a run over them, and a group in it, that only notes what is done with it."""

    prefix, environment = (), {}

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.keeper, self.limit, self.full = 0, 0, False

    def settle(self, pid: int) -> Stub:
        self.seen.append(("settle", len(psutil.Process(pid).children(recursive=True))))
        return self

    def group(self, pid: int, memory: int) -> Stub:
        self.keeper, self.limit, self.full = pid, memory, False
        self.seen.append(("group", len(psutil.Process(pid).children())))
        return self

    def exceeded(self) -> bool:
        return self.full

    def close(self) -> None:
        self.seen.append(("close", 0))


def test_a_control_group_has_the_keeper_before_any_code_and_says_that_memory_ran_out(
    probes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub()
    monkeypatch.setattr(cgroup_home, "find", lambda: stub)
    worker = Worker(quick(sandboxes.real()))
    desk = Desk(worker)
    try:
        session = desk.put("import time\ndef act():\n    time.sleep(60)\n")
        assert stub.seen == [("settle", 2), ("group", 0)]
        assert stub.limit == 3 * GIB

        def ends() -> None:  # what the kernel does at the limit: all processes of the group end at once
            stub.full = True
            psutil.Process(stub.keeper).kill()  # the first of its namespace, with which all others end

        threading.Timer(0.5, ends).start()
        end = ended(desk.student(), probes.act)
        assert (end.outcome, end.summary) == (Outcome.MEMORY, "killed: memory limit 3 GiB")
        assert desk.student().run(probes.other) == 7  # in a group of its own
        assert stub.seen[2:] == [("close", 0), ("group", 0)]
        session.close()
    finally:
        worker.close()
    assert stub.seen[-2:] == [("close", 0), ("close", 0)]  # the submission's, and all of the run


def test_where_no_control_group_can_be_had_work_is_graded_as_before(
    probes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where systemd-run has promised one, and the groups cannot be divided."""

    class Refusing(Stub):
        def settle(self, pid: int) -> Stub:
            raise NoCgroup("there is none")

    monkeypatch.setattr(cgroup_home, "find", Refusing)
    worker = Worker(quick(sandboxes.real()))
    desk = Desk(worker)
    try:
        desk.put("")
        assert desk.student().run(probes.other) == 7
    finally:
        desk.clear()
        worker.close()
