"""Assembles a system call filter for processes that run a student's code, for x86-64 and 64-bit ARM.

Namespaces and limits do most of the work; this takes away what could undo them (new namespaces, mounts, tracing) and
kernel interfaces that no coursework needs and that have had holes or escape the limits on memory. Numbers are from the
kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h).
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import signal
import socket
import struct
from collections.abc import Sequence

# Refused with EPERM: name, number on x86-64, number on 64-bit ARM, where `-` is no such call.
_REFUSED = """
acct 163 89                  add_key 248 217              adjtimex 159 171             bpf 321 280
cachestat 451 451            chroot 161 51                clock_adjtime 305 266        clock_settime 227 112
delete_module 176 106        fadvise64 221 223            fanotify_init 300 262        fanotify_mark 301 263
finit_module 313 273         flock 73 32                  fsconfig 431 431             fsmount 432 432
fsopen 430 430               fspick 433 433               getrusage 98 165             init_module 175 105
inotify_add_watch 254 27     inotify_init 253 -           inotify_init1 294 26         io_setup 206 0
io_uring_enter 426 426       io_uring_register 427 427    io_uring_setup 425 425       ioperm 173 -
iopl 172 -                   ioprio_set 251 30            kcmp 312 272                 kexec_file_load 320 294
kexec_load 246 104           keyctl 250 219               landlock_add_rule 445 445    landlock_create_ruleset 444 444
landlock_restrict_self 446 446                            lookup_dcookie 212 18        mbind 237 235
memfd_create 319 279         memfd_secret 447 447         migrate_pages 256 238        mincore 27 232
modify_ldt 154 -             mount 165 40                 mount_setattr 442 442        move_mount 429 429
move_pages 279 239           mq_open 240 180              msgctl 71 187                msgget 68 186
msgrcv 70 188                msgsnd 69 189                name_to_handle_at 303 264    nfsservctl 180 42
open_by_handle_at 304 265    open_tree 428 428            openat2 437 437              perf_event_open 298 241
personality 135 92           pidfd_getfd 438 438          pidfd_open 434 434           pidfd_send_signal 424 424
pivot_root 155 41            preadv2 327 286              process_madvise 440 440      process_mrelease 448 448
process_vm_readv 310 270     process_vm_writev 311 271    ptrace 101 117               pwritev2 328 287
quotactl 179 60              quotactl_fd 443 443          readahead 187 213            reboot 169 142
remap_file_pages 216 234     request_key 249 218          sched_setaffinity 203 122    sched_setattr 314 274
sched_setparam 142 118       sched_setscheduler 144 119   seccomp 317 277              semctl 66 191
semget 64 190                semop 65 193                 semtimedop 220 192           setdomainname 171 162
sethostname 170 161          setns 308 268                settimeofday 164 170         shmat 30 196
shmctl 31 195                shmget 29 194                swapoff 168 225              swapon 167 224
sync 162 81                  syncfs 306 267               syslog 103 116               timer_create 222 107
umount2 166 39               unshare 272 97               uselib 134 -                 userfaultfd 323 282
vhangup 153 58               vmsplice 278 75
"""
# NVIDIA's driver makes files in memory when it starts, from version 570 on, and reports error 304 where it cannot; its
# libraries lock their caches. What counts pages may be asked for as well; a submission with a card has no other beside.
_CUDA_NEEDS = ("flock", "memfd_create", "getrusage", "mbind", "migrate_pages", "move_pages")
_CLONE, _SOCKET, _SOCKETPAIR, _PRLIMIT, _CLONE3 = (56, 220), (41, 198), (53, 199), (302, 261), 435
_FCNTL, _MMAP, _SETSOCKOPT, _SIGACTION = (72, 25), (9, 222), (54, 208), (13, 134)
_IOCTL, _PRCTL, _WAIT4, _WAITID = (16, 29), (157, 167), (61, 260), (247, 95)
# Submissions share the files that they can read, so locks, leases, hints and signals on those would let them talk. What
# is left is about a descriptor alone: F_DUPFD to F_SETFL, F_GETOWN, F_GETSIG, F_GETOWN_EX, F_GETLEASE,
# F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS and F_GET_RW_HINT.
_F_OWN = (0, 1, 2, 3, 4, 9, 11, 16, 1025, 1030, 1032, 1034, 1035)
# So it is with file systems, which take orders by ioctl(2): TCGETS, TIOCGPGRP and TIOCGWINSZ, by which programs ask
# whether this is a terminal, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, and FICLONE, by which Python copies.
_IOCTL_OWN = (0x5401, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x40049409)
_PR_SCHED_CORE = 62  # keeps other programs off the cores beside one's own
_F_SETPIPE_SZ = 1031  # larger buffers are the kernel's memory, which no limit counts
_BUFFER_SIZES = (7, 8)  # SO_SNDBUF and SO_RCVBUF of setsockopt(2), for the same reason
_MAP_SHARED, _MAP_ANONYMOUS = 0x1, 0x20
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NEWEST = 453  # calls beyond it came after Linux 6.6, and no C library needs them
_X32 = 0x40000000  # x86-64's second numbering of the same calls
# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF operations
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; of an argument the low half
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2  # of prctl(2)

_code = b""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def supported() -> bool:
    """Tell whether there is a filter for this machine's architecture."""
    return platform.machine() in _AUDIT_ARCH


def prepare(gpu: bool = False) -> None:
    """Assemble the filter for `install`, where that cannot be done later; `gpu` leaves CUDA the calls that it needs."""
    global _code
    _code = assemble(platform.machine(), gpu)


def install() -> None:
    """Filter this process and all that it starts, for good, once `prepare` was called. OSError if that is refused."""
    program = _Program(len(_code) // 8, _code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the system call filter was refused")


@functools.cache
def assemble(machine: str, gpu: bool = False) -> bytes:
    """Assemble the filter for `machine` as BPF code, eight bytes an instruction."""
    column = list(_AUDIT_ARCH).index(machine)
    code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, _AUDIT_ARCH[machine]), _refuse_by(_KILL), (_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32), _refuse_by(_ERRNO | errno.ENOSYS)]
    code += [(_AT_LEAST, 0, 1, _NEWEST + 1), _refuse_by(_ERRNO | errno.ENOSYS)]  # nobody has looked at them yet
    for number in refused(machine, gpu).values():
        code += [(_EQUAL, 0, 1, number), _refuse_by(_ERRNO | errno.EPERM)]
    code += [(_EQUAL, 0, 1, _CLONE3), _refuse_by(_ERRNO | errno.ENOSYS)]  # the C library falls back to clone
    code += _on_argument(_CLONE[column], 0, [(_ANY_BIT, 0, 1, _NEW_NAMESPACES)], errno.EPERM)
    code += _on_argument(_SOCKET[column], 0, _UNLESS_UNIX, errno.EAFNOSUPPORT)
    code += _on_argument(_SOCKETPAIR[column], 0, _UNLESS_UNIX, errno.EAFNOSUPPORT)
    code += _on_argument(_PRLIMIT[column], 0, [(_EQUAL, 1, 0, 0)], errno.EPERM)  # the limits of others
    code += _on_argument(_SETSOCKOPT[column], 2, _one_of(_BUFFER_SIZES), errno.EPERM)
    # What a child has computed would be in no count if its parent ignored how it ends. This seems to work, and changes
    # nothing: a `DataLoader` sets a handler to hear sooner that a worker has died, and looks by itself as well.
    code += _on_argument(_SIGACTION[column], 0, [(_EQUAL, 0, 1, int(signal.SIGCHLD))], 0)
    code += _on_argument(_PRCTL[column], 0, _one_of((_PR_SCHED_CORE,)), errno.EPERM)
    commands = _one_of((_F_SETPIPE_SZ,)) if gpu else _none_of(_F_OWN)
    code += _on_argument(_FCNTL[column], 1, commands, errno.EPERM)
    if not gpu:  # NVIDIA's libraries share; a submission with a card has the sandbox for itself
        code += _on_argument(_IOCTL[column], 1, _none_of(_IOCTL_OWN), errno.ENOTTY)
        # Its counts of page faults say which pages of shared files were in memory, as those of getrusage do.
        code += _on_pointer(_WAIT4[column], 3, errno.EPERM) + _on_pointer(_WAITID[column], 4, errno.EPERM)
        # Such memory outlives its mapping's pages in this process, and is in no count of its own memory.
        code += _on_argument(
            _MMAP[column], 3, [(_ANY_BIT, 0, 2, _MAP_SHARED), (_ANY_BIT, 0, 1, _MAP_ANONYMOUS)], errno.ENOMEM
        )
    return b"".join(struct.pack("HBBI", *line) for line in [*code, _refuse_by(_ALLOW)])


def refused(machine: str, gpu: bool = False) -> dict[str, int]:
    """Return the calls that are refused whatever their arguments are, with their numbers."""
    words, column = _REFUSED.split(), 1 + list(_AUDIT_ARCH).index(machine)
    numbers = {words[i]: int(words[i + column]) for i in range(0, len(words), 3) if words[i + column] != "-"}
    return {name: number for name, number in numbers.items() if not (gpu and name in _CUDA_NEEDS)}


def _on_argument(
    number: int, index: int, tests: list[tuple[int, int, int, int]], error: int
) -> list[tuple[int, int, int, int]]:
    """Refuse call `number` where `tests` of its argument `index` end at the instruction after them, else allow it.

    The last test must skip one instruction to allow the call.
    """
    body = [(_LOAD, 0, 0, _ARGUMENTS + 8 * index), *tests, _refuse_by(_ERRNO | error), _refuse_by(_ALLOW)]
    return [(_EQUAL, 0, len(body), number), *body]


def _on_pointer(number: int, index: int, error: int) -> list[tuple[int, int, int, int]]:
    """Refuse call `number` where its argument `index` is not null, in either half."""
    at = _ARGUMENTS + 8 * index
    body = [(_LOAD, 0, 0, at), (_EQUAL, 0, 2, 0), (_LOAD, 0, 0, at + 4), (_EQUAL, 1, 0, 0)]
    body += [_refuse_by(_ERRNO | error), _refuse_by(_ALLOW)]
    return [(_EQUAL, 0, len(body), number), *body]


def _none_of(values: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Test whether the argument is none of `values`."""
    return [(_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]


def _one_of(values: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Test whether the argument is one of `values`."""
    last = len(values) - 1
    return [(_EQUAL, last - at, int(at == last), value) for at, value in enumerate(values)]


def _refuse_by(value: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, value)


_UNLESS_UNIX = [(_EQUAL, 1, 0, int(socket.AF_UNIX))]
