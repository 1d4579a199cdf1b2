"""Runs checks under pytest, at a student's desk and in a judge."""

from collections.abc import MutableMapping

# What whoever starts a program of ours has told pytest for their own runs. Ours name all that they want.
PYTEST_SETTINGS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
NO_AUTOLOAD = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"


def shut_out(environment: MutableMapping[str, str]) -> None:
    """Have pytest run with its own plugins and ours alone: one that shuffles or repeats tests would change a grade."""
    for name in PYTEST_SETTINGS:
        environment.pop(name, None)
    environment[NO_AUTOLOAD] = "1"
