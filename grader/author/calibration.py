"""The old name of `grader.author.proof.calibration`, kept for one release."""

from grader.author.proof.calibration import *  # noqa: F403
