"""Daten und Training."""

from . import loops
from .data import *  # noqa: F403
from .loops import *  # noqa: F403

assert loops.train is train  # noqa: F405
