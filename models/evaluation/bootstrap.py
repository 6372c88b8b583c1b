"""Means with intervals that redraw listeners: the weeks and plays of one listener are not independent."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.evaluation.log import Flags, Numbers
from models.evaluation.protocol import SEED

DRAWS = 1_000
AT_ONCE = 4_000_000  # times a listener was drawn, held in memory at once: 32 MB
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
        self._times: NDArray[np.int64] = np.zeros((draws, 0), dtype=np.int64)  # (draws, listeners)
        if size:
            self._times = np.random.default_rng(SEED).multinomial(size, np.full(size, 1 / size), size=draws)

    def figure(self, values: NDArray[np.float64]) -> Figure:
        """Of one column; NaN where a row is not judged. A redrawing without any judged row counts as 0."""
        judged = ~np.isnan(values)
        if not judged.any():
            return Figure(0.0, 0.0, 0.0, 0)
        size = len(self._users)
        totals = np.bincount(self._at[judged], values[judged], size)
        counts = np.bincount(self._at[judged], minlength=size)
        means = (self._times @ totals) / np.maximum(self._times @ counts, 1)
        low, high = np.quantile(means, ENDS).tolist()
        return Figure(float(values[judged].mean()), low, high, int(judged.sum()))

    def ratio(self, over: NDArray[np.float64], under: NDArray[np.float64], groups: Numbers) -> Figure:
        """Σ over / Σ under of each group of rows, and the mean of these; a group whose Σ under is 0 counts as 0."""
        size, means, whole = len(self._users), [], []
        for group in np.unique(groups):
            rows = groups == group
            above, below = (np.bincount(self._at[rows], column[rows], size) for column in (over, under))
            whole.append(_divided(above.sum(keepdims=True), below.sum(keepdims=True)))
            means.append(_divided(self._times @ above, self._times @ below))
        if not means:
            return Figure(0.0, 0.0, 0.0, 0)
        low, high = np.quantile(np.mean(means, axis=0), ENDS).tolist()
        return Figure(float(np.mean(whole)), low, high, int((under > 0).sum()))


def _divided(over: NDArray[np.number], under: NDArray[np.number]) -> NDArray[np.float64]:
    return np.asarray(np.divide(over, under, out=np.zeros(over.shape), where=under > 0))


class Ratio(Struct, frozen=True):
    """A difference of two ratios, its 95 % interval, and how many listeners are on either side."""

    difference: float
    low: float | None  # None, as is `high`: who asked has found them too few
    high: float | None
    first: int
    second: int


def ratio_apart(
    users: Numbers, over: Flags, under: Flags, first: Flags, second: Flags, draws: int = DRAWS, seed: int = SEED
) -> Ratio:
    """Σ over / Σ under of the rows in `first`, less that of those in `second`; each side's listeners are redrawn.

    `users`: whose each row is. A redrawing whose Σ under is 0 counts as 0. Memory is bounded: any number of listeners.
    """
    rng = np.random.default_rng(seed)
    sides = [_totals(users[rows], over[rows], under[rows]) for rows in (first, second)]
    (whole_a, drawn_a), (whole_b, drawn_b) = (_redrawn(totals, draws, rng) for totals in sides)
    low, high = np.quantile(drawn_a - drawn_b, ENDS).tolist()
    return Ratio(whole_a - whole_b, low, high, len(sides[0]), len(sides[1]))


def _totals(users: Numbers, over: Flags, under: Flags) -> NDArray[np.float64]:
    """(listeners, 2): Σ over and Σ under of each."""
    names, at = np.unique(users, return_inverse=True)
    return np.stack([np.bincount(at, column, len(names)) for column in (over, under)], axis=1)


def _redrawn(totals: NDArray[np.float64], draws: int, rng: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """The ratio of all, and of each redrawing of as many listeners."""
    size = len(totals)
    most = max(1, AT_ONCE // max(1, size))
    chance = np.full(size, 1 / max(1, size))
    sums = [rng.multinomial(size, chance, size=min(most, draws - start)) @ totals for start in range(0, draws, most)]
    drawn = np.concatenate(sums)
    return float(_divided(*totals.sum(axis=0, keepdims=True).T)[0]), _divided(drawn[:, 0], drawn[:, 1])
