"""Runs the code of the lessons, and writes what it prints under it: `python solutions/examples.py [--check] [WEEK …]`.

A lesson's blocks of ```python run in their order in one namespace, in a folder of their own. What a block prints stands
in the block of ```text that follows it; a number with a point in it may differ a little between machines.
"""

from __future__ import annotations

import contextlib
import difflib
import gzip
import io
import math
import os
import re
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from grader.files import write_atomically  # noqa: E402

BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d*(?:e-?\d+)?")
NEAR = 0.1  # a short training run ends a little elsewhere with another version of torch


class LessonError(Exception):
    """A lesson's code failed, at `file:line`."""


def lessons(root: Path = ROOT) -> list[Path]:
    """List the lessons, in the order of the weeks."""
    return sorted(root.glob("assignments/*/README.md"))


def executed(text: str, name: str, folder: Path | None = None) -> str:
    """Return the lesson with what its code prints; `LessonError` names the line of the block that failed.

    The code runs in `folder`, which keeps what it writes, or in a folder of its own.
    """
    namespace: dict[str, object] = {"__name__": "__lesson__"}
    pieces, end = [], 0
    with _workplace(folder):
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start("code"))
            printed = _run(block["code"], name, line, namespace)
            pieces += [text[end : block.start()], f"```python\n{block['code']}```\n"]
            pieces += [f"\n```text\n{printed}```\n"] if printed else []
            end = block.end()
    return "".join([*pieces, text[end:]])


def _run(code: str, name: str, line: int, namespace: dict[str, object]) -> str:
    """Run one block, with the line numbers of the file, and return what it printed."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile("\n" * line + code, name, "exec"), namespace)
    except Exception as error:
        at = error.__traceback__.tb_next.tb_lineno if error.__traceback__ and error.__traceback__.tb_next else line + 1
        raise LessonError(f"{name}:{at}: {type(error).__name__}: {error}") from error
    lines = (text.rstrip() for text in out.getvalue().splitlines())
    return "".join(f"{text}\n" for text in lines)


@contextlib.contextmanager
def _workplace(kept: Path | None) -> Iterator[None]:
    """Go to a folder, by default a new one, with MNIST's files in `data`; put back folder, generators, figures."""
    import random

    import matplotlib.pyplot as plt
    import numpy as np
    import torch

    plt.switch_backend("agg")
    here, states = Path.cwd(), (random.getstate(), np.random.get_state())
    threads = torch.get_num_threads()
    place = contextlib.nullcontext(kept) if kept else tempfile.TemporaryDirectory()
    with place as folder, torch.random.fork_rng():
        _write_digits(Path(folder, "data", "MNIST", "raw"))
        os.chdir(folder)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            os.chdir(here)
            torch.set_num_threads(threads)
            random.setstate(states[0])
            np.random.set_state(states[1])
            plt.close("all")


def _write_digits(raw: Path) -> None:
    """Write 500 of the embedded digits as MNIST's four files, so that a lesson loads MNIST where no network is."""
    from fixtures import digits

    raw.mkdir(parents=True, exist_ok=True)
    images, labels = digits.originals()
    pixels = digits.to_bytes(images[:500]).numpy().tobytes()
    for part in ("train", "t10k"):
        head = struct.pack(">IIII", 2051, 500, 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(head + pixels)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, 500) + bytes(labels[:500].tolist()))
        for kind in ("images-idx3", "labels-idx1"):
            file = raw / f"{part}-{kind}-ubyte"
            Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes(), 1))


def differences(told: str, found: str) -> list[str]:
    """Return the lines that differ, but for numbers that are nearly the same."""
    olds, news = told.splitlines(), found.splitlines()
    if len(olds) == len(news) and all(agree(old, new) for old, new in zip(olds, news, strict=True)):
        return []
    return list(difflib.unified_diff(olds, news, "told", "found", lineterm="", n=1))


def agree(told: str, found: str) -> bool:
    """Tell whether two lines say the same: words and whole numbers alike, other numbers within a tenth."""
    if " ".join(NUMBER.sub("#", told).split()) != " ".join(NUMBER.sub("#", found).split()):
        return False
    pairs = zip(NUMBER.findall(told), NUMBER.findall(found), strict=True)
    return all(math.isclose(float(one), float(two), rel_tol=NEAR, abs_tol=0.05) for one, two in pairs)


def main(words: list[str]) -> int:
    """Write what is not up to date, or with `--check` only say so; return the exit status."""
    weeks = [word for word in words if not word.startswith("-")]
    stale = 0
    for file in lessons():
        if weeks and file.parent.name not in weeks:
            continue
        text, name = file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix()
        found = executed(text, name)
        if "--check" in words:
            lines = differences(text, found)
            stale += bool(lines)
            print("\n".join([f"{name}: {'stale' if lines else 'up to date'}", *lines]))
        elif found != text:
            write_atomically(file, found, for_others=True)
            print(f"{name}: written")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
