"""Has files read for what would fail elsewhere, in a process that has so much time and memory for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping

from grader.inside import says

SECONDS = 20


def findings(files: Mapping[str, bytes], libraries: Iterable[str]) -> list[str]:
    """Say in a line each, with file and line, what these files need that is not there where they are graded.

    `libraries` are what they may import besides Python's own modules and each other.
    """
    sources = {name: content.decode("utf-8", "replace") for name, content in files.items() if name.endswith(".py")}
    request = json.dumps({"sources": sources, "files": [*files], "libraries": [*libraries]})
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "grader.intake.handing_in.scan"],
            input=request.encode(), capture_output=True, timeout=2 * SECONDS, check=True,
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return [says("the files could not be read for what they import: they take too much time or memory")]
    return [str(line) for line in found]
