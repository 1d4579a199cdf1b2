"""Finds what Python needs outside its own prefix: a user's packages, those of `.pth` files and environment modules.

The sandbox shows such folders under names of its own, so that no path of a home is seen. What is shown is software
alone: a folder that an installer has filled, in any other one the libraries that students may use, and folders of
shared libraries.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# What students may import, and what that needs, by the names of its modules.
_LIBRARIES = (
    *("torch", "torchgen", "functorch", "torchvision", "numpy", "PIL", "matplotlib", "mpl_toolkits", "sklearn"),
    *("scipy", "tqdm", "pandas", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec", "filelock"),
    *("joblib", "threadpoolctl.py", "typing_extensions.py", "nvidia", "triton", "contourpy", "cycler", "kiwisolver"),
    *("fontTools", "packaging", "pyparsing", "dateutil", "six.py", "pytz", "narwhals"),
)
_OWN = Path(__file__).resolve().parents[2]
_IS_INSTALLED = _OWN.name in ("site-packages", "dist-packages")
_COURSE = ("course.toml", "assignments/*/assignment.toml", "solutions/*/test_hidden*.py")
INNER, INNER_LIBRARIES = Path("/packages"), Path("/libraries")


@dataclass(frozen=True)
class Elsewhere:
    """A folder of Python's search path, its place in the sandbox, and whether it comes before Python's own folders.

    `parts` maps what is shown of it; that is the folder itself, or parts of it.
    """

    folder: Path
    inner: Path
    first: bool
    parts: dict[Path, Path]


def elsewhere(shown: Iterable[Path]) -> list[Elsewhere]:
    """List the folders of the search path that hold packages and lie below none of `shown`."""
    shown = list(shown)
    found, seen_own = list[Elsewhere](), False
    for entry in dict.fromkeys(Path(entry) for entry in sys.path if os.path.isabs(entry)):
        if any(entry.is_relative_to(folder) for folder in shown):
            seen_own = seen_own or entry.name.endswith("-packages")
        elif entry.is_dir() and not _holds_ours(entry):
            inner = INNER / str(len(found))
            if parts := _parts(entry, inner):
                found.append(Elsewhere(entry, inner, not seen_own, parts))
    return found


def libraries() -> dict[Path, Path]:
    """Map the folders of shared libraries that `LD_LIBRARY_PATH` names to their places in the sandbox."""
    named = dict.fromkeys(Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder)
    good = [folder for folder in named if folder.is_absolute() and folder.name.startswith("lib") and folder.is_dir()]
    good = [folder for folder in good if not _holds_ours(folder)]
    return {folder: INNER_LIBRARIES / str(number) for number, folder in enumerate(good)}


def _parts(entry: Path, inner: Path) -> dict[Path, Path]:
    """Say what of a folder is shown, and where."""
    installed = entry.name in ("site-packages", "dist-packages") or any(entry.glob("*.dist-info"))
    children = sorted(entry.iterdir()) if installed else list(_known(entry))
    if installed and not any(child.is_symlink() for child in children):
        return {entry: inner}
    # A link may lead to where the sandbox shows nothing, so that what it leads to is shown in its place.
    return {child.resolve(): inner / child.name for child in children if child.exists()}


def _known(entry: Path) -> Iterator[Path]:
    yield from (child for name in _LIBRARIES if (child := entry / name).exists())
    yield from (child for pattern in ("numpy.libs", "pillow.libs", "scipy.libs") for child in entry.glob(pattern))


def _holds_ours(folder: Path) -> bool:
    """Tell whether a folder is a course, holds a home or the grader's sources, or lies in these sources.

    A grader among installed packages is hidden there (`views`), and its neighbours are needed.
    """
    real = folder.resolve()
    sources = not _IS_INSTALLED and (_OWN.is_relative_to(real) or real.is_relative_to(_OWN))
    return sources or Path.home().is_relative_to(real) or any(any(real.glob(mark)) for mark in _COURSE)
