"""Tries to reach somebody: over the network, by sockets of this machine, or through the kernel."""

from __future__ import annotations

import os
import socket
import time

from .calls import attempt

SECONDS = 0.5  # for each connection
_QUERY = bytes.fromhex("abcd01000001000000000000") + b"\x09localhost\x00" + bytes.fromhex("00010001")


def tcp(host: str, port: int) -> str:
    """Connect to a listener; return why it did not work."""
    return attempt(lambda: socket.create_connection((host, port), SECONDS).close())


def udp(host: str, port: int) -> str:
    """Send a datagram; return why it did not work."""

    def send() -> None:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"here", (host, port))

    return attempt(send)


def unix(address: str) -> str:
    """Connect to a socket by its path, or by its name after a zero byte; return why it did not work."""

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)

    return attempt(connect)


def ask(server: str) -> str:
    """Ask a name server for a name; return why the question could not be sent."""

    def send() -> None:
        with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(_QUERY, (server, 53))

    return attempt(send)


def families() -> list[str]:
    """Open a socket of every family but local ones; return those that open."""
    opened = []
    for family in range(64):
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)
        if family != socket.AF_UNIX and not all(attempt(_open, family, kind) for kind in kinds):
            opened.append(_name(family))
    return opened


def _open(family: int, kind: int) -> None:
    socket.socket(family, kind, 0x0300 if (family, kind) == (socket.AF_PACKET, socket.SOCK_RAW) else 0).close()


def _name(family: int) -> str:
    try:
        return socket.AddressFamily(family).name
    except ValueError:
        return f"family {family}"


def serve(port: int, seconds: float) -> str:
    """Listen on a port in a fork that goes on for some seconds; return why it did not work."""

    def listen() -> None:
        server = socket.create_server(("127.0.0.1", port))
        if os.fork() == 0:
            time.sleep(seconds)
            os._exit(0)
        server.close()

    return attempt(listen)
