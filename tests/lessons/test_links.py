"""The lessons' links: what is meant is there, and each figure has words beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = {file.parent.name: file for file in sorted(ROOT.glob("assignments/*/README.md"))}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def links(file: Path) -> list[tuple[bool, str, str]]:
    """Whether it is a picture, its words, and its target, for each link outside of code."""
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    return [(bool(mark), words, target) for mark, words, target in LINK.findall(text)]


def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", file.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("week", LESSONS)
def test_what_a_lesson_links_to_is_there(week: str) -> None:
    for _, _, target in links(LESSONS[week]):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = LESSONS[week].parent / path if path else LESSONS[week]
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("week", LESSONS)
def test_links_elsewhere_are_safe_and_whole(week: str) -> None:
    found = [target for _, _, target in links(LESSONS[week]) if "://" in target]
    assert [target for target in found if not re.fullmatch(r"https://[\w.-]+(/[\w./#%-]*)?", target)] == []


@pytest.mark.parametrize("week", LESSONS)
def test_pictures_are_described(week: str) -> None:
    assert all(len(words) > 25 for is_picture, words, _ in links(LESSONS[week]) if is_picture)
