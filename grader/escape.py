"""Makes untrusted text safe to show: one function for each place where it can end up.

Names, messages and notes may hold what a student wrote: terminal escapes, bidirectional overrides, markup,
formulas. Invisible characters are written out as Python's `repr` would. HTML gets `plain`, then autoescape.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Any

_PLAIN = {
    **{"→": "->", "…": "...", "–": "-", "—": "-", "·": "-", "×": "x", "≥": ">=", "≤": "<=", "±": "+-"},
    **{"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "•": "*", "█": "#", "░": ".", "\xa0": " "},
}
_HANDLER = "grader-plain"

LONGEST = 8_000
MOST_LINES = 200

# Joiners are part of ordinary words (Persian, Hindi, emoji), so they stay although they are invisible.
_KEPT = "\n\t\u200c\u200d"
_PASSED_OVER = r"\0\xad\u200b-\u200f\u2060-\u2064\ufeff"  # by comparisons that know languages
_UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
_FORMULA = tuple("=+-@＝＋－＠")
_OTHER_CELL = re.compile(r"([;|]\s*)(?=[=+@＝＋－＠-])")


def plain(text: str) -> str:
    """Write out every invisible character of `text`, and cut it to a length that a page can bear."""
    if len(text) <= LONGEST and text.isprintable():  # on one line, with nothing invisible: most texts are like that
        return text
    unified = text.replace("\r\n", "\n")
    shown = "".join(map(_seen, unified[: LONGEST + 1]))
    short = "\n".join(shown.split("\n")[:MOST_LINES])[:LONGEST]
    return short if short == shown else f"{short}\n… (cut here; {len(unified):,} characters in all)"


def terminal(text: str) -> str:
    """Make one line that cannot move the cursor, change colours or turn the writing direction."""
    return " ".join(plain(text).split())


def never_fail(stream: Any) -> None:
    """Have a stream write what its encoding lacks in similar signs, and letters as their escapes: ASCII bars, say."""
    codecs.register_error(_HANDLER, _similar)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=_HANDLER)


def _similar(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _escaped(sign) for sign in lacking), error.end


def _escaped(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")


def csv_cell(text: str) -> str:
    """Make one line that a spreadsheet takes for text: what could start a formula gets an apostrophe in front.

    So does what could start one in a spreadsheet that separates cells by semicolons or tabs.
    """
    risky = text[:1] in ("\t", "\r", "\n") or text.lstrip().startswith(_FORMULA)
    return ("'" if risky else "") + _OTHER_CELL.sub(r"\1'", terminal(text))


def markdown(text: str) -> str:
    """Make one line that Markdown shows as it stands: no markup, HTML, link or image comes out of it."""
    escaped = re.sub(r"[\\`*\[\]<>~|&$]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", terminal(text))
    escaped = re.sub(r"^(\d*)(?=[#+=-]|[.)](?:\s|$))", r"\1\\", escaped)
    return re.sub(r"(?i)(?=://|@)|(?<=www)(?=\.)", r"\\", escaped)


def markdown_code(text: str) -> str:
    """Make a code span on one line; unlike `markdown` it also keeps hosts from turning names into mentions."""
    shown = terminal(text)
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if not shown or "`" in (shown[0], shown[-1]) else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def markdown_block(text: str) -> str:
    """Make a fenced block, with a fence that nothing inside can close."""
    shown = plain(text)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}text\n{shown}\n{fence}"


def github_log(text: str) -> str:
    """Break whatever GitHub's runner or its log page takes for a command: `::` that begins a line, `##[` anywhere.

    The runner trims lines, and knows more ends of lines than one; so any blank before the colons is one too many. It
    compares by the rules of languages, which pass over joiners and the like.
    """
    opened = re.sub(rf"(?<![^\s{_PASSED_OVER}]):(?=[{_PASSED_OVER}]*:)", ": ", text)
    return re.sub(rf"#(?=[{_PASSED_OVER}]*#[{_PASSED_OVER}]*\[)", "# ", opened)


def _seen(char: str) -> str:
    if char in _KEPT or unicodedata.category(char) not in _UNSEEN:
        return char
    return char.encode("unicode_escape").decode("ascii")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
