"""Tries system calls that coursework has no use for, with arguments that do nothing where they are let through.

Each runs in a fork. A call was let through if it does not end in a refusal: an error about its arguments says that the
kernel has looked at them. Numbers are from the kernel's tables, and are written down here apart from those of the
filter, so that a call that the filter forgets is tried all the same.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import signal
from functools import partial
from typing import Any

from .calls import COLUMN, call, in_fork, libc

REFUSALS = ("EPERM", "EACCES", "ENOSYS", "ENOTTY")  # the last one by ioctl(2)
_NO = -1  # no such descriptor or process
_BAD = 1  # an address where nothing is
_ROOM = ctypes.create_string_buffer(4096)
_NEW = {
    **{"user": 0x10000000, "mount": 0x20000, "process": 0x20000000, "network": 0x40000000},
    **{"IPC": 0x8000000, "UTS": 0x4000000, "cgroup": 0x2000000, "time": 0x80},
}
_IN_BOUNDS, _GET_NO_NEW_PRIVILEGES, _GET_SECCOMP = 23, 39, 21  # of prctl(2)
_UNSHARE, _CLONE, _GETPID, _X32 = (272, 97)[COLUMN], (56, 220)[COLUMN], 39, 0x40000000
_CAPGET = (125, 90)[COLUMN]

# name: numbers on x86-64 and 64-bit ARM, arguments
CALLS: dict[str, dict[str, tuple[int, int, tuple[Any, ...]]]] = {
    "mounts": {
        "mount": (165, 40, (b"none", b"/no/such", b"tmpfs", 0, None)),
        "umount2": (166, 39, (b"/no/such", 0)),
        "pivot_root": (155, 41, (b"/no/such", b"/no/such")),
        "chroot": (161, 51, (b"/",)),
        "fsopen": (430, 430, (b"no-such", 0)),
        "fsmount": (432, 432, (_NO, 0, 0)),
        "fspick": (433, 433, (_NO, b"", 0)),
        "fsconfig": (431, 431, (_NO, 0, None, None, 0)),
        "move_mount": (429, 429, (_NO, b"", _NO, b"", 0)),
        "open_tree": (428, 428, (_NO, b"no-such", 0)),
        "mount_setattr": (442, 442, (_NO, b"", 0, None, 0)),
        "open_by_handle_at": (304, 265, (_NO, _ROOM, 0)),
        "name_to_handle_at": (303, 264, (_NO, b"no-such", _ROOM, _ROOM, 0)),
        "quotactl": (179, 60, (0x800002, b"/no/such", 0, _BAD)),
        "fanotify_init": (300, 262, (0, 0)),
    },
    "other processes": {
        "ptrace": (101, 117, (2, 0, None, None)),
        "process_vm_readv": (310, 270, (0, None, 0, None, 0, 0)),
        "process_vm_writev": (311, 271, (0, None, 0, None, 0, 0)),
        "process_madvise": (440, 440, (_NO, None, 0, 0, 0)),
        "pidfd_open": (434, 434, (_NO, 0)),
        "pidfd_getfd": (438, 438, (_NO, 0, 0)),
        "kcmp": (312, 272, (_NO, _NO, 0, 0, 0)),
        "setns": (308, 268, (_NO, 0)),
        "pidfd_send_signal": (424, 424, (_NO, 0, None, 0)),
    },
    "programs and events in the kernel": {
        "bpf": (321, 280, (_NO, None, 0)),
        "perf_event_open": (298, 241, (_BAD, 0, _NO, _NO, 0)),
        "userfaultfd": (323, 282, (1,)),
        "io_uring_setup": (425, 425, (0, _BAD)),
        "io_uring_enter": (426, 426, (_NO, 0, 0, 0, None, 0)),
        "io_uring_register": (427, 427, (_NO, 0, None, 0)),
        "io_setup": (206, 0, (0, None)),
        "vmsplice": (278, 75, (_NO, None, 0, 0)),
        "memfd_secret": (447, 447, (_NO,)),
        "timer_create": (222, 107, (_NO, None, None)),
        "personality": (135, 92, (0xFFFFFFFF,)),
        "seccomp": (317, 277, (2, 0, _BAD)),
        "landlock_create_ruleset": (444, 444, (None, 0, 1)),
    },
    # They say what is in memory, which another one may have put there, or change what others see.
    "memory and files of all": {
        "getrusage": (98, 165, (0, _ROOM)),
        "wait4 with counts": (61, 260, (_NO, None, 1, _ROOM)),
        "waitid with counts": (247, 95, (0, 0, None, 5, _ROOM)),
        "mincore": (27, 232, (_BAD, 0, None)),
        "cachestat": (451, 451, (_NO, None, None, 0)),
        "move_pages": (279, 239, (0, 0, None, None, None, 0)),
        "mbind": (237, 235, (None, 0, 0, None, 0, 0)),
        "openat2": (437, 437, (_NO, b"no-such", None, 0)),
        "fadvise64": (221, 223, (_NO, 0, 0, 0)),
        "orders to a file system (ioctl)": (16, 29, (0, 0x5452, _ROOM)),
        "signals about a file (fcntl)": (72, 25, (0, 10, 0)),
        "cores kept from others (prctl)": (157, 167, (62, 99, 0, 0, None)),
    },
    "keys": {
        "add_key": (248, 217, (_BAD, _BAD, None, 0, 0)),
        "request_key": (249, 218, (_BAD, _BAD, None, 0)),
        "keyctl": (250, 219, (0, -3, 0, 0, 0)),
    },
    "the whole machine": {
        "clock_settime": (227, 112, (99, _BAD)),
        "settimeofday": (164, 170, (None, None)),
        "adjtimex": (159, 171, (_BAD,)),
        "clock_adjtime": (305, 266, (99, _BAD)),
        "sethostname": (170, 161, (_BAD, 1)),
        "setdomainname": (171, 162, (_BAD, 1)),
        "reboot": (169, 142, (0, 0, 0, None)),
        "kexec_load": (246, 104, (0, 9999, None, 0xFF)),
        "kexec_file_load": (320, 294, (_NO, _NO, 0, None, 0xFFFF)),
        "init_module": (175, 105, (_BAD, 0, _BAD)),
        "finit_module": (313, 273, (_NO, _BAD, 0)),
        "delete_module": (176, 106, (_BAD, 0)),
        "swapon": (167, 224, (b"/no/such", 0)),
        "swapoff": (168, 225, (b"/no/such",)),
        "acct": (163, 89, (_BAD,)),
        "syslog": (103, 116, (10, None, 0)),
        "syncfs": (306, 267, (_NO,)),
        "sched_setattr": (314, 274, (0, None, 0)),
        "sched_setscheduler": (144, 119, (0, 0, None)),
        "sched_setaffinity": (203, 122, (0, 0, None)),
        "ioprio_set": (251, 30, (99, 0, 0)),
    },
    "messages between processes": {
        "shmget": (29, 194, (0x67726472, 4096, 0)),
        "semget": (64, 190, (0x67726472, 1, 0)),
        "msgget": (68, 186, (0x67726472, 0)),
        "mq_open": (240, 180, (b"no-such", 0, 0, None)),
        "inotify_init": (253, 26, (0,)),
        "inotify_init1": (294, 26, (0,)),
        "flock": (73, 32, (_NO, 0)),
    },
    # Calls that kernels have got in the last years, and that tell about what lies outside.
    "newer calls": {
        "statmount": (457, 457, (_BAD, None, 0, 0)),
        "listmount": (458, 458, (_BAD, None, 0, 0)),
        "open_tree_attr": (467, 467, (_NO, b"no-such", 0, None, 0)),
    },
}


def let_through(family: str) -> list[str]:
    """Return the calls of a family that the kernel has answered, each with what it answered."""
    found = []
    for name, (*numbers, arguments) in CALLS[family].items():
        end = in_fork(partial(call, numbers[COLUMN], *arguments))
        if end not in REFUSALS:
            found.append(f"{name} ({end})")
    return found


def namespaces() -> list[str]:
    """Return the kinds of new namespaces that can be had, by unshare(2) or clone(2)."""
    found = []
    for name, flag in _NEW.items():
        for way, body in (("unshare", partial(call, _UNSHARE, flag)), ("clone", partial(_clone, flag))):
            if in_fork(body) not in (*REFUSALS, "EINVAL"):
                found.append(f"{name} by {way}")
    return found


def _clone(flag: int) -> int:
    result = call(_CLONE, flag | signal.SIGCHLD, None, None, None, None)
    if result == 0:
        os._exit(0)
    return result


def other_tables() -> list[str]:
    """Return which other numberings of system calls are open, on x86-64: of 32-bit programs, and x32."""
    if platform.machine() != "x86_64":
        return []
    found = []
    if in_fork(partial(call, _X32 | _GETPID)) != "ENOSYS":
        found.append("x32")
    if in_fork(_as_32_bit) == "done":
        found.append("32-bit")
    return found


def _as_32_bit() -> int:
    """Ask for the process's id by `mov eax, 20; int 0x80; ret`."""
    code = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
    code[:8] = bytes.fromhex("b814000000cd80c3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())


def privileges() -> list[str]:
    """Return the privileges that this process has or could get."""
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    call(_CAPGET, header, sets)
    found = ["capabilities"] * any(sets)
    found += ["capabilities of a program"] * any(libc.prctl(_IN_BOUNDS, number, 0, 0, 0) == 1 for number in range(41))
    found += ["new privileges by a program"] * (libc.prctl(_GET_NO_NEW_PRIVILEGES, 0, 0, 0, 0) != 1)
    found += ["another user"] * (in_fork(partial(_become, 0)) == "done")
    return found


def _become(user: int) -> int:
    os.setgroups([])
    os.setuid(user)
    return 0


def is_filtered() -> bool:
    """Tell whether a filter of system calls is in force; a process that asks where there is a strict one is killed."""
    return bool(libc.prctl(_GET_SECCOMP, 0, 0, 0, 0) == 2)
