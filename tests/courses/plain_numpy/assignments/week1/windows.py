"""Means of windows and of rows."""

import numpy as np


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of each window of `width` neighbouring values, N − width + 1 of them."""
    raise NotImplementedError("TODO 1.1: average each window")


def standardised(rows: np.ndarray) -> np.ndarray:
    """Rows of N×M numbers with mean 0 and standard deviation 1 each."""
    raise NotImplementedError("TODO 1.2: subtract the mean, divide by the deviation")
