"""A class graded from the command line: interrupted, killed, resumed, changed; nothing lost and nothing doubled."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.cli.main import main
from grader.course import Course
from tests.support.makers import lay_out
from tests.support.runs import finish, grades, start, wait_for

STUDENTS = ["ana", "bo", "cy", "dee", "eli"]
QUICK = "def double(n):\n    return 2 * n\n"
SLOW = "import time\n\n" + QUICK.replace(":", ":\n    time.sleep(0.7)")


@pytest.fixture
def class_root(one_check_course: Course) -> Path:
    """A course of one week, and five submissions."""
    return lay_out(one_check_course.root, {f"submissions/{student}/work.py": QUICK for student in STUDENTS})


@pytest.fixture
def slow_class_root(class_root: Path) -> Path:
    """A class whose submissions take most of a second each: it can be met half done."""
    return lay_out(class_root, {f"submissions/{student}/work.py": SLOW for student in STUDENTS})


def attempts(course: Path) -> int:
    from grader.gradebook import Gradebook

    with Gradebook(course / "reports" / "gradebook.sqlite") as book:
        return sum(len(book.history(student, "week1")) for student in STUDENTS)


def report(course: Path, student: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (course / "reports" / "students" / student / "week1" / "report.json").read_text()
    )
    return found


def test_all_that_a_class_leaves_is_for_its_grader_alone_whatever_the_umask(slow_class_root: Path) -> None:
    """Pages and gradebook hold grades, and the gradebook's journal holds what was in it."""
    class_root = slow_class_root
    for student in STUDENTS[3:]:
        shutil.rmtree(class_root / "submissions" / student)
    before = os.umask(0)
    try:
        process = start(class_root)
        wait_for(process, "[1/3]")
        early = list((class_root / "reports").rglob("*"))
        loose = [path for path in early if path.exists() and path.stat().st_mode & 0o077]
        assert finish(process)[0] == 0
        assert (
            main(["export", str(class_root / "reports"), "--to", "csv", "--write", str(class_root / "made" / "a.csv")])
            == 0
        )
    finally:
        os.umask(before)
    left = [folder for name in ("reports", "made") for folder in (class_root / name, *(class_root / name).rglob("*"))]
    assert {"gradebook.sqlite", "grades.csv", "index.html", "report.json", "a.csv"} <= {path.name for path in left}
    loose += [path for path in left if path.stat().st_mode & 0o777 != (0o700 if path.is_dir() else 0o600)]
    assert loose == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_keeps_its_grades_and_the_next_one_goes_on(slow_class_root: Path, stop: signal.Signals) -> None:
    class_root = slow_class_root
    process = start(class_root)
    wait_for(process, "[2/5]")
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(stop)
    status, output = finish(process)
    if stop is signal.SIGINT:
        assert status == 130
        assert "run the same command again" in output
        assert 2 <= len(grades(class_root)) < 5
    assert psutil.wait_procs(children, timeout=20)[1] == []
    status, output = finish(start(class_root))
    assert status == 0
    assert "unchanged since the last run" in output
    assert grades(class_root) == dict.fromkeys(STUDENTS, "100")
    assert attempts(class_root) == 5


def test_only_what_changed_is_graded_again_and_the_same_work_gets_the_same_report(class_root: Path) -> None:
    assert finish(start(class_root))[0] == 0
    before = {student: report(class_root, student) for student in STUDENTS}
    (class_root / "submissions" / "bo" / "work.py").write_text("def double(n):\n    return n + 2\n")
    shutil.rmtree(class_root / "reports" / "students" / "cy")
    status, output = finish(start(class_root))
    assert status == 0
    assert "4 unchanged since the last run, 1 to grade" in output
    assert grades(class_root) == {**dict.fromkeys(STUDENTS, "100"), "bo": "0"}
    assert report(class_root, "cy") == before["cy"]
    status, output = finish(start(class_root, "--regrade"))
    again = report(class_root, "ana")
    for check in (*before["ana"]["checks"], *again["checks"]):
        check["seconds"] = 0
    assert again == before["ana"]


TWO_CHECKS = """
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=50, title="Twice a number", hint="Look at the operator.")
def test_double(student):
    expect.integer(student.run(probes.double, 21), 42, "double")

@task("1.2", points=50, title="Twice another", hint="Look again.", needs=("1.1",))
def test_another(student):
    expect.integer(student.run(probes.double, 1), 3, "double")
"""


def test_a_changed_check_alone_runs_again(class_root: Path) -> None:
    for student in STUDENTS[2:]:
        shutil.rmtree(class_root / "submissions" / student)
    (class_root / "submissions" / "bo" / "work.py").write_text("def double(n):\n    return 3 * n\n")
    (class_root / "submissions" / "ana" / "work.py").write_text(SLOW)
    check = class_root / "assignments" / "week1" / "test_week1.py"
    check.write_text(TWO_CHECKS)
    assert finish(start(class_root))[0] == 0
    assert grades(class_root) == {"ana": "50", "bo": "50"}
    before = report(class_root, "ana")
    # The last check was wrong. What did not run again has its time to the millisecond.
    check.write_text(TWO_CHECKS.replace("1), 3", "1), 2"))
    status, output = finish(start(class_root))
    assert (status, grades(class_root)) == (0, {"ana": "100", "bo": "0"})
    assert "2 to grade, 2 of them only in the checks that have changed" in output
    after = report(class_root, "ana")
    assert after["checks"][0] == before["checks"][0]
    assert after["checks"][1]["seconds"] > 0.5
    assert report(class_root, "bo")["checks"][1]["outcome"] == "skipped"
    # Nor is a check kept that waited for the one that has changed.
    check.write_text(TWO_CHECKS.replace("1), 3", "1), 2").replace("21), 42", "21), 63"))
    assert finish(start(class_root))[0] == 0
    assert report(class_root, "bo")["checks"][1]["outcome"] == "failed"
    # And a comment costs nothing.
    check.write_text(check.read_text() + "\n# a word\n")
    assert "2 unchanged since the last run, 0 to grade" in finish(start(class_root))[1]


def test_one_unreadable_submission_is_named_last_and_costs_the_others_nothing(class_root: Path) -> None:
    (class_root / "submissions" / "zoe.zip").write_bytes(b"PK but not a zip")
    (class_root / "submissions" / "essay.docx").write_bytes(b"words")
    status, output = finish(start(class_root))
    assert status == 1
    assert output.splitlines()[-1].startswith("not graded: zoe week1: zoe.zip")
    assert "graded 5, unchanged 0, not gradable 1, ignored 1" in output.splitlines()
    assert "ignored: essay.docx (a .docx file is no submission)" in output.splitlines()
    assert grades(class_root) == {**dict.fromkeys(STUDENTS, "100"), "zoe": ""}


def test_a_broken_check_makes_the_run_end_with_status_1_and_is_tried_again(class_root: Path) -> None:
    check = class_root / "assignments" / "week1" / "test_week1.py"
    good = check.read_text()
    check.write_text(good.replace("expect.integer(", "expect.no_such_function("))
    for student in STUDENTS[1:]:
        shutil.rmtree(class_root / "submissions" / student)
    status, output = finish(start(class_root))
    assert status == 1
    last = output.splitlines()[-1]
    assert last.startswith("provisional: ana week1: test_week1.py::test_double is broken: ")
    assert grades(class_root) == {"ana": ""}
    status, output = finish(start(class_root))
    assert (status, "unchanged" in output.splitlines()[0]) == (1, False)
    check.write_text(good)
    assert finish(start(class_root))[0] == 0
    assert grades(class_root) == {"ana": "100"}


def test_what_a_lost_check_printed_is_in_the_report_but_not_what_a_hidden_one_saw(class_root: Path) -> None:
    for student in STUDENTS[1:]:
        shutil.rmtree(class_root / "submissions" / student)
    # The hidden check is the public one anew, on what no time or digest looks like; each call prints what it was given.
    hidden = class_root / "solutions" / "week1" / "test_hidden.py"
    hidden.parent.mkdir(parents=True)
    public = class_root / "assignments" / "week1"
    hidden.write_text((public / "test_week1.py").read_text().replace("21)", "47114711)"))
    shutil.copyfile(public / "probes.py", hidden.parent / "probes_hidden.py")
    work = class_root / "submissions" / "ana" / "work.py"
    work.write_text('def double(n):\n    print(f"given {n} \\033[31m")\n    return n\n')
    assert finish(start(class_root))[0] == 0
    shown, secret = report(class_root, "ana")["checks"]
    assert shown["output"] == "given 21 \x1b[31m"
    assert "output" not in secret
    files = (class_root / "reports" / "students" / "ana" / "week1").iterdir()
    texts = {file.suffix: file.read_text() for file in files}
    assert all("given 21" in text and "47114711" not in text for text in texts.values())
    assert "\x1b" not in texts[".md"] + texts[".html"]
    assert report(class_root, "ana")["environment"].startswith("Python 3.")
