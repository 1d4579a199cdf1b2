"""Holds what probes record with, as `student.kit`: models that note what was asked of them, figures, calls, layers.

All of it runs beside the student's code, so it notes and decides nothing. What judges the evidence is of the same name
in `grader.checks`.

calls       how a function is called, and what a call raises, draws and leaves behind
data        datasets whose items say what was done to them
drawing     what a figure shows
layers      parameters of a student's network, by name
nets        a small network with batch normalisation, and loops that are run on it
recording   models and losses that note how they were called, and loops that are run on them
"""

from .calls import draws_after, in_order, parameters, raised, recording_after, right
from .data import Mark, Numbers, split_items
from .drawing import PARTS, beside_another, drawn
from .layers import NotAsAsked, WithoutDropout, answer_of, gradients_of, set_weights, shapes_of, weights_of
from .nets import SMOOTHING, Net, evaluated_net, trained_net
from .recording import (
    Calls,
    Linear,
    Located,
    Normed,
    evaluated,
    located,
    on_device,
    places_of,
    predicted,
    trained,
    watched,
)

__all__ = [
    "PARTS",
    "SMOOTHING",
    "Calls",
    "Linear",
    "Located",
    "Mark",
    "Net",
    "Normed",
    "NotAsAsked",
    "Numbers",
    "WithoutDropout",
    "answer_of",
    "beside_another",
    "drawn",
    "draws_after",
    "evaluated",
    "evaluated_net",
    "gradients_of",
    "in_order",
    "located",
    "on_device",
    "parameters",
    "places_of",
    "predicted",
    "raised",
    "recording_after",
    "right",
    "set_weights",
    "shapes_of",
    "split_items",
    "trained",
    "trained_net",
    "watched",
    "weights_of",
]
