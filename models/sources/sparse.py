"""Scores of some tracks: a sparse column over the rows of a release."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.base import NO_ROWS, Rows

DEEP = 400  # rows that are put in order at once
_LOW = np.int64(0xFFFF_FFFF)


class Sparse:
    """Scores of some rows; rows distinct and in no order, scores above 0."""

    def __init__(self, rows: Rows, weights: NDArray[np.float32]) -> None:
        self.rows, self.weights = rows, weights
        self._ranked = rows[:0]  # as deep as anybody has asked

    def top(self, most: int) -> Rows:
        """The rows with the highest scores, best first; ties by row."""
        if len(self._ranked) < min(most, len(self.rows)):
            self._ranked = self._sorted(max(most, DEEP))
        return self._ranked[:most]

    def _sorted(self, most: int) -> Rows:
        # The bits of positive floats are in the order of the floats, and whole numbers sort many times faster.
        keys = (self.weights.view(np.int32).astype(np.int64) << 32) | (_LOW - self.rows)
        if len(keys) > 2 * most:
            keys = np.partition(keys, len(keys) - most)[len(keys) - most :]
        keys.sort()
        return _LOW - (keys[::-1] & _LOW)

    def at(self, rows: Rows, scratch: Scratch) -> NDArray[np.float64]:
        """The score of each of these rows, 0 where there is none."""
        return _scores(self.rows, self.weights, rows, scratch.sums)


NONE = Sparse(NO_ROWS, np.empty(0, np.float32))


def summed(rows: Rows, votes: NDArray[np.floating], scratch: Scratch) -> Sparse:
    """The sum of the votes for each distinct row; only what sums to more than 0."""
    return Sparse(*_summed(rows, votes, scratch.sums)) if len(rows) else NONE


@compiled
def take_out(touched: Rows, count: int, sums: NDArray[np.float64]) -> tuple[Rows, NDArray[np.float32]]:
    """What was summed up for the first `count` of `touched`, and zeros where it stood."""
    rows = touched[:count].copy()
    weights = np.empty(count, np.float32)
    for at in range(count):
        weights[at] = sums[rows[at]]
        sums[rows[at]] = 0.0
    return rows, weights


@compiled
def _summed(rows: Rows, votes: NDArray[np.floating], sums: NDArray[np.float64]) -> tuple[Rows, NDArray[np.float32]]:
    touched, count = np.empty(len(rows), np.int64), 0
    for at in range(len(rows)):
        row = rows[at]
        if votes[at] > 0.0:
            if sums[row] == 0.0:
                touched[count] = row
                count += 1
            sums[row] += votes[at]
    return take_out(touched, count, sums)


@compiled
def _scores(rows: Rows, weights: NDArray[np.float32], wanted: Rows, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    for at in range(len(rows)):
        sums[rows[at]] = weights[at]
    found = np.empty(len(wanted))
    for at in range(len(wanted)):
        found[at] = sums[wanted[at]]
    for at in range(len(rows)):
        sums[rows[at]] = 0.0
    return found
