"""Adds up what `pip install -e '.[student]'` takes on disk: `python tests/benchmarks/install_size.py`.

It follows the requirements of the installed distributions from this one's extra `student`, and adds up the files that
they have recorded. What only NVIDIA's cards need is left out, as `--torch-backend cpu` leaves it out: the packages of
CUDA, and torch's own libraries for them where the build that is installed has these.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

LIMIT = 1500  # MB
CUDA = re.compile(r"nvidia-.*|triton|cuda-.*|pytorch-triton")
FOR_CARDS = re.compile(r"lib\w*(cuda|nvshmem|nvrtc)\w*\.so")  # libraries of torch's own


def needed(name: str, extras: frozenset[str], seen: dict[str, metadata.Distribution]) -> None:
    """Collect the installed distributions that this one needs, with these extras."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen or CUDA.fullmatch(key):
        return
    seen[key] = metadata.distribution(name)
    for text in seen[key].requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            needed(requirement.name, frozenset(requirement.extras), seen)


def size(distribution: metadata.Distribution) -> float:
    """Return what a distribution's files take, in MB."""
    paths = {Path(str(distribution.locate_file(file))).resolve() for file in distribution.files or ()}
    kept = (path for path in paths if path.is_file() and not FOR_CARDS.fullmatch(path.name))
    return sum(path.stat().st_size for path in kept) / 1e6


def main() -> None:
    seen: dict[str, metadata.Distribution] = {}
    needed("torch-autograder", frozenset({"student"}), seen)
    sizes = {name: size(distribution) for name, distribution in seen.items()}
    for name, mb in sorted(sizes.items(), key=lambda item: -item[1])[:10]:
        print(f"{mb:8.0f} MB  {name}")
    total = sum(sizes.values())
    print(f"{total:8.0f} MB  all {len(sizes)} distributions, by their own records; the aim is under {LIMIT} MB")


if __name__ == "__main__":
    main()
