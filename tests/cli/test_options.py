"""`--week` takes one word or several, once or again, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from grader.batch.backend import LocalBackend
from grader.batch.run import BatchOptions, BatchResult
from grader.cli.author import release
from grader.cli.batch import batch
from grader.cli.main import COMMANDS, main
from grader.cli.options import spread
from grader.cli.similar import similar
from grader.judging.shortcuts import NONE
from grader.sandbox import Sandbox


def parsed(words: str, command: click.Command = batch) -> dict[str, Any]:
    return command.make_context(command.name, words.split()).params


@pytest.mark.parametrize(
    ("words", "weeks"),
    [
        ("submissions/", ()),
        ("submissions/ --week week5", ("week5",)),
        ("submissions/ --week=week5 --out x", ("week5",)),
        ("submissions/ --week week5 week6", ("week5", "week6")),
        ("submissions/ --week week5 week6 --out x", ("week5", "week6")),
        ("submissions/ --week week5 --week week6 --jobs 2", ("week5", "week6")),
        ("--jobs 2 submissions/ --week week4 week5 --out x --week week6", ("week4", "week5", "week6")),
        ("--week week5 week6 --out x submissions/", ("week5", "week6")),
        ("--week week5 week6 -- submissions/", ("week5", "week6")),
        ("--week=week5 submissions/", ("week5",)),
    ],
)
@pytest.mark.parametrize("command", [batch, similar], ids=lambda command: command.name)
def test_one_option_takes_several_weeks_until_the_next_option(
    words: str, weeks: tuple[str, ...], command: click.Command
) -> None:
    if command is similar:
        words = words.replace("--jobs", "--least")
    found = parsed(words, command)
    assert (found["submissions"], found["weeks"]) == (Path("submissions"), weeks)
    assert found["out"] == Path("x" if "--out x" in words else {"batch": "reports"}.get(str(command.name), "similar"))


def test_words_after_the_option_are_weeks_and_never_the_folder() -> None:
    with pytest.raises(click.MissingParameter):
        parsed("--week week5 submissions/")


def test_a_folder_without_its_option_is_told_which_option_takes_one() -> None:
    with pytest.raises(click.UsageError, match=r"extra argument \(tree\)\. Did you mean '--to tree'\?") as caught:
        parsed("tree", release)
    assert caught.value.ctx is not None  # the usage stands above it
    with pytest.raises(click.UsageError, match=r"extra argument \(second\)\. Did you mean .*'--out second'"):
        parsed("submissions/ second")


def test_options_that_take_one_word_and_words_after_two_dashes_are_left_alone() -> None:
    words = ["--out", "a", "b", "--week", "c", "d", "--flag", "e", "--", "--week", "f", "g"]
    assert spread(words, {"--week"}) == [*words[:5], "--week", *words[5:]]
    assert spread(words, ()) == words


def test_without_options_a_class_is_graded_as_the_readme_says() -> None:
    assert parsed("class") == {
        "submissions": Path("class"), "weeks": (), "roster": None, "layout": None, "out": Path("reports"), "seed": None,
        "regrade": False, "scheduler": None, "dry_run": False, "no_shortcuts": False, "jobs": None, "sandbox": "auto",
        "device": "cpu", "missing": None,
    }  # fmt: skip


def test_no_shortcuts_judges_all_anew_without_any_and_never_on_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def grade(course: object, options: BatchOptions, backend: object, progress: object) -> BatchResult:
        asked.append(options.regrade)
        return BatchResult()

    def local(root: Path, sandbox: Sandbox, jobs: int | None, shortcuts: object) -> LocalBackend:
        asked.append(shortcuts)
        return LocalBackend(root, sandbox, jobs)

    monkeypatch.setattr("grader.cli.batch.grade_class", grade)
    monkeypatch.setattr("grader.cli.batch.LocalBackend", local)
    assert main(["batch", "class", "--no-shortcuts", "--sandbox", "process"]) == 0
    assert asked == [NONE, True]
    assert main(["batch", "class", "--no-shortcuts", "--scheduler", "tcp://host:8786"]) == 2
    assert "--no-shortcuts: the workers of a scheduler always take them" in capsys.readouterr().err


def test_one_option_is_described_alike_wherever_it_stands() -> None:
    """A name for what it takes, and no default that is nothing."""
    takes: dict[str, set[str]] = {}
    for later in COMMANDS:
        command = later.load()
        context = click.Context(command, info_name=command.name, show_default=True)
        assert '""' not in command.get_help(context), command.name
        for param in command.params:
            if param.name == "action":
                continue  # a word of the command's own
            if isinstance(param, click.Argument):
                takes.setdefault(str(param.name).removesuffix("s"), set()).add(param.make_metavar(context).strip("[]."))
            elif param.opts[0] not in (
                "--host",
                "--sandbox",
                "--to",
                "--html",
            ):  # choices of their own, or a page and pages
                takes.setdefault(param.opts[0], set()).add(param.make_metavar(context).removesuffix("..."))
    assert {name: words for name, words in takes.items() if len(words) > 1} == {}
    assert takes["--week"] == takes["week"] == {"WEEK"}
