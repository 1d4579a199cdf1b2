"""Writes a site: its pages, what they link to, its style, and the index that its search reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from grader.author.site import running
from grader.author.site.markdown import Anchors, Heading, to_html, to_text
from grader.author.site.notebook import Outcome, to_page
from grader.author.site.planning import Plan, first_page, how_to_begin, introduction, plans
from grader.course import Course
from grader.files import write_atomically

HOME = "index.html"
BEGIN = f"{HOME}#set-up"  # where the first page says how to install everything
_ASSETS = ("site.css", "site.js")
_HERE = Path(__file__).parent
_LONGEST = 1500  # characters of a section that the search knows
_HEADING = re.compile(r'<h[1-3] id="([^"]*)">(.*?)</h[1-3]>', re.DOTALL)
_ANCHOR = re.compile(r'<a class="anchor".*?</a>', re.DOTALL)

Tell = Callable[[str, int, int], None]


@dataclass
class Made:
    """What a page has become: its body, its headings, and what of a notebook waits or has failed."""

    plan: Plan
    outcome: Outcome
    headings: list[Heading]


@dataclass
class Site:
    """A site that is being made in `folder`: the pages planned, and the files of the course that pages link to."""

    course: Course
    folder: Path
    pages: Sequence[Plan]
    linked: dict[str, Path] = field(default_factory=dict)

    def target(self, source: Path) -> Callable[[str], str]:
        """Return what says where a link in a source leads on the site."""
        places = {plan.source.resolve(): plan.file for plan in self.pages}
        first = first_page(self.course)
        begin = BEGIN if first and how_to_begin(first) else HOME

        def to(url: str) -> str:
            path, mark, fragment = url.partition("#")
            if not path or re.match(r"[a-z]+:", path):
                return url
            file = (source.parent / path).resolve()
            if first and file == first.resolve():
                return f"{HOME}#{fragment}" if mark else begin
            return self._place(file, places, url) + (f"{mark}{fragment}" if mark else "")

        return to

    def _place(self, file: Path, places: Mapping[Path, str], url: str) -> str:
        if file in places:
            return places[file]
        home = (self.course.root / "assignments").resolve()
        if file.is_file() and file.is_relative_to(home):
            place = f"files/{file.relative_to(home).as_posix()}"
            self.linked[place] = file
            return place
        return url

    def download(self, file: Path) -> str:
        """Return the place of a file of the course that a page offers; nothing where there is none."""
        return self._place(file.resolve(), {}, "") if file.is_file() else ""


def write(
    course: Course, names: Sequence[str], folder: Path, data: Path | None = None, reference: bool = False,
    tell: Tell | None = None,
) -> list[Made]:  # fmt: skip
    """Write the site into a folder. The notebooks of `names` are run; of others, pages that are there stay.

    The pages with what of them waits for a task, or has failed, are returned. `tell` gets a page's title, and how many
    of how many cells have begun.
    """
    every = plans(course, [*course.chapters(), *course.assignments()])
    chosen = {plan.name for plan in plans(course, list(names))}
    kept = [plan for plan in every if not plan.is_run or plan.name in chosen or (folder / plan.file).is_file()]
    site = Site(course, folder, kept)
    made = [_make(site, plan, data, reference, tell) for plan in kept if not plan.is_run or plan.name in chosen]
    for page in made:
        write_atomically(folder / page.plan.file, _page(site, page), for_others=True)
    write_atomically(folder / HOME, _home(site), for_others=True)
    _write_rest(site, made)
    return made


def _make(site: Site, plan: Plan, data: Path | None, reference: bool, tell: Tell | None) -> Made:
    anchors = Anchors()
    target = site.target(plan.source)
    if not plan.is_run:
        body = to_html(plan.source.read_text(encoding="utf-8"), anchors, target)
        return Made(plan, Outcome(body), anchors.headings)
    week = plan.source.parent.name
    modules = site.course.root / "solutions" / week if reference else plan.source.parent
    progress = (lambda number, of: tell(plan.title, number, of)) if tell else None
    content = running.run(plan.source, modules, data, progress)
    return Made(plan, to_page(content, modules, anchors, target), anchors.headings)


def _page(site: Site, made: Made) -> str:
    names = [plan.name for plan in site.pages]
    here = names.index(made.plan.name)
    return _render(
        "page.html.j2",
        site,
        title=made.plan.title,
        body=Markup(made.outcome.body),  # noqa: S704 - made of the course's own files
        contents=[heading for heading in made.headings if heading.level in (2, 3)],
        current=made.plan.name,
        before=site.pages[here - 1] if here else None,
        after=site.pages[here + 1] if here + 1 < len(site.pages) else None,
        **_offers(site, made.plan.source.parent.name),
    )


def _home(site: Site) -> str:
    parts = []
    for name in (*site.course.chapters(), *site.course.assignments()):
        part = site.course.part(name)
        about = to_html(introduction(part), Anchors(), site.target(part.folder / "README.md"))
        pages = [plan for plan in site.pages if plan.source.parent == part.folder]
        graded = name in site.course.assignments()
        parts.append(
            {
                "title": pages[0].part if pages else part.title,
                "about": Markup(about),  # noqa: S704 - as above
                "pages": pages,
                "graded": graded,
                **_offers(site, name),
            }
        )
    begin = Markup(_begin(site))  # noqa: S704 - as above
    return _render("index.html.j2", site, title=site.course.title, parts=parts, begin=begin, current="", contents=[])


def _begin(site: Site) -> str:
    """Return how to install everything, which lessons say that the first page says."""
    first = first_page(site.course)
    text = how_to_begin(first) if first else ""
    return to_html(f"## Set up\n\n{text}", Anchors(), site.target(first)) if first and text else ""


def _offers(site: Site, name: str) -> dict[str, str]:
    """Return the links of a part's notebook: to download it, and to open it in Colab."""
    part = site.course.part(name)
    repository = site.course.settings.repository.removeprefix("https://github.com/")
    path = part.workbook_file.relative_to(site.course.root).as_posix()
    is_there = part.workbook_file.is_file() and repository != site.course.settings.repository
    colab = f"https://colab.research.google.com/github/{repository}/blob/HEAD/{path}" if is_there else ""
    return {"download": site.download(part.workbook_file), "colab": colab}


def _write_rest(site: Site, made: Sequence[Made]) -> None:
    for name in _ASSETS:
        write_atomically(site.folder / name, (_HERE / name).read_bytes(), for_others=True)
    for place, file in sorted(site.linked.items()):
        write_atomically(site.folder / place, file.read_bytes(), for_others=True)
    index = json.dumps([entry for page in made for entry in _entries(page)], ensure_ascii=False, indent=0)
    write_atomically(site.folder / "search.js", f"window.searchIndex = {index};\n", for_others=True)
    write_atomically(site.folder / ".nojekyll", b"", for_others=True)  # GitHub Pages then serves files as they are


def _entries(page: Made) -> list[dict[str, str]]:
    """Return the sections of a page for the search: where each is, what it is called, and its words."""
    body = re.sub(r'src="data:[^"]*"', "", page.outcome.body)
    heads = list(_HEADING.finditer(body))
    ends = [*(head.start() for head in heads[1:]), len(body)][: len(heads)]
    return [
        {
            "page": page.plan.title,
            "file": f"{page.plan.file}#{head[1]}",
            "title": " ".join(to_text(_ANCHOR.sub("", head[2])).split()),
            "text": " ".join(to_text(_ANCHOR.sub("", body[head.end() : end]), " ").split())[:_LONGEST],
        }
        for head, end in zip(heads, ends, strict=True)
    ]


def _render(template: str, site: Site, **contents: Any) -> str:
    parts: dict[str, list[Plan]] = {}
    for plan in site.pages:
        parts.setdefault(plan.part, []).append(plan)
    page = _environment().get_template(template)
    given = {"before": None, "after": None, "download": "", "colab": ""} | contents
    return page.render(course=site.course.title, nav=parts, language=site.course.settings.language, **given)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
