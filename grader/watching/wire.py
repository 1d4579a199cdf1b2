"""Carries orders and answers between the watcher and its warm processes: one JSON object a message.

Never pickles: what comes back is written by a process that runs a student's code.
"""

from __future__ import annotations

import json
from multiprocessing.connection import Connection
from typing import Any

# What a warm process says
READY = "ready"  # with `pid`, and the checks that it has collected
SIGN = "sign"  # the code goes on; with `importing`, a module of the student's is being imported
RESULT = "result"
FAILED = "failed"  # the checks cannot be collected

# What it is asked
FORK = "fork"
OPEN = "open"  # with `ended`: the modules whose import has ended a process before
CHECK = "check"


def send(connection: Connection, **message: Any) -> None:
    """Send a message; raises OSError where nobody is left to read it."""
    connection.send_bytes(json.dumps(message).encode())


def receive(connection: Connection) -> dict[str, Any]:
    """Wait for a message; raises EOFError or OSError where the other side has ended."""
    message = json.loads(connection.recv_bytes())
    return message if isinstance(message, dict) else {}
