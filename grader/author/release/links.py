"""Keeps links between pages right where pages move, and names those that lead to nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from posixpath import dirname, normpath, relpath

_LINK = re.compile(r"(?<=\]\()(?!#|/|[a-z][a-z0-9+.-]*:)([^)\s#?]+)")  # the path of a relative link of Markdown's
_PAGES = (".md", ".ipynb")


def moved(files: Mapping[str, bytes], place_of: Callable[[str], str]) -> dict[str, bytes]:
    """Return the files at their new places, by `place_of`, with the pages' relative links changed accordingly."""
    return {place_of(path): _relinked(path, content, place_of) for path, content in files.items()}


def _relinked(path: str, content: bytes, place_of: Callable[[str], str]) -> bytes:
    if not path.endswith(_PAGES):
        return content

    def target(link: re.Match[str]) -> str:
        before = normpath(f"{dirname(path)}/{link[1]}")
        if place_of(path) == path and place_of(before) == before:
            return link[1]
        return relpath(place_of(before), dirname(place_of(path)) or ".")

    return _LINK.sub(target, content.decode("utf-8")).encode("utf-8")


def dead(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield each relative link that leads to no file and no folder of the tree, with its page and line."""
    folders = {parent for path in files for parent in _parents(path)}
    for path, content in sorted(files.items()):
        if path.endswith(".md"):
            for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
                for link in _LINK.findall(line):
                    if normpath(f"{dirname(path)}/{link}".lstrip("/")) not in {*files, *folders}:
                        yield f"{path}:{number}: {link}"


def _parents(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path
