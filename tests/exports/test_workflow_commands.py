"""No student can forge or silence what a workflow shows: nothing of theirs is a command, however it is written.

`Runner` reads a step's output by the rules of GitHub's own runner (its `ActionCommand` and `ActionCommandManager`), and
`printed_by_the_reporter` prints what GitHub Classroom's reporter prints, in the same order and as raw.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.exports import ci_job, github
from grader.results import CheckResult, Outcome, Report

COMMANDS = (
    *("notice", "warning", "error", "debug", "group", "endgroup", "add-mask", "set-output", "set-env", "add-path"),
    *("save-state", "add-matcher", "remove-matcher", "echo", "stop-commands"),
)
# What .NET takes for blank at a line's beginning, and what its comparisons by language pass over.
BLANK = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
PASSED_OVER = ("\u200c", "\u200d", "\u200b", "\ufeff", "\u00ad", "\u2060", "\0")


class Runner:
    """Reads lines, and keeps the commands that it would carry out."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self._token: str | None = None

    def read(self, output: str) -> list[tuple[str, str]]:
        for line in re.split(r"\r\n|\r|\n", output):
            for found in self._parsed(line):
                self._carry_out(*found)
        return self.done

    def _carry_out(self, name: str, data: str) -> None:
        if self._token is not None:
            self._token = None if name == self._token else self._token
        elif name == "stop-commands":
            self._token = data.lower()
            self.done.append((name, data))
        else:
            self.done.append((name, data))

    def _parsed(self, line: str) -> Iterator[tuple[str, str]]:
        known = {*COMMANDS, *([self._token] if self._token else [])}
        # With and without what comparisons by language pass over: a stricter reader than any real one.
        for text in dict.fromkeys((line, "".join(c for c in line if c not in PASSED_OVER))):
            begun = re.match(r"::([^ :]+)(?: .*?)?::(.*)", text.lstrip(BLANK), re.DOTALL)
            older = re.search(r"##\[([^ \]]+)[^\]]*\](.*)", text, re.DOTALL)
            for found in (begun, older):
                if found and found[1].lower() in known:
                    yield found[1].lower(), found[2]
                    return


def printed_by_the_reporter(made: Report) -> str:
    lines = []
    for name, text in github.variables(made).items():
        result = json.loads(base64.b64decode(text))
        lines.append(f"🔄 Processing: {name.removesuffix('_RESULTS')}")
        for test in result["tests"]:
            if test["status"] == "pass":
                lines.append(f"\x1b[32m✅ {test['name']}\n\x1b[0m")
                continue
            lines.append(f"\x1b[31m❌ {test['name']}\n")
            lines.append(f"Test code:\n{test['test_code']}\n")
            lines.append(f"Error: {test['message'] or 'Failed to run test'}\n\x1b[0m")
            lines += [test["test_code"], test["message"]]  # and as other versions might print them
    return "\n".join(lines)


FORMS = (
    "::{name}::{data}",
    "::{name} title=Autograding complete::{data}",
    "##[{name}]{data}",
    "##[{name} title=x]{data}",
)
BEFORE = (
    *(
        "",
        "a\n",
        "a\r",
        "a\r\n",
        "a\x85",
        "a\u2028",
        "a\u2029",
        "a\v",
        "a\f",
        "%0A",
        "%0D%0A",
        "%250A",
        "a\\n",
        ":",
        "#",
    ),
    *("a\n" + blank for blank in BLANK),
    *PASSED_OVER,
    *("a\n" + passed for passed in PASSED_OVER),
)
WITHIN = ("", *PASSED_OVER)


def written() -> Iterator[str]:
    """All ways in which a command can stand in a message."""
    for form, before, within in product(FORMS, BEFORE, WITHIN):
        text = form.format(name="notice", data="Points 100/100")
        for mark in ("::", "##["):
            if text.startswith(mark):
                yield before + within.join(mark) + text.removeprefix(mark)
    for form, name in product(FORMS, COMMANDS):
        yield "a\n" + form.format(name=name, data="x")
        yield "a\n" + form.format(name=name.upper(), data="x")


def report_with(text: str) -> Report:
    """A report that holds the text wherever a student's words can stand, with each outcome that the reporter tells."""
    check = CheckResult("test_week5.py::a", "5.1", "A", False, 0, 4, Outcome.ERROR, text, text)
    outcomes = (Outcome.ERROR, Outcome.FAILED, Outcome.KILLED)
    each = (replace(check, id=f"t::{o}", outcome=o, output=text, place=text, cause=text) for o in outcomes)
    return Report("ana", "week5", 0, "0.1.0", "a" * 64, "b" * 64, tuple(each), (text,))


def test_the_model_carries_out_what_the_runner_does() -> None:
    assert len(set(written())) > 700
    for form, before in product(FORMS, ("", "\t\u3000", "\n", "text\r")):
        assert Runner().read(before + form.format(name="Notice", data="x")) == [("notice", "x")]
    assert Runner().read("::stop-commands::T\n::notice::a\n##[notice]b\n::t::\n::notice::c")[-1] == ("notice", "c")


def test_no_way_of_writing_a_command_reaches_the_reporters_log() -> None:
    for text in written():
        assert Runner().read(printed_by_the_reporter(report_with(text))) == [], repr(text)


@settings(deadline=None, max_examples=60)
@given(st.text(st.sampled_from([*":#[]notice %0AD", *BLANK, *PASSED_OVER]), max_size=60))
def test_no_mixture_does(text: str) -> None:
    made = report_with(f"{text}::notice::x{text}##[notice]x")
    assert Runner().read(printed_by_the_reporter(made)) == []


def on_github(folder: Path) -> ci_job.CiJob:
    return ci_job.CiJob("github", folder, {"GITHUB_ACTIONS": "true"}, folder)


def test_what_we_print_is_no_command_and_our_own_still_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = report_with("x")
    for text in written():
        with ci_job.quoted(on_github(tmp_path)):
            print(text)
        print(ci_job.missing_points(on_github(tmp_path), made))
        printed = capsys.readouterr().out
        matcher, stopped, ours = Runner().read(printed)
        assert (matcher[0], stopped[0]) == ("remove-matcher", "stop-commands"), repr(text)
        assert ours == ("error", "week5: 0 of 12 points")
        # And nothing of it, were commands not stopped at all.
        within = printed[printed.index("stop-commands::") + 48 : printed.rindex("\n::error")]
        assert all(name not in COMMANDS for name, _ in Runner().read(within))


def test_an_error_that_holds_a_students_words_stays_without_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in written():
        try:
            with ci_job.quoted(on_github(tmp_path)):
                raise SubmissionError(text)
        except SubmissionError as error:
            print(f"grader: {error}")
        assert [name for name, _ in Runner().read(capsys.readouterr().out)] == ["remove-matcher", "stop-commands"]


def test_a_runners_name_says_week_task_and_worth_in_letters_that_the_reporter_takes() -> None:
    def checks(*worth: int, task: str = "5.3") -> tuple[CheckResult, ...]:
        return tuple(CheckResult(f"t::{task}{n}", task, "A", False, w, w, Outcome.PASSED) for n, w in enumerate(worth))

    report = report_with("x")
    made = replace(report, checks=(*checks(2, 2), *checks(3, 1, 3, task="5.12"), *checks(1, task="6.1")))
    names = list(github.runners(made))
    assert names == ["Week5Task3", "Week5Task12Worth3", "Week5Task12Worth1", "Week5Task6x1"]
    assert all(re.fullmatch("[a-zA-Z0-9]{1,18}", name) for name in names)
    assert [name.removesuffix("_RESULTS") for name in github.variables(made)] == [name.upper() for name in names]


@pytest.mark.parametrize(("least", "status"), [(None, 0), (0, 0), (40, 0), (41, 1), (100, 1)])
@pytest.mark.parametrize("host", ci_job.HOSTS)
def test_a_job_fails_below_the_points_that_a_teacher_asks_for(
    host: str, least: int | None, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from grader.cli.main import main

    lost = CheckResult("t::a", "5.1", "A", False, 0, 6, Outcome.FAILED, "wrong")
    made = replace(report_with("x"), checks=(replace(lost, id="t::b", points=4, max_points=4), lost))
    monkeypatch.setattr("grader.cli.single.grade_ci_job", lambda *_: (made, []))
    words = ["ci", "week5", "--host", host, "--submission", str(tmp_path), "--sandbox", "process"]
    given = [] if least is None else ["--fail-below", str(least)]
    tolerant = host in ("classroom50", "gradescope")
    assert main([*words, "--out", str(tmp_path / "out"), *given]) == (0 if tolerant else status)
    assert ("points are missing" in capsys.readouterr().out) == bool(status and not tolerant)
