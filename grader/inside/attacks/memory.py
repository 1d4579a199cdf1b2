"""Tries to hold more memory than is allowed, each time by another way; returns how many MiB it held at once."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

from .calls import COLUMN, call

MIB = 1 << 20
_LOOKS = 0.6  # seconds that it is held: the judge looks at memory five times a second
_GROWS_DOWN, _DEV_ZERO = 0x100, "/dev/zero"
_MEMFD, _SHMGET, _SHMAT, _SHMCTL = (319, 279)[COLUMN], (29, 194)[COLUMN], (30, 196)[COLUMN], (31, 195)[COLUMN]
_REMOVE = 0  # of shmctl(2)


def private(mib: int) -> int:
    """Hold memory of its own."""
    return _hold(mib, lambda: bytearray(b"x") * MIB)


def stack(mib: int) -> int:
    """Hold memory that the kernel counts as stack."""
    return _hold(mib, lambda: _mapping(-1, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _GROWS_DOWN))


def shared(mib: int) -> int:
    """Hold memory that forks would share."""
    return _hold(mib, lambda: _mapping(-1, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))


def zeros(mib: int) -> int:
    """Hold shared memory by way of a device file."""
    return _hold(mib, lambda: _mapping(os.open(_DEV_ZERO, os.O_RDWR), mmap.MAP_SHARED))


def _mapping(fd: int, flags: int) -> mmap.mmap:
    mapping = mmap.mmap(fd, MIB, flags=flags)
    for page in range(0, MIB, mmap.PAGESIZE):
        mapping[page] = 1
    return mapping


def memory_file(mib: int) -> int:
    """Hold a file in memory that no process maps."""
    fd = call(_MEMFD, b"attack", 0)
    return 0 if fd < 0 else _hold(mib, lambda: _write(fd))


def system_v(mib: int) -> int:
    """Hold a segment of System V, and remove it."""
    segment = call(_SHMGET, 0, mib * MIB, 0o1600)
    if segment < 0:
        return 0
    address = call(_SHMAT, segment, None, 0)
    call(_SHMCTL, segment, _REMOVE, None)
    if address < 0:
        return 0
    ctypes.memset(address, 1, mib * MIB)
    time.sleep(_LOOKS)
    return mib


def folder(path: str, mib: int) -> int:
    """Fill a folder with files, and remove them."""
    names = [os.path.join(path, f"attack-{os.getpid()}-{number}") for number in range(-(-mib // 16))]
    written = 0
    try:
        for name in names:
            with open(name, "wb", buffering=0) as file:
                for _ in range(16):
                    written += file.write(bytes(MIB))
    except OSError:
        pass
    finally:
        _remove(names)
    return written // MIB


def large_file(mib: int) -> int:
    """Make one file longer and longer, without filling it."""
    length = 0
    with open("large", "wb") as file, contextlib.suppress(OSError):
        for length in range(0, mib + 1, 16):
            file.truncate(length * MIB)
    size = os.path.getsize("large") // MIB
    os.unlink("large")
    return size


def names(path: str, most: int) -> int:
    """Create empty files until that is refused; return how many there were."""
    made: list[str] = []
    try:
        for number in range(most):
            name = os.path.join(path, f"attack-{os.getpid()}-{number}")
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT))
            made.append(name)
    except OSError:
        pass
    finally:
        _remove(made)
    return len(made)


def processes(count: int, mib: int) -> str:
    """Hold memory in several processes, each of which holds less than one may."""
    for _ in range(count):
        if os.fork() == 0:
            kept = bytearray(b"x") * (mib * MIB)
            time.sleep(5)
            os._exit(len(kept) == 0)
    time.sleep(1)
    return "held"


def descriptors(most: int) -> int:
    """Open descriptors until that is refused."""
    return sum(1 for _ in _until_refused(most, lambda: os.open(os.devnull, os.O_RDONLY)))


def enlarged_buffers() -> list[str]:
    """Make buffers of a socket and a pipe larger than usual; return which became so."""
    found = []
    for option, name in ((socket.SO_SNDBUF, "a socket's to send"), (socket.SO_RCVBUF, "a socket's to receive")):
        with contextlib.suppress(OSError):
            pair = socket.socketpair()
            before = pair[0].getsockopt(socket.SOL_SOCKET, option)
            pair[0].setsockopt(socket.SOL_SOCKET, option, 4 * before)
            found += [name] * (pair[0].getsockopt(socket.SOL_SOCKET, option) > before)
    import fcntl

    with contextlib.suppress(OSError):
        found += ["a pipe's"] * (fcntl.fcntl(os.pipe()[1], fcntl.F_SETPIPE_SZ, 1 << 18) > 1 << 16)
    return found


def buffers(count: int, mib: int) -> int:
    """Fill the buffers of sockets in several processes; return how many MiB they took in all."""
    read, write = os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            os.write(write, _fill(mib * MIB).to_bytes(8, "little"))
            time.sleep(2)
            os._exit(0)
    total = sum(int.from_bytes(os.read(read, 8), "little") for _ in range(count))
    time.sleep(_LOOKS)
    return total // MIB


def _fill(most: int) -> int:
    held, kept = 0, []
    with contextlib.suppress(OSError):
        while held < most:
            pair = socket.socketpair()
            kept.append(pair)
            for end in pair:
                end.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while held < most:
                        held += end.send(bytes(1 << 14))
    _KEPT.append(kept)
    return held


def _write(fd: int) -> int:
    return os.write(fd, bytes(MIB))


def _hold(mib: int, one: Any) -> int:
    """Hold that many pieces of a MiB, as far as it goes, until the judge has looked."""
    kept = list(_until_refused(mib, one))
    time.sleep(_LOOKS)
    return len(kept)


def _until_refused(most: int, one: Any) -> Iterator[Any]:
    with contextlib.suppress(OSError, MemoryError):
        for _ in range(most):
            yield one()


def _remove(names: list[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(name)


_KEPT: list[Any] = []
