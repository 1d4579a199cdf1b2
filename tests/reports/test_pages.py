"""A report says what to do next, shows every outcome in words, and lets no markup of a student's through."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from grader.errors import GraderError
from grader.files import write_atomically
from grader.reports import terminal
from grader.reports.pages import TEMPLATES, report_html, report_markdown, write_report
from grader.reports.words import phrase, week_title
from grader.results import Outcome, Report
from tests.support.reports import Page, check, full_report, sample_report, source_of

MARKDOWN = MarkdownIt("commonmark").enable("table")


both_pages = pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda report: Page(report_html(report)).text, id="html"),
        pytest.param(lambda report: Page(MARKDOWN.render(report_markdown(report))).text, id="markdown"),
    ],
)


def test_the_sample_covers_every_outcome() -> None:
    assert {c.outcome for c in sample_report().checks} == set(Outcome)


def test_three_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "students" / "zoë" / "week5"
    write_report(sample_report(), folder)
    assert sorted(file.name for file in folder.iterdir()) == ["report.html", "report.json", "report.md"]
    assert (folder / "report.json").read_text(encoding="utf-8") == sample_report().for_student().to_json()
    assert Report.load(folder / "report.json") == sample_report().for_student()


@both_pages
@pytest.mark.parametrize(
    ("outcome", "advice"),
    [(Outcome.TODO, "Write it, then run its checks:"), (Outcome.FAILED, "Mend it, then run its checks again:")],
)
def test_the_next_step_says_whether_to_write_or_to_mend(
    shown: Callable[[Report], str], outcome: Outcome, advice: str
) -> None:
    assert advice in shown(replace(full_report(), checks=(check("5.1", "size", outcome, 5),)))


def test_how_a_hidden_check_crashed_is_in_no_file_of_the_students(tmp_path: Path) -> None:
    secret = "the check itself crashed: KeyError: 'the expected weights' (test_hidden.py:41)"
    hidden = check("5.2", "figures", Outcome.BROKEN, 4, secret, hidden=True)
    public = check("5.2", "shapes", Outcome.BROKEN, 4, "the check itself crashed: KeyError (test_week5.py:7)")
    report = replace(full_report(), checks=(hidden, public))
    write_report(report, tmp_path)
    for file in tmp_path.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "expected weights" not in text and "test_hidden.py:41" not in text, file
        assert "test_week5.py:7" in text, file
    kept = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["checks"]
    assert (kept[0]["outcome"], kept[0]["message"]) == ("broken", "the check itself crashed")
    assert terminal.trouble_lines([report], [])[0].endswith(f"is broken: {secret}")


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    slower = replace(sample_report(), checks=tuple(replace(c, seconds=9.9) for c in sample_report().checks))
    assert report_html(sample_report()) == report_html(slower)
    assert report_markdown(sample_report()) == report_markdown(slower)


def test_badly_encoded_names_survive_in_json_and_harm_no_page(tmp_path: Path) -> None:
    odd = sample_report("bad\udc80name")
    write_report(odd, tmp_path)
    assert Report.load(tmp_path / "report.json") == odd.for_student()
    assert "bad\\udc80name" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "bad\\udc80name" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_atomically(path, "old")
    write_atomically(path, "new")
    assert path.read_text() == "new"
    (tmp_path / "taken").mkdir()
    with pytest.raises(GraderError, match="taken: cannot be written"):
        write_atomically(tmp_path / "taken", "text")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.md", "taken"]


def test_the_page_allows_its_own_style_and_nothing_else() -> None:
    page = Page(report_html(sample_report()))
    assert page.policy() == {
        "default-src": "'none'",
        "img-src": "'none'",
        "style-src": source_of(page.raw["style"]),
        "script-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "script" not in {tag for tag, _ in page.tags}
    attributes = [(name, value or "") for _, attrs in page.tags for name, value in attrs.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]
    assert all(value.startswith("#") for name, value in attributes if name in ("href", "src"))


def test_what_students_wrote_is_shown_as_text() -> None:
    page = Page(report_html(sample_report(student="<img src=x onerror=alert(1)>")))
    assert "img" not in {tag for tag, _ in page.tags}
    assert page.text.count("</pre></span><script>alert(1)</script>") == 2
    assert "\\x1b[31m \\u202e & &lt;" in page.text


def test_the_page_says_what_to_do_next_before_all_else() -> None:
    text = Page(report_html(sample_report())).text
    _, _, after = text.partition("What to do next")
    head, _, _ = after.partition("Score by task")
    assert head.split(" ✕ ")[0].strip() == "Task 5.3: hidden is part of the graph"
    for part in ("wrong result", "conv1.weight", "What cuts a graph?", "pytest assignments/week5 --task 5.3"):
        assert part in head


@both_pages
def test_every_check_is_there_in_words(shown: Callable[[Report], str]) -> None:
    listed = shown(sample_report()).partition("Every check")[2]
    for one in sample_report().checks:
        assert one.title in listed
        assert phrase(one.outcome) in listed
        assert one.hint in listed


@both_pages
def test_hidden_checks_are_marked_and_their_crash_stays_with_the_teacher(
    shown: Callable[[Report], str],
) -> None:
    text = shown(sample_report())
    assert "KeyError: 'axes'" not in text
    assert re.search(r"output size of other inputs \(?hidden", text)
    assert not re.search(r"output size of a convolution \(?hidden", text)


@both_pages
def test_a_broken_check_makes_the_score_provisional(shown: Callable[[Report], str]) -> None:
    assert "score is provisional" in shown(sample_report()).partition("What to do next")[0]
    assert "provisional" not in shown(full_report())


@both_pages
def test_full_marks_leave_nothing_to_do(shown: Callable[[Report], str]) -> None:
    text = shown(full_report())
    assert "Nothing. Every check passes." in text
    assert "pytest" not in text
    assert "Week 5: 100 of 100 points" in text


@both_pages
def test_where_only_a_hidden_check_fails_there_is_no_command(shown: Callable[[Report], str]) -> None:
    lost = check("5.2", "pool", Outcome.FAILED, 40, "wrong value", hidden=True)
    text = shown(replace(full_report(), checks=(full_report().checks[0], lost)))
    assert "Only hidden checks of this task fail" in text
    assert "pytest" not in text


def test_markdown_holds_no_markup_from_messages() -> None:
    tokens = MARKDOWN.parse(report_markdown(sample_report("`@all` <b>")))
    children = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *children]}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "em_open", "code_block"}
    fences = [token.content for token in tokens if token.type == "fence"]
    assert sum("<script>alert(1)</script>\n```\n# ![x]" in fence for fence in fences) == 2
    headings = [tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open"]
    assert headings == [
        "Week 5: 9 of 55 points",
        "What to do next",
        "Score by task",
        "Every check",
        *(f"Task {s.task}: {s.points} of {s.max_points} points" for s in sample_report().tasks()),
        "Notes",
    ]


def test_markdown_lines_up_as_plain_text() -> None:
    rows = [line for line in report_markdown(sample_report()).splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1
    assert "| 5.3  | ████░░░░░░ |    4/10 | wrong   |" in rows


@both_pages
def test_seed_version_and_digests_stand_at_the_end(shown: Callable[[Report], str]) -> None:
    tail = shown(sample_report())[-200:].lower()
    for part in ("seed 7", "grader 0.1.0", "submission " + "3f" * 32, "assignment " + "9a" * 32):
        assert part in tail


def test_weeks_have_names_that_people_use() -> None:
    assert week_title("week5") == "Week 5"
    assert week_title("resit") == "resit"


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_has_enough_contrast(scheme: str) -> None:
    palettes = re.findall(r":root \{(.*?)\}", (TEMPLATES / "style.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6});", palettes[scheme == "dark"]))
    for ground in ("page", "card", "inset"):
        for ink in ("text", "muted", "link", "good", "bad", "warn"):
            darker, lighter = sorted((luminance(colours[ground]), luminance(colours[ink])))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{ink} on {ground}"


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_cut_in_a_browser(width: int, asked_of: Callable[..., Any]) -> None:
    long = replace(sample_report("x" * 300), notes=("y" * 5_000, "several words " * 200))
    script = (
        "const wide = [...page.body.querySelectorAll('*')].filter((e) => !e.closest('.unseen, svg')"
        " && e.getBoundingClientRect().right > page.documentElement.clientWidth + 1);"
        "return [page.documentElement.scrollWidth, wide.map((e) => e.outerHTML.slice(0, 80)),"
        " page.defaultView.getComputedStyle(page.querySelector('.card')).borderTopStyle];"
    )
    scrolled, wide, style = asked_of(report_html(long), script, width)
    assert (scrolled <= width, wide, style) == (True, [], "solid")


def test_reporting_imports_nothing_slow() -> None:
    program = (
        "import sys; from grader.gradebook import store; "
        "from grader.reports import class_page, figures, pages, terminal;"
        "print(*{'torch', 'numpy', 'matplotlib', 'hypothesis', 'pytest', 'rich'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
