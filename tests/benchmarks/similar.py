"""Measures `similar` on a whole class: `python tests/benchmarks/similar.py [STUDENTS] [EARLIER]`, 500 and 0 by default.

Works are drawn from a seed: week 5's reference and its other correct solutions, with random statements put between the
lines. In the class `apart` there is one after each second line, so that works have little in common; in `alike` there
are a few, so that each work is like a twelfth of the class, and every pair of these has to be looked at. `EARLIER` is
the number of works of an earlier year beside the class.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.course import Course  # noqa: E402
from grader.similarity.compare import Work, similar_pairs, text_of  # noqa: E402
from grader.similarity.tokens import rest  # noqa: E402
from grader.similarity.works import handout  # noqa: E402

WEEK = "week5"
LEAST = 0.5 * 0.6  # as with a gradebook's rare mistakes


def main(students: int, earlier: int) -> None:
    """Print for each kind of class the seconds and the greatest memory so far."""
    course = Course(ROOT)
    assignment = course.assignment(WEEK)
    folders = [ROOT / "solutions" / WEEK, *sorted((ROOT / "solutions" / WEEK / "variants").iterdir())]
    written = [text_of({f"{name}.py": (folder / f"{name}.py").read_bytes() for name in assignment.modules
                        if (folder / f"{name}.py").is_file()}) for folder in folders]  # fmt: skip
    print(f"{students} students and {earlier} of an earlier year, {len(written)} solutions")
    for kind, density in (("apart", 0.5), ("alike", 0.02)):
        drawn = random.Random(0)
        works = [
            Work(
                f"student {n}",
                WEEK,
                _edited(drawn.choice(written), density, drawn),
                year="" if n < students else "2025",
            )
            for n in range(students + earlier)
        ]
        wall, cpu = time.perf_counter(), time.process_time()
        found = similar_pairs(works, handout(assignment), LEAST)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(
            f"{kind}: {len(found)} pairs, {time.perf_counter() - wall:.1f} s, of these {time.process_time() - cpu:.1f} "
            f"CPU s without the reading; {memory} MiB at most so far",
            flush=True,
        )
    rest()


def _edited(text: str, density: float, drawn: random.Random) -> str:
    lines = []
    for line in text.splitlines():
        lines.append(line)
        is_whole = line.startswith(" ") and not line.rstrip().endswith((",", "(", "[", "{", "\\", ":"))
        if is_whole and drawn.random() < density:
            lines.append(line[: len(line) - len(line.lstrip())] + _statement(drawn))
    return "\n".join(lines) + "\n"


def _statement(drawn: random.Random) -> str:
    words = [drawn.choice(["a", "3", "f(b)", "c[0]", "(d - 2)", "'e'", "{g: h}"]) for _ in range(drawn.randint(2, 5))]
    return f"x {drawn.choice(['=', '+=', '-=', '*='])} " + drawn.choice([" + ", " * ", " or ", " @ "]).join(words)


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]), *((500, 0)[len(sys.argv) - 1 :]))
