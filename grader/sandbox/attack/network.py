"""Attacks the promise that there is no network: each attack tries to reach a listener outside, or another way out."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterator
from functools import partial

from grader.sandbox.attack.findings import Attack, CannotTry, Group, Seen, nothing
from grader.sandbox.attack.ground import Ground

_WAIT = 0.2  # seconds in which a connection that was made is seen


def _tcp(host: Callable[[], str], ground: Ground) -> Seen:
    with _bound(host(), socket.SOCK_STREAM) as listener:
        listener.listen()
        return _arrived(listener, ground.act("network", "tcp", *listener.getsockname()[:2]))


def _udp(host: Callable[[], str], ground: Ground) -> Seen:
    with _bound(host(), socket.SOCK_DGRAM) as receiver:
        return _arrived(receiver, ground.act("network", "udp", *receiver.getsockname()[:2]))


def _path(ground: Ground) -> Seen:
    return _local(ground, str(ground.folder / "listener"))


def _abstract(ground: Ground) -> Seen:
    return _local(ground, f"\0{ground.token}")


def _local(ground: Ground, address: str) -> Seen:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        return _arrived(listener, ground.act("network", "unix", address))


def _arrived(listener: socket.socket, why: str) -> Seen:
    """Judge by what came to the listener; the attack's own words only explain it."""
    listener.settimeout(_WAIT)
    try:
        listener.accept()[0].close() if listener.type == socket.SOCK_STREAM else listener.recv(16)
    except TimeoutError:
        return Seen(True, f"nothing arrived ({why or 'it says that it did'})")
    return Seen(False, "it arrived at a listener outside")


@contextlib.contextmanager
def _bound(host: str, kind: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as listener:
        try:
            listener.bind((host, 0))
        except OSError as error:
            raise CannotTry(f"this machine has no {host} ({error.strerror})") from None
        yield listener


def _loopback() -> str:
    return "127.0.0.1"


def _loopback_6() -> str:
    if not socket.has_ipv6:
        raise CannotTry("this Python has no IPv6")
    return "::1"


def _outer() -> str:
    """Return the address by which other machines know this one; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError:
            raise CannotTry("this machine has no network of its own") from None
        return str(one.getsockname()[0])


def _names(ground: Ground) -> Seen:
    try:
        with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
            servers = re.findall(r"^nameserver\s+([0-9a-fA-F.:]+)\s*$", file.read(), re.MULTILINE)
    except OSError:
        servers = []
    why = ground.act("network", "ask", servers[0] if servers else "127.0.0.1")
    return Seen(bool(why), why or "a question to a name server was sent")


def _families(ground: Ground) -> Seen:
    return nothing(ground.act("network", "families"), "no socket opens, of any family but local ones")


def _inwards(ground: Ground) -> Seen:
    """Connect from outside to what the submission serves."""
    with _bound("127.0.0.1", socket.SOCK_STREAM) as free:
        port = free.getsockname()[1]
    with ground.submission() as submission:
        why = submission.act("network", "serve", port, 2.0).evidence()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), _WAIT):
            return Seen(False, f"a process of the submission answers at port {port} of this machine")
    return Seen(True, f"nobody answers ({why or 'it says that it listens'})")


def _socket_folders(ground: Ground) -> Seen:
    """Look for well-known sockets of services, through which others have become root."""
    known = ["/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private"]
    known += ["/run/dbus/system_bus_socket", f"/run/user/{os.getuid()}/bus", "/run/munge/munge.socket.2", "/dev/log"]
    here = [path for path in known if os.path.exists(path)]
    if not here:
        raise CannotTry("no such service runs here")
    return nothing([path for path in here if not ground.act("network", "unix", path)], f"{len(here)} out of reach")


GROUP = Group(
    "network",
    "There is no network, not even to this machine",
    (
        Attack("TCP to this machine", partial(_tcp, _loopback)),
        Attack("TCP to this machine, by IPv6", partial(_tcp, _loopback_6)),
        Attack("TCP to this machine's address in the network", partial(_tcp, _outer)),
        Attack("UDP to this machine", partial(_udp, _loopback)),
        Attack("a socket of this machine, by its path", _path),
        Attack("a socket of this machine, by its name (abstract)", _abstract),
        Attack("sockets of this machine's services", _socket_folders),
        Attack("a question to a name server", _names),
        Attack("netlink, raw and all other families of sockets", _families),
        Attack("a connection from outside to a listener of its own", _inwards),
    ),
)
