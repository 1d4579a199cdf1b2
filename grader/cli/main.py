"""Lists the names of all commands, imports the one that is called, and says how it ended.

Exit codes: 0 everything was graded, whatever the scores; 1 something could not be graded or is stale, said last and
by name; 2 the request makes no sense; 130 interrupted, by Ctrl-C or by a signal that asks a process to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from grader import __version__
from grader.cli.process import streams
from grader.cli.process.failures import worded
from grader.cli.process.interruption import interruptible
from grader.errors import GraderError, UsageError
from grader.language import ENGLISH, counting


def _language_here() -> str:
    """Return the language of the course around the working folder, if there is one."""
    from grader.course import find_course  # noqa: PLC0415 - whoever only asks for help does not wait for it

    try:
        return find_course(None).settings.language
    except GraderError:
        return ENGLISH


class Later(click.Command):
    """Stands for a command, with its name and a line of help; imports it, by its name, from `module` on a call."""

    def __init__(self, name: str, module: str, about: str) -> None:
        super().__init__(name, short_help=about)
        self.module = module

    def load(self) -> click.Command:
        """Import the command itself."""
        command: click.Command = getattr(import_module(f"grader.cli.{self.module}"), str(self.name).replace("-", "_"))
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse as the command itself does; the context belongs to that command.

        Numbers are written there as the course around the working folder does.
        """
        context = self.load().make_context(info_name, args, parent, **extra)
        context.with_resource(counting(_language_here()))
        return context


COMMANDS = (
    Later("demo", "batch", "grade the sample class, end to end"),
    Later("watch", "student.watch", "run a week's public checks again on each save"),
    Later("run", "student.run", "grade one submission and print its score by task"),
    Later("progress", "student.progress", "show when which task passed on this computer, and the time to the deadline"),
    Later("submit-check", "student.submit", "check before handing in that a week's work can be graded"),
    Later("batch", "batch", "grade a folder of submissions; unchanged ones keep their grade"),
    Later("desk", "gradebook", "grade, comment and answer in the browser, at what `batch` left in a folder"),
    Later("override", "gradebook", "decide about a task or a week by hand; it holds when the week is graded again"),
    Later("adjustments", "gradebook", "list what people decided, and decide about many at once in a spreadsheet"),
    Later("people", "people", "list who is in the class, and mend who is who"),
    Later("diff", "gradebook", "say whose grade changed, and by which checks"),
    Later("similar", "similar", "list submissions that are suspiciously alike, in clusters"),
    Later("ci", "single", "grade the submission of a CI job, and write what its host reads"),
    Later("export", "export", "write results, or what students get back, in another system's format"),
    Later("skeleton", "author", "generate the skeletons in assignments/ from the references in solutions/"),
    Later("lessons", "author", "make the lesson notebooks from their sources, or run them into pages"),
    Later("new", "author", "begin a week: one task, its reference, checks and mutants; or begin a course"),
    Later(
        "validate",
        "validate",
        "prove the checks: correct solutions get all points, and each mistake loses points in its tasks alone",
    ),
    Later("release", "author", "write what students get, without solutions and hidden checks, as a folder or a branch"),
    Later("package", "author", "bundle a week for a host that runs autograders"),
    Later("doctor", "doctor", "say what this machine offers, and how to get the rest"),
)


class CommandLine(click.Group):
    """Lists commands in their table's order, exits with what a command returns, and prints errors of ours in a line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> None:
        ctx.exit(self._status(ctx))

    def _status(self, ctx: click.Context) -> int:
        try:
            return super().invoke(ctx) or 0
        except GraderError as error:
            click.echo(f"grader: {error}", err=True)
            return 2 if isinstance(error, UsageError) else 1
        except BrokenPipeError:
            streams.drop_output()
            return 1
        except KeyboardInterrupt:
            click.echo("\ngrader: interrupted", err=True)
            return 130


@click.group(
    cls=CommandLine,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, message="grader %(version)s")
def cli() -> None:
    """Grade PyTorch assignments by evidence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit code."""
    if arguments is None:
        streams.use_utf8()
    streams.never_fail()
    with interruptible():
        status = _run(arguments)
    if lost := streams.flush():
        click.echo(f"grader: {lost}", err=True)
        return status or 1
    return status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status: int = cli.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # an interruption outside of any command
        click.echo("grader: interrupted", err=True)
        return 130
    except Exception as error:
        if not (says := worded(error)):
            raise
        click.echo(f"grader: {says}", err=True)
        return 1
    return status
