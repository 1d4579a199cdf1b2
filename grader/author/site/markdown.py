"""Turns the lessons' Markdown into HTML: formulas as MathML, coloured code, and headings that can be linked.

The lessons are the course's own, so HTML in them stays as it is.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_DISPLAYED = re.compile(r"^\$\$(.+?)\$\$[ \t]*$", re.MULTILINE | re.DOTALL)
_NO_MARK = re.compile(r"[^\w\- ]")
# A paragraph with a link to an interactive figure, which the lessons call `figures/try-….html`.
_TRY = re.compile(r'<p>(?:(?!</p>).)*?<a href="([^"]*/try-[\w-]+\.html)">(.*?)</a>.*?</p>', re.DOTALL)
_FIGURE = re.compile(r'<p>(<img src="[^"]+\.svg"[^>]*>)</p>')  # a drawing alone in its paragraph
_EMPTY_HEAD = re.compile(r"<th[^>]*>\s*</th>")  # a corner of a table heads nothing, and readers of screens say so
_TAGS = re.compile(r"<(annotation|style|script)\b.*?</\1>|<[^>]+>", re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """A heading on a page: its level, its anchor and its text."""

    level: int
    anchor: str
    text: str

    @property
    def short(self) -> str:
        """What a list of contents says: of a task its number and name, without parameters, module and points."""
        return re.sub(r"^([\d.]+ (?:class )?\w+)\(.*", r"\1", self.text.partition(" · ")[0].replace("`", ""))


@dataclass
class Anchors:
    """Gives each heading of a page an anchor of its own, as GitHub does."""

    headings: list[Heading] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def add(self, level: int, text: str) -> str:
        """Return the anchor of a heading, and keep the heading."""
        plain = _NO_MARK.sub("", unicodedata.normalize("NFC", text).strip().lower()).replace(" ", "-")
        anchor, number = plain, 0
        while anchor in self._taken:
            number += 1
            anchor = f"{plain}-{number}"
        self._taken.add(anchor)
        self.headings.append(Heading(level, anchor, text))
        return anchor


Target = Callable[[str], str]


def to_html(text: str, anchors: Anchors, target: Target) -> str:
    """Return HTML; `target` says where a link or a picture of the source leads on the site."""
    import mistune  # noqa: PLC0415 - only who makes pages needs it

    class Renderer(mistune.HTMLRenderer):
        def heading(self, text: str, level: int, **attributes: Any) -> str:
            plain = html.unescape(to_text(text))
            anchor = anchors.add(level, plain)
            mark = f'<a class="anchor" href="#{anchor}" aria-label="Link to: {html.escape(plain)}">#</a>'
            return f'<h{level} id="{anchor}">{text}{mark if level > 1 else ""}</h{level}>\n'

        def link(self, text: str, url: str, title: str | None = None) -> str:
            outside = url.startswith(("http:", "https:"))
            return f'<a href="{html.escape(target(url))}"{" class=outside" if outside else ""}>{text}</a>'

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return f'<img src="{html.escape(target(url))}" alt="{html.escape(text)}" loading="lazy">'

        def block_code(self, code: str, info: str | None = None) -> str:
            return highlighted(code, (info or "").split(" ")[0])

        def inline_math(self, text: str) -> str:
            return formula(text, displayed=False)

        def block_math(self, text: str) -> str:
            return f'<div class="formula" tabindex="0" role="group" aria-label="formula">{formula(text, True)}</div>\n'

    apart = _DISPLAYED.sub(lambda found: f"\n$$\n{found[1].strip()}\n$$\n", text)
    convert = mistune.create_markdown(
        escape=False, renderer=Renderer(escape=False), plugins=["table", "strikethrough", "math", "footnotes", "url"]
    )
    made = _EMPTY_HEAD.sub("<td></td>", _TRY.sub(_with_frame, str(convert(apart))))
    made = _FIGURE.sub(r'<div class="wide drawing" tabindex="0" role="group" aria-label="figure">\1</div>', made)
    return re.sub(
        r"<table>.*?</table>",
        lambda found: f'<div class="wide" tabindex="0" role="group" aria-label="table">{found[0]}</div>',
        made,
        flags=re.DOTALL,
    )


def _with_frame(found: re.Match[str]) -> str:
    """Show an interactive figure below the paragraph that links to it."""
    title = html.escape(" ".join(to_text(found[2]).split()))
    return f'{found[0]}\n<iframe class="try" src="{found[1]}" title="{title}" loading="lazy"></iframe>'


def formula(source: str, displayed: bool) -> str:
    """Return a formula as MathML, which browsers draw by themselves."""
    from latex2mathml.converter import convert  # noqa: PLC0415 - only formulas need it

    try:
        return str(convert(html.unescape(source), display="block" if displayed else "inline"))
    except Exception:  # a formula that the library does not know is shown as it was written
        return f"<code>{html.escape(html.unescape(source))}</code>"


def highlighted(code: str, language: str) -> str:
    """Return code with its words marked by classes, as Pygments calls them; what is printed stays plain."""
    from pygments import highlight  # noqa: PLC0415 - only who makes pages needs it
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415 - as above
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - as above
    from pygments.util import ClassNotFound  # noqa: PLC0415 - as above

    try:
        lexer = get_lexer_by_name(language) if language not in ("", "text") else None
    except ClassNotFound:
        lexer = None
    if lexer is None:
        return f'<pre class="printed" tabindex="0">{html.escape(code.rstrip())}</pre>\n'
    marked = highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip()
    return f'<pre class="code" tabindex="0"><code>{marked}</code></pre>\n'


def to_text(page: str, between: str = "") -> str:
    """Return the words of a piece of HTML, with `between` in the place of each tag."""
    return html.unescape(_TAGS.sub(between, page))
