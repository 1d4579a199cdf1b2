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
import socket
import struct

# Refused with EPERM: name, number on x86-64, number on 64-bit ARM.
_REFUSED = """
acct 163 89                  add_key 248 217              adjtimex 159 171             bpf 321 280
chroot 161 51                clock_adjtime 305 266        clock_settime 227 112        delete_module 176 106
fanotify_init 300 262        finit_module 313 273         fsconfig 431 431             fsmount 432 432
fsopen 430 430               fspick 433 433               init_module 175 105          io_uring_enter 426 426
io_uring_register 427 427    io_uring_setup 425 425       kcmp 312 272                 kexec_file_load 320 294
kexec_load 246 104           keyctl 250 219               memfd_create 319 279         memfd_secret 447 447
mount 165 40                 mount_setattr 442 442        move_mount 429 429           mq_open 240 180
msgctl 71 187                msgget 68 186                msgrcv 70 188                msgsnd 69 189
name_to_handle_at 303 264    nfsservctl 180 42            open_by_handle_at 304 265    open_tree 428 428
perf_event_open 298 241      personality 135 92           pidfd_getfd 438 438          pidfd_open 434 434
pivot_root 155 41            process_madvise 440 440      process_vm_readv 310 270     process_vm_writev 311 271
ptrace 101 117               quotactl 179 60              quotactl_fd 443 443          reboot 169 142
request_key 249 218          sched_setaffinity 203 122    semctl 66 191                semget 64 190
semop 65 193                 semtimedop 220 192           setdomainname 171 162        sethostname 170 161
setns 308 268                settimeofday 164 170         shmat 30 196                 shmctl 31 195
shmget 29 194                swapoff 168 225              swapon 167 224               syslog 103 116
umount2 166 39               unshare 272 97               userfaultfd 323 282          vmsplice 278 75
"""
# NVIDIA's driver makes such files when it starts, from version 570 on, and reports error 304 where it cannot.
_CUDA_NEEDS = ("memfd_create",)
_CLONE, _SOCKET, _PRLIMIT, _CLONE3 = (56, 220), (41, 198), (302, 261), 435
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # x86-64's second numbering of the same calls
# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF operations
_NUMBER, _ARCH, _ARGUMENT_0 = 0, 4, 16  # offsets in struct seccomp_data; the argument's low half
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
    for number in refused(machine, gpu).values():
        code += [(_EQUAL, 0, 1, number), _refuse_by(_ERRNO | errno.EPERM)]
    code += [(_EQUAL, 0, 1, _CLONE3), _refuse_by(_ERRNO | errno.ENOSYS)]  # the C library falls back to clone
    code += _on_argument(_CLONE[column], (_ANY_BIT, 0, 1, _NEW_NAMESPACES), errno.EPERM)
    code += _on_argument(_SOCKET[column], (_EQUAL, 1, 0, int(socket.AF_UNIX)), errno.EAFNOSUPPORT)
    code += _on_argument(_PRLIMIT[column], (_EQUAL, 1, 0, 0), errno.EPERM)  # the limits of others
    return b"".join(struct.pack("HBBI", *line) for line in [*code, _refuse_by(_ALLOW)])


def refused(machine: str, gpu: bool = False) -> dict[str, int]:
    """Return the calls that are refused whatever their arguments are, with their numbers."""
    words, column = _REFUSED.split(), 1 + list(_AUDIT_ARCH).index(machine)
    numbers = {words[i]: int(words[i + column]) for i in range(0, len(words), 3)}
    return {name: number for name, number in numbers.items() if not (gpu and name in _CUDA_NEEDS)}


def _on_argument(number: int, test: tuple[int, int, int, int], error: int) -> list[tuple[int, int, int, int]]:
    """Refuse call `number` where `test` of its first argument goes to the next instruction, else allow it."""
    ends = [_refuse_by(_ERRNO | error), _refuse_by(_ALLOW)]
    return [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _ARGUMENT_0), test, *ends]


def _refuse_by(value: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, value)
