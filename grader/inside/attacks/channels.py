"""Tries to tell another submission one bit: `leave` leaves it, and `find` looks for it in the other one.

`find` returns 0 where it finds nothing. `prepare` runs before, where the bit is to be found; what it returns is given
to `find`, which may run in yet another process.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import select
import signal
import socket
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from .calls import COLUMN, attempt, call

# A file that all submissions see, in a folder that others hardly ever read.
SHARED = os.path.join(os.path.dirname(os.__file__), "wsgiref", "handlers.py")
STAYS = 10.0  # seconds: what nobody ends ends then by itself
_MSGGET, _MSGSND, _SHMGET, _SEMGET = (68, 186)[COLUMN], (69, 189)[COLUMN], (29, 194)[COLUMN], (64, 190)[COLUMN]
_MQ_OPEN, _ADD_KEY, _REQUEST_KEY, _USER_KEYS = (240, 180)[COLUMN], (248, 217)[COLUMN], (249, 218)[COLUMN], -4
_MQ_UNLINK, _KEYCTL, _UNLINK_KEY = (241, 181)[COLUMN], (250, 219)[COLUMN], 9
_INOTIFY, _WATCH, _OPENED = (294, 26)[COLUMN], (254, 27)[COLUMN], 0x20
_OLD_INOTIFY = (253, 26)[COLUMN]  # 64-bit ARM has the newer call alone
_OPENAT2, _HERE, _IF_KNOWN = 437, -100, struct.pack("QQQ", os.O_RDONLY, 0, 0x20)  # RESOLVE_CACHED
_GET_HINT, _SET_HINT, _SHORT = 1035, 1036, 2  # F_GET_RW_HINT, F_SET_RW_HINT and RWH_WRITE_LIFE_SHORT
_QUEUE_SIGNAL, _BY_QUEUE = (129, 138)[COLUMN], -1
_FUTEX, _WAIT, _WAKE = (202, 98)[COLUMN], 0, 1
_LOCK = struct.Struct("hhqqi4x")  # struct flock
_kept: list[Any] = []  # what must stay open


class _Names:
    """Names of what is left, other ones for each attack, so that none finds what an earlier one has left."""

    def __init__(self, name: str) -> None:
        self.key = zlib.crc32(name.encode()) & 0x7FFFFFFF or 1
        tmp = tempfile.gettempdir()  # without a sandbox that of the run
        self.tmp, self.shm, self.socket = f"{tmp}/{name}", f"/dev/shm/{name}", f"{tmp}/{name}.socket"
        self.abstract, self.word = f"\0{name}", name.encode()


names = _Names("")


class Channel(NamedTuple):
    """One way to tell a bit: what the sender does for a 1, and what tells the receiver."""

    leave: Callable[[], object]
    find: Callable[[int], bool]
    prepare: Callable[[], int] = lambda: 0


def prepare(kind: str, name: str) -> int:
    """Prepare to find the bit under this name; return what `find` has to know."""
    _set(name)
    with contextlib.suppress(OSError):
        return CHANNELS[kind].prepare()
    return 0


def leave(kind: str, name: str, bit: int) -> str:
    """Leave the bit; return what was refused."""
    _set(name)
    return attempt(CHANNELS[kind].leave) if bit else ""


def find(kind: str, name: str, before: int) -> int:
    """Return the bit that seems to have been left."""
    _set(name)
    with contextlib.suppress(OSError):
        return int(CHANNELS[kind].find(before))
    return 0


def _set(name: str) -> None:
    global names
    names = _Names(name)


def _open() -> int:
    _kept.append(os.open(SHARED, os.O_RDONLY))
    return int(_kept[-1])


def _refused(body: Callable[[], object], *errors: int) -> bool:
    """Tell whether it is refused for one of these reasons, which say that another one has it."""
    try:
        body()
    except OSError as error:
        return error.errno in errors
    return False


def _refused_to_open_file(body: Callable[[int], object], error: int) -> bool:
    """Tell whether another one's use of the shared file is in the way; nothing of this one's stays."""
    fd = os.open(SHARED, os.O_RDONLY)
    try:
        return _refused(lambda: body(fd), error)
    finally:
        os.close(fd)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def _write(path: str) -> None:
    with open(path, "w") as file:
        file.write("1")


def _lock_record(command: int, kind: int) -> int:
    """Ask for a record lock, or who has one that is in the way of it; return the kind that is there."""
    result = fcntl.fcntl(_open(), command, _LOCK.pack(kind, os.SEEK_SET, 0, 1, 0))
    return int(_LOCK.unpack(result)[0])


def _listen(address: str) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    _kept.append(server)


def _connect(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
    return True


def _flag_standard_streams() -> None:
    for fd in (0, 1, 2):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK | os.O_APPEND)


def _clear_flags() -> int:
    for fd in (0, 1, 2):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) & ~(os.O_NONBLOCK | os.O_APPEND))
    return 0


def _streams_flagged(_: int) -> bool:
    return any(fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_NONBLOCK | os.O_APPEND) for fd in (0, 1, 2))


def _terminal() -> None:
    _kept.append(os.openpty())


def _terminals(_: int) -> bool:
    """Open a terminal: its number tells how many there are."""
    return any(name.isdigit() for name in os.listdir("/dev/pts"))


def _watch() -> int:
    queue = _checked(call(_INOTIFY, os.O_NONBLOCK))
    _kept.append(queue)
    _checked(call(_WATCH, queue, SHARED.encode(), _OPENED))
    return queue


def _watched(queue: int) -> bool:
    return queue > 0 and bool(select.select([queue], [], [], 0.2)[0])


def _notice() -> int:
    """Have the kernel signal what happens in a folder."""
    signal.signal(signal.SIGIO, lambda *_: _kept.append("noticed"))
    return fcntl.fcntl(os.open(os.path.dirname(SHARED), os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)


def _noticed(_: int) -> bool:
    time.sleep(0.1)
    return "noticed" in _kept


def _read_shared() -> None:
    with open(SHARED, "rb") as file:
        file.read()


def _in_memory() -> int:
    """Have the shared file in memory; whoever reads on without waiting is told where it no longer is."""
    _read_shared()
    return 0


def _put_out_of_memory() -> None:
    os.posix_fadvise(_open(), 0, 0, os.POSIX_FADV_DONTNEED)


def _out_of_memory(_: int) -> bool:
    return _refused(lambda: os.preadv(_open(), [bytearray(8)], 0, os.RWF_NOWAIT), errno.EAGAIN)


def _own_name() -> str:
    """Return a name in a shared folder that no file has, and that nobody else asks for."""
    return os.path.join(os.path.dirname(SHARED), names.word.decode())


def _look_up() -> None:
    with contextlib.suppress(FileNotFoundError):
        os.stat(_own_name())


def _was_looked_up(_: int) -> bool:
    """Open a file only if the kernel need not ask the file system for it: it knows what is not there as well."""
    return call(_OPENAT2, _HERE, _own_name().encode(), _IF_KNOWN, len(_IF_KNOWN)) == -errno.ENOENT


def _hint(value: int) -> int:
    return fcntl.fcntl(_open(), _SET_HINT, struct.pack("Q", value))[0]


def _hinted(_: int) -> bool:
    """Tell whether a file has a hint, and take it away."""
    found = fcntl.fcntl(_open(), _GET_HINT, bytes(8))[0] == _SHORT
    with contextlib.suppress(OSError):
        _hint(0)
    return found


def _signals() -> None:
    """Send this process signals that it does not take, until there are too many."""
    end = time.monotonic() + 1
    while _signal() >= 0 and time.monotonic() < end:
        pass


def _signal() -> int:
    """Send this process a signal with a value, which has to be kept: others are merely lost."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
    return call(_QUEUE_SIGNAL, os.getpid(), signal.SIGRTMIN, struct.pack("iii116x", signal.SIGRTMIN, 0, _BY_QUEUE))


def _queues() -> None:
    """Make queues for notices, until there are too many."""
    while call(_OLD_INOTIFY, 0) >= 0:
        pass


def _time_of(path: str, name: str) -> Callable[[], int]:
    return lambda: int(getattr(os.stat(path), name))


def _changed(now: Callable[[], int]) -> Callable[[int], bool]:
    return lambda before: before != now()


def _touch_devices() -> None:
    for name in ("null", "full", "zero"):
        os.utime(f"/dev/{name}")


def _devices() -> int:
    return max(os.stat(f"/dev/{name}").st_mtime_ns for name in ("null", "full", "zero"))


def _message() -> None:
    queue = _checked(call(_MSGGET, names.key, 0o1666))
    _checked(call(_MSGSND, queue, struct.pack("q", 1) + b"1", 1, 0))


def _add_key() -> None:
    _checked(call(_ADD_KEY, b"user", names.word, b"1", 1, _USER_KEYS))


def _address() -> int:
    """Return where a page of the shared file is mapped."""
    mapping = mmap.mmap(_open(), mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ)
    _kept.append(mapping)
    import numpy as np

    return int(np.frombuffer(mapping, np.uint8).ctypes.data)


def _wait_at_page() -> None:
    address = _address()
    value = ctypes.c_uint32.from_address(address).value
    if os.fork() == 0:
        span = struct.pack("qq", int(STAYS), 0)
        call(_FUTEX, address, _WAIT, value, span, None, 0)
        os._exit(0)
    time.sleep(0.1)


def _wake_at_page(_: int) -> bool:
    return call(_FUTEX, _address(), _WAKE, 1, None, None, 0) > 0


def _send_descriptors() -> None:
    """Send descriptors that nobody takes, until the kernel counts too many."""
    for _ in range(16):
        pair = socket.socketpair()
        _kept.append(pair)
        pair[0].setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(400):
                socket.send_fds(pair[0], [b"x"], [0])


def _cannot_send(_: int) -> bool:
    one, other = socket.socketpair()
    _kept.append(other)
    return _refused(lambda: socket.send_fds(one, [b"x"], [0]), errno.ETOOMANYREFS)


def _fork_children(count: int, body: Callable[[], object]) -> None:
    for _ in range(count):
        if os.fork() == 0:
            body()
            time.sleep(STAYS)
            os._exit(0)


def _many_pipes() -> None:
    _fork_children(12, _pipes)
    time.sleep(0.3)


def _pipes() -> None:
    with contextlib.suppress(OSError):
        while True:
            _kept.append(os.pipe())


def _small_pipe(_: int) -> bool:
    read, _ = pipe = os.pipe()
    _kept.append(pipe)
    return fcntl.fcntl(read, fcntl.F_GETPIPE_SZ) < 1 << 16


def _many_threads() -> None:
    """Start as many threads as one may have; to the kernel they are processes."""
    with contextlib.suppress(RuntimeError):
        _start_threads(80)


def _too_many_threads(_: int) -> bool:
    try:
        _start_threads(20)
    except RuntimeError:
        return True
    return False


def _start_threads(count: int) -> None:
    threading.stack_size(1 << 16)  # so that memory is not what stops them
    for _ in range(count):
        threading.Thread(target=time.sleep, args=(STAYS,), daemon=True).start()


def _processes_of_machine() -> int:
    """Return how many processes sysinfo(2) tells; on 64-bit machines they stand after ten words."""
    room = ctypes.create_string_buffer(256)
    _checked(call((99, 179)[COLUMN], room))
    return int(struct.unpack_from("H", room, 80)[0])


CHANNELS = {
    "a file in /tmp": Channel(lambda: _write(names.tmp), lambda _: os.path.exists(names.tmp)),
    "a file in /dev/shm": Channel(lambda: _write(names.shm), lambda _: os.path.exists(names.shm)),
    "a socket in /tmp": Channel(lambda: _listen(names.socket), lambda _: _connect(names.socket)),
    "an abstract socket": Channel(lambda: _listen(names.abstract), lambda _: _connect(names.abstract)),
    "a lock of a file (flock)": Channel(
        lambda: fcntl.flock(_open(), fcntl.LOCK_EX | fcntl.LOCK_NB),
        lambda _: _refused_to_open_file(lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), errno.EWOULDBLOCK),
    ),
    "a record lock (POSIX)": Channel(
        lambda: _lock_record(fcntl.F_SETLK, fcntl.F_RDLCK),
        lambda _: _lock_record(fcntl.F_GETLK, fcntl.F_WRLCK) != fcntl.F_UNLCK,
    ),
    "a record lock of an open file": Channel(
        lambda: _lock_record(37, fcntl.F_RDLCK), lambda _: _lock_record(36, fcntl.F_WRLCK) != fcntl.F_UNLCK
    ),
    "a lease of a file": Channel(
        _open,
        lambda _: _refused_to_open_file(lambda fd: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK), errno.EAGAIN),
    ),
    "inotify": Channel(_read_shared, _watched, _watch),
    "notices of a folder": Channel(_read_shared, _noticed, _notice),
    "terminals": Channel(_terminal, _terminals),
    "flags of standard streams": Channel(_flag_standard_streams, _streams_flagged, _clear_flags),
    "messages of System V": Channel(_message, lambda _: call(_MSGGET, names.key, 0) >= 0),
    "memory of System V": Channel(
        lambda: _checked(call(_SHMGET, names.key, 4096, 0o1666)), lambda _: call(_SHMGET, names.key, 4096, 0) >= 0
    ),
    "semaphores of System V": Channel(
        lambda: _checked(call(_SEMGET, names.key, 1, 0o1666)), lambda _: call(_SEMGET, names.key, 1, 0) >= 0
    ),
    "message queues of POSIX": Channel(
        lambda: _checked(call(_MQ_OPEN, names.word, os.O_RDWR | os.O_CREAT, 0o666, None)),
        lambda _: call(_MQ_OPEN, names.word, os.O_RDONLY, 0, None) >= 0,
    ),
    "keyrings": Channel(_add_key, lambda _: call(_REQUEST_KEY, b"user", names.word, None, 0) >= 0),
    "pages of a file in memory": Channel(_put_out_of_memory, _out_of_memory, _in_memory),
    "names that the kernel knows": Channel(_look_up, _was_looked_up),
    "hints for a file": Channel(lambda: _hint(_SHORT), _hinted),
    "signals on their way": Channel(_signals, lambda _: _signal() == -errno.EAGAIN),
    "queues for notices": Channel(_queues, lambda _: call(_OLD_INOTIFY, 0) == -errno.EMFILE),
    "times of a file": Channel(
        _read_shared, _changed(_time_of(SHARED, "st_atime_ns")), _time_of(SHARED, "st_atime_ns")
    ),
    "times of device files": Channel(_touch_devices, _changed(_devices), _devices),
    "how many processes one may have": Channel(_many_threads, _too_many_threads),
    "waiting at a page of a file (futex)": Channel(_wait_at_page, _wake_at_page),
    "descriptors on their way": Channel(_send_descriptors, _cannot_send),
    "the size of new pipes": Channel(_many_pipes, _small_pipe),
    "the machine's count of processes": Channel(
        _many_threads, lambda before: _processes_of_machine() > before + 30, _processes_of_machine
    ),
}


def tidy(name: str) -> None:
    """Remove what would outlive this process where there is no sandbox."""
    _set(name)
    for path in (names.tmp, names.shm, names.socket):
        with contextlib.suppress(OSError):
            os.unlink(path)
    for get, remove, words in (
        (_MSGGET, (71, 187)[COLUMN], ()),
        (_SHMGET, (31, 195)[COLUMN], (4096,)),
        (_SEMGET, (66, 191)[COLUMN], (0,)),
    ):
        found = call(get, names.key, *words, 0)
        if found >= 0:
            call(remove, found, *((0,) if get == _SEMGET else ()), 0, None)
    call(_MQ_UNLINK, names.word)
    key = call(_REQUEST_KEY, b"user", names.word, None, 0)
    if key > 0:
        call(_KEYCTL, _UNLINK_KEY, key, _USER_KEYS, 0, 0)
