"""Turns notebooks into modules; runs nothing, and takes only what the week asks for and what that needs.

cells        reads the code cells as plain Python, without magics and shell lines
statements   tells which names a statement binds, changes and needs
work         tells what executing a statement would do, besides building something
pieces       takes cells apart into statements
choice       chooses those that a module needs
modules      writes the week's modules
"""

from grader.intake.notebook.modules import module_from_script, modules_from_notebook

__all__ = ["module_from_script", "modules_from_notebook"]
