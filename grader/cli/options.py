"""Declares commands: a decorator that gives each its example, and the options that several share."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import click

from grader.choices import DEVICES, KINDS
from grader.language import LANGUAGES, VARIABLE

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

LANGUAGE = "grader.language"  # as COURSE, for what `--language` names
COURSE = "grader.course"  # where a command's context holds the folder that `--course` names
_EXTRA = re.compile(r"(Got unexpected extra argument \((\S+)\))\.?")  # as click words it
PATH = click.Path(path_type=Path, readable=False)  # the code that opens it says what is wrong with it


class ExampleCommand(click.Command):
    """A command whose help ends in an example, and whose repeatable options take several words at once."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{self.epilog}\n")  # in one piece, to be copied

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [param for param in self.params if isinstance(param, click.Option)]
        repeatable = {name for option in options if option.multiple for name in option.opts}
        names = {name for option in options for name in option.opts}
        valued = {name for option in options if not option.is_flag for name in option.opts}
        if bare := without_value(args, valued, names):
            raise click.BadOptionUsage(bare, f"Option {bare!r} requires an argument.", ctx)
        try:
            return super().parse_args(ctx, spread(args, repeatable))
        except click.NoSuchOption as error:
            # An option's whole name is needed, so that a new option never changes what a script means.
            meant = [repr(name) for name in sorted(names) if name.startswith(error.option_name)]
            if meant:
                raise click.UsageError(f"{error.message} Did you mean {' or '.join(meant)}?", ctx) from None
            raise
        except click.UsageError as error:
            if not (extra := _EXTRA.fullmatch(error.message)):
                raise
            places = [p.opts[-1] for p in options if p.type is PATH and p.expose_value and not p.multiple]
            meant = [repr(f"{name} {extra[2]}") for name in places]
            if not meant:
                raise
            raise click.UsageError(f"{extra[1]}. Did you mean {' or '.join(meant)}?", ctx) from None


def without_value(words: Sequence[str], valued: Collection[str], names: Collection[str]) -> str:
    """Return the first option of `valued` that another option's name follows: `--out --dry-run` names no folder."""
    named = words[: words.index("--")] if "--" in words else words
    return next((word for word, after in pairwise(named) if word in valued and after in names), "")


def spread(words: Sequence[str], options: Collection[str]) -> list[str]:
    """Repeat each of these options before every word that follows it: `--week a b` becomes `--week a --week b`."""
    found: list[str] = []
    option = ""  # the last one, if it is one of these
    for number, word in enumerate(words):
        if word == "--":
            return [*found, *words[number:]]
        if word.startswith("-"):
            option = word if word in options else ""
        elif option and found[-1] != option:
            found.append(option)
        found.append(word)
    return found


def command(example: str) -> Callable[[Callable[..., int]], click.Command]:
    """Make a command of a function: its name, its docstring as the description, its status as the exit code."""
    return click.command(cls=ExampleCommand, epilog=f"example:  python -m grader {example}")


course_option = click.option(
    "--course", type=PATH, metavar="DIR", expose_value=False, callback=lambda ctx, _, value: _note(ctx, value),
    help="The course's folder (default: $GRADER_COURSE, else the one around this folder).",
)  # fmt: skip


def _note(ctx: click.Context, folder: Path | None) -> None:
    ctx.meta[COURSE] = folder


language_option = click.option(
    "--language", type=click.Choice(LANGUAGES), expose_value=False, callback=lambda ctx, _, value: _speak(ctx, value),
    help=f"Language of the answer (default: ${VARIABLE}, else the course's).",
)  # fmt: skip


def _speak(ctx: click.Context, language: str | None) -> None:
    ctx.meta[LANGUAGE] = language


def out_option(default: str, what: str) -> Callable[[Decorated], Decorated]:
    """Make the option for where a command writes, or has written."""
    return click.option("--out", type=PATH, metavar="DIR", default=Path(default), help=what)


seed_option = click.option("--seed", type=int, default=0, help="Seed of what the checks draw.")

drawn_seed_option = click.option(
    "--seed", type=int, help="Seed of what the checks draw (default: a new one; work graded before keeps its own)."
)

jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Judges that run at a time (default: one a core)."
)

sandbox_option = click.option(
    "--sandbox",
    type=click.Choice(KINDS),
    default="auto",
    help="auto: the best that works here; bwrap: bubblewrap, or refuse; process: NO security boundary.",
)

# In a CI job nobody reads a warning, so nothing falls back to less than a sandbox there.
strict_sandbox_option = click.option(
    "--sandbox",
    type=click.Choice([kind for kind in KINDS if kind != "auto"]),
    default="bwrap",
    help="bwrap: bubblewrap, or refuse; process: NO security boundary, so grade trusted code alone.",
)

device_option = click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    help="cuda: train the networks of checks on a GPU, or on the CPU where there is none.",
)
