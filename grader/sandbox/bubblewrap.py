"""Starts the worker in a bubblewrap sandbox: read-only views, no network, no environment, fresh folders in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SandboxError
from grader.inside import seccomp
from grader.sandbox import gpus, views
from grader.sandbox.gpus import Gpu

INSIDE = Path(__file__).parents[1] / "inside"
USER = 64986  # root becomes this user in the sandbox: no system gives out the number, and no file belongs to it
ROOM = 64 << 20  # bytes in each folder that can be written to
TEST_SECONDS = 30.0
INSTALL = "install it with your system's package manager: apt-get install bubblewrap, or dnf install bubblewrap"

ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "TORCHDYNAMO_DISABLE": "1",  # torch.compile wants a C++ compiler, and more time than a check has
    # Large tensors reuse memory that was freed before: fresh pages for each would cost more than filling them.
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
}


@dataclass(frozen=True)
class Command:
    """The arguments and environment that start the worker."""

    arguments: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Bubblewrap:
    """bubblewrap around the worker, and namespaces inside it around each submission."""

    program: str
    inside: Path = INSIDE
    name: str = "bwrap"
    confined: bool = True
    says: str = "sandbox: bubblewrap; no network, no view of your files, nothing stays between submissions"
    gpus: tuple[Gpu, ...] = ()
    without: tuple[str, ...] = ()  # what the worker leaves out of its preparations

    def command(self, fd: int) -> Command:
        program = [views.python(), "-P", "/grader_inside/worker.py", str(fd), *self._who(), *left_out(self.without)]
        program += [f"--search={folder}" for folder in views.search_path()[1]]
        return Command([*self.arguments(), *program], {})

    def test(self) -> None:
        """Try the whole sandbox without torch, in some 50 ms. `SandboxError` says what this machine refuses."""
        program = "/grader_inside/selftest.py"
        command = [*self.arguments(), views.python(), "-P", program, *self._who()]
        try:
            run = subprocess.run(command, env={}, capture_output=True, text=True, timeout=TEST_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SandboxError(f"the sandbox does not start ({error})") from None
        if run.returncode != 0 or run.stdout.strip() != "works":
            last = (run.stderr.strip() or run.stdout.strip() or f"exit status {run.returncode}").splitlines()[-1]
            raise SandboxError(f"the sandbox does not work here: {last}")

    def _who(self) -> list[str]:
        word = "gpu" if self.gpus else "confined"
        return [word, str(USER)] if os.getuid() == 0 else [word]

    def arguments(self) -> list[str]:
        arguments = [self.program, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        arguments += [
            "--hostname",
            "student",
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--clearenv",
        ]
        if os.getuid() == 0:  # as root no user namespace, so that the worker can become another user than root
            arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
            arguments += ["--cap-add", "CAP_SYS_ADMIN"] if self.gpus else []  # for one mount: `confine.drop_root`
        else:
            arguments += ["--unshare-user"]
        own = {"HOME": "/tmp", "USER": "student", "TMPDIR": "/tmp"}
        own |= joined(views.environment(), gpus.environment(self.gpus, self.confined))
        for name, value in {**ENVIRONMENT, **own}.items():
            arguments += ["--setenv", name, value]
        arguments += [*_tmpfs("/tmp"), "--proc", "/proc", "--dev", "/dev", *_tmpfs("/dev/shm")]
        arguments += ["--tmpfs", "/dev/pts", "--remount-ro", "/dev/pts"]  # submissions would meet at terminals
        if not self.gpus:  # as in `seccomp`: shared memory made by way of /dev/zero is in nobody's count
            arguments += ["--dev-bind", "/dev/null", "/dev/zero"]
        arguments += [*views.arguments(self.inside), *gpus.arguments(self.gpus), *_fonts()]
        return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/"]


def left_out(names: tuple[str, ...]) -> list[str]:
    """Return the worker's arguments for what it leaves out (see its `main`)."""
    return [f"--without={name}" for name in names]


def joined(*environments: dict[str, str]) -> dict[str, str]:
    """Put variables together; those of one name are lists of folders."""
    found: dict[str, str] = {}
    for environment in environments:
        for name, value in environment.items():
            found[name] = f"{found[name]}:{value}" if name in found else value
    return found


def bubblewrap() -> Bubblewrap:
    """Find bubblewrap and test it. `SandboxError` says what is missing and how to get it."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(f"bubblewrap (the program `bwrap`) is not installed; {INSTALL}")
    if not seccomp.supported():
        raise SandboxError("there is no system call filter for this processor; x86-64 and 64-bit ARM have one")
    found = Bubblewrap(program)
    found.test()
    return found


def _tmpfs(folder: str) -> list[str]:
    return ["--perms", "1777", "--size", str(ROOM), "--tmpfs", folder]


def _fonts() -> list[str]:
    """Show matplotlib's list of fonts: without it each worker would make the list again, which takes a second."""
    arguments = ["--perms", "1777", "--dir", "/tmp/matplotlib", "--setenv", "MPLCONFIGDIR", "/tmp/matplotlib"]
    cache = Path(os.environ.get("MPLCONFIGDIR", ""))
    for file in cache.glob("fontlist-*.json") if cache.is_absolute() else ():
        arguments += ["--ro-bind", str(file), f"/tmp/matplotlib/{file.name}"]
    return arguments
