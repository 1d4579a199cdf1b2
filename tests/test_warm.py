"""The process that forks for the tests outlives any order, and nobody waits for it when it has ended."""

from __future__ import annotations

import json
import os
import socket
import sys

import pytest

from tests.support import warm


def order(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", module]


def address() -> str:
    return os.environ[warm.ADDRESS].rpartition(os.pathsep)[2]


def test_an_order_whose_client_is_gone_ends_no_other() -> None:
    asked = {"module": "this", "arguments": [], "path": [], "environment": {}, "folder": "/", "imports": []}
    for packed in (b"", b"no order", json.dumps(asked | {"imports": ["no_such_module"]}).encode()):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(address())
            client.send(packed)
    assert "beautiful" in warm.run(order("this")).stdout.lower()


def test_an_order_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no_such_module"):
        warm.popen(order("this"), imports=["no_such_module"])


def test_where_the_process_has_ended_orders_are_refused_at_once() -> None:
    with warm.started() as process:
        process.kill()
        process.wait()
        with pytest.raises(RuntimeError, match="has ended"):
            warm.popen(order("this"))
