"""Hostile code in the sandbox: each attack fails there, and works where the defence against it is taken away.

A defence is taken away by changing one place of the program inside (`grader/inside`), by leaving a namespace out, or by
grading without a sandbox at all. An attack that fails even then would prove nothing. Where a sandbox of its own has to
be made for that, which takes seconds, a full run alone does it (`CONTROLS`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader.checks import load_probes
from grader.judging.remote_student import RemoteStudent
from grader.judging.submission_session import Session
from grader.pytest_plugin.student import ProbeEnded
from grader.results import Outcome
from grader.sandbox import Bubblewrap, Process, Sandbox, views
from grader.sandbox.bubblewrap import INSIDE
from grader.sandbox.worker_client import Worker
from tests.support import amount, sandboxes
from tests.support.quick import quick

CONTROLS = amount.ALL
MIB = 1 << 20
MEMORY = 1500 * MIB


@dataclass(frozen=True)
class Weakened(Bubblewrap):
    """The sandbox without some of bubblewrap's options."""

    left_out: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        return [word for word in super().arguments() if word not in self.left_out]


class Range:
    """Runs attacks: one warm worker for each sandbox, complete or without a defence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: dict[Any, Worker] = {}

    def worker(self, *cut: tuple[str, str, str], without: tuple[str, ...] = (), none: bool = False) -> Worker:
        """`cut` is (file, find, replace) in `grader/inside`, `without` lists options of bubblewrap's."""
        key = (cut, without, none)
        if key not in self.workers:
            self.workers[key] = Worker(quick(Process()) if none else self._sandbox(cut, without))
        return self.workers[key]

    def _sandbox(self, cut: tuple[tuple[str, str, str], ...], options: tuple[str, ...]) -> Sandbox:
        program = sandboxes.real().program
        if not cut and not options:
            return sandboxes.real()
        inside = self.folder / f"inside{len(list(self.folder.iterdir()))}"
        shutil.copytree(INSIDE, inside)
        for file, find, replace in cut:
            source = (inside / file).read_text()
            assert source.count(find) == 1, f"{find!r} is not in {file} exactly once"
            (inside / file).write_text(source.replace(find, replace))
        return quick(Weakened(program, inside, left_out=options))


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    here = Range(tmp_path_factory.mktemp("range"))
    yield here
    for worker in here.workers.values():
        worker.close()


@pytest.fixture(scope="module")
def act_probes(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("course")
    (folder / "probes.py").write_text("def act(student, *args):\n    return student.attack.act(*args)\n")
    return load_probes(str(folder / "test_week1.py"))


@contextlib.contextmanager
def put(worker: Worker, code: str, memory: int = MEMORY) -> Iterator[Callable[..., Any]]:
    """A submission; `act(*args)` runs its `act` in a check of its own and gives its evidence, or how it ended."""
    source = "import os, sys, signal, socket, time\n" + textwrap.dedent(code)
    submission = Session(worker, "week1", {"attack.py": source.encode()}, ["attack"], memory)
    try:
        yield lambda *args, seconds=20.0: _act(submission, args, seconds)
    finally:
        submission.close()


def _act(submission: Session, args: tuple[Any, ...], seconds: float) -> Any:
    student = RemoteStudent(submission, 1, seconds)
    try:
        return student.run(PROBE[0], *args)
    except ProbeEnded as end:
        return f"{end.outcome}: {end.summary} {end.says}".splitlines()[0].strip()
    finally:
        student.close()


PROBE: list[Any] = []


@pytest.fixture(autouse=True)
def probe(act_probes: ModuleType) -> None:
    PROBE[:] = [act_probes.act]


def outcome(worker: Worker, code: str, *args: Any, seconds: float = 20.0, memory: int = MEMORY) -> Any:
    """Return what one attack gives; the worker is whole afterwards."""
    with put(worker, code, memory) as act:
        found = act(*args, seconds=seconds)
    with put(worker, "def act():\n    return 'well'\n") as act:
        assert act() == "well"
    return found


# Ends of every kind: they cost the check, and nothing else.


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("sys.exit(0)", "error: your code called sys.exit 0"),
        ("os._exit(0)", "killed: exited inside the check (status 0)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed: killed by SIGKILL"),
        ("os.killpg(0, signal.SIGKILL)", "killed: killed by SIGKILL"),
        ("os.abort()", "killed: killed by SIGABRT"),
        ("os.kill(os.getppid(), signal.SIGKILL); return 'on'", "on"),
        ("os.kill(1, signal.SIGKILL); return 'on'", "on"),
        ("os.fork() or time.sleep(60); os.kill(-1, signal.SIGKILL); return 'on'", "on"),
        ("os.kill(os.getppid(), signal.SIGINT); time.sleep(0.2); return 'on'", "on"),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", "error: your code raised KeyboardInterrupt"),
    ],
)
def test_no_exit_reaches_beyond_its_check(arena: Range, code: str, end: str) -> None:
    with put(arena.worker(), f"def act(on):\n    if on:\n        {code}\n    return 'well'\n") as act:
        assert act(True) == end
        assert act(False) == "well"


def test_without_a_namespace_the_keeper_can_be_killed(arena: Range) -> None:
    found = outcome(
        arena.worker(none=True), "def act():\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)\n"
    )
    assert found.startswith("killed")


def test_an_endless_loop_that_swallows_everything_is_stopped(arena: Range) -> None:
    code = """
    def act():
        for number in range(1, 64):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True:
            try:
                while True: pass
            except BaseException: pass
    """
    assert outcome(arena.worker(), code, seconds=1).startswith("timeout")


# Reading what is not the student's.

READ = """
def act(path):
    if os.path.isdir(path):
        return sorted(os.listdir(path))
    with open(path, "rb") as file:
        return len(file.read(100))
"""
ROOT = Path(__file__).parents[2]
SECRETS = [
    *("solutions/week5/test_hidden.py", "solutions/week5/lenet.py", "assignments/week5/test_week5.py"),
    *("grader/judging/judge.py", "tests/attacks/test_confinement.py", "fixtures/submissions", ".git"),
]


@pytest.mark.parametrize("name", SECRETS)
def test_the_course_is_out_of_sight(arena: Range, name: str) -> None:
    if not (ROOT / name).exists():
        pytest.skip(f"{name} is not in this copy of the course")
    assert "FileNotFoundError" in outcome(arena.worker(), READ, str(ROOT / name))
    assert outcome(arena.worker(none=True), READ, str(ROOT / name))


def test_files_of_others_the_home_folder_and_the_system_are_out_of_sight(arena: Range, tmp_path: Path) -> None:
    gradebook = tmp_path / "gradebook.sqlite"
    gradebook.write_text("secret")
    for path in (gradebook, Path.home(), Path("/etc/passwd"), Path("/var"), Path("/sys"), Path("/run")):
        found = outcome(arena.worker(), READ, str(path))
        assert "NotFoundError" in str(found) or _only_python(path, found), (path, found)
        assert outcome(arena.worker(none=True), READ, str(path))


def _only_python(path: Path, found: Any) -> bool:
    """A folder above Python itself shows that much, and no more."""
    below = {inner.relative_to(path).parts[0] for inner in views.shown_paths().values() if inner.is_relative_to(path)}
    return isinstance(found, list) and set(found) == below


def test_nothing_but_python_and_the_system_is_mounted(arena: Range) -> None:
    """The whole tree, as the attacker walks it: what is not below a known place is empty."""
    code = """
    def act(known):
        found = []
        for folder, folders, files in os.walk("/"):
            if folder in known or any(folder.startswith(k + "/") for k in known):
                folders.clear()
            else:
                found += [os.path.join(folder, name) for name in files]
        return found
    """
    known = [str(inner) for inner in views.shown_paths().values()] + ["/grader_inside", "/dev"]
    found = outcome(arena.worker(), code, known)
    assert [path for path in found if path not in known] == ["/tmp/work/week1/attack.py"]


def test_the_labels_of_the_digits_are_hidden(arena: Range) -> None:
    code = "def act():\n    from sklearn.datasets import load_digits\n    return len(load_digits().target)\n"
    assert "Error" in str(outcome(arena.worker(), code))
    assert outcome(arena.worker(none=True), code) == 1797


def test_no_folder_of_packages_shows_the_labels_or_where_the_course_lies(arena: Range) -> None:
    """By any path that leads to packages: a virtual environment has two, and the Python below it has more."""
    code = """
    def read(path):
        try:
            return open(path, "rb").read()
        except (PermissionError, IsADirectoryError):  # it is covered; a folder
            return b""
    def act(course):
        found = []
        for folder, folders, files in os.walk("/"):
            if folder in ("/proc", "/dev", "/sys"):
                folders.clear()
            if folder.endswith("-packages"):
                here = [os.path.join(folder, name) for name in files]
                for name in folders:
                    if name.endswith((".dist-info", ".egg-info")) or name == "__pycache__":
                        here += [os.path.join(folder, name, file) for file in os.listdir(os.path.join(folder, name))]
                # Compiled files name their environment's place, which no sandbox can hide.
                here = [path for path in here if "/__editable__" in path or not path.endswith(".pyc")]
                found += [path for path in here if course.encode() in read(path)]
                data = os.path.join(folder, "sklearn", "datasets", "data")
                for name in os.listdir(data) if os.path.isdir(data) else ():
                    if name.startswith("digits.csv") and read(os.path.join(data, name)):
                        found.append(os.path.join(data, name))
                folders.clear()
        return found
    """
    course = str(Path(__file__).parents[2])
    assert outcome(arena.worker(), code, course, seconds=60.0) == []
    assert outcome(arena.worker(none=True), code, course, seconds=60.0)


def test_no_process_shows_its_environment_or_memory(arena: Range) -> None:
    code = "def act():\n    return [name for name in os.listdir('/proc') if name.isdigit()]\n"
    assert outcome(arena.worker(), code) == []
    cut = ("confine.py", '    _call("mount", b"none", b"/proc", b"tmpfs", _READ_ONLY, b"size=4k,mode=555")\n', "")
    if CONTROLS:
        assert outcome(arena.worker(cut), code)
    code = "def act():\n    return open(f'/proc/{os.getppid()}/environ').read()\n"
    assert "FileNotFoundError" in outcome(arena.worker(), code)
    assert "Error" not in outcome(arena.worker(none=True), code)


def test_the_environment_has_no_secret(arena: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    worker = Worker(quick(sandboxes.real()))
    try:
        assert "GITHUB_TOKEN" not in outcome(worker, "def act():\n    return sorted(os.environ)\n")
    finally:
        worker.close()


# The network.

CONNECT = """
def act(port):
    with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        return connection.recv(5).decode()
"""


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].sendall(b"hello")

        threading.Thread(target=greet, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


NO_NETWORK = ("confine.py", " | _IPC | _NET)", " | _IPC)")  # no namespace of its own for each submission


def test_there_is_no_network(arena: Range, server: int) -> None:
    assert "error: your code raised" in outcome(arena.worker(), CONNECT, server)
    if not CONTROLS:
        return
    no_filter = ("seccomp.py", "code += _on_argument(_SOCKET[", "_on_argument(_SOCKET[")
    assert "Network is unreachable" in _detail(arena.worker(no_filter), CONNECT, server)
    assert "Network is unreachable" in _detail(arena.worker(no_filter, without=("--unshare-net",)), CONNECT, server)
    assert "Connection refused" in _detail(arena.worker(no_filter, NO_NETWORK), CONNECT, server)
    open_door = arena.worker(no_filter, NO_NETWORK, without=("--unshare-net",))
    assert outcome(open_door, CONNECT, server) == "hello"


def _detail(worker: Worker, code: str, *args: Any) -> str:
    wrapped = textwrap.dedent(code) + "\nreal = act\ndef act(*args):\n    try: return real(*args)\n"
    return str(outcome(worker, wrapped + "    except Exception as error: return repr(error)\n", *args))


def test_sockets_of_the_machine_are_out_of_reach(arena: Range) -> None:
    name = f"\0attack-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        code = "def act(name):\n    socket.socket(socket.AF_UNIX).connect(name)\n    return 'in'\n"
        assert "Refused" in _detail(arena.worker(), code, name)
        if CONTROLS:
            assert "Refused" in _detail(arena.worker(without=("--unshare-net",)), code, name)
            assert outcome(arena.worker(NO_NETWORK, without=("--unshare-net",)), code, name) == "in"


# Using up the machine.

FORKS = """
def act(most):
    children = 0
    try:
        for children in range(most):
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
    except OSError:
        return children
    return most
"""


def test_a_fork_bomb_stays_small(arena: Range) -> None:
    assert outcome(arena.worker(), FORKS, 300) < 64
    no_limit = ("confine.py", "resource.RLIMIT_NPROC: PROCESSES, ", "")
    if CONTROLS:
        assert outcome(arena.worker(no_limit), FORKS, 100) == 100


def test_a_thread_bomb_stays_small(arena: Range) -> None:
    code = """
    import threading
    def act(most):
        for count in range(most):
            try: threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
            except RuntimeError: return count
        return most
    """
    assert outcome(arena.worker(), code, 300) < 64
    no_limit = ("confine.py", "resource.RLIMIT_NPROC: PROCESSES, ", "")
    if CONTROLS:
        assert outcome(arena.worker(no_limit), code, 70) == 70


def test_a_memory_bomb_runs_into_its_limit(arena: Range) -> None:
    code = """
    import torch
    def act(megabytes):
        kept = [torch.ones(1 << 18) for _ in range(megabytes)]
        return len(kept)
    """
    assert outcome(arena.worker(), code, 3000).startswith("memory: memory ran out")
    no_limit = ("confine.py", "        resource.RLIMIT_DATA: _data + memory,\n", "")
    no_total = ("confine.py", ", resource.RLIMIT_AS: _mapped + 2 * memory", "")
    if CONTROLS:
        assert outcome(arena.worker(no_limit, no_total), code, 1600) != "memory: memory ran out"


def test_many_processes_share_one_limit(arena: Range) -> None:
    """Each of them stays below its own."""
    code = """
    def act(megabytes, children, seconds):
        for _ in range(children):
            if os.fork() == 0:
                kept = [b"x" * (1 << 20) for _ in range(megabytes)]
                time.sleep(30)
        time.sleep(seconds)
        return "kept"
    """
    assert outcome(arena.worker(), code, 300, 5, 30, memory=1024 * MIB) == "memory: killed: memory limit 1 GiB"
    assert outcome(arena.worker(), code, 30, 2, 1, memory=1024 * MIB) == "kept"


def test_memory_is_watched_however_quickly_a_check_answers(arena: Range) -> None:
    """What holds it has left the process that answers."""
    code = """
    def act(megabytes):
        if megabytes and os.fork() == 0:
            if os.fork() == 0:
                kept = [b"x" * (1 << 20) for _ in range(megabytes)]
                time.sleep(60)
            os._exit(0)
        return "quick"
    """
    source = "import os, time\n" + textwrap.dedent(code)
    submission = Session(arena.worker(), "week1", {"attack.py": source.encode()}, ["attack"], 1024 * MIB)
    student = RemoteStudent(submission, 1, 60.0)
    with contextlib.closing(submission), contextlib.closing(student), pytest.raises(ProbeEnded) as ended:
        for _ in range(5):
            student.run(PROBE[0], 300)
        while True:  # it answers for as long as it may: the watch ends it, or the time does
            assert student.run(PROBE[0], 0) == "quick"
    assert ended.value.outcome is Outcome.MEMORY


def test_the_buffers_of_sockets_count(arena: Range) -> None:
    """Their memory is the kernel's, so a process that fills them does not grow."""
    code = """
    import socket
    def act(pairs):
        kept = [socket.socketpair() for _ in range(pairs)]
        for one, _ in kept:
            one.setblocking(False)
            try:
                while True: one.send(bytes(1 << 14))
            except BlockingIOError: pass
        time.sleep(1)
        return "kept"
    """
    assert outcome(arena.worker(), code, 110, memory=32 * MIB) == "memory: killed: memory limit 0.03125 GiB"
    assert outcome(arena.worker(), code, 20, memory=32 * MIB) == "kept"


def test_shared_memory_is_limited(arena: Range) -> None:
    code = """
    import mmap
    def act(megabytes):
        kept = mmap.mmap(-1, megabytes << 20)
        for start in range(0, megabytes << 20, 4096):
            kept[start] = 1
        time.sleep(1)
        return "kept"
    """
    lenient = arena.worker(("seccomp.py", "    if not gpu:", "    if False:"))
    assert outcome(lenient, code, 1600, memory=1024 * MIB).startswith("memory")
    assert outcome(lenient, code, 100, memory=1024 * MIB) == "kept"
    assert "Cannot allocate memory" in outcome(arena.worker(), code, 100, memory=1024 * MIB)


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "."])
def test_the_disk_cannot_be_filled(arena: Range, folder: str, tmp_path: Path) -> None:
    code = """
    def act(folder, megabytes):
        written = 0
        try:
            for number in range(megabytes // 10):
                with open(f"{folder}/{number}", "wb") as file:
                    written += file.write(bytes(10 << 20)) >> 20
        except OSError:
            pass
        return written
    """
    assert outcome(arena.worker(), code, folder, 200) <= 70
    assert outcome(arena.worker(none=True), code, str(tmp_path), 200) == 200


def test_nothing_but_the_two_folders_in_memory_can_be_written(arena: Range, tmp_path: Path) -> None:
    code = """
    def act():
        found = []
        for folder, folders, files in os.walk("/"):
            try: os.mkdir(folder + "/attempt")
            except OSError: continue
            os.rmdir(folder + "/attempt")
            found.append(folder)
            folders.clear()
        return found
    """
    assert set(outcome(arena.worker(), code)) == {"/tmp", "/dev/shm"}
    assert outcome(arena.worker(none=True), code.replace('"/"', repr(str(tmp_path))))


def test_a_gigabyte_of_output_holds_nothing_up(arena: Range) -> None:
    code = "def act():\n    for _ in range(1024): os.write(1, bytes(1 << 20))\n    return 'done'\n"
    assert outcome(arena.worker(), code, seconds=60) == "done"


# What one check leaves, the next cannot find.

LEAVE: dict[str, tuple[str, str]] = {
    "a file": ("open('/tmp/left', 'w').close()", "os.path.exists('/tmp/left')"),
    "a file beside the modules": ("open('left', 'w').close()", "os.path.exists('left')"),
    "its own module": ("open('attack.py', 'a').write('LEFT = 1')", "'LEFT' in globals()"),
    "shared memory": ("open('/dev/shm/left', 'w').close()", "os.path.exists('/dev/shm/left')"),
    "a process": ("os.fork() or (os.setsid(), serve())", "reached()"),
    "a mapping": ("SHARED.__setitem__(0, 1)", "SHARED[0] == 1"),
    "a pipe": ("os.write(PIPE[1], b'x')", "bool(select.select([PIPE[0]], [], [], 0)[0])"),
    "a variable": ("globals().update(LEFT=1)", "'LEFT' in globals()"),
}
LEAVER = """
import mmap, select, tempfile
FILE = tempfile.TemporaryFile()
FILE.truncate(4096)
SHARED, PIPE = mmap.mmap(FILE.fileno(), 4096), os.pipe()
def serve():
    server = socket.socket(socket.AF_UNIX)
    server.bind("\\0left")
    server.listen()
    while True: server.accept()
def reached():
    try: socket.socket(socket.AF_UNIX).connect("\\0left")
    except OSError: return False
    return True
def act(leave):
    if leave:
        {leave}
        time.sleep(0.1)
    return {find}
"""


@pytest.mark.parametrize("kind", LEAVE)
def test_nothing_carries_over_from_check_to_check(arena: Range, kind: str) -> None:
    leave, find = LEAVE[kind]
    with put(arena.worker(), LEAVER.format(leave=leave, find=find)) as act:
        assert act(True) is (kind != "its own module")
        assert act(False) is False


def beside_another(worker: Worker, code: str) -> Any:
    """Return what a submission finds of another one that is graded at the same moment and still runs what it left."""
    source = {"attack.py": ("import os, sys, signal, socket, time\n" + code).encode()}
    first, second = (Session(worker, "week1", source, ["attack"], MEMORY) for _ in range(2))
    try:
        RemoteStudent(first, 1, 20.0).run(PROBE[0], True)
        return RemoteStudent(second, 1, 20.0).run(PROBE[0], False)
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize("kind", LEAVE)
def test_submissions_side_by_side_cannot_find_each_other(arena: Range, kind: str) -> None:
    leave, find = LEAVE[kind]
    assert beside_another(arena.worker(), LEAVER.format(leave=leave, find=find)) is False


@amount.in_full("that they cannot stands for it")
def test_without_a_network_of_their_own_submissions_could_find_each_other(arena: Range) -> None:
    leave, find = LEAVE["a process"]
    assert beside_another(arena.worker(NO_NETWORK), LEAVER.format(leave=leave, find=find)) is True


@amount.in_full("that they do not stands for it")
def test_without_fresh_folders_and_kills_checks_would_find_what_others_left(arena: Range) -> None:
    lazy = (
        "worker.py",
        "        self.reply(os.waitstatus_to_exitcode(status))\n        self.lay_out()\n",
        "        self.reply(0)\n",
    )
    kind = (
        "worker.py",
        "        _, status = os.waitpid(self.check, 0)\n        self.kill_all()\n",
        "        os.waitpid(self.check, 0)\n",
    )
    for name in ("a file", "a file beside the modules", "shared memory", "a process", "its own module"):
        leave, find = LEAVE[name]
        with put(arena.worker(lazy, kind), LEAVER.format(leave=leave, find=find)) as act:
            act(True)
            assert act(False) is True, name


# Powers.

CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def act(number, *arguments):
    result = libc.syscall(number, *arguments)
    return ctypes.get_errno() if result < 0 else "done"
"""


KERNEL_CALLS: dict[str, tuple[int, tuple[Any, ...]]] = {
    "new user namespace": (272, (0x10000000,)),
    "memfd": (319, ("x", 0)),
    "keyctl": (250, (0, -3, 0, 0, 0)),
    "shmget": (29, (0, 4096, 0o1600)),
    "msgget": (68, (0, 0o1600)),
    "personality": (135, (0xFFFFFFFF,)),
    "pidfd": (434, (1, 0)),
    "io_uring": (425, (1, "\0" * 200)),
    "inotify": (294, (0,)),
    "asynchronous I/O": (206, (1, "\0" * 8)),
    "timer": (222, (0, 0, "\0" * 8)),
    "lock": (73, (0, 1)),
    "advice on a file's pages": (221, (0, 0, 0, 4)),
    "signal of a descriptor": (72, (0, 10, 10)),
    "owner of a descriptor": (72, (0, 8, 0)),
    "size of a pipe": (72, (1, 1031, 1 << 17)),
}


@pytest.fixture(scope="module")
def called(arena: Range, act_probes: ModuleType) -> dict[str, tuple[Any, Any]]:
    """What each call gives, each in a check of its own: with the filter, and without it."""
    PROBE[:] = [act_probes.act]
    code = CALLS.replace(
        "*arguments)\n    return", "*(a.encode() if isinstance(a, str) else a for a in arguments))\n    return"
    )
    found = []
    for worker in (arena.worker(), arena.worker(("confine.py", "    seccomp.install()\n", ""))):
        with put(worker, code) as act:
            found.append([act(number, *arguments) for number, arguments in KERNEL_CALLS.values()])
    return dict(zip(KERNEL_CALLS, zip(*found, strict=True), strict=True))


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of system calls on x86-64")
@pytest.mark.parametrize("name", KERNEL_CALLS)
def test_the_filter_refuses_calls_that_work_without_it(called: dict[str, tuple[Any, Any]], name: str) -> None:
    assert called[name] == (1, "done")


UNCOUNTED = {
    "an anonymous mapping": ("import mmap; mmap.mmap(-1, 1 << 20)", "OSError"),
    "a mapping of zeros": (
        "import mmap; mmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 20, mmap.MAP_SHARED)",
        "Error",
    ),
    "buffers of sockets": (
        "import socket; socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)",
        "PermissionError",
    ),
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_memory_that_no_limit_counts_cannot_be_had(arena: Range, name: str) -> None:
    code, error = UNCOUNTED[name]
    assert error in outcome(arena.worker(), f"def act():\n    {code}\n    return 'done'\n")
    assert outcome(arena.worker(none=True), f"def act():\n    {code}\n    return 'done'\n") == "done"


def test_shared_folders_and_files_still_serve_coursework(arena: Range) -> None:
    """What coursework shares memory with goes on working: loaders with workers, and multiprocessing."""
    code = """
        import torch, multiprocessing, mmap
        def act():
            rows = torch.utils.data.DataLoader(torch.arange(8.0), batch_size=4, num_workers=2)
            total = sum(float(batch.sum()) for batch in rows)
            number = multiprocessing.get_context("fork").Value("i", 5)
            with number.get_lock():
                number.value += 1
            private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            private[:2] = b"ok"
            return [total, number.value, private[:2]]
    """
    assert outcome(arena.worker(), code) == [28.0, 6, b"ok"]


TALK = {
    "a terminal": "    os.openpty()",
    "a lock on a file of both": "    import fcntl\n    fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)",
    "a record lock": "    import fcntl\n    fcntl.lockf(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)",
    "a lease": "    import fcntl\n    fcntl.fcntl(0, fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    "a folder's notices": "    import fcntl\n    fcntl.fcntl(os.open('/usr', os.O_RDONLY), 1026, 2)",
    "another family of sockets": "    socket.socketpair(socket.AF_TIPC, socket.SOCK_SEQPACKET)",
}


@pytest.mark.parametrize("name", TALK)
def test_no_channel_leads_to_another_submission(arena: Range, name: str) -> None:
    assert "Error" in outcome(arena.worker(), f"def act():\n{TALK[name]}\n    return 'done'\n")


def test_standard_input_keeps_no_flag_for_the_next(arena: Range) -> None:
    code = """
        import fcntl
        def act():
            before = fcntl.fcntl(0, fcntl.F_GETFL)
            fcntl.fcntl(0, fcntl.F_SETFL, before | os.O_NONBLOCK | os.O_APPEND)
            return before & (os.O_NONBLOCK | os.O_APPEND)
    """
    assert [outcome(arena.worker(), code) for _ in range(2)] == [0, 0]
    own = ("worker.py", "        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)", "        pass")
    if CONTROLS:
        assert [outcome(arena.worker(own), code) for _ in range(2)] != [0, 0]


def test_a_submission_of_megabytes_is_put_into_the_worker(arena: Range) -> None:
    filler = "# " + "x" * (3 * MIB) + "\n"
    assert outcome(arena.worker(), filler + "def act():\n    return 7\n") == 7


def test_there_are_no_capabilities(arena: Range) -> None:
    """Those of the namespace would do for mounts; the filter is off here, so that the capabilities alone decide."""
    code = CALLS + "\ndef act():\n    return libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0\n"
    no_filter = ("confine.py", "    seccomp.install()\n", "")
    kept = (
        "confine.py",
        '    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())\n',
        "",
    )
    assert outcome(arena.worker(no_filter), code) is False
    if CONTROLS:
        assert outcome(arena.worker(no_filter, kept), code) is True


def test_the_limits_of_other_processes_cannot_be_changed(arena: Range) -> None:
    code = "import resource\ndef act():\n    resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))\n    return 'done'\n"
    assert "PermissionError" in _detail(arena.worker(), code)
    if CONTROLS:
        no_filter = ("seccomp.py", "code += _on_argument(_PRLIMIT", "_on_argument(_PRLIMIT")
        assert outcome(arena.worker(no_filter), code) == "done"


def test_the_core_that_it_was_given_cannot_be_left(arena: Range) -> None:
    code = "def act():\n    os.sched_setaffinity(0, range(64))\n    return 'done'\n"
    assert "PermissionError" in _detail(arena.worker(), code)
    assert outcome(arena.worker(("confine.py", "    seccomp.install()\n", "")), code) == "done"


def test_another_check_sees_nothing_of_the_judge(arena: Range) -> None:
    """Descriptors: null, two of output, one to answer on."""
    code = """
    def act():
        found = []
        for fd in range(1024):
            try: os.fstat(fd)
            except OSError: continue
            found.append(fd)
        return found
    """
    assert outcome(arena.worker(), code) == [0, 1, 2, 3]
    keep = ("worker.py", '        os.closerange(4, os.sysconf("SC_OPEN_MAX"))\n', "")
    if CONTROLS:
        assert len(outcome(arena.worker(keep), code)) > 4


def test_the_next_submission_finds_nothing_of_the_last(arena: Range) -> None:
    marker = "a" + "mark" * 3 + "er"
    with put(
        arena.worker(), f"KEPT = '{marker}'\nopen('/tmp/{marker}', 'w').close()\ndef act():\n    return 1\n"
    ) as act:
        assert act() == 1
    code = """
    import gc
    def act(half):
        marker = "a" + half * 3 + "er"
        strings = [s for s in gc.get_objects() if isinstance(s, dict)]
        return [os.path.exists("/tmp/" + marker), any(marker in str(d.get("KEPT", "")) for d in strings if len(d) < 99)]
    """
    assert outcome(arena.worker(), code, "mark") == [False, False]


def test_an_interrupted_judge_leaves_no_process() -> None:
    import psutil

    worker = Worker(quick(sandboxes.real()))
    submission = Session(
        worker,
        "week1",
        {"attack.py": b"import os, time\ndef act():\n    os.fork() or time.sleep(99)\n    return 1\n"},
        [],
        MEMORY,
    )
    RemoteStudent(submission, 1, 20.0).run(PROBE[0])
    tree = psutil.Process(worker.start().pid).children(recursive=True)
    worker.close()
    assert len(tree) >= 4
    _, alive = psutil.wait_procs(tree, timeout=20)
    assert alive == []


# What the kernel knows of all.


def test_a_process_is_told_its_time_and_no_faults_of_pages(arena: Range) -> None:
    """These say which pages of a shared file were in memory already, where another one may have put them."""
    code = """
    import mmap, resource, sys
    def act():
        before = resource.getrusage(resource.RUSAGE_SELF)
        with open(sys.executable, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:
            read = sum(pages[at] for at in range(0, len(pages), mmap.PAGESIZE))
        while time.process_time() < before.ru_utime + 0.05: pass
        after = resource.getrusage(resource.RUSAGE_SELF)
        return after.ru_utime > before.ru_utime, after.ru_minflt + after.ru_majflt + after.ru_inblock
    """
    assert outcome(arena.worker(), code) == (True, 0)
    told, faults = outcome(arena.worker(none=True), code)
    assert told and faults > 0


def test_children_are_waited_for_without_their_counts(arena: Range) -> None:
    code = """
    def act(wait):
        pid = os.fork()
        if pid == 0: os._exit(3)
        return getattr(os, wait)(pid, 0)[1] >> 8
    """
    assert outcome(arena.worker(), code, "waitpid") == 3
    assert "PermissionError" in outcome(arena.worker(), code, "wait4")
    assert outcome(arena.worker(none=True), code, "wait4") == 3
