"""`--week` takes one word or several, once or again, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from grader.cli.batch import batch
from grader.cli.options import spread
from grader.cli.similar import similar


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


def test_options_that_take_one_word_and_words_after_two_dashes_are_left_alone() -> None:
    words = ["--out", "a", "b", "--week", "c", "d", "--flag", "e", "--", "--week", "f", "g"]
    assert spread(words, {"--week"}) == [*words[:5], "--week", *words[5:]]
    assert spread(words, ()) == words


def test_without_options_a_class_is_graded_as_the_readme_says() -> None:
    assert parsed("class") == {
        "submissions": Path("class"), "weeks": (), "roster": None, "layout": None, "out": Path("reports"), "seed": 0,
        "regrade": False, "scheduler": None, "dry_run": False, "jobs": None, "sandbox": "auto", "device": "cpu",
    }  # fmt: skip
