"""Ends a student's run: with the score, what to do next, and a note in the student's own history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from grader import history
from grader.course.settings import Settings, load_settings
from grader.errors import CourseError
from grader.language import chosen as chosen_language
from grader.pytest_plugin.chosen import Chosen
from grader.reports.terminal import desk_lines
from grader.results import CheckResult


def score_lines(
    results: Sequence[CheckResult], chosen: Chosen, command: str, terminal: tuple[int, bool], elsewhere: bool
) -> list[str]:
    """Return the score by task and the next step; `terminal` is its width, and whether it has colours.

    `elsewhere` tells whether the work lies in another folder than the student's own.
    """
    whole = not (chosen.left_out or chosen.tasks) and len(results) == chosen.count
    lesson = "\n".join(map(_lesson, sorted(chosen.folders)))
    settings = _settings(chosen)
    graded = not elsewhere and all((folder / "assignment.toml").is_file() for folder in chosen.folders)
    return desk_lines(results, command, *terminal, lesson, whole, settings.hidden if graded else 0, settings.contact)


def note(results: Sequence[CheckResult], chosen: Chosen, elsewhere: bool) -> None:
    """Keep what has changed in the student's own work, where all checks of its tasks ran."""
    root = chosen.course()
    if root is not None and not elsewhere:
        history.note(root, next(iter(chosen.folders)).name, chosen.whole_tasks(results))


def _lesson(folder: Path) -> str:
    try:
        return (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def language_of(asked: str | None, folders: Iterable[Path]) -> str:
    """Return the language to speak: what is asked for, else that of the course which the checks' folders lie in."""
    for root in sorted({folder.parent.parent for folder in folders}):
        try:
            return chosen_language(asked, load_settings(root).language)
        except CourseError:  # whoever runs checks cannot mend it
            continue
    return chosen_language(asked)


def _settings(chosen: Chosen) -> Settings:
    root = chosen.course()
    try:
        return load_settings(root) if root else _NONE
    except CourseError:
        return _NONE


_NONE = Settings(hidden=0)
