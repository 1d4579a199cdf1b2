"""Names the grader that gave a grade: the released version and a digest of the sources that a verdict depends on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from grader import __version__
from grader.course.material import fingerprint

# A change of anything else must not grade a class again. The list leaves out what finds and reads submissions, as that
# shows in the digest of what was read, what only shows grades, and the command line. tests/test_version.py holds that
# the list has everything which one of these imports.
DECISIVE = (
    "inside",  # runs the student's code, and sends the evidence
    "results",  # outcomes and points
    "course",  # which checks, limits and late days hold
    "checks",  # compares evidence, and words what is wrong with it
    "sandbox",  # what the student's code may see and use, and when it is ended
    "pytest_plugin",  # runs a check, and turns how it ended into an outcome
    "judging",  # which check runs, in what order and with what seed, and which is judged again
    "errors.py",  # tells a student's mistake from ours
    *("expect.py", "show.py", "answers.py"),  # old names of `checks`, by which checks still import it
)

# Of these rooms, what no grade passes through: advice to a TA, and a student's own desk.
HARMLESS = (
    *("sandbox/doctor.py", "sandbox/worker_trial.py", "sandbox/attack", "inside/attacks"),
    *("pytest_plugin/deadline.py", "pytest_plugin/local.py", "pytest_plugin/ending.py"),
)


def digest_of(rooms: Iterable[str]) -> str:
    """Digest the sources of packages and modules of `grader`; line ends do not count, as a checkout may change them."""
    here = Path(__file__).parent
    files = {file for room in rooms for file in _sources(here / room)}
    files -= {file for name in HARMLESS for file in _sources(here / name)}
    return fingerprint(b"grader", here, sorted(files)).hexdigest()[:8]


def _sources(room: Path) -> Iterator[Path]:
    return iter([room]) if room.suffix == ".py" else room.rglob("*.py")


READER = digest_of(("intake", "course"))  # what reads submissions
VERSION = f"{__version__}+{digest_of(DECISIVE)}"
