"""The desk listens where that is safe, and says what it takes elsewhere."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.types import Receive, Scope, Send

from grader.cli.main import cli
from grader.desk import serving
from grader.desk.serving import Where, check_where
from grader.errors import UsageError


@pytest.mark.parametrize(
    ("where", "names", "complaint"),
    [
        (Where("0.0.0.0"), ("tina",), "--tls-certificate and --tls-key"),
        (Where("desk.example"), ("tina",), "--tls-certificate and --tls-key"),
        (Where("::"), ("tina",), "--tls-certificate"),
        (Where("127.0.0.1.evil.example"), ("tina",), "--tls-certificate"),
        (Where("127.0.0.1", certificate=Path("c")), ("tina",), "give both"),
        (Where("192.168.0.4", certificate=Path("c"), key=Path("k")), (), "--ta NAME"),
        (Where("192.168.0.4", without_tls=True), (), "--ta NAME"),
    ],
)
def test_beyond_this_machine_it_takes_tls_and_names(where: Where, names: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        check_where(where, names)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (Where(), ()), (Where("localhost"), ()), (Where("127.9.9.9"), ()), (Where("::1"), ()),
        (Where("0.0.0.0", certificate=Path("c"), key=Path("k")), ("tina",)),
        (Where("0.0.0.0", without_tls=True), ("tina", "uwe")),
    ],
)  # fmt: skip
def test_where_it_is_safe_it_listens(where: Where, names: tuple[str, ...]) -> None:
    check_where(where, names)


def test_half_a_request_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.05)

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.2)  # a request that is whole has as long as it takes
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def said(sent: bytes) -> bytes:
        config = uvicorn.Config(answered, http=serving.Hearing, lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        listening = socket.create_server(("127.0.0.1", 0))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(sent)
        heard = await asyncio.wait_for(reader.read(), 20)
        server.should_exit = True
        writer.close()
        await running
        return heard

    for half in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA: "):
        assert asyncio.run(said(half)) == b""
    assert asyncio.run(said(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 204")


def test_a_folder_without_a_gradebook_is_one_clear_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["desk", str(tmp_path), "--course", str(tmp_path)])
    assert done.exit_code != 0
    assert "there is no gradebook.sqlite" in done.output
    assert "Traceback" not in done.output
