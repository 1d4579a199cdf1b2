"""The desk listens where that is safe, and says what it takes elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import uvicorn
from click.testing import CliRunner
from starlette.types import Receive, Scope, Send

from grader.cli.main import cli
from grader.desk import serving
from grader.desk.serving import Where, check_where
from grader.errors import UsageError
from tests.support.desks import STUDENTS, make_book
from tests.support.runs import take_interrupts

ROOT = Path(__file__).parents[2]


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
    whole = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert asyncio.run(said(whole)).startswith(b"HTTP/1.1 204")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that this machine has signed for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


def test_with_certificate_and_key_the_desk_is_served_over_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    make_book(tmp_path, STUDENTS[:1])
    command = [sys.executable, "-m", "grader", "desk", str(tmp_path), "--ta", "tina", "--ta", "uwe",
               "--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1])]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509 - this test starts no threads before
    )  # fmt: skip
    try:
        assert process.stdout is not None
        entry = next(line for line in process.stdout if "token=" in line and "for tina" in line).split()[1]
        assert entry.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate[0]))
        with httpx.Client(verify=context, timeout=60) as client:
            said = client.get(entry).headers["set-cookie"].lower()
            base = entry.partition("/enter")[0]
            assert "secure" in said
            page = client.get(base)
            assert (page.status_code, "Ana Silva" in page.text) == (200, True)
            csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
            fields = {"csrf": csrf, "person": "1", "week": "week5", "about": "week", "text": "over TLS"}
            plain = base.replace("https", "http")
            for origin, status in ((plain, 403), (base, 303)):
                assert client.post(f"{base}/do/comment", data=fields, headers={"origin": origin}).status_code == status
        with pytest.raises(httpx.HTTPError):
            httpx.get(plain, timeout=60)
        with pytest.raises(httpx.ConnectError):  # whom nobody vouches for
            httpx.get(base, timeout=60)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("spoil", [lambda cert, key: (key, cert), lambda cert, key: (cert, cert)])
def test_a_key_that_does_not_fit_is_one_clear_line(
    tmp_path: Path, certificate: tuple[Path, Path], spoil: Callable[[Path, Path], tuple[Path, Path]]
) -> None:
    make_book(tmp_path, STUDENTS[:1])
    cert, key = spoil(*certificate)
    options = ["--tls-certificate", str(cert), "--tls-key", str(key), "--course", str(tmp_path)]
    done = CliRunner().invoke(cli, ["desk", str(tmp_path), *options])
    assert done.exit_code != 0
    assert "--tls-certificate" in done.output
    assert "Traceback" not in done.output
    assert not isinstance(done.exception, ssl.SSLError)


def test_answers_are_sent_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio switches delays off for sockets alone that say that they are of TCP."""
    found: list[int] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: found.extend(one.proto for one in sockets))
    serving.serve(make_book(tmp_path), Where(), ["tina"], lambda line: None)
    assert found == [socket.IPPROTO_TCP]


def test_a_folder_without_a_gradebook_is_one_clear_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["desk", str(tmp_path), "--course", str(tmp_path)])
    assert done.exit_code != 0
    assert "there is no gradebook.sqlite" in done.output
    assert "Traceback" not in done.output
