"""Means with intervals that redraw listeners: the weeks and plays of one listener are not independent."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.evaluation.log import Numbers
from models.evaluation.protocol import SEED

DRAWS = 1_000
ENDS = (0.025, 0.975)


class Figure(Struct, frozen=True, array_like=True):
    """A mean, its 95 % interval, and how many rows it is over."""

    mean: float
    low: float
    high: float
    n: int


class Bootstrap:
    """One redrawing of listeners, used for every figure of the same rows: so differences are paired."""

    def __init__(self, users: Numbers, draws: int = DRAWS) -> None:
        """`users`: whose each row is."""
        self._users, self._at = np.unique(users, return_inverse=True)
        size = len(self._users)
        shares = np.full(size, 1 / size) if size else np.empty(0)
        self._times = np.random.default_rng(SEED).multinomial(size, shares, size=draws) if size else None

    def figure(self, values: NDArray[np.float64]) -> Figure:
        """Of one column; NaN where a row is not judged. A redrawing without any judged row counts as 0."""
        judged = ~np.isnan(values)
        if self._times is None or not judged.any():
            return Figure(0.0, 0.0, 0.0, 0)
        size = len(self._users)
        totals = np.bincount(self._at[judged], values[judged], size)
        counts = np.bincount(self._at[judged], minlength=size)
        means = (self._times @ totals) / np.maximum(self._times @ counts, 1)
        low, high = np.quantile(means, ENDS).tolist()
        return Figure(float(values[judged].mean()), low, high, int(judged.sum()))
