"""Makes what commands share at run time: the course, the sandbox, the console and its tables."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from grader.cli.options import COURSE, LANGUAGE
from grader.course import VARIABLE, Assignment, Course, find_course, installed_course, named_course
from grader.errors import UsageError
from grader.escape import terminal
from grader.language import ENGLISH, chosen, counting, speaking, spoken
from grader.language.texts import readable_texts
from grader.reports.terminal import add_row, grid
from grader.reports.words import counted

if TYPE_CHECKING:
    from grader.batch.who import Members
    from grader.intake import Candidate
    from grader.sandbox import Sandbox
    from grader.similarity.works import Likeness


FOREIGN = 3  # so many strangers, and as many who are missing, hint at a roster without the platform's ids


def the_course() -> Course:
    """Find the course that `--course` names, else the one around the working folder."""
    context = click.get_current_context(silent=True)
    named = context.meta.get(COURSE) if context else None
    course = named_course(named, "--course") if named else find_course(None)
    if context:
        context.with_resource(counting(course.settings.language))
    return course


def students_course() -> Course:
    """Find the course as `the_course` does, and speak its language, or the one asked for, until the command ends."""
    course = the_course()
    context = click.get_current_context()
    context.with_resource(speaking(chosen(context.meta.get(LANGUAGE), course.settings.language)))
    return course


def speak_of(week: Assignment) -> dict[str, str]:
    """Say the sentences of a week's checks in the language that is spoken, until the command ends; return its texts."""
    texts = readable_texts(week.folders, spoken())
    click.get_current_context().with_resource(speaking(spoken(), texts))
    return texts


def students_language() -> str:
    """Return the language to speak to a student who may have no course yet: as `students_course` chooses it."""
    try:
        course = the_course().settings.language
    except UsageError:
        course = ENGLISH
    return chosen(click.get_current_context().meta.get(LANGUAGE), course)


def trusted_course(submission: Path) -> Course:
    """Find the course for a CI job, in which the working folder may be the student's checkout.

    A course that the submission itself holds is one whose checks a student can edit: only who names it gets it.
    """
    course = the_course()
    context = click.get_current_context(silent=True)
    is_named = bool(os.environ.get(VARIABLE) or (context and context.meta.get(COURSE)))
    if is_named or not course.root.is_relative_to(submission):
        return course
    if installed := installed_course():
        return installed
    raise UsageError(
        f"the only course here, {course.root}, is the submission's own, whose checks a student can edit: go to your "
        f"course's folder, or name it by --course or {VARIABLE}"
    )


def chosen_weeks(course: Course, named: Sequence[str]) -> list[str]:
    """Return the named weeks, which must exist, or every week if none is named."""
    return [course.assignment(week).week for week in named] or list(course.assignments())


def make_sandbox(kind: str, device: str) -> Sandbox:
    """Make a sandbox of that kind with the device that `--device` asks for; say on stderr what came of it."""
    from grader.sandbox import choose  # noqa: PLC0415 - it needs POSIX, and students' commands do without
    from grader.sandbox.devices import equip  # noqa: PLC0415 - as above

    choice = equip(device, choose(kind))
    if choice.says:
        print(f"grader: {choice.says}", file=sys.stderr)
    return choice.sandbox


def warn_unconfined(sandbox: Sandbox) -> None:
    """Say on stderr where a sandbox is no security boundary."""
    if not sandbox.confined:
        print(f"grader: {sandbox.says}", file=sys.stderr)


def make_console() -> Console:
    """Make the console that commands print on: 80 columns wide unless it is a terminal."""
    return Console(width=None if sys.stdout is not None and sys.stdout.isatty() else 80)


def print_found(
    layout: str,
    gradable: Sequence[tuple[Candidate, Sequence[str]]],
    ignored: Sequence[tuple[str, str]],
    console: Console,
) -> None:
    """Print what a class folder holds: each student's week with files and notes, and what is ignored."""
    table = grid("left", "left", "left")
    add_row(table, *((name, "bold") for name in ("Student", "week", "files")))
    for candidate, notes in gradable:
        add_row(table, candidate.student, candidate.week or "", _files_of(candidate))
        for note in notes:
            add_row(table, "", "", (note, "dim"))
    console.print(f"{len(gradable)} to grade, layout: {layout}", highlight=False)
    console.print(table)
    if ignored:
        console.print("\nIgnored", style="bold")
        rest = grid("left", "left")
        for name, why in ignored:
            add_row(rest, name, why)
        console.print(rest)


def people_lines(members: Members) -> list[str]:
    """Say in a line each who is not there, not on the roster, gone or renamed, and what is not clear."""
    named = (
        ("handed in nothing", members.missing),
        ("not on the roster", members.strangers),
        ("no longer in the folder, left out of all grades", members.gone),
    )
    kept = members.roster.keys
    lines = [f"roster: that of an earlier run, {counted(len(kept), 'student')}; --roster gives another"] if kept else []
    lines += [f"{what}: {len(names)} ({joined(names)})" for what, names in named if names]
    if min(len(members.strangers), len(members.missing)) >= FOREIGN:
        lines.append(
            "same people? then give --roster what the platform exports: it has the ids that its downloads have"
        )
    lines += [f"the same person: {before}, now {person.name}" for person, before in members.renamed]
    lines += [*members.said, *(f"not clear: {question}" for question in members.unclear)]
    return [terminal(line) for line in lines]


def joined(names: Sequence[str]) -> str:
    """Put names into a line, so that `Silva, Ana` stays one."""
    return ("; " if any("," in name for name in names) else ", ").join(names)


def print_clusters(found: Likeness, console: Console) -> None:
    """Print clusters of submissions that are alike: of two, how much of either stands in the other."""
    table = grid("left", "right", "left", "right", "left")
    for cluster in found.clusters:
        if len(cluster.pairs) == 1:
            pair = cluster.pairs[0]
            left, right = (f"{100 * share:.0f} %" for share in (pair.share_left, pair.share_right))
            add_row(table, cluster.week, left, f"of {pair.left.label}", right, f"of {pair.right.label}")
        else:
            low, high = (f"{100 * share:.0f} %" for share in cluster.shares)
            add_row(
                table,
                cluster.week,
                high,
                f"of {cluster.names}: {len(cluster.works)} works, no pair below {low}",
                "",
                "",
            )
        for mistake in cluster.mistakes:
            add_row(table, "", "", (f"same rare mistake: {mistake}", "dim"), "", "")
    console.print(table if found.clusters else "no two submissions are that much alike")
    if found.aside:
        console.print(f"left aside, as of one group or one person: {found.aside}", highlight=False)
    if found.cut:
        console.print(f"not shown: {found.cut} more pairs; ask for a greater --least", highlight=False)


def _files_of(candidate: Candidate) -> str:
    """Say where files lie, as in `ada/week5: lenet.py, training.py`; an entry that is a file has its name alone."""
    folder = posixpath.commonpath([posixpath.dirname(file) for file in candidate.files])
    names = ", ".join(posixpath.relpath(file, folder or ".") for file in candidate.files)
    where = f"{candidate.path.name}/{folder}" if folder else candidate.path.name
    return (names if where == names else f"{where}: {names}") + (", late" if candidate.is_late else "")
