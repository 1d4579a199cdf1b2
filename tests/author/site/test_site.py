"""The lessons' pages: they come out whatever cells do, need nothing from elsewhere, and every link leads somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest

from grader.author.release.lessons import build
from grader.author.site import running, writing
from grader.author.site.markdown import Anchors, Heading, formula, highlighted, to_html, to_text
from grader.author.site.notebook import to_page
from grader.cli.main import main
from grader.course import Course
from grader.course.protected import MANIFEST
from tests.support.amount import of
from tests.support.browsers import Window, opened_browser, violations
from tests.support.courses import copied

ROOT = Path(__file__).parents[3]
CELLS = (
    "# Sums, in pictures\n\n```python\nimport sums\nprint('before', '\\x1b[31mred\\x1b[0m')\n```\n\n"
    "```python\nvalue = sums.double(2)\nother = 3\n```\n\n```python\nprint(value)\n```\n\n"
    "```python\nopen('not made above')\n```\n\n```python\nsums.broken()\n```\n\n"
    "```python\nimport sys\nprint('said', file=sys.stderr)\n"
    "from IPython.display import HTML, Image, display\n"
    "import base64, io, PIL.Image\nfile = io.BytesIO()\n"
    "PIL.Image.new('L', (1, 1)).save(file, 'png')\ndot = file.getvalue()\n"
    "display(Image(dot, format='png', alt='One \"dot\"'))\nprint('after')\n```\n"
)
NOTEBOOKS = {
    "assignments/week5/week5.ipynb": build(CELLS, "lesson.md"),
    "assignments/week5/week5_work.ipynb": build("# Work", "work"),
}


@pytest.fixture(scope="module")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of a small course, whose notebook has cells of each kind; it is run once for all tests."""
    folder = tmp_path_factory.mktemp("site")
    course = Course(copied("pages", folder / "course", NOTEBOOKS))
    told: list[tuple[str, int, int]] = []
    made = writing.write(course, ["week5"], folder / "pages", tell=lambda *words: told.append(words))
    assert [number for _, number, _ in told] == [1, 2, 3, 4, 5, 6] and {of for *_, of in told} == {6}
    assert [page.outcome.waiting for page in made] == [[], [], ["5.1"]]
    assert [len(page.outcome.failed) for page in made] == [0, 0, 1]
    return folder / "pages"


def text(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_a_page_comes_out_whatever_its_cells_do(small_site: Path) -> None:
    page = text(small_site, "week5-pictures.html")
    assert "Task 5.1 is still to do:</strong> add it to itself" in page
    assert "This cell waits:</strong> it needs value, which a cell above gives" in page
    assert "could not run to its end (FileNotFoundError: [Errno 2]" in page
    assert page.count("This cell failed") == 1
    assert "This cell failed:</strong> ZeroDivisionError: division by zero" in page
    assert re.search(r'class="printed" tabindex="0">before red</pre>', page)
    assert 'class="printed said" tabindex="0">said</pre>' in page
    assert '<img alt="One &quot;dot&quot;" src="data:image/png;base64,iVBOR' in page
    assert page.index("after</pre>") > page.index("This cell failed")


def test_a_kernel_that_dies_leaves_a_page_that_says_so(tmp_path: Path) -> None:
    notebook = tmp_path / "a.ipynb"
    notebook.write_text(build("```python\nprint('one')\nimport os; os._exit(3)\n```\n\n```python\nx = 2\n```\n", "a"))
    found = to_page(running.run(notebook, tmp_path), tmp_path, Anchors(), str)
    assert len(found.failed) == 2 and found.failed[0].startswith("cell 1 (print('one')) raised")
    assert found.body.count("This cell failed") == 2


def test_nothing_of_the_kernels_own_reaches_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notebook = tmp_path / "a.ipynb"
    source = "```python\nimport os\nos.write(2, b'a warning of the kernel')\nos.getcwd()\n```\n"
    notebook.write_text(build(source, "a"))
    content = running.run(notebook, tmp_path)
    assert content.cells[0].outputs[-1].data["text/plain"] == repr(str(tmp_path))
    assert capfd.readouterr().err == ""


class Links(HTMLParser):
    """Reads a page's anchors, and all addresses that it names, with the tags that do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.named: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self.anchors |= {given["id"]} if "id" in given else set()
        self.named += [(tag, given[key]) for key in ("href", "src") if given.get(key)]


def faults(site: Path) -> list[str]:
    """What is wrong with a site's links: those that lead nowhere, and what is fetched from elsewhere."""
    pages = {path.name: Links(path.read_text(encoding="utf-8")) for path in site.glob("*.html")}
    found = []
    for name, page in pages.items():
        for tag, address in page.named:
            if address.startswith(("http:", "https:", "//")):
                found += [f"{name}: <{tag}> fetches {address}"] if tag != "a" else []
                continue
            if address.startswith("data:"):
                continue
            path, _, anchor = address.partition("#")
            if path and not (site / unquote(path)).is_file():
                found.append(f"{name}: no file for {address}")
            elif anchor and unquote(anchor) not in pages[path or name].anchors:
                found.append(f"{name}: no anchor for {address}")
    return found


def test_every_link_of_a_site_leads_somewhere_and_nothing_comes_from_elsewhere(small_site: Path) -> None:
    assert faults(small_site) == []
    page = text(small_site, "week5.html")
    for place in ("week5-pictures.html", "files/week5/sums.py", "index.html", "primer.html#a-word"):
        assert f'href="{place}"' in page
    assert 'aria-label="figure"><img src="files/week5/figures/square.svg" alt="A square"' in page
    assert '<iframe class="try" src="files/week5/figures/try-toy.html" title="the toy"' in page
    assert not re.search(r"url\((?!#)", text(small_site, "site.css")) and "http" not in text(small_site, "site.js")
    assert (small_site / ".nojekyll").is_file()


def test_a_broken_link_is_found(small_site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html">b</a><a href="#no">c</a><script src="https://cdn.example/x.js">')
    assert faults(tmp_path) == [
        "a.html: no file for b.html",
        "a.html: no anchor for #no",
        "a.html: <script> fetches https://cdn.example/x.js",
    ]


def test_the_courses_own_lessons_have_no_broken_link(tmp_path: Path) -> None:
    made = writing.write(Course(ROOT), [], tmp_path)
    assert faults(tmp_path) == []
    assert {"primer", "week4", "week5", "week6"} <= {page.plan.name for page in made}
    assert "<merror" not in "".join(page.outcome.body for page in made)


def test_pages_are_the_same_for_the_same_sources_and_others_notebooks_stay(small_site: Path, tmp_path: Path) -> None:
    course = Course(copied("pages", tmp_path / "course", NOTEBOOKS))
    writing.write(course, [], tmp_path / "pages")
    assert "In pictures" not in text(tmp_path / "pages", "week5.html")
    assert (tmp_path / "pages" / "site.js").read_bytes() == (small_site / "site.js").read_bytes()
    (tmp_path / "pages" / "week5-pictures.html").write_text("from an earlier run")
    writing.write(course, [], tmp_path / "pages")
    assert text(tmp_path / "pages", "week5.html") == text(small_site, "week5.html")
    assert text(tmp_path / "pages", "week5-pictures.html") == "from an earlier run"


def test_the_first_page_lists_every_part_with_what_it_is_about(small_site: Path) -> None:
    page = text(small_site, "index.html")
    assert "<h1>Numbers &lt;1&gt;</h1>" in page
    assert "The <em>first</em> paragraph, with <code>code</code>." in page and "not graded" in page
    assert page.index("First</a></h2>") < page.index("Sums &amp; more</a></h2>")
    assert 'href="files/week5/week5_work.ipynb" download' in page


def test_the_first_page_says_how_to_install_everything_and_lessons_lead_there(small_site: Path) -> None:
    page = text(small_site, "index.html")
    begin = page[page.index('<h2 id="set-up">') :]
    assert (
        "Install it <em>once</em>" in begin and 'href="primer.html"' in begin and "pip install -e ." in to_text(begin)
    )
    assert "<table" not in page and "<h1>All</h1>" not in page
    assert 'href="index.html#set-up">all</a>' in text(small_site, "week5.html")


def test_the_tree_that_students_get_makes_the_same_links(small_site: Path, tmp_path: Path) -> None:
    """There the first page lies at the root."""
    root = copied("pages", tmp_path / "course", NOTEBOOKS)
    (root / "assignments" / "README.md").rename(root / "README.md")
    (root / "README.md").write_text((root / "README.md").read_text().replace("](", "](assignments/"))
    lesson = root / "assignments" / "week5" / "README.md"
    lesson.write_text(lesson.read_text().replace("(../README.md)", "(../../README.md)"))
    (root / MANIFEST).write_text("")
    writing.write(Course(root), [], tmp_path / "pages")
    assert faults(tmp_path / "pages") == []
    assert text(tmp_path / "pages", "index.html").count("Install it") == 1
    assert 'href="index.html#set-up">all</a>' in text(tmp_path / "pages", "week5.html")
    (root / MANIFEST).unlink()  # a course whose first page is for its instructors
    writing.write(Course(root), [], tmp_path / "pages")
    assert "Install it" not in text(tmp_path / "pages", "index.html")


def test_markdown_has_formulas_code_tables_and_one_anchor_for_each_heading(small_site: Path) -> None:
    page = text(small_site, "week5.html")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"' in page and "<mfrac>" in page
    assert "<msup>" in page and "a price of 5 $ or 6 $" in page
    assert '<span class="k">def</span>' in page and "printed &lt;b&gt;" in page
    anchor = "51-doublen-times1-2---int--sumspy--3-points"
    assert f'id="{anchor}"' in page and f'id="{anchor}-1"' in page
    assert ">5.1 double</a>" in page


def test_the_empty_corner_of_a_table_is_no_heading() -> None:
    page = to_html("| | A |\n|---|---|\n| x | 1 |\n", Anchors(), str)
    assert "<td></td>" in page and page.count("<th") == 2  # that of A, and the table's head
    assert re.findall(r"<th[ >][^<]*", page) == ["<th>A"]


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("5.3 `class LeNet(nn.Module)`: `LeNet(output_dim)` · lenet.py · 10 points", "5.3 class LeNet"),
        ("5.8 `train`, `validate` · training.py", "5.8 train, validate"),
        ("What (not) to do", "What (not) to do"),
    ],
)
def test_the_contents_name_tasks_without_their_parameters(title: str, short: str) -> None:
    assert Heading(3, "a", title).short == short


def test_what_is_no_formula_or_no_language_is_shown_as_it_was_written() -> None:
    assert formula(r"\frac{1}{2}", False).startswith("<math")
    assert formula("{", False) in ("<code>{</code>", formula("{", False))
    assert highlighted("<a>", "no-such-language") == '<pre class="printed" tabindex="0">&lt;a&gt;</pre>\n'
    assert 'href="x?a&amp;b"' in to_html("[t](x?a&b)", Anchors(), str)


def test_the_search_knows_every_section(small_site: Path) -> None:
    index = json.loads(text(small_site, "search.js").removeprefix("window.searchIndex = ").rstrip(";\n"))
    found = {entry["file"]: entry for entry in index}
    assert found["primer.html#a-word"] == {
        "page": "First", "file": "primer.html#a-word", "title": "A word", "text": "A Wörd to find.",
    }  # fmt: skip
    assert all("iVBOR" not in entry["text"] for entry in index)


def test_the_command_writes_pages_names_what_waits_and_fails_for_errors_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course = copied("pages", tmp_path / "course", NOTEBOOKS)
    monkeypatch.chdir(course)
    ran: list[Path] = []

    def run(notebook: Path, modules: Path, data: Path | None, progress: running.Progress | None) -> Any:
        ran.append(modules)
        content = nbformat.reads(build("```python\nx\n```\n", "a"), as_version=4)
        error = {"ename": "NotImplementedError", "evalue": "TODO 5.1: add"} if len(ran) == 1 else {}
        error = error or {"ename": "ValueError", "evalue": "no"}
        content.cells[0].outputs = [nbformat.v4.new_output("error", traceback=[], **error)]
        return content

    monkeypatch.setattr(running, "run", run)
    assert main(["lessons", "week5", "--html", "pages"]) == 0
    assert "Sums & more, in pictures: some cells wait for task 5.1\n" in capsys.readouterr().out
    assert main(["lessons", "--site", "pages", "--reference"]) == 1
    assert (
        "in pictures: cell 1 (x) raised ValueError: no\nwrote 4 pages; open pages/index.html" in capsys.readouterr().out
    )
    assert ran == [course / "assignments" / "week5", course / "solutions" / "week5"]
    assert main(["lessons", "week5", "--site", "pages"]) == 2


@pytest.fixture(scope="module")
def page_of(small_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Opens a page of the small site, or one of the course's own, in a browser of a width and a scheme."""
    own = tmp_path_factory.mktemp("own")
    writing.write(Course(ROOT), [], own)
    with opened_browser() as browser:
        window = Window(browser)

        def opened(name: str, width: int, scheme: str) -> Any:
            window.clear()
            page = window.page(width, 900, scheme)
            page.goto(f"file://{(own if name in ('week5.html', 'primer.html') else small_site) / name}")
            return page

        yield opened


PAGES = ("index.html", "week5-pictures.html", "week5.html", "primer.html")
LOOKS = ((390, "light"), (1280, "dark"), (390, "dark"), (1280, "light"))
IN_TURN = [(name, *LOOKS[number % 2]) for number, name in enumerate(PAGES)]


@pytest.mark.parametrize(("name", "width", "scheme"), of(IN_TURN, [(name, *look) for name in PAGES for look in LOOKS]))
def test_axe_finds_nothing_and_no_page_scrolls_sideways(page_of: Any, name: str, width: int, scheme: str) -> None:
    page = page_of(name, width, scheme)
    found = violations(page)
    assert [(one["id"], one["nodes"][0]["target"]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def drawing_of(page: Any) -> Any:
    """The first drawing of a page, once it is there: it is fetched when it comes into view."""
    drawing = page.locator(".drawing").first
    drawing.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.drawing img').naturalWidth > 0")
    return drawing


def test_a_narrow_page_keeps_drawings_legible_in_a_box_that_scrolls(page_of: Any) -> None:
    drawing = drawing_of(page_of("week5.html", 390, "light"))
    assert drawing.evaluate("box => box.scrollWidth > 1.5 * box.clientWidth && box.tabIndex == 0")
    wide = drawing_of(page_of("week5.html", 1280, "light"))
    assert wide.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_drawings_follow_the_colours_that_a_reader_chooses(page_of: Any) -> None:
    page = page_of("week5.html", 1280, "light")
    drawing = drawing_of(page)
    light = drawing.screenshot()
    while page.evaluate("document.documentElement.dataset.theme") != "dark":
        page.locator(".theme").click()
    assert drawing.screenshot() != light


def test_a_reader_searches_chooses_colours_and_opens_the_menu(page_of: Any) -> None:
    page = page_of("index.html", 390, "light")
    page.keyboard.press("/")
    page.keyboard.type("word find")
    page.wait_for_function("document.querySelector('.found .count').textContent == '1 section'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/primer.html#a-word")
    button = page.locator(".theme")
    button.click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    button.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    assert button.text_content() == "Colours: light"
    assert not page.locator("nav.course").is_visible()
    page.locator(".menu").click()
    assert page.locator("nav.course a", has_text="Sums").first.is_visible()
    assert page.locator(".menu").get_attribute("aria-expanded") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_whatever_the_screen_is(page_of: Any, scheme: str) -> None:
    page = page_of("week5.html", 1280, scheme)
    while page.evaluate("document.documentElement.dataset.theme") != "dark":
        page.locator(".theme").click()
    page.emulate_media(media="print", color_scheme=scheme)
    colours = page.evaluate("(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))")
    assert colours == ["rgb(255, 255, 255)", "rgb(30, 34, 39)"]
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert not page.locator(".top").is_visible()
