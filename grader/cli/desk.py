"""Runs the command `desk`: grading, comments and regrades in the browser."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

import click

from grader.batch.backend import Backend, LocalBackend
from grader.cli.console import make_sandbox, the_course
from grader.cli.options import PATH, command, course_option, sandbox_option
from grader.course import Course
from grader.errors import GraderError
from grader.escape import terminal


@command("desk reports/")
@click.argument("out", type=PATH, default=Path("reports"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where it listens (0: a free port).")
@click.option("--host", default="127.0.0.1", help="Where it listens; beyond this machine it takes TLS, and names.")
@click.option("--ta", "names", multiple=True, metavar="NAME...", help="Who grades, each with an address of their own.")
@click.option("--tls-certificate", "certificate", type=PATH, metavar="FILE", help="The certificate, as PEM.")
@click.option("--tls-key", "key", type=PATH, metavar="FILE", help="Its private key, as PEM.")
@click.option("--without-tls", is_flag=True, help="Beyond this machine without TLS: something in front has to do it.")
@sandbox_option
@course_option
def desk(
    out: Path, port: int, host: str, names: tuple[str, ...], certificate: Path | None, key: Path | None,
    without_tls: bool, sandbox: str,
) -> int:  # fmt: skip
    """Grade, comment and answer in the browser, at what `batch` left in a folder.

    OUT is the folder that `batch --out` wrote. The desk runs on this machine, for you alone, until you stop it with
    Ctrl-C. It works while `batch` runs, too.
    """
    try:
        from grader.desk.serving import Where, serve  # noqa: PLC0415 - it needs optional libraries
    except ModuleNotFoundError as error:
        raise GraderError(f"desk needs {error.name}: pip install 'torch-autograder[desk]'") from None
    where = Where(host, port, certificate, key, without_tls)
    course, backend = _grading(sandbox)
    who = names or ((getpass.getuser(),) if where.is_local else ())
    try:
        serve(out, where, who, lambda line: print(terminal(line), flush=True), course, backend)
    except KeyboardInterrupt:  # that is how a desk is closed
        print("the desk is closed; all is kept", flush=True)
    return 0


def _grading(sandbox: str) -> tuple[Course | None, Callable[[], Backend] | None]:
    """Find the course, and what starts judges when something is graded again; without a course there is neither."""
    try:
        course = the_course()
    except GraderError as error:
        print(terminal(f"nothing can be graded again from here: {error}"), flush=True)
        return None, None
    return course, lambda: LocalBackend(course.root, make_sandbox(sandbox, "cpu"), jobs=1)
