"""Untrusted text shows what it is and does nothing, wherever it ends up."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grader import escape

MARKUP = st.text(alphabet="\\`*_{}[]()<>#+-.!|~&;:@=/ \t\nab1\"'", max_size=40)
ANYTHING = st.text(max_size=60) | MARKUP
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def markdown_tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


@given(ANYTHING)
def test_plain_leaves_nothing_invisible(text: str) -> None:
    shown = escape.plain(text)
    assert not [c for c in shown if unicodedata.category(c) in INVISIBLE and c not in "\n\t\u200c\u200d"]
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("over\rwritten", "over\\rwritten"),
        ("C1 \x9b2J", "C1 \\x9b2J"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("\u2066isolate\u2069", "\\u2066isolate\\u2069"),
        ("half a pair \udc80", "half a pair \\udc80"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("Zoë 李 می\u200cخواهم 👩\u200d🔬", "Zoë 李 می\u200cخواهم 👩\u200d🔬"),
    ],
)
def test_plain_writes_out_what_cannot_be_seen(text: str, shown: str) -> None:
    assert escape.plain(text) == shown


@pytest.mark.parametrize("text", ["x" * 8_000, "x\r\n" * 199 + "x", ""])
def test_plain_keeps_what_fits(text: str) -> None:
    assert escape.plain(text) == text.replace("\r\n", "\n")


@pytest.mark.parametrize("text", ["x" * 8_001, "x\r\n" * 3_000, "\x00" * 3_000, "y\n" * 201])
def test_plain_cuts_what_does_not_and_says_so(text: str) -> None:
    shown = escape.plain(text)
    assert len(shown) < 8_100
    assert shown.count("\n") <= 200
    assert shown.endswith(f"… (cut here; {len(text.replace(chr(13), '')):,} characters in all)")


@given(ANYTHING)
def test_terminal_text_is_one_line(text: str) -> None:
    shown = escape.terminal(text)
    assert shown.splitlines() in ([], [shown])
    assert shown == " ".join(shown.split())


@given(ANYTHING)
@example("=1+1")
@example("  =1+1")
@example("\t=cmd|' /C calc'!A0")
@example("\r@SUM(A1)")
@example("\n'")
@example("a;=1+1")
@example("a; \t-1+1;@b")
def test_csv_cells_start_no_formula_and_survive_a_reader(text: str) -> None:
    cell = escape.csv_cell(text)
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    out = io.StringIO()
    csv.writer(out).writerow([cell, 1])
    assert next(csv.reader(io.StringIO(out.getvalue()))) == [cell, "1"]
    for other in ";\t":  # where a country's spreadsheet separates cells in another way
        for part in next(csv.reader(io.StringIO(out.getvalue()), delimiter=other)):
            assert part.lstrip()[:1] not in tuple("=+-@＝＋－＠")
    assert cell.replace("'", "") == escape.terminal(text).replace("'", "")


def test_csv_leaves_ordinary_names_alone() -> None:
    assert escape.csv_cell("Zoë O'Brien-Smith") == "Zoë O'Brien-Smith"


@given(ANYTHING)
@example("1. item")
@example("__0__")
@example("---")
@example("===")
@example("[a](javascript:x) ![b](https://c)")
@example("<img src=x onerror=alert(1)> &lt;")
def test_markdown_text_is_shown_as_it_stands(text: str) -> None:
    inline = [token for token in markdown_tokens(escape.markdown(text)) if token.type == "inline"]
    children = [child for token in inline for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == escape.terminal(text)
    assert len(inline) <= 1


@pytest.mark.parametrize("text", ["https://evil.example", "WWW.evil.example", "me@evil.example"])
def test_markdown_text_does_not_become_a_link_where_bare_addresses_do(text: str) -> None:
    assert text not in escape.markdown(text)


@given(ANYTHING)
@example("``")
@example("` `")
def test_markdown_code_is_one_code_span(text: str) -> None:
    tokens = markdown_tokens(f"x {escape.markdown_code(text)} y")
    _, span, _ = tokens[1].children or []
    assert span.type == "code_inline"
    assert span.content.strip() == escape.terminal(text)


@given(ANYTHING)
@example("```\n<script>\n````")
@example("~~~\n# heading")
def test_markdown_block_is_one_fence(text: str) -> None:
    (fence,) = markdown_tokens(escape.markdown_block(text))
    assert fence.type == "fence"
    assert fence.content == escape.plain(text) + "\n"


@example("printed\r::notice::100 points")
@example("printed\u2028\xa0::notice::100 points")
@example(":::notice::100 points")
@given(st.text(st.one_of(st.sampled_from(":#[ \n\t\r\xa0\u2003]"), st.characters())))
def test_no_text_is_a_command_to_github(text: str) -> None:
    """Its runner trims each line and looks for `::` at the start, and for `##[` anywhere."""
    shown = escape.github_log(text)
    assert "##[" not in shown
    assert not any(line.strip().startswith("::") for line in shown.splitlines())
    assert shown.replace(" ", "") == text.replace(" ", "")
