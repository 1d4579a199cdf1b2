"""Writes one submission's report as files: report.json, report.md and report.html, all made from one `Report`.

The pages are self-contained: their style and script stand inside. Their content security policy allows these by hash,
and forbids everything else. Nothing in them depends on when they are written.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from grader import escape
from grader.files import remove_halves, write_atomically
from grader.language import decimal, retold, spoken, tr
from grader.reports import drawing, words
from grader.reports.words import speaking_for, week_title
from grader.results import Outcome, Report

TEMPLATES = Path(__file__).parent / "templates"
# A line of a message that has a label of its own, such as `  expected     4`: templates show these as a list.
IS_ENTRY = re.compile(r"  (?=.{13}\S)(?:[^\W\d_]| )+  \S").match
LAST = "report.html"  # the last of a report's files that is written: where it exists, so do the others


def write_report(report: Report, folder: Path) -> None:
    """Write report.json, report.md and report.html into `folder`, which is made if need be.

    They are for the student, so they leave out how a hidden check of ours crashed: that is in the gradebook.
    """
    remove_halves(folder)
    write_atomically(folder / "report.json", report.for_student().to_json())
    write_atomically(folder / "report.md", report_markdown(report))
    write_atomically(folder / LAST, report_html(report))


def is_current(folder: Path) -> bool:
    """Tell whether a report is complete, and nothing has changed since it was written."""
    return (folder / LAST).exists()


def outdate(folder: Path) -> None:
    """Have the report written anew, by the next run at the latest; call this before its content changes."""
    (folder / LAST).unlink(missing_ok=True)


def remove_report(folder: Path) -> None:
    """Remove a report, and the folders around it as far as nothing else is in them."""
    for name in ("report.json", "report.md", LAST):
        (folder / name).unlink(missing_ok=True)
    for path in (folder, folder.parent):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def report_html(report: Report) -> str:
    """Return the report as one HTML page."""
    with speaking_for(report):
        return render_page("report.html.j2", images=_images(report), **_contents(report))


def live_html(report: Report) -> str:
    """Return the report as a page that asks where it came from for a newer one."""
    with speaking_for(report):
        return render_page("report.html.j2", "live.js", _images(report), connections="'self'", **_contents(report))


def _images(report: Report) -> str:
    pictured = any(exhibit.kind == "mistakes" for check in report.checks for exhibit in check.exhibits)
    return "data:" if pictured else "'none'"


def report_markdown(report: Report) -> str:
    """Return the report as Markdown that also reads well as plain text."""
    with speaking_for(report):
        return _markdown().get_template("report.md.j2").render(**_contents(report))


def every_check() -> str:
    """Return the heading in a report's Markdown below which all checks stand."""
    return f"## {tr('Every check')}"


def render_page(
    template: str,
    script: str = "",
    images: str = "'none'",
    style: str = "",
    connections: str = "",
    **contents: Any,
) -> str:
    """Render a page from `template`, with the common style, maybe one of its own and a script.

    The page's policy allows just these.
    """
    style = _asset("style.css") + (_asset(style) if style else "")
    code = _asset(script) if script else ""
    policy = f"default-src 'none'; img-src {images}; style-src '{_digest(style)}'; script-src {_source(code)}"
    policy += "; base-uri 'none'; form-action 'none'"
    policy += f"; connect-src {connections}" if connections else ""
    page = _html().get_template(template)
    return page.render(style=Markup(style), script=Markup(code), policy=Markup(policy), **contents)


def _contents(report: Report) -> dict[str, Any]:
    report = report.for_student()
    scores = report.tasks()
    command = words.week_command(report.week)
    return {
        "report": report,
        "scores": scores,
        "week": week_title(report.week),
        "command": command,
        "step": None if report.by_hand else words.next_step(scores, command, report.full),
        "nothing": words.nothing_to_do(report),
        "broke": words.broke(report),
        "every_check": Markup(every_check()),
        "facts": words.facts(report.delivery),
    }


@cache
def _html() -> jinja2.Environment:
    return _environment(autoescape=True, finalize=visible)


@cache
def _markdown() -> jinja2.Environment:
    environment = _environment(autoescape=False, finalize=_as_markdown)
    environment.filters |= {
        "left": lambda text, width: Markup(escape.markdown(text).ljust(width)),
        "right": lambda text, width: Markup(escape.markdown(text).rjust(width)),
        "code": lambda text: Markup(escape.markdown_code(text)),
        "block": lambda text: Markup(escape.markdown_block(text)),
    }
    return environment


def _environment(**options: Any) -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 - the caller says `autoescape`
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    teach(environment)
    return environment


def teach(environment: jinja2.Environment) -> None:
    """Give an environment the words and marks that all pages use, those of the desk and of notebooks, too."""
    environment.globals.update(
        bar=words.bar,
        drawing=drawing,
        fraction=words.fraction,
        number=words.number,
        language=spoken,
        phrase=words.phrase,
        points_of=words.points_of,
        grade_of=words.grade_of,
        retold=retold,
        tr=tr,
        remark_title=words.remark_title,
        word=words.word,
        visible=escape.plain,
        Outcome=Outcome,
    )
    environment.filters["week_title"] = week_title
    environment.filters |= {
        "signed": _signed,
        "places": _rounded,
        "figure": _figure,
        "decimal": decimal,
        "retold": retold,
        "for_machines": Markup,  # as Python writes it
    }
    environment.tests["entry"] = IS_ENTRY


def _signed(points: float) -> Markup:
    return Markup(words.change(points))


def _rounded(number: float, places: int) -> Markup:
    return Markup(decimal(number, places))


def _figure(number: float) -> Markup:
    return Markup(decimal(f"{number:.2g}"))


def visible(value: Any) -> Any:
    """Make what a template inserts safe and easy to read; autoescape follows. Markup is our own and stays as it is."""
    if isinstance(value, float):
        return decimal(value)
    return escape.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _as_markdown(value: Any) -> Any:
    if isinstance(value, float):
        return decimal(value)
    return escape.markdown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _source(code: str) -> str:
    return f"'{_digest(code)}'" if code else "'none'"


def _digest(text: str) -> str:
    """Return the hash by which a content security policy allows an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
