"""Holds what probes record with, as `student.kit`: models that note what was asked of them, figures, calls, layers.

All of it runs beside the student's code, so it notes and decides nothing. What judges the evidence is of the same name
in `grader.checks`.

calls       what a call raises, draws, leaves behind, and is called with
drawing     what a figure shows
layers      parameters of a student's network, by name
recording   models and losses that note how they were called, and loops that are run on them
"""

from .calls import draws_after, parameters, raised, recording_after
from .drawing import PARTS, beside_another, drawn
from .layers import NotAsAsked, WithoutDropout, set_weights, shapes_of, weights_of
from .recording import Calls, Linear, Located, Normed, evaluated, located, on_device, trained, watched

__all__ = [
    "PARTS",
    "Calls",
    "Linear",
    "Located",
    "Normed",
    "NotAsAsked",
    "WithoutDropout",
    "beside_another",
    "drawn",
    "draws_after",
    "evaluated",
    "located",
    "on_device",
    "parameters",
    "raised",
    "recording_after",
    "set_weights",
    "shapes_of",
    "trained",
    "watched",
    "weights_of",
]
