"""Finds which checks a mutant can touch, so that the reference's results stand for the others.

changes    tells which functions a mutant has changed
session    runs the week's checks on the reference, and notes which functions of it each of them enters
sparing    puts both together
"""

from grader.author.proof.touching.sparing import SEED, Sparing

__all__ = ["SEED", "Sparing"]
