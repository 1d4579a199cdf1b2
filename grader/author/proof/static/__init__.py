"""Reads a week before anything is graded, and says what is wrong in its files: `faults_of(course, week)`."""

from grader.author.proof.static.week import faults_of

__all__ = ["faults_of"]
