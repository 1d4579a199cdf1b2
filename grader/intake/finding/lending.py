"""Lets a module have names that another of the student's files defines."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from grader.intake.notebook import module_from_script
from grader.intake.notebook.cells import is_exported
from grader.intake.places import Place

# Looked up when they are asked for, since the files may import each other.
_LENT = """

# Added by the grader, which has found these names in other files.
def __getattr__(name):
    lenders = {lenders!r}
    if name not in lenders:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    import importlib
    return getattr(importlib.import_module(__name__.partition(".")[0] + "." + lenders[name]), name)
"""


def lend(files: dict[str, bytes], everything: Mapping[str, bytes], place: Place) -> None:
    """Give each module the names that it borrows, and bring along the files that lend them."""
    for module, borrowed in place.borrowed.items():
        lenders = {name: _lender(files, everything, place, path) for name, path in sorted(borrowed.items())}
        path = f"{module}/__init__.py" if f"{module}/__init__.py" in files else f"{module}.py"
        files[path] = files.get(path, b"") + _LENT.format(lenders=lenders).encode()


def _lender(files: dict[str, bytes], everything: Mapping[str, bytes], place: Place, path: str) -> str:
    """Return the name of the module that a file is in the week's folder, where it is put if it is not there."""
    for module, own in place.modules.items():
        if own == path:
            return module
    raw = everything[path]
    stem = re.sub(r"\W", "_", PurePosixPath(path).stem)
    plain = stem.isidentifier() and not keyword.iskeyword(stem)
    name = stem if plain and files.get(f"{stem}.py", raw) == raw else f"found_{stem}"
    if is_exported(raw):
        names = {name: [lent for names in place.borrowed.values() for lent, other in names.items() if other == path]}
        raw = module_from_script(raw, path, name, names)[0] or raw
    files[f"{name}.py"] = raw
    return name
