"""The desk in a real browser: every journey by mouse and by keyboard alone, on a phone and a screen, light and dark."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from grader.gradebook import Gradebook, open_book
from grader.intake.answers.answers import Answers, Cell, Form, Kind, Piece, packed
from tests.support.amount import of
from tests.support.browsers import Window, opened_browser, violations
from tests.support.desks import STUDENTS, graded, make_book
from tests.support.pictures import png
from tests.support.runs import take_interrupts

ROOT = Path(__file__).parents[2]
SIZES = {"phone": (390, 844), "screen": (1280, 900)}
SCREENS = {name: {"width": width, "height": height} for name, (width, height) in SIZES.items()}
PAGES = (
    "/", "/phrases", "/work/99/week5", "/manual/week5/plots?student=3&anonymous=yes",
    "/work/1/week5", "/check/week5?id=test_week5.py::test_values_of_LeNet", "/manual/week5/style?student=2",
    "/requests", "/sharing", "/log", "/figures/week5", "/similar/week5", "/attempts/1/week5", "/preview/1/week5",
)  # fmt: skip


# `python -m grader`, whose desk looks more often for what is new: tests wait for its looks.
KEEN = """import sys
from grader.cli.main import main
from grader.desk.background import live
live.SECONDS = 0.1
sys.exit(main())"""


class Served:
    """A desk in a process of its own."""

    def __init__(self, folder: Path, *program: str) -> None:
        command = [sys.executable, *program, "desk", str(folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True,
            preexec_fn=take_interrupts,  # noqa: PLW1509 - these tests start no threads
        )  # fmt: skip
        assert self.process.stdout is not None
        self.entry = next(line for line in self.process.stdout if "token=" in line).split()[1]
        self.base = self.entry.partition("/enter")[0]
        httpx.get(self.base, timeout=60)  # it answers from now on

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def served_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_book(tmp_path_factory.mktemp("served"))
    evil = "<script>document.title = 'run'</script>"
    picture = base64.b64encode(png(2, 1, idat=zlib.compress(b"\0\x80\x80"))).decode()
    cells = (
        Cell(f"{evil}.ipynb", 1, Kind.MARKDOWN, f"## Plots\n{evil}", parts=("plots",), is_given=True),
        Cell(f"{evil}.ipynb", 2, Kind.CODE, f"draw()\n# {evil} {'x' * 500}",
             (Piece(Form.TEXT, evil + "y" * 500), Piece(Form.PNG, picture)), ("plots",)),
        Cell(f"{evil}.ipynb", 3, Kind.MARKDOWN, "It falls. " + "z" * 500, parts=("plots",)),
    )  # fmt: skip
    with open_book(folder) as book:
        book.record_answers("Dora Łukasz", "week5", *reversed(packed(Answers(("plots",), cells))))
    return folder


@pytest.fixture(scope="module")
def served_desk(served_folder: Path) -> Iterator[Served]:
    found = Served(served_folder, "-c", KEEN)
    yield found
    assert found.stop() == 0


@pytest.fixture(scope="module")
def desk_browser() -> Iterator[Any]:
    with opened_browser() as found:
        yield found


@pytest.fixture(scope="module")
def window_of_desk(desk_browser: Any, served_desk: Served) -> Window:
    return Window(desk_browser, f"{served_desk.base}/static/desk.css")


@pytest.fixture(scope="module")
def let_in(window_of_desk: Window, served_desk: Served) -> Any:
    """The cookies of somebody who has opened the printed address."""
    page = window_of_desk.page(*SIZES["screen"])
    page.goto(served_desk.entry)
    page.wait_for_url(f"{served_desk.base}/")
    found = page.context.cookies()
    window_of_desk.clear()
    return found


@pytest.fixture
def visit(window_of_desk: Window, served_desk: Served, let_in: Any) -> Iterator[Callable[..., Any]]:
    """Open a page of the desk; the test fails on anything in its console but a refusal that it asked for."""
    noise: list[str] = []
    window = window_of_desk

    def opened(path: str = "/", size: str = "screen", scheme: str = "light") -> Any:
        page = window.page(*SIZES[size], scheme)
        page.set_default_timeout(20_000)
        window.hear(
            page, "console", lambda said: noise.append(said.text) if said.type in ("error", "warning") else None
        )
        window.hear(page, "pageerror", lambda error: noise.append(str(error)))
        page.context.add_cookies(let_in)
        page.goto(served_desk.base + path)
        return page

    yield opened
    window.clear()
    assert [line for line in noise if "status of 4" not in line] == []


def every_key_is_listed(page: Any) -> None:
    """Ask a page for its keys, and close the list again."""
    page.keyboard.press("?")
    listed = set(page.locator("#help dt").all_inner_texts())
    there = set(page.evaluate("[...document.querySelectorAll('[data-key]')].map((one) => one.dataset.key)"))
    assert there <= listed
    assert len(listed) == page.locator("#help dt").count()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


# In a sample each size and each scheme once.
EVERYWHERE = of([*zip(SIZES, ("light", "dark"), strict=True)], [*product(SIZES, ("light", "dark"))])
# What differs between sizes and schemes; all other rules see the same page in each of them.
_LOOKS = ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]


@pytest.mark.parametrize("path", PAGES)
def test_every_key_is_listed_axe_finds_nothing_and_nothing_is_cut(visit: Callable[..., Any], path: str) -> None:
    """On each page, with all its forms open, on a phone and a screen, light and dark."""
    page = visit(path)
    every_key_is_listed(page)
    for opened_forms in of((True,), (False, True)):
        if opened_forms:
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        for size, scheme in EVERYWHERE:
            page.set_viewport_size(SCREENS[size])
            page.emulate_media(color_scheme=scheme)
            in_full = (size, scheme) == EVERYWHERE[-1] or of(False, True)
            found = violations(page, None if in_full else _LOOKS)
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (size, scheme)
            wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide <= seen, (size, scheme)


def test_a_work_is_graded_by_keyboard_alone(visit: Callable[..., Any]) -> None:
    page = visit()
    keys = page.keyboard
    keys.press("/")
    keys.type("ana")
    keys.press("Enter")
    page.wait_for_url("**q=ana**")
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url("**/work/1/week5**")
    keys.press("j")
    keys.press("j")  # the second lost check is the first of task 5.3
    keys.press("c")
    keys.type("why detach?")
    keys.press("Control+Enter")
    page.locator(".check-card .comment .said >> text=why detach?").wait_for()
    keys.press("s")
    keys.type("6")
    keys.press("Tab")
    keys.type("nearly")
    keys.press("Control+Enter")
    page.locator(".decision >> text=Set to 6: nearly").wait_for()
    keys.press("u")
    page.locator("text=undone: Ana Silva, week5: 5.3 set to 6").wait_for()
    assert page.locator(".decision >> text=Set to 6").count() == 0
    keys.press("w")
    keys.press("Alt+1")  # the comment; a reason that was taken back is not offered
    keys.press("Control+Enter")
    page.locator("#told >> text=commented on the week").wait_for()
    assert page.locator(".comment .said >> text=why detach?").count() == 2
    keys.press("j")
    keys.press("l")
    assert page.url.endswith("#f0-11")
    keys.press("v")
    page.wait_for_url("**/preview/1/week5")
    assert "why detach?" in page.frame_locator("iframe").locator("body").inner_text()


def test_parts_are_graded_by_keyboard_alone(visit: Callable[..., Any]) -> None:
    page = visit()
    keys = page.keyboard
    keys.press("1")
    page.wait_for_url("**/manual/week5/style?student=1")
    keys.press("1")
    keys.press("2")
    assert page.locator("#rubric-sum").inner_text() == "rubric: +10"
    keys.press("2")
    keys.press("c")
    keys.type("fine names")
    keys.press("Control+Enter")
    page.wait_for_url("**/manual/week5/style?student=2")
    assert "Names" in page.locator("#rubric").inner_text()
    assert not page.locator('input[value="names"]').is_checked()
    keys.press("Alt+1")  # not in a field: nothing happens
    keys.press("c")
    keys.press("Alt+1")
    assert page.locator("#rubric-why").input_value() == "fine names"
    keys.press("Escape")
    keys.press("x")
    page.wait_for_url("**anonymous=yes**")
    assert "Ben" not in page.locator("main").inner_text()
    keys.press("p")
    page.wait_for_url("**student=1**")
    assert page.locator("#rubric-why").input_value() == "fine names"


def test_an_answer_is_read_cell_by_cell_and_graded_by_keyboard_on_a_phone(visit: Callable[..., Any]) -> None:
    """Beside it axe looks at the page, as at all others; no cell of it runs, and its picture is there."""
    page = visit("/manual/week5/plots?student=4", *EVERYWHERE[0])
    keys = page.keyboard
    for size, scheme in EVERYWHERE:
        page.set_viewport_size(SCREENS[size])
        page.emulate_media(color_scheme=scheme)
        assert page.title().startswith("Plots, Dora")
        assert page.locator(".cell").count() == 3
        assert page.evaluate("[...document.querySelectorAll('.cell img')].map((one) => one.naturalWidth)") == [2]
        assert violations(page) == []
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen, (size, scheme)
        lines = page.locator(".cell .lines .line")
        assert lines.nth(1).bounding_box()["height"] < 30
    keys.press("j")
    keys.press("j")
    assert "draw()" in page.evaluate("document.activeElement.innerText")
    keys.press("s")
    keys.type("4,5")
    keys.press("Control+Enter")
    page.locator("#told >> text=Dora Łukasz, week5: plots set to 4.5").wait_for()
    keys.press("u")
    page.locator("#told >> text=undone").wait_for()


@pytest.mark.parametrize(("size", "scheme"), of([("phone", "dark")], [("phone", "dark"), ("screen", "light")]))
def test_a_work_is_graded_by_mouse(visit: Callable[..., Any], size: str, scheme: str) -> None:
    student, key = ("Cleo Groß", 3) if size == "phone" else ("Dora Łukasz", 4)
    page = visit("/", size, scheme)
    page.locator("tr", has_text=student).locator("td a").first.click()
    page.wait_for_url(f"**/work/{key}/week5")
    page.locator('[data-file="lenet.py"] [data-no="11"]').click()
    page.locator("#line-text").fill("see the lecture")
    page.locator("#line-comment >> text=Save").click()
    page.locator(".under .comment .said >> text=see the lecture").wait_for()
    page.locator("#at-task-2 >> summary >> text=Points").click()
    page.locator("#points-2-points").fill("7")
    page.locator("#points-2-why").fill("better than it looks")
    page.locator("#points-2 >> text=Save").click()
    page.locator(".decision >> text=Set to 7: better than it looks").wait_for()
    page.locator("#told button").click()
    page.locator("#told >> text=undone").wait_for()
    assert page.locator(".decision >> text=Set to 7").count() == 0
    page.locator(".under >> text=Edit").click()
    page.locator(".under >> button >> text=Remove").click()
    page.locator("#told >> text=comment removed").wait_for()
    assert page.locator(".under .comment").count() == 0
    page.locator("text=Preview").click()
    page.frame_locator("iframe").locator("h1").wait_for()


def test_a_whole_group_is_commented_on(visit: Callable[..., Any]) -> None:
    page = visit("/check/week5?id=test_hidden.py::test_gradients")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("a word to all")
    page.locator("text=give back the 4").click()
    page.locator(".group >> text=Save for all ticked").click()
    page.locator("#told >> text=students, comment and points").wait_for()
    assert page.locator("#told button").count() == 1


def test_a_table_of_requests_is_mapped_and_a_saved_comment_pinned_by_keyboard(
    visit: Callable[..., Any], served_desk: Served
) -> None:
    page = visit("/requests", "phone", "dark")
    keys = page.keyboard
    table = "When,Who are you?,Week?,What is it about?\n1.1.,Ana Silva,Week 5,Please look at my plots again\n"
    page.locator("#import-file").set_input_files({"name": "r.csv", "mimeType": "text/csv", "buffer": table.encode()})
    page.locator("#import-file").focus()
    keys.press("Tab")
    keys.press("Enter")
    page.locator("h1 >> text=What do the columns hold?").wait_for()
    assert violations(page) == []
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen
    page.locator("main >> text=1 request can be entered").wait_for()
    keys.press("y")
    page.locator("#told >> text=1 request imported").wait_for()
    page.locator(".request >> text=Please look at my plots again").wait_for()
    keys.press("u")
    page.locator("#told >> text=undone").wait_for()
    page = visit("/work/4/week5")
    page.keyboard.press("w")
    page.keyboard.type("kept for reuse")
    page.keyboard.press("Control+Enter")
    page.locator("#told >> text=commented on the week").wait_for()
    page.goto(f"{served_desk.base}/phrases")
    row = page.locator(".phrase", has_text="kept for reuse")
    row.focus()
    row.locator("select").select_option("8")
    page.keyboard.press("Escape")
    row.focus()
    page.keyboard.press("s")
    page.locator("#told >> text=Alt+8 writes: kept for reuse").wait_for()
    page.goto(f"{served_desk.base}/work/3/week5")
    page.keyboard.press("w")
    page.keyboard.press("Alt+8")
    assert page.locator("#week-comment-text").input_value() == "kept for reuse"


def test_what_is_half_written_stays_and_a_stale_form_shows_both_versions(visit: Callable[..., Any]) -> None:
    one, other = visit("/work/2/week5"), visit("/work/2/week5")
    for page, points in ((one, "2"), (other, "3")):
        page.locator("#at-task-2 >> summary >> text=Points").click()
        page.locator("#points-2-points").fill(points)
        page.locator("#points-2-why").fill(f"says {points}")
    one.locator("#at-task-1 >> summary >> text=Comment").click()
    one.locator("#task-comment-1-text").fill("half writ")
    one.locator("#points-2 >> text=Save").click()
    one.locator(".decision >> text=Set to 2: says 2").wait_for()
    assert one.locator("#task-comment-1-text").input_value() == "half writ"
    other.locator("#points-2 >> text=Save").click()
    other.locator("h1 >> text=Somebody was quicker").wait_for()
    assert "2: says 2" in other.locator("main").inner_text()
    assert "3: says 3" in other.locator("main").inner_text()
    other.keyboard.press("y")
    other.locator(".decision >> text=Set to 3: says 3").wait_for()


def test_what_is_half_written_belongs_to_its_page_and_is_never_lost(
    visit: Callable[..., Any], window_of_desk: Window
) -> None:
    page, asked, held = visit("/work/3/week5"), [], []
    window_of_desk.hear(page, "dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("#at-task-1 >> summary >> text=Comment").click()
    comment = page.locator("#task-comment-1-text")
    comment.fill("for Cleo")
    page.locator("#at-task-2 >> summary >> text=Points").click()
    page.locator("#points-2-points").fill("6")
    page.locator("#points-2-why").fill("")  # another journey may have given one
    page.locator("#points-2 >> text=Save").click()
    page.locator("#points-2 .refused >> text=give a reason").wait_for()
    assert (page.locator("#points-2-points").input_value(), comment.input_value()) == ("6", "for Cleo")
    page.route("**/do/points", lambda route: held.append(route))  # noqa: PLW0108 - builtins cannot be marked
    page.locator("#points-2-why").fill("nearly")
    page.locator("#points-2 >> text=Save").click()
    comment.fill("for Cleo, too")
    page.keyboard.press("Control+Enter")
    page.locator("#told >> text=has not answered yet").wait_for()
    held[0].continue_()
    page.locator(".decision >> text=Set to 6: nearly").wait_for()
    assert comment.input_value() == "for Cleo, too"
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.locator("#told >> text=undone").wait_for()
    assert page.evaluate("document.activeElement !== document.body")
    page.locator("#done button").click()
    page.locator("#told >> text=is kept").wait_for()
    page.wait_for_url("**/work/4/week5")
    assert comment.input_value() == ""
    page.go_back()
    page.locator("h1 >> text=Cleo").wait_for()
    assert comment.input_value() == "for Cleo, too"
    page.locator("#code-title").evaluate("location.assign('/check/week5?id=test_hidden.py::test_gradients')")
    page.wait_for_url("**/check/**")
    assert asked == ["beforeunload"]
    page.locator(".group summary >> text=Comment on it").first.click()
    page.locator(".group input[name=points]").first.fill("3")
    assert page.locator(".group input[value=set]").first.is_checked()
    page.goto(page.url.partition("/check")[0] + "/work/3/week5")
    assert comment.input_value() == "for Cleo, too"


def test_no_table_breaks_a_word_or_runs_over_the_next_column(visit: Callable[..., Any]) -> None:
    lines = """[...document.querySelectorAll("th")].filter((one) => one.textContent === "Who").map((one) => {
        const range = document.createRange();
        range.selectNodeContents(one);
        return range.getClientRects().length;
    })"""
    assert set(visit("/log", "phone").evaluate(lines)) == {1}
    page = visit()
    assert page.evaluate("""() => {
        const cell = document.querySelector(".students td.number");
        const name = document.createElement("span");
        name.className = "ta";
        name.textContent = "Maximiliane-Alexandra von Wolkenstein-Trostburg-Rodenegg";
        cell.append(name);
        return cell.scrollWidth <= cell.clientWidth;
    }""")


def test_a_page_that_nobody_sees_holds_no_line_to_the_desk(visit: Callable[..., Any]) -> None:
    page = visit()
    page.evaluate("""() => {
        window.EventSource = class extends EventSource { constructor(url) { super(url); window.line = this; } };
        window.see = (hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
            return window.line?.readyState;
        };
    }""")
    page.evaluate("see(true)")
    page.evaluate("see(false)")
    page.wait_for_function("window.line && window.line.readyState < 2")
    assert page.evaluate("see(true)") == 2


def test_however_many_windows_are_open_they_share_one_line_and_all_hear_what_is_new(
    visit: Callable[..., Any], served_desk: Served, served_folder: Path
) -> None:
    first = visit()
    first.evaluate("sessionStorage.clear()")
    pages = [first]
    for _ in range(7):  # a browser has six lines to one server, and the seventh page would never come
        with first.expect_popup() as opened:
            first.evaluate("window.open('/')")
        opened.value.wait_for_url(f"{served_desk.base}/")  # what is told from now on, it hears
        pages.append(opened.value)
    with Gradebook(served_folder / "gradebook.sqlite", copies=False) as run:
        run.note_progress(5, 0)
        for page in pages:
            page.locator("#live >> text=run: 0 of 5").wait_for()
        first.close()  # another one takes the line
        run.record(graded("Fay Neu", passed=3, work="f"))
        for page in pages[1:]:
            page.locator("#live >> text=run: 1 of 5").wait_for()
        run.note_progress(0, 0)
    for page in pages[1:]:
        page.locator("#live >> text=run").wait_for(state="hidden")


def test_a_window_that_began_to_listen_after_the_news_is_told(visit: Callable[..., Any], served_desk: Served) -> None:
    first = visit()
    with first.expect_popup() as opened:
        first.evaluate("window.open('/')")
    late = opened.value
    late.wait_for_url(f"{served_desk.base}/")
    late.evaluate("document.getElementById('main').dataset.revision = '-1'")  # its page was made before them
    for hidden in ("true", "false"):  # it begins to listen anew
        late.evaluate(f"Object.defineProperty(document, 'hidden', {{configurable: true, value: {hidden}}})")
        late.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    late.locator("#main:not([data-revision='-1'])").wait_for()


def test_the_desk_works_without_its_script(desk_browser: Any, served_desk: Served, let_in: Any) -> None:
    context = desk_browser.new_context(java_script_enabled=False)
    context.add_cookies(let_in)
    page = context.new_page()
    page.goto(f"{served_desk.base}/work/4/week5")
    page.locator("#assign-ta").fill("tina")
    page.locator("#assign >> text=Assign").click()
    page.locator("#told >> text=tina looks after it").wait_for()
    context.close()


def test_a_run_is_shown_live(visit: Callable[..., Any], served_folder: Path) -> None:
    page = visit()
    with Gradebook(served_folder / "gradebook.sqlite") as run:
        run.note_progress(2, 0)
        run.record(graded("Emil Neu", passed=3, work="d"))
        page.locator("#live >> text=run: 1 of 2").wait_for()
        page.locator("#run-newest >> text=Emil Neu").wait_for()
        page.locator("tr", has_text="Emil Neu").locator("td a >> text=12").wait_for()
        run.record_problem("Cleo Groß", "week5", "this zip is damaged")
        page.locator("#run-trouble >> text=this zip is damaged").wait_for()
    page.locator("#run-title >> text=A run has ended early").wait_for()  # it is gone, and has not said that it is done
    page.locator("#live >> text=run").wait_for(state="hidden")
    with Gradebook(served_folder / "gradebook.sqlite", copies=False) as run:
        run.note_progress(1, 1)
        page.locator("#run-title >> text=A run goes on").wait_for()
        run.note_progress(0, 0)
    page.locator("#run").wait_for(state="hidden")


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    desk = Served(make_book(tmp_path, STUDENTS[:1]), "-m", "grader")
    with httpx.Client(base_url=desk.base, headers={"origin": desk.base}, timeout=60) as client:
        client.get(desk.entry)
        csrf = client.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]
        said = []
        for number in range(40):
            fields = {"csrf": csrf, "person": "1", "week": "week5", "about": "week", "text": f"change {number}"}
            try:
                if client.post("/do/comment", data=fields).status_code == 303:
                    said.append(fields["text"])
            except httpx.HTTPError:
                break
            if number == 24:
                os.kill(desk.process.pid, signal.SIGKILL)
    desk.process.wait()
    assert len(said) >= 25
    with open_book(tmp_path) as book:
        assert [one.text for one in book.comments()["Ana Silva", "week5"]][: len(said)] == said
