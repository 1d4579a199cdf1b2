"""The old name of `grader.author.proof.calibration`, kept until 2.0."""

from grader.author.proof.calibration import *  # noqa: F403
