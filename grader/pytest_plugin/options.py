"""Adds the options of checks to pytest: inside a course alone, and never under a name that another plugin has.

Every option has a name of its own (`--grader-task`), and a short one (`--task`) where that is free. They are added
after all plugins and the first conftest files have added theirs, as pytest stops where a name is added twice.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.choices import DEVICES
from grader.language import LANGUAGES

OWN = "grader-"  # begins the long names
_MARKS = ("assignment.toml", "probes.py")  # files that a week's folder has
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "task": {"action": "append", "default": [], "metavar": "N.M", "help": "run one task's checks (repeatable)"},
    "submission": {
        "metavar": "PATH",
        "help": "judge the modules in a folder, or a notebook, not those beside the checks",
    },
    "seed": {"type": int, "default": 0, "help": "seed of what the checks draw (default: 0)"},
    "language": {"choices": LANGUAGES, "help": "language of the messages (default: the course's)"},
    "device": {"choices": DEVICES, "default": "cpu", "help": "where checks train networks (default: cpu)"},
}


@dataclass
class Options:
    """The values of a run's options, by their short names, and the name by which each can be given."""

    names: dict[str, str] = field(default_factory=dict)

    def value(self, config: pytest.Config, name: str) -> Any:
        """Return what was given, or the default."""
        return getattr(config.option, _dest(name), _OPTIONS[name].get("default"))

    def name(self, name: str) -> str:
        """Return the shortest name that the option has in this run."""
        return self.names.get(name, f"--{OWN}{name}")


def is_in_course(places: Iterable[Path]) -> bool:
    """Tell whether one of these places lies in a course, or is the folder of one."""
    folders = {folder for place in places for folder in (place, *place.parents)}
    return any(
        any(folder.glob(found)) for folder in folders for mark in _MARKS for found in (mark, f"assignments/*/{mark}")
    )


def places(config: pytest.Config, arguments: Sequence[str]) -> Iterator[Path]:
    """Yield where this run starts, and what its arguments name."""
    yield config.invocation_params.dir.resolve()
    for word in arguments:
        named = config.invocation_params.dir / word.partition("::")[0]
        if not word.startswith("-") and _exists(named):
            yield named.resolve()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, or with a null byte
        return False


def without_values(arguments: Sequence[str]) -> list[str]:
    """Return the arguments without the checks' options and their values: a submission is no place of tests."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in _OPTIONS:
        parser.add_argument(f"--{OWN}{name}", f"--{name}", action="append")
    try:
        return parser.parse_known_args(list(arguments))[1]
    except argparse.ArgumentError:  # an option without its value, which pytest itself complains about
        return list(arguments)


def add(parser: pytest.Parser) -> Options:
    """Add the options by those names that are free; return the names."""
    taken = set(_taken(parser))
    options = Options()
    group = parser.getgroup("grader", "assignment checks")
    for name, attributes in _OPTIONS.items():
        free = [word for word in (f"--{name}", f"--{OWN}{name}") if word not in taken]
        if free:
            group.addoption(*free, dest=_dest(name), **attributes)
            options.names[name] = free[0]
    return options


def _taken(parser: pytest.Parser) -> Iterator[str]:
    # pytest offers no public way to ask, and adding a name twice fails for whoever comes second, or at the parse.
    for group in (parser._anonymous, *parser._groups):
        for option in group.options:
            yield from option.names()


def _dest(name: str) -> str:
    return f"grader_{name}"
