"""Looks for a control group that belongs to us, in which each submission can have one of its own (`cgroup`).

There are two ways. Where systemd rules and we are in somebody's login session, it is asked for a scope that we may
divide (Delegate=), and the sandbox starts in it. Else our own group will do, if nobody else rules it: in a container
that may write to its groups, on a machine without systemd, or where somebody has started us in a delegated unit. We
never leave the limits that hold for us: not those of a cluster's job, a service or a container.

Tried for real on Linux 6.1: as root without systemd, and with systemd 252 in a user's session, in root's and in a
delegated scope. Containers, clusters and older kernels are tried on a model of the kernel (tests/support/cgroups.py).
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from grader.sandbox.cgroups.group import REST, Kernel, NoCgroup, Run
from grader.sandbox.processes import descendants

SECONDS = 10.0  # for systemd to answer
_SESSION = re.compile(r"/user\.slice/(user-(\d+)\.slice)/")
_PROPERTIES = ("--property=Delegate=memory pids", "--property=Description=submissions that are being graded")


@dataclass(frozen=True)
class Host:
    """What is asked of this machine; tests have others."""

    proc: Path = Path("/proc")
    systemd: Path = Path("/run/systemd/system")  # it is there where systemd rules
    user: int = field(default_factory=os.getuid)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    kernel: Kernel = field(default_factory=Kernel)

    def delegated(self, group: Path) -> bool:
        """Tell whether systemd has handed a group over."""
        for name in ("user.delegate", "trusted.delegate"):
            with contextlib.suppress(OSError):
                if os.getxattr(group, name) == b"1":
                    return True
        return False


@dataclass(frozen=True)
class Way:
    """A way to control groups: `prefix` are words before the command that starts a zygote, `says` is for a person."""

    host: Host
    says: str
    home: Path | None = None
    prefix: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def settle(self, pid: int) -> Run:
        """Prepare groups for what the process, which was started with the prefix, starts. `NoCgroup` where it fails."""
        if self.home is not None:
            return Run(self.home, _ours, self.host.kernel)
        scope = group_of(self.host, pid)
        if scope == group_of(self.host):
            raise NoCgroup("systemd has made no scope")
        return Run(scope, lambda: {pid, *descendants(pid)}, self.host.kernel)


def find(host: Host | None = None) -> Way:
    """Find a way, and try it. `NoCgroup` says why there is none."""
    host = host or Host()
    way = look(host)
    _try_out(way)
    return way


def look(host: Host) -> Way:
    """Find a way that should work. `NoCgroup` says why there is none."""
    own = group_of(host)
    if own.name == REST:
        return Way(host, "this machine's control groups", own.parent)
    if not host.systemd.exists() or host.delegated(own):
        return Way(host, "this machine's control groups", own)
    return _scope(host)


def group_of(host: Host, pid: int | str = "self") -> Path:
    """Return the folder of a process's control group. `NoCgroup` where there is no such file system."""
    try:
        groups = (host.proc / str(pid) / "cgroup").read_text()
        mounts = (host.proc / "self" / "mountinfo").read_text()
    except OSError:
        raise NoCgroup("this machine shows no control groups") from None
    path = _path(groups)
    for root, mounted in _mounts(mounts):
        if path is not None and ".." not in path.parts and path.is_relative_to(root):
            return mounted / path.relative_to(root)
    raise NoCgroup("no file system of control groups (cgroup v2) is mounted here that shows our own")


def _path(groups: str) -> Path | None:
    found = re.search(r"^0::(/.*)$", groups, re.MULTILINE)
    return Path(found[1]) if found else None


def _mounts(mounts: str) -> list[tuple[Path, Path]]:
    """Return what each mount of control groups shows, and where (see proc_pid_mountinfo(5))."""
    found = []
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            root, mounted = map(_plain, before.split()[3:5])
            found.append((Path(root), Path(mounted)))
    return found


def _plain(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), word)


def _scope(host: Host) -> Way:
    """Ask systemd for a scope in the login session's own slice, so that the limits of its user still hold."""
    session = _SESSION.match(str(_path((host.proc / "self" / "cgroup").read_text())))
    program = shutil.which("systemd-run", path=host.environ.get("PATH"))
    if session is None or (host.user and int(session[2]) != host.user):
        raise NoCgroup("systemd rules here, and this is no login session, whose user it would give one")
    if program is None:
        raise NoCgroup("systemd rules here, but there is no program systemd-run")
    words = [program, "--scope", "--quiet", "--collect", *_PROPERTIES]
    words += ["--user"] if host.user else [f"--slice={session[1]}"]
    needs = {"XDG_RUNTIME_DIR": host.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{host.user}"}
    bus = {name: host.environ[name] for name in ("DBUS_SESSION_BUS_ADDRESS",) if name in host.environ}
    # systemd-run becomes the command, whose environment anybody below it might read: so it gets none.
    return Way(host, "systemd", None, (*words, "--", "/usr/bin/env", "-i"), {**needs, **bus})


def _try_out(way: Way) -> None:
    """Put a process into a group as a submission would be."""
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    try:
        with subprocess.Popen(
            [*way.prefix, "/bin/cat"], env=dict(way.environment), stdin=pipe, stdout=pipe, stderr=null
        ) as process:
            try:
                _answers(process)
                with contextlib.closing(way.settle(process.pid)) as run:
                    run.group(process.pid, 1 << 28)
            finally:
                process.kill()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCgroup(f"{way.says} gives none ({error})") from None


def _answers(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process is past its prefix, and repeats what it is told."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"?")
    process.stdin.flush()
    if not select.select([process.stdout], [], [], SECONDS)[0] or not os.read(process.stdout.fileno(), 1):
        raise NoCgroup("systemd gives none to this user")


def _ours() -> Collection[int]:
    """Return this process, those that started it with the same Python, and all that they have started."""
    top, program = os.getpid(), os.path.realpath("/proc/self/exe")
    while (parent := _parent(top)) and os.path.realpath(f"/proc/{parent}/exe") == program:
        top = parent
    return {top, *descendants(top)}


def _parent(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).ppid())
    return 0
