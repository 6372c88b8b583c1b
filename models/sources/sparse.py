"""Scores of some tracks: a sparse column over the rows of a release."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.sources.base import NO_ROWS, Rows


class Sparse(NamedTuple):
    """Scores of some rows, rows rising and distinct."""

    rows: Rows
    weights: NDArray[np.float64]

    def top(self, most: int) -> Rows:
        """The rows with the highest scores, best first; ties by row."""
        rows, weights = self.rows, self.weights
        if (
            len(rows) > most
        ):  # first what is at least as high as the last one wanted: a partition takes ties as they come
            high = weights >= np.partition(weights, len(rows) - most)[len(rows) - most]
            rows, weights = rows[high], weights[high]
        return rows[np.argsort(-weights, kind="stable")[:most]]

    def at(self, rows: Rows) -> NDArray[np.float64]:
        """The score of each of these rows, 0 where there is none."""
        return self._looked_up(self.weights, rows, 0.0)

    def places(self, rows: Rows, missing: float) -> NDArray[np.float64]:
        """The place of each of these rows among all, 0 the highest score, ties by row; `missing`: not there."""
        places = np.empty(len(self.rows))
        places[np.argsort(-self.weights, kind="stable")] = np.arange(len(self.rows))
        return self._looked_up(places, rows, missing)

    def _looked_up(self, column: NDArray[np.float64], rows: Rows, missing: float) -> NDArray[np.float64]:
        if not len(self.rows):
            return np.full(len(rows), missing)
        found = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[found] == rows, column[found], missing)


NONE = Sparse(NO_ROWS, np.empty(0))


def summed(rows: Rows, weights: NDArray[np.floating]) -> Sparse:
    """The sum of the weights of each distinct row."""
    if not len(rows):
        return NONE
    distinct, where = np.unique(rows, return_inverse=True)
    return Sparse(distinct, bincount(where, weights, len(distinct)))


def bincount(where: NDArray[np.integer], weights: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """np.bincount, typed."""
    return np.bincount(where, weights, size).astype(np.float64, copy=False)
