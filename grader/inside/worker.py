"""Runs inside the sandbox: a warm zygote, a keeper for each submission, a fork of the keeper for each check.

    zygote       imports torch once, touches no student's data, and forks a keeper for each submission
    └─ keeper    holds the submission's files, in namespaces of its own; runs none of the student's code
       └─ check  imports the student's modules and answers probe requests until it is killed

Every request comes from the judge. The descriptors of a job travel through the zygote unread, so that nothing of
one submission is left in it for the next. Each check starts from the keeper, which no student's code has touched, in
folders that are empty but for the submission's files, so no check finds what an earlier one left. Nothing in here
decides anything: replies are evidence.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import marshal
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any


def _own_package() -> None:
    """Make this folder importable under a name that no student's module has."""
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "grader_inside", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None and spec.loader is not None
    package = sys.modules["grader_inside"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


if __name__ == "__main__":
    gc.disable()  # until all is imported: the collector would look for garbage again and again, and there is hardly any
    _own_package()
    from grader_inside import memory

    # Packages outside Python's own folders, behind them as where they come from.
    sys.path += [word.removeprefix("--search=") for word in sys.argv if word.startswith("--search=")]
    if "--without=pages" not in sys.argv:
        memory.make_room(256 << 20)  # more than the libraries below take: what they do comes in large pages at once

from grader_inside import codec, confine, gpu, memory, modules, probing, wire  # noqa: E402
from grader_inside.importing import desktop  # noqa: E402
from grader_inside.rehearsal import play  # noqa: E402

# Coursework imports these. Each that is installed is imported once here, and so need not be imported in every check.
LIBRARIES = (
    *("torch", "torch._dynamo", "torch.utils.data", "torchvision", "torchvision.transforms.v2", "numpy", "PIL.Image"),
    *("matplotlib.pyplot", "sklearn.metrics", "pandas", "tqdm"),
)

LONGEST_JOB = 1 << 16  # bytes: the numbers of cores, of which the largest machines have thousands


def main(control_fd: int, sandbox: str, user: int | None, without: Collection[str] = ()) -> None:
    """Serve jobs from the control socket until it closes; `user` is the one that root becomes.

    `sandbox` is `open` for none, `confined`, or `gpu` for one that shows a GPU. `without` names time-saving steps to
    leave out: `imports`, `rehearsal`, `pages`.
    """
    confined, shows_gpu = sandbox != "open", sandbox == "gpu"
    confine.drop_root(shows_gpu, user)
    confine.adopt_orphans()
    warm_up(() if "imports" in without else LIBRARIES)
    if sandbox == "confined":
        desktop.without_counts()
    if "rehearsal" not in without:
        sees_gpu = shows_gpu or not confined
        play.play(partial(_Check, None, device="cpu"), backward=not (sees_gpu and _built_for_cuda()))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    confine.set_dumpable(not confined)
    gc.freeze()  # with the little garbage that there is: to look for it would cost more than it takes
    gc.enable()
    if "pages" not in without:
        memory.give_back_room()  # limits come on top of what is in use, and none of the room is
    confine.prepare(shows_gpu)
    if "pages" not in without:
        memory.prepare()
    with socket.socket(fileno=control_fd) as control:
        control.send(b"ready")
        while True:
            message, fds, _, _ = socket.recv_fds(control, LONGEST_JOB, 1)
            if not message:
                return
            if _fork() == 0:
                control.close()
                cores = message.decode()
                keep = partial(_keep, fds[0], confined, {*map(int, cores.split(","))} if cores != "any" else ())
                _in_fork(partial(_fork_apart, keep) if confined else keep)
            os.close(fds[0])


def warm_up(libraries: Collection[str] = LIBRARIES) -> None:
    # What a check imports on first use, every check would import again: torch._dynamo alone takes a second, at the
    # first optimizer step. No operation may use several threads here, since threads do not survive a fork.
    desktop.without_desktop()
    for name in libraries:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    import torch  # without it nothing works, and this says why

    importlib.import_module("grader_inside.kit")  # else each check whose probe records with it would import it
    torch.set_num_threads(1)
    # Multiply now, while /proc can be read: libraries that cannot tell the processor choose other ways to multiply.
    torch.nn.functional.conv2d(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 3, 3))


def _built_for_cuda() -> bool:
    import torch

    return bool(torch.backends.cuda.is_built())


def _fork_apart(body: Callable[[], None]) -> None:
    """Run `body` as the first process of new namespaces; this process ends, and the zygote adopts the new one."""
    if _fork(confine.leave_namespaces) == 0:
        _in_fork(body)


def _fork(prepare: Callable[[], None] = lambda: None) -> int | None:
    """Prepare and fork, as `os.fork` does; where that fails print why, and return None.

    The judge is told by the end of its connection.
    """
    try:
        prepare()
        return os.fork()
    except OSError as error:
        print(f"no process for a submission: {error}", file=sys.stderr, flush=True)
        return None


def _keep(fd: int, confined: bool, cores: Collection[int]) -> None:
    """Be the keeper, in a sandbox as the first process of new namespaces."""
    if confined:
        confine.map_user()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a check could send it; all others pass by the first of a namespace
    if cores:
        os.sched_setaffinity(0, cores)
    if confined:
        confine.hide_proc()
    else:
        os.setsid()
        confine.adopt_orphans()
        confine.die_with_parent()
    _Keeper(socket.socket(fileno=fd), confined).serve()


def _in_fork(body: Any) -> None:
    """Run `body` in a process that was just forked, and end it."""
    status = 70
    try:
        body()
        status = 0
    finally:
        # os._exit, so that no handler that a student's module registered runs in a process that is done.
        os._exit(status)


class _Keeper:
    """One submission: its files, and one check at a time, forked for it."""

    def __init__(self, connection: socket.socket, confined: bool) -> None:
        self.connection = connection
        self.confined = confined
        self.root = Path()
        self.package = ""
        self.files: dict[str, bytes] = {}
        self.check = 0
        self.memory = 0
        self.gpu_memory = 0

    @property
    def folder(self) -> Path:
        return self.root / self.package

    def serve(self) -> None:
        while True:
            command, fds, _, _ = socket.recv_fds(self.connection, 1, 2)
            if command == b"O":
                self.open(codec.decode(wire.receive(self.connection)))
            elif command == b"C":
                self.fork_check(fds)
            elif command == b"E":
                self.end_check()
            else:
                self.kill_all()
                return

    def open(self, job: dict[str, Any]) -> None:
        self.root, self.package = Path(job["root"]), job["package"]
        self.files = {name: content.tobytes() for name, content in job["files"].items()}
        self.memory, self.gpu_memory = job["memory"], job["gpu_memory"]
        self.lay_out()
        self.reply(None)

    def lay_out(self) -> None:
        """Write the submission's files, and leave nothing else in any folder that a check can write to."""
        if self.confined:
            confine.fresh_folders(confine.ROOM + sum(map(len, self.files.values())))
        else:
            shutil.rmtree(self.root, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name, content in self.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def fork_check(self, fds: list[int]) -> None:
        self.check = os.fork()
        if self.check == 0:
            _in_fork(partial(self.be_check, *fds))
        for fd in fds:
            os.close(fd)
        self.reply(None)

    def be_check(self, connection: int, output: int) -> None:
        """Become the check in a fork: keep two descriptors and no privileges, and answer."""
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # its own: all who inherit a descriptor share its flags
        for fd in (1, 2):
            os.dup2(output, fd)
        connection = os.dup2(connection, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        os.chdir(self.folder)
        sys.dont_write_bytecode = True  # nobody would read it
        confine.limit(self.memory, self.confined)
        if self.confined:
            confine.drop_privileges()
        else:
            confine.die_with_parent()
        if self.gpu_memory:
            gpu.prepare(self.gpu_memory)
        device = "cuda" if self.gpu_memory else "cpu"
        _Check(socket.socket(fileno=connection), self.folder, self.package, device).serve()

    def end_check(self) -> None:
        """Kill the check with everything that it started, reply how it ended, and lay the files out for the next."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.check, signal.SIGKILL)  # a process that is ending already keeps the status it has
        _, status = os.waitpid(self.check, 0)
        self.kill_all()
        self.reply(os.waitstatus_to_exitcode(status))
        self.lay_out()

    def kill_all(self) -> None:
        """SIGKILL every process below this one, until there is none."""
        if self.confined:
            _kill_namespace()
        else:
            _kill_descendants()

    def reply(self, value: Any) -> None:
        wire.send(self.connection, codec.encode(value))


class _Check:
    """Runs one check, or several one after the other: answers requests until the judge closes the socket."""

    def __init__(self, connection: socket.socket | None, folder: Path, package: str, device: str) -> None:
        self.connection = connection
        self.folder = folder
        self.package = package
        self.device = device
        self.student: Any = None
        self.code: dict[str, bytes] = {}
        self.probes: dict[str, ModuleType] = {}

    def serve(self) -> None:
        """Answer until the judge no longer listens. It has this process killed then, which must not end by itself."""
        with contextlib.suppress(OSError):
            while True:
                self.serve_one(codec.decode(wire.receive(self.connection)))
        while True:  # else how it ended would depend on who is faster
            signal.pause()

    def serve_one(self, request: dict[str, Any]) -> None:
        if "code" in request:  # of probes that later requests will name
            self.code[request["module"]] = request["code"]
            return
        reply = self.answer(request)
        _flush()
        wire.send(self.connection, reply)

    def answer(self, request: dict[str, Any]) -> bytes:
        """Reply with evidence (E…), an exception (R…), or why the result is not plain data (I…)."""
        try:
            return bytes(codec.encode(self.result_of(request), "the result", kind=b"E"))
        except codec.NotPlainData as error:
            return bytes(codec.encode(str(error), kind=b"I"))
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too, are an answer
            return bytes(codec.encode(probing.describe(error, self.folder), kind=b"R"))

    def result_of(self, request: dict[str, Any]) -> Any:
        if "ended" in request:
            ended = {name: modules.ModuleEnded(*end) for name, end in request["ended"].items()}
            self.student = modules.open_modules(self.folder, self.package, ended, self.device)
            return None
        if "load" in request:
            getattr(self.student, request["load"])
            return None
        probe = getattr(self.probe_module(request["module"]), request["probe"])
        return probing.call(probe, self.student, request["seed"], request["args"], request["kwargs"])

    def probe_module(self, name: str) -> ModuleType:
        if name not in self.probes:
            module = ModuleType(f"grader_{name}")
            exec(marshal.loads(self.code[name]), module.__dict__)
            self.probes[name] = module
        return self.probes[name]


def _kill_namespace() -> None:
    """Kill all other processes of the PID namespace whose first process this is, and reap them."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _kill_descendants() -> None:
    """Kill all descendants where there is no namespace: this process adopts orphans, until there is none left."""
    while children := _children():
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


if __name__ == "__main__":
    fd, sandbox, *rest = sys.argv[1:]
    sys.argv[:] = [""]  # a student's file may read its command line, as argparse does: it has no arguments
    omitted = [word.removeprefix("--without=") for word in rest if word.startswith("--without=")]
    who = [int(word) for word in rest if word.isdecimal()]
    main(int(fd), sandbox, who[0] if who else None, omitted)
