"""Imports a student's modules where only the allowed libraries are: a program, asked and answering in JSON.

It says of each module that it begins, and what came of it, so that whoever asks knows which one does not end.
"""

from __future__ import annotations

import importlib.abc
import json
import os
import sys
from collections.abc import Collection, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, TextIO

from grader.inside import probing
from grader.inside.importing import lacking
from grader.inside.importing.callers import is_students
from grader.inside.modules import open_modules

_INSIDE = str(Path(probing.__file__).parent)  # its own import stands between a student's and Python's


class _Only(importlib.abc.MetaPathFinder):
    """Finds nothing of what a student's file asks for that is neither allowed nor Python's own."""

    def __init__(self, folder: Path, libraries: Collection[str]) -> None:
        self._folder = folder
        self._allowed = {*libraries, *sys.stdlib_module_names, "assignments", folder.name}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if path is None and name not in self._allowed and not self._is_own(name) and self._is_asked_by_student():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

    def _is_own(self, name: str) -> bool:
        return (self._folder / f"{name}.py").is_file() or (self._folder / name).is_dir()

    def _is_asked_by_student(self) -> bool:
        """Tell whether the import stands in a student's file: libraries may import what they need."""
        frame = sys._getframe(1)
        while frame is not None:
            file = frame.f_code.co_filename
            if file != __file__ and "importlib" not in file and not file.startswith(_INSIDE):
                return is_students(file, [self._folder])
            frame = frame.f_back  # type: ignore[assignment]
        return False


def main() -> None:
    """Answer the request on standard input, on what was standard output; the code's own prints go nowhere."""
    request = json.load(sys.stdin)
    folder = Path(request["folder"])
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        modules = open_modules(folder, folder.name)
        sys.meta_path.insert(0, _Only(folder, request["libraries"]))
        for name in request["modules"]:
            _say(answers, begins=name)
            _say(answers, module=name, **_tried(modules, name, folder))


def _tried(modules: Any, name: str, folder: Path) -> dict[str, Any]:
    lacking.passed_over.clear()
    try:
        getattr(modules, name)
    except BaseException as error:
        described = probing.describe(error, folder)
        missing = error.name if type(error) is ModuleNotFoundError else None
        return {**described, "missing": str(missing or "").partition(".")[0]}
    return {"lacks": lacking.passed_over} if lacking.passed_over else {}


def _say(answers: TextIO, **message: Any) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
