"""A course in German, whose checks say sentences of their own, with a wrong answer in it."""

from __future__ import annotations

from pathlib import Path

from grader.course import Course
from tests.support.courses import copied

TITLES = """msgid ""
msgstr "Language: de\\n"

msgid "Twice a number"
msgstr "Das Doppelte einer Zahl"

msgid "Look at the operator."
msgstr "Sieh dir den Operator an."
"""
CHECKS = """from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)


@task("1.1", points=50, title="Twice a number", hint="Look at the operator.", seconds=5)
def test_double(student):
    got = student.run(probes.double, 21)
    expect.true(got == 42, f"the number is off by {42 - got}: twice is asked for", expected="the double of 21")


@task("1.2", points=50, title="Nothing doubled", hint="Zero stays zero.", seconds=5)
def test_nothing(student):
    expect.integer(student.run(probes.double, 0), 0, "the double of nothing")
"""
SENTENCES = f"""{TITLES}
msgctxt "message"
msgid "the number is off by {{got}}: twice is asked for"
msgstr "die Zahl ist um {{got}} daneben: Gefragt ist das Doppelte"

msgctxt "message"
msgid "the double of 21"
msgstr "das Doppelte von 21"

msgctxt "message"
msgid "the double of nothing"
msgstr "das Doppelte von nichts"
"""
WRONG = b"def double(n):\n    return n + 1\n"
OFF = "die Zahl ist um 20 daneben: Gefragt ist das Doppelte"
NOTHING = "das Doppelte von nichts: falscher Wert; erwartet 0, bekommen 1"


def course(folder: Path) -> Course:
    """Write the course into a folder."""
    week = "assignments/week1"
    parts = {f"{week}/test_week1.py": CHECKS, f"{week}/de.po": SENTENCES, f"{week}/work.py": WRONG.decode()}
    return Course(copied("one_check", folder, {**parts, "course.toml": 'title = "Kurs"\nlanguage = "de"\n'}))
