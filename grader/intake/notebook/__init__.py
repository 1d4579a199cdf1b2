"""Turns notebooks into modules; runs nothing, and leaves out what only a notebook needs.

cells        reads the code cells as plain Python, without magics and shell lines
statements   tells which names a statement binds and which it needs
pieces       sorts out the statements that may be kept: imports, definitions and values
modules      puts the week's modules together from these
"""

from grader.intake.notebook.modules import modules_from_notebook

__all__ = ["modules_from_notebook"]
