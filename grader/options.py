"""What every command line module shares, and the names that options choose from; it imports nothing slow."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Command = Callable[[argparse.Namespace], int]
Add = Callable[[str, Command, str, str], argparse.ArgumentParser]  # a command's name, function, purpose and example

PLAIN = "plain"
LAYOUTS = ("gradescope", "canvas", "moodle", "classroom50", "github", PLAIN)  # of class folders
HOSTS = ("classroom50", "gradescope", "github", PLAIN)  # of CI jobs
