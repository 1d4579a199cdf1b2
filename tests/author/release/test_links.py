"""Links between pages lead somewhere in the tree that students get, although pages move."""

from __future__ import annotations

import json
from pathlib import Path

from grader.author.release import links, tree
from grader.course import Course

ROOT = Path(__file__).parents[3]


def test_links_follow_the_pages_that_move_and_others_stay_as_they_are() -> None:
    page = (
        b"[a](b/README.md#x) ![p](b/p.svg) [up](../LICENSE) [site](https://x.org/b) [here](#b) [mail](mailto:a@b.c)\n"
    )
    cell = json.dumps({"cells": [{"source": ["see [first](../README.md)", "[me](lesson.py)"]}]})
    files = {
        "a/README.md": page,
        "a/b/README.md": b"[first](../README.md#set-up) [beside](p.svg)",
        "a/b/work.ipynb": cell.encode(),
        "a/b/code.py": b"# [first](../README.md)",
    }
    made = links.moved(files, lambda path: "README.md" if path == "a/README.md" else path)
    assert made["README.md"] == (
        b"[a](a/b/README.md#x) ![p](a/b/p.svg) [up](LICENSE) [site](https://x.org/b) [here](#b) [mail](mailto:a@b.c)\n"
    )
    assert made["a/b/README.md"] == b"[first](../../README.md#set-up) [beside](p.svg)"
    assert json.loads(made["a/b/work.ipynb"])["cells"][0]["source"] == [
        "see [first](../../README.md)",
        "[me](lesson.py)",
    ]
    assert made["a/b/code.py"] == files["a/b/code.py"]


def test_a_link_to_nothing_is_named_by_page_and_line() -> None:
    files = {
        "README.md": b"# A\n[b](a/b.md), [folder](a/), [gone](a/c.md#x)\n",
        "a/b.md": b"[up](../README.md)\n[x](c.md)",
    }
    assert list(links.dead(files)) == ["README.md:2: a/c.md", "a/b.md:2: c.md"]


def test_no_link_of_the_tree_that_students_get_leads_to_nothing() -> None:
    files = links.moved(
        {path: (ROOT / path).read_bytes() for path in tree.tracked_files(ROOT) if tree.is_for_students(path)},
        tree.place_of,
    )
    assert "README.md" in files and "assignments/README.md" not in files
    assert len(Course(ROOT).assignments()) >= 3
    assert list(links.dead(files)) == []
