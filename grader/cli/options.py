"""What every command line module shares, and the names that options choose from; it imports nothing slow."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from grader.intake.layouts import LAYOUTS
from grader.sandbox.devices import DEVICES

Command = Callable[[argparse.Namespace], int]
Add = Callable[[str, Command, str, str], argparse.ArgumentParser]  # a command's name, function, purpose and example


def device_option(parser: argparse.ArgumentParser) -> None:
    """Where checks train networks."""
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="cpu",
        help="cuda: checks that train a network do so on a GPU; the CPU where there is none (default: %(default)s)",
    )


def class_options(parser: argparse.ArgumentParser) -> None:
    """What names a class: the folder that it handed in, the weeks, the roster and the layout."""
    parser.add_argument("submissions", type=Path, help="a folder with one entry a student")
    parser.add_argument("--week", nargs="+", default=[], metavar="WEEK", help="default: every week that is there")
    parser.add_argument("--roster", type=Path, metavar="FILE", help="CSV: id, name, email, section, group, extensions")
    parser.add_argument("--layout", choices=LAYOUTS, help="how the folder is named (default: found out)")
