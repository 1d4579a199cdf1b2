"""Confines a submission: namespaces and fresh folders around it, limits and a filter on each of its processes.

A submission goes through them in this order: `leave_namespaces` in a fork of the zygote, `map_user` and `hide_proc` in
the keeper that this forks, `fresh_folders` before each check, and `drop_privileges` in the check's own process.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

from . import seccomp

STUDENT = 1000  # the user's id inside; outside it is the user who runs the sandbox
FOLDERS = ("/tmp", "/dev/shm")  # the only places where a check can write
ROOM = 64 << 20  # bytes in each of them, and in a single file
PROCESSES = 64
SIGNALS = 64  # on their way to processes that have not taken them yet

# CLONE_NEW… of unshare(2)
_MOUNT, _IPC, _USER, _PID, _NET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _DETACH = 1, 2, 4, 8, 2  # flags of mount(2) and umount2(2)
_REMOUNT, _BIND = 32, 4096
_DEVICES = (b"null", b"zero", b"full", b"random", b"urandom", b"tty")
# Options of prctl(2).
_DEATH_SIGNAL, _SET_DUMPABLE, _DROP_BOUNDING, _SUBREAPER, _NO_NEW_PRIVS = 1, 4, 24, 36, 38
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63


def leave_namespaces() -> None:
    """Enter new user, mount, IPC and network namespaces; the next fork is the first process of a new PID namespace.

    That fork has to call `map_user` before all else.
    """
    _call("unshare", _USER | _MOUNT | _PID | _IPC | _NET)


def map_user() -> None:
    """Become `STUDENT` in the new namespaces; outside, that is the user whom `prepare` found."""
    set_dumpable(True)  # else its own maps cannot be written
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{STUDENT} {_user[0]} 1")
    Path("/proc/self/gid_map").write_text(f"{STUDENT} {_user[1]} 1")


def hide_proc() -> None:
    """Hide /proc, and this process's memory from others of the same user; nobody can change files of devices."""
    set_dumpable(False)
    os.chdir("/")
    if _gpu:
        show_own_processes()
        return
    for device in _DEVICES:
        # The machine's own files: all submissions see when one was touched.
        flags = _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_EXEC
        _call("mount", None, b"/dev/" + device, None, flags, None, may_fail=device == b"tty")
    _call("mount", b"none", b"/proc", b"tmpfs", _READ_ONLY, b"size=4k,mode=555")


def show_own_processes() -> None:
    """Mount a /proc of this PID namespace: CUDA names its threads there, and gives up where it cannot."""
    _call("mount", b"proc", b"/proc", b"proc", _NO_SUID | _NO_DEV | _NO_EXEC, None)


def fresh_folders(room: int) -> None:
    """Mount empty folders of at most `room` bytes each, in place of what an earlier check may have written."""
    for folder in map(os.fsencode, FOLDERS):
        _call("umount2", folder, _DETACH, may_fail=True)  # nothing of ours is mounted the first time
        _call("mount", b"none", folder, b"tmpfs", _NO_SUID | _NO_DEV, b"size=%d,nr_inodes=16384,mode=1777" % room)


def drop_privileges() -> None:
    """Give up all capabilities and every way to get any, and install the system call filter."""
    for capability in range(_LAST_CAPABILITY + 1):
        _call("prctl", _DROP_BOUNDING, capability, 0, 0, 0, may_fail=True)  # beyond the kernel's last one
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())
    seccomp.install()


def limit(memory: int, confined: bool) -> None:
    """Cap memory (bytes, on top of what libraries take), files, descriptors, core dumps; processes if `confined`."""
    limits = {
        resource.RLIMIT_DATA: _data + memory,
        resource.RLIMIT_FSIZE: ROOM,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    if confined:  # outside, the user's other processes and mappings would count
        limits |= {resource.RLIMIT_NPROC: PROCESSES, resource.RLIMIT_AS: _mapped + 2 * memory}
        limits[resource.RLIMIT_SIGPENDING] = SIGNALS  # the kernel counts them for all programs of a user together
    if _gpu:  # CUDA reserves addresses for the memory of all GPUs and of the machine; they are no memory yet
        limits.pop(resource.RLIMIT_AS, None)
    for what, value in limits.items():
        resource.setrlimit(what, (value, value))


def drop_root(gpu: bool, user: int | None) -> None:
    """Turn root into `user` for good, where root starts the sandbox; with a GPU, mount a full /proc before.

    bubblewrap covers the parts of /proc that root could write to. As long as they are covered, the kernel lets no
    process below mount a /proc that shows more.
    """
    if user is None:
        return
    if gpu:
        show_own_processes()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def adopt_orphans() -> None:
    """Have processes whose parents have ended become children of this one."""
    _call("prctl", _SUBREAPER, 1, 0, 0, 0)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the kernel kill this process, or send it another signal, when the thread that started it ends."""
    _call("prctl", _DEATH_SIGNAL, number, 0, 0, 0)


def set_dumpable(value: bool) -> None:
    """Set whether others of the same user may read this process's memory and descriptors."""
    _call("prctl", _SET_DUMPABLE, int(value), 0, 0, 0)


def prepare(gpu: bool = False) -> None:
    """Note what memory this process has, while /proc can be read: limits come on top of it. Assemble the filter.

    With `gpu`, all that is done later leaves CUDA what it needs.
    """
    seccomp.prepare(gpu)
    global _mapped, _data, _gpu, _user
    _gpu, _user = gpu, (os.getuid(), os.getgid())
    pages = Path("/proc/self/statm").read_text().split()
    _mapped, _data = int(pages[0]) * resource.getpagesize(), int(pages[5]) * resource.getpagesize()


_mapped = _data = 0
_gpu, _user = False, (0, 0)
_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object, may_fail: bool = False) -> None:
    function = getattr(_libc, name)
    if name == "mount":
        function.argtypes = (*(ctypes.c_char_p,) * 3, ctypes.c_ulong, ctypes.c_char_p)
    if function(*arguments) != 0 and not may_fail:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
