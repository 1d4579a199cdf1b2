"""Every signal that asks a process to end is Ctrl-C to every command: status 130, a line, and nothing left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from grader.cli.process.interruption import interruptible, requests
from tests.support import amount
from tests.support.courses import copied
from tests.support.makers import lay_out

ROOT = Path(__file__).parents[3]
SLOW = "import time\n\ndef double(n):\n    time.sleep(1)\n    return 2 * n\n"
MUTANT = """[[mutant]]
id = "thrice"
file = "sums.py"
find = "return 2 * n"
replace = "return 3 * n"
tasks = ["5.1"]
why = "It triples."
"""
# What each command does for a while in a small course; one that is done before it is interrupted proves nothing.
WORKING = {
    "batch": ["batch", "submissions", "--jobs", "1"],
    "run": ["run", "week1", "--submission", "submissions/ana"],
    "validate": ["validate", "week5", "--jobs", "1"],
    "similar": ["similar", "submissions"],
    "attack": ["doctor", "--attack"],
}


def sent(number: int) -> bool:
    """Tell whether a signal, sent now, interrupts."""
    try:
        os.kill(os.getpid(), number)
        for _ in range(10):  # it is handled between two steps of this loop
            time.sleep(0)
    except KeyboardInterrupt:
        return True
    return False


def test_the_requests_are_the_signals_that_end_a_process_and_mean_no_fault() -> None:
    names = {number.name for number in signal.Signals if number in requests()}
    assert {"SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGALRM", "SIGPWR"} <= names
    assert not names & {"SIGKILL", "SIGSEGV", "SIGABRT", "SIGCHLD", "SIGTSTP", "SIGWINCH", "SIGPIPE"}


@pytest.mark.parametrize("number", requests())
def test_each_request_interrupts_and_is_handled_as_before_afterwards(number: int) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with interruptible():
            assert sent(number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_what_is_ignored_stays_ignored_and_a_handler_of_somebody_else_stays() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        with interruptible():
            assert not sent(signal.SIGHUP)
            assert not sent(signal.SIGUSR1)
        assert seen == [1]
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGUSR1, before[1])


def test_a_second_request_does_not_disturb_the_orderly_end_of_the_first() -> None:
    with interruptible():
        assert sent(signal.SIGTERM)
        assert not sent(signal.SIGTERM)
        assert not sent(signal.SIGHUP)


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    works = {f"submissions/{student}/work.py": f"{SLOW}# {student}\n" for student in ("ana", "bo", "cy", "dee")}
    folder = tmp_path_factory.mktemp("course")
    lay_out(copied("sums", folder / "sums"), {"solutions/week5/mutants.toml": MUTANT})
    return lay_out(copied("one_check", folder / "one_check"), works).parent


# Of the requests, which are handled alike, each command gets one, and one command two.
ASKED = amount.of(
    [*((command, signal.SIGTERM) for command in WORKING), ("batch", signal.SIGHUP)],
    [(command, number) for command in WORKING for number in (signal.SIGTERM, signal.SIGHUP)],
)


@pytest.mark.parametrize(("command", "number"), ASKED)
def test_a_command_that_is_asked_to_end_says_so_and_leaves_neither_processes_nor_files(
    class_folder: Path, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    words = WORKING[command]
    chance = random.Random(f"{words} {number}")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.quick", *words],
        cwd=class_folder / ("sums" if command == "validate" else "one_check"),
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL) and None,  # noqa: PLW1509 - no threads here
    )
    until_it_works(process)
    time.sleep(chance.uniform(0, 0.5))
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted" in output.splitlines()[-1]
    assert "Traceback" not in output
    assert psutil.wait_procs(started, timeout=20)[1] == []
    assert list(tmp_path.iterdir()) == []


def until_it_works(process: subprocess.Popen[str]) -> None:
    """Wait for the first process that the command has started: it is in the middle of its work then."""
    while process.poll() is None and not psutil.Process(process.pid).children():
        time.sleep(0.01)
