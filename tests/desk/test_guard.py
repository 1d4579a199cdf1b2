"""Nobody gets in who was not let in, no other page changes or reads anything, and what students wrote is text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from grader.desk.app import Settings, make_app
from grader.desk.guard import safety
from grader.desk.guard.safety import MOST_BYTES, Address
from grader.desk.guard.sessions import Session, Sessions
from grader.gradebook import Gradebook
from grader.people.person import Person
from tests.support.desks import HOST, Visitor, again, graded, make_book, opened
from tests.support.reports import HOSTILE

PAGES = (
    "/", "/?q=ana&sort=-total&page=9", "/work/1/week5", "/check/week5?id=test_week5.py::test_values_of_LeNet",
    "/manual/week5/style?student=1", "/requests", "/similar/week5", "/figures/week5", "/attempts/1/week5", "/log",
    "/sharing", "/preview/1/week5", "/report/1/week5/report.html", "/report/1/week5/report.md", "/static/desk.js",
)  # fmt: skip


def actions() -> list[str]:
    """The addresses that change something."""
    app = make_app(Settings(Path(), Address("http", (HOST,)), Sessions(("tina",))))
    routes = [route for route in app.inner.routes if isinstance(route, Route)]
    return [route.path for route in routes if "POST" in (route.methods or ())]


@pytest.fixture(scope="module")
def guard_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_book(tmp_path_factory.mktemp("guard"))


@pytest.fixture(scope="module")
def visitors(guard_folder: Path) -> Iterator[list[Visitor]]:
    with opened(guard_folder) as found:
        yield found


@pytest.fixture
def insider(visitors: list[Visitor]) -> Visitor:
    return visitors[0]


@pytest.fixture
def stranger(visitors: list[Visitor]) -> Visitor:
    return visitors[1]


@pytest.mark.parametrize("path", [*PAGES, "/events", "/next", "/no/such/page", "//evil.example/", "/../etc/passwd"])
def test_who_was_not_let_in_sees_nothing(stranger: Visitor, path: str) -> None:
    page = stranger.get(path)
    assert page.status == 401
    assert "Ana" not in page.text


@pytest.mark.parametrize("token", ["", "x", "é" * 40, "\0", "a" * 50_000])
def test_a_token_that_is_nobodys_lets_nobody_in(stranger: Visitor, token: str) -> None:
    from urllib.parse import quote

    page = stranger.get(f"/enter?token={quote(token)}")
    assert (page.status, "set-cookie" in page.response.headers) == (403, False)


def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(guard_folder: Path) -> None:
    with opened(guard_folder) as (insider, _):
        cookie = str(insider.client.cookies.jar)
        assert "desk-8000" in cookie
    sessions = Sessions(("tina",))
    with TestClient(
        make_app(Settings(guard_folder, Address("http", (HOST,)), sessions)), base_url=f"http://{HOST}"
    ) as client:
        said = client.get(f"/enter?token={sessions.tokens['tina']}").headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said


@pytest.mark.parametrize(
    "cookies",
    ['prefs={"a": 1}; {ours}', "{ours}; a b=c", "desk-8000=old; {ours}", "{ours}; desk-8000=", "=x;;é;{ours}",
     "desk-8000; {ours}", 'q="; {ours}', "expires=1; path=/; {ours}", "[x]=[y];{ours}", "desk-8000x=1; {ours}"],
)  # fmt: skip
def test_cookies_of_other_programs_lock_nobody_out(insider: Visitor, stranger: Visitor, cookies: str) -> None:
    (own,) = [cookie for cookie in insider.client.cookies.jar if cookie.name == "desk-8000"]
    sent = cookies.replace("{ours}", f"desk-8000={own.value}").encode()
    assert stranger.client.get("/", headers=[(b"cookie", sent)]).status_code == 200
    assert (
        stranger.client.get("/", headers=[(b"cookie", sent.replace(b"=" + str(own.value).encode(), b"=x"))]).status_code
        == 401
    )


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_and_forbids_what_it_does_not_need(insider: Visitor, path: str) -> None:
    page = insider.get(path)
    assert page.status == 200
    headers = page.response.headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"] or "sandbox" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"  # "no-referrer" makes browsers send forms as from nowhere
    assert "access-control-allow-origin" not in headers
    assert "no-store" in headers["cache-control"] or path.startswith("/static")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "localhost.evil.example:8000", "",
     "[::1]:8000", "127.0.0.1:8000.evil.example", "127.0.0.1:8000@evil.example", "0.0.0.0:8000", "LOCALHOST:8000 "],
)  # fmt: skip
def test_a_name_that_is_rebound_to_this_machine_is_turned_away(insider: Visitor, host: str) -> None:
    assert insider.get("/", host=host).status == 421
    assert insider.post("/do/undo", {}, host=host).status == 421


def test_two_names_at_once_are_turned_away(insider: Visitor) -> None:
    page = insider.client.get("/", headers=[("host", HOST), ("host", "evil.example")])
    assert page.status_code == 421


FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8001"},  # another program's page on this machine
    {"origin": "https://127.0.0.1:8000"},
    {"origin": f"http://{HOST}.evil.example"},
    {"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"},
    {"origin": f"http://{HOST}", "sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("path", actions())
@pytest.mark.parametrize("headers", FOREIGN)
def test_no_other_page_changes_anything_even_with_cookie_and_secret(
    insider: Visitor, path: str, headers: dict[str, str]
) -> None:
    csrf = insider.get("/").form("/do/undo")["csrf"]
    assert insider.post(path, {"csrf": csrf}, **headers).status == 403


@pytest.mark.parametrize("path", actions())
@pytest.mark.parametrize("secret", [None, "", "x", "é"])
def test_nothing_changes_without_the_sessions_secret(insider: Visitor, path: str, secret: str | None) -> None:
    page = insider.post(path, {"week": "week5"} if secret is None else {"csrf": secret})
    assert page.status == 403
    assert "load the page again" in page.words


@pytest.mark.parametrize("path", actions())
def test_every_change_is_a_post_of_a_form(insider: Visitor, path: str) -> None:
    assert insider.get(path).status == 405
    sent = insider.client.post(path, json={"csrf": "x"}, headers={"origin": f"http://{HOST}"})
    assert sent.status_code == 403
    plain = insider.client.post(
        path, content=b"csrf=x", headers={"origin": f"http://{HOST}", "content-type": "text/plain"}
    )
    assert plain.status_code == 403


def test_a_post_that_names_no_page_is_turned_away(insider: Visitor) -> None:
    assert insider.client.post("/do/undo", data={"csrf": insider.get("/").form("/do/undo")["csrf"]}).status_code == 403


def test_the_secret_of_one_is_not_the_secret_of_another(guard_folder: Path) -> None:
    with opened(guard_folder, "tina", "uwe") as (insider, uwe, _):
        stolen = insider.get("/").form("/do/undo")["csrf"]
        assert uwe.post("/do/undo", {"csrf": stolen}).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_turned_away(insider: Visitor, method: str) -> None:
    answer = insider.client.request(method, "/")
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object"},
        {"origin": "http://evil.example"},
    ],
)
def test_no_other_page_reads_the_desk(insider: Visitor, headers: dict[str, str]) -> None:
    assert insider.client.get("/", headers=headers).status_code == 403


def test_a_flood_is_cut_off(insider: Visitor) -> None:
    csrf = insider.get("/").form("/do/undo")["csrf"]
    assert insider.post("/do/ask", {"csrf": csrf, "text": "x" * (MOST_BYTES + 1)}).status in (400, 413)
    assert insider.post("/do/ask", {"csrf": csrf, **{f"f{n}": "" for n in range(9_000)}}).status == 400


@pytest.mark.parametrize(
    "path",
    ["/work/0/week5", "/work/999999999/week5", "/work/1/week99", "/work/1/..%2f..%2fetc", "/work/abc/week5",
     "/work/1/%2e%2e", "/static/..%2f..%2fapp.py", "/static/desk.css.map", "/static/%2fetc%2fpasswd",
     "/report/1/week5/report.json", "/report/1/week5/report.html%00", "/check/week5?id=no", "/check/week99?id=x",
     "/manual/week5/none", "/manual/..%2f/style", "/similar/week99", "/figures/week99", "/similar/week5?pair=99999",
     "/attempts/1/week99", "/work/99999999999999999999999/week5"],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_said_to(insider: Visitor, path: str) -> None:
    page = insider.get(path)
    assert page.status in (200, 404)
    assert "root:" not in page.text
    assert page.status == 404 or "/similar/" in path


@pytest.mark.parametrize(
    "to",
    [
        "http://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
        "x",
        "/\r\nset: 1",
    ],
)
def test_a_form_leads_back_to_the_desk_alone(insider: Visitor, to: str) -> None:
    fields = insider.get("/work/1/week5").form("done") | {"back": to}
    sent = insider.client.post("/do/done", data=fields, headers={"origin": f"http://{HOST}"}, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/")


def test_what_students_and_teachers_write_is_text_on_every_page(tmp_path: Path) -> None:
    evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"
    with Gradebook(tmp_path / "gradebook.sqlite", copies=False) as book:
        book.save_people([Person(f"Eve {evil}", folder="e", section=evil, group=evil, listed=True,
                                 marks=[("id", evil), ("email", evil)])])  # fmt: skip
        report = graded(f"Eve {evil}", 0)
        from dataclasses import replace

        hostile = tuple(
            replace(check, message=evil + HOSTILE, output=HOSTILE, place=f"{evil}.py:1", hint=evil, title=f"{evil} {n}")
            for n, check in enumerate(report.checks)
        )
        book.record(replace(report, checks=hostile, notes=(evil, HOSTILE)))
        book.record_sources(report.submission, {f"{evil}.py": f"x = '{evil}'\n\u2028'''{evil}".encode()})
        from tests.support.desks import STYLE

        book.record_weeks({"week5": [replace(STYLE, title=evil)]})
    with opened(tmp_path, evil) as (eve, _):
        page = eve.get("/work/1/week5")
        for about, target in (("week", ""), ("task", "5.3"), ("check", report.checks[0].id)):
            fields = page.form("week-comment") | {"about": about, "target": target, "text": evil}
            assert eve.post("/do/comment", fields).status == 200
        eve.post("/do/comment", page.form("line-comment") | {"target": f"{evil}.py", "line": "1", "text": evil})
        eve.send(page, "assign", "/do/assign", ta=evil[:70])
        asked = eve.get("/requests")
        eve.send(asked, "ask", "/do/ask", student="Eve", week="week5", text=evil)
        for path in PAGES[:-1]:
            found = eve.get(path)
            if found.response.headers["content-type"].startswith("text/plain"):  # and no browser guesses otherwise
                continue
            text = found.text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "{{7*7}}" in text or evil[:9] not in found.words


def test_what_happens_beside_the_desk_is_no_way_in(guard_folder: Path, insider: Visitor) -> None:
    again(guard_folder, "Ana Silva")
    assert insider.get("/work/1/week5").status == 200


@pytest.mark.parametrize("path", ["/enter", "/enter?token=x"])
def test_a_form_that_is_sent_to_the_entry_is_turned_away(stranger: Visitor, path: str) -> None:
    assert stranger.post(path, {"token": "x"}).status == 405


def test_an_address_for_somebody_else_swaps_nobody_in_silence(guard_folder: Path) -> None:
    sessions = Sessions(("tina", "uwe"))
    app = make_app(Settings(guard_folder, Address("http", (HOST,)), sessions))
    with TestClient(app, base_url=f"http://{HOST}") as client:
        client.get(f"/enter?token={sessions.tokens['tina']}")
        entry = f"/enter?token={sessions.tokens['uwe']}"
        me = '<span class="who-am-i">{}</span>'.format
        for headers in ({}, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, {"sec-fetch-site": "none"}):
            assert "Go on as uwe?" in client.get(entry, headers=headers).text
            assert me("tina") in client.get("/").text
        client.get(entry, headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"})
        assert me("uwe") in client.get("/").text


def test_a_form_whose_rest_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "PATIENCE", 0.01)

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    async def nothing() -> Message:
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    async def ignored(message: Message) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/enter", "headers": [(b"host", HOST.encode())]}
    with pytest.raises(HTTPException, match="did not come"):
        asyncio.run(safety.Safety(reads, Address("http", (HOST,)), Sessions(()))(scope, nothing, ignored))


def test_sessions_do_not_pile_up() -> None:
    sessions = Sessions(("tina",))
    first = sessions.enter(sessions.tokens["tina"])
    assert isinstance(sessions.of(first), Session)
    for _ in range(500):
        sessions.enter(sessions.tokens["tina"])
    assert sessions.of(first) is None
