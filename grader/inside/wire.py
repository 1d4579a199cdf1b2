"""Sends messages on a stream socket: four bytes of length, then the message, checked before anything is read."""

from __future__ import annotations

import socket
import struct

LENGTH = struct.Struct(">I")
LONGEST = 65 * 2**20
SHORT = 1 << 16  # bytes of the longest message that is sent in one piece, so that its receiver wakes up only once


class Closed(ConnectionError):
    """The other side has closed the socket."""


class TooLong(ConnectionError):
    """The other side announces a message beyond the limit."""


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message whole; blocks, or raises TimeoutError where the socket has a timeout."""
    length = LENGTH.pack(len(message))
    if len(message) <= SHORT:
        connection.sendall(b"".join((length, message)))
    else:
        connection.sendall(length)
        connection.sendall(message)


def receive(connection: socket.socket) -> bytearray:
    """Receive the next message whole. Raises `Closed` at the end and `TooLong` beyond the limit."""
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    if length > LONGEST:
        raise TooLong(f"a message of {length} bytes")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytearray:
    message = bytearray(count)
    rest = memoryview(message)
    while rest:
        read = connection.recv_into(rest)
        if not read:
            raise Closed("the connection was closed")
        rest = rest[read:]
    return message
