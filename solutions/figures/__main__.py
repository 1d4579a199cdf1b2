"""Writes the lessons' figures: `python -m solutions.figures [--check]`; with `--check` only says which are stale."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.files import write_atomically
from solutions.figures import interactive, week4, week5, week6, week7

ASSIGNMENTS = Path(__file__).parents[2] / "assignments"
WEEKS = {"week4": week4.drawings, "week5": week5.drawings, "week6": week6.drawings, "week7": week7.drawings}


def stale(root: Path = ASSIGNMENTS) -> dict[Path, str]:
    """Return the files that are missing or differ from what the code draws, with what they ought to hold."""
    made = {
        root / week / "figures" / f"{drawing.name}.svg": drawing.svg()
        for week, drawings in WEEKS.items()
        for drawing in drawings()
    }
    made |= {root / week / "figures" / f"{name}.html": text for week, name, text in interactive.pages()}
    return {file: text for file, text in made.items() if not file.is_file() or file.read_text(encoding="utf-8") != text}


def main(words: list[str]) -> int:
    found = stale()
    for file, text in found.items():
        if "--check" not in words:
            file.parent.mkdir(exist_ok=True)
            write_atomically(file, text, for_others=True)
        print(f"{'stale' if '--check' in words else 'written'}: {file.relative_to(ASSIGNMENTS.parent).as_posix()}")
    return 1 if found and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
