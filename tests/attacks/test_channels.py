"""Two submissions try every channel that a machine offers to talk: side by side, one after the other, in two workers.

What SECURITY.md does not promise (loads, times, counts of the whole machine, futexes) is not in the table.
"""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from grader.checks import load_probes
from grader.judging.remote_student import RemoteStudent
from grader.judging.submission_session import Session
from grader.pytest_plugin.student import ProbeEnded
from grader.sandbox import Process, Sandbox
from grader.sandbox.worker_client import Worker
from tests.support import amount, sandboxes
from tests.support.quick import quick

MEMORY = 1 << 30

# What a sender does and keeps, and what tells a receiver that somebody did it. `SHARED` is a file that both can read.
CHANNELS: dict[str, tuple[str, str]] = {
    "a file in /tmp": ("open('/tmp/channel', 'w').write('x')", "os.path.exists('/tmp/channel')"),
    "a file in /dev/shm": ("open('/dev/shm/channel', 'w').write('x')", "os.path.exists('/dev/shm/channel')"),
    "a file in /var/tmp": ("open('/var/tmp/channel', 'w').write('x')", "os.path.exists('/var/tmp/channel')"),
    "a file beside the modules": ("open('channel', 'w').write('x')", "os.path.exists('channel')"),
    "a hidden file at home": (
        "open(os.path.expanduser('~/.channel'), 'w').write('x')", "os.path.exists(os.path.expanduser('~/.channel'))",
    ),
    "a file's times": ("os.utime(SHARED, (1, 1))", "os.stat(SHARED).st_mtime == 1"),
    "a file's attributes": ("os.setxattr(SHARED, 'user.channel', b'x')", "b'x' == os.getxattr(SHARED, 'user.channel')"),
    "an abstract socket": ("listen('\\0channel')", "connect('\\0channel')"),
    "a socket's file": ("listen('/tmp/channel.socket')", "connect('/tmp/channel.socket')"),
    "a port": ("listen(('127.0.0.1', 28761), socket.AF_INET)", "connect(('127.0.0.1', 28761), socket.AF_INET)"),
    "a datagram": ("datagram()", "socket.socket(16, 3, 2).bind((0, 0))"),
    "a lock of a file": (
        "fcntl.flock(opened(), fcntl.LOCK_EX)", "refused(fcntl.flock, opened(), fcntl.LOCK_EX | fcntl.LOCK_NB)",
    ),
    "a lock of a record": ("fcntl.lockf(opened(), fcntl.LOCK_SH, 1, 77)", "locked(5, 77)"),
    "a lock of an open file": ("setlock(37, 78)", "locked(36, 78)"),
    "a lease": ("fcntl.fcntl(opened(), fcntl.F_SETLEASE, fcntl.F_RDLCK)", "'LEASE' in text('/proc/locks')"),
    "System V memory": ("syscall(29, 0x77, 4096, 0o1666)", "syscall(29, 0x77, 0, 0) >= 0"),
    "System V messages": ("syscall(68, 0x77, 0o1666)", "syscall(68, 0x77, 0) >= 0"),
    "System V semaphores": ("syscall(64, 0x77, 1, 0o1666)", "syscall(64, 0x77, 0, 0) >= 0"),
    "a queue of messages": (
        "syscall(240, b'channel', 0o102, 0o666, None)", "syscall(240, b'channel', 0, 0, None) >= 0",
    ),
    "a named semaphore": ("semaphore(0o100)", "semaphore(0)"),
    "a key": ("syscall(248, b'user', b'channel', b'x', 1, -4)", "syscall(249, b'user', b'channel', None, -4) >= 0"),
    "a terminal": ("KEPT.append(os.openpty())", "len(os.listdir('/dev/pts')) > 1 or os.openpty()[0] >= 0 and "
                   "os.ttyname(os.openpty()[1]) != '/dev/pts/0'"),
    "a name of the host": ("socket.sethostname('channel')", "socket.gethostname() == 'channel'"),
    "a process": ("KEPT.append(os.getpid())", "any(b'attack' in raw(f'/proc/{n}/cmdline') for n in others())"),
    "a process's name": ("name('channel')", "any('channel' in text(f'/proc/{n}/comm') for n in others())"),
    "a signal": ("signal.signal(signal.SIGUSR1, lambda *_: None)", "any(signals(n) for n in range(2, 9))"),
    "a priority": ("os.setpriority(os.PRIO_USER, 0, 15)", "os.getpriority(os.PRIO_USER, 0) == 15"),
    "a limit": ("resource.prlimit(PARENT, resource.RLIMIT_CORE, (0, 0))", "False"),
    "the parent's priority": ("os.setpriority(os.PRIO_PROCESS, PARENT, 14)",
                              "os.getpriority(os.PRIO_PROCESS, PARENT) == 14"),
    "the flags of standard input": (
        "fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK)", "fcntl.fcntl(0, fcntl.F_GETFL) & os.O_NONBLOCK",
    ),
    "the owner of standard input": ("fcntl.fcntl(0, fcntl.F_SETSIG, 42)", "fcntl.fcntl(0, 11) == 42"),
    "the place in standard input": ("os.lseek(0, 42, 0)", "os.lseek(0, 0, 1) == 42"),
    "pages of a library in memory": ("os.posix_fadvise(opened(OTHER), 0, 0, 4)", "evicted()"),
    "pages that are read ahead": ("syscall(187, opened(), 0, 1 << 20)", "resident()"),
    "counts of pages in memory": ("raw(SHARED)", "syscall(451, opened(), RANGE, COUNTS, 0) == 0"),
    "notices of a folder": ("os.listdir('/usr')", "syscall(294, 0) >= 0"),
    "a variable": ("os.environ.update(CHANNEL='x')", "'CHANNEL' in os.environ"),
    "a module": ("sys.modules.update(channel=sys)", "'channel' in sys.modules"),
    "torch's own state": ("torch.manual_seed(424242)", "torch.initial_seed() == 424242"),
    "torch's default type": ("torch.set_default_dtype(torch.float64)", "torch.get_default_dtype() == torch.float64"),
    "torch's code": ("setattr(torch, 'channel', 1)", "hasattr(torch, 'channel')"),
}  # fmt: skip

TOOLS = """
import ctypes, fcntl, mmap, os, resource, signal, socket, struct, sys, time, torch
SHARED, OTHER, PARENT, KEPT = os.__file__, os.path.dirname(os.__file__) + "/turtle.py", os.getppid(), []
RANGE, COUNTS = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
libc = ctypes.CDLL(None, use_errno=True)
def syscall(*arguments): return libc.syscall(*arguments) if os.uname().machine == "x86_64" else -1  # by its numbers
def opened(path=SHARED):
    KEPT.append(os.open(path, os.O_RDONLY))
    return KEPT[-1]
def listen(address, family=socket.AF_UNIX):
    KEPT.append(socket.socket(family))
    KEPT[-1].bind(address)
    KEPT[-1].listen()
def connect(address, family=socket.AF_UNIX):
    socket.socket(family).connect(address)
    return True
def datagram():
    KEPT.append(socket.socket(16, 3, 2))
    KEPT[-1].bind((0, 0))
def refused(call, *arguments):
    try: call(*arguments)
    except BlockingIOError: return True
def record(start): return struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, start, 1, 0)
def setlock(command, start): fcntl.fcntl(opened(), command, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, start, 1, 0))
def locked(command, start): return struct.unpack("hhqqi4x", fcntl.fcntl(opened(), command, record(start)))[0] != 2
def semaphore(flags):
    pthread = ctypes.CDLL("libpthread.so.0")
    pthread.sem_open.restype = ctypes.c_void_p
    return pthread.sem_open(b"/channel", flags, 0o666, 1)
def name(word): libc.prctl(15, word.encode(), 0, 0, 0)
def raw(path): return open(path, "rb").read()
def text(path): return raw(path).decode()
def others(): return [n for n in os.listdir("/proc") if n.isdigit() and int(n) not in (os.getpid(), PARENT)]
def signals(pid):
    try: return pid not in (os.getpid(), PARENT) and os.kill(pid, 0) is None
    except OSError: return False
def evicted():
    try: os.preadv(opened(OTHER), [bytearray(8)], 0, os.RWF_NOWAIT)
    except BlockingIOError: return True
def resident():
    room = mmap.mmap(opened(), 4096, access=mmap.ACCESS_READ)
    seen = (ctypes.c_ubyte * 1)()
    return syscall(27, ctypes.c_void_p(0), 4096, seen) == 0
def each(words):
    found = {}
    for name, word in words.items():
        try: found[name] = bool(eval(word))
        except BaseException as error: found[name] = False
    return found
"""


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("course")
    (folder / "probes.py").write_text("def act(student, *args):\n    return student.attack.act(*args)\n")
    return load_probes(str(folder / "test_week1.py")).act


@contextmanager
def started(*places: Sandbox) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        workers = [Worker(place) for place in places]
        for worker in workers:
            stack.callback(worker.close)
        yield workers


def submission(worker: Worker, names: Iterable[str]) -> Session:
    sends, finds = ({name: CHANNELS[name][side] for name in names} for side in (0, 1))
    code = textwrap.dedent(TOOLS) + (
        f"SENDS = {sends!r}\nFINDS = {finds!r}\n"
        "def act(sends):\n"
        "    found = each(SENDS if sends else FINDS)\n"
        "    if sends: time.sleep(sends)\n"
        "    return found\n"
    )
    return Session(worker, "week1", {"attack.py": code.encode()}, ["attack"], MEMORY)


def run(session: Session, act: Any, sends: float) -> Any:
    student = RemoteStudent(session, 1, 60.0)
    try:
        return student.run(act, sends)
    except ProbeEnded as end:
        return f"{end.outcome}: {end.summary} {end.says}"
    finally:
        student.close()


def heard(
    first: Worker, second: Worker, act: Any, *, at_once: bool, names: Iterable[str] = tuple(CHANNELS)
) -> list[str]:
    """Return the channels by which the second submission hears of the first one."""
    sender = submission(first, names)
    try:
        if at_once:
            thread = threading.Thread(target=run, args=(sender, act, 4.0))
            thread.start()
            receiver = submission(second, names)
            found = run(receiver, act, 0.0)
            thread.join()
        else:
            run(sender, act, 0.01)
            sender.close()
            receiver = submission(second, names)
            found = run(receiver, act, 0.0)
        receiver.close()
    finally:
        sender.close()
    assert isinstance(found, dict) and found.keys() == {*names}, found
    return [name for name, reached in found.items() if reached]


def test_no_channel_leads_from_one_submission_to_another(act: Any) -> None:
    place = quick(sandboxes.real())
    with started(place, place) as (one, another):
        for first, second in ((one, another), (one, one)):
            assert heard(first, second, act, at_once=True) == []
        assert heard(one, one, act, at_once=False) == []


# What leaves nothing behind where nothing keeps it from the machine itself.
HARMLESS = ("an abstract socket", "a port", "a lock of a file", "a lock of an open file", "a lease", "a process",
            "pages of a library in memory", "notices of a folder")  # fmt: skip


@amount.in_full("that nothing is heard in the sandbox stands for it")
def test_without_a_sandbox_the_harmless_ones_lead_there(act: Any) -> None:
    with started(quick(Process()), quick(Process())) as (one, another):
        assert set(HARMLESS) <= {*heard(one, another, act, at_once=True, names=HARMLESS)}
