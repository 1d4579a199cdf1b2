"""Turns notebooks into modules; runs nothing, and leaves out what only a notebook needs.

cells        the code cells as plain Python, without magics and shell lines
statements   what one statement says about names
pieces       the statements that may be kept: imports, definitions and values
modules      the week's modules, put together from these
"""

from grader.intake.notebook.modules import modules_from_notebook

__all__ = ["modules_from_notebook"]
