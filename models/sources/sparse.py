"""Scores of some tracks: a sparse column over the rows of a release."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.base import NO_ROWS, Rows

DEEP = 400  # rows that are put in order at once
PARTS = 1_024  # at most, of their range
LOW = np.int64(0xFFFF_FFFF)

Keys = NDArray[np.int64]  # one number a row: the bits of its score, a float32 over 0, and behind them LOW less the row


class Sparse:
    """Scores of some rows; rows distinct, scores above 0.

    The bits of positive floats are in the order of the floats, so these whole numbers are by score, and of equal ones
    the first row is the highest; and whole numbers sort many times faster than two columns.
    """

    def __init__(self, keys: Keys, high: Keys | None = None) -> None:
        """`high`: `highest` of them, where that is known already."""
        self.keys = keys  # in no order
        self._high = keys[:0] if high is None else high
        self._ranked = keys[:0]  # best first, as deep as anybody has asked

    @property
    def rows(self) -> Rows:
        """Of each key."""
        return rows_of(self.keys)

    @property
    def weights(self) -> NDArray[np.float32]:
        """Of each key."""
        return weights_of(self.keys)

    def best(self, most: int) -> Keys:
        """The keys of the highest scores, best first; ties by row."""
        enough = min(most, len(self.keys))
        if len(self._ranked) < enough:
            high = self._high if len(self._high) >= enough else highest(self.keys, max(most, DEEP))
            self._ranked = np.sort(high)[::-1].copy()
        return self._ranked[:most]

    def top(self, most: int) -> Rows:
        """The rows with the highest scores, best first; ties by row."""
        return rows_of(self.best(most))

    def at(self, rows: Rows, scratch: Scratch) -> NDArray[np.float64]:
        """The score of each of these rows, 0 where there is none."""
        return _scores(self.rows, self.weights, rows, scratch.sums)


NONE = Sparse(NO_ROWS)


def rows_of(keys: Keys) -> Rows:
    """The row of each key."""
    return LOW - (keys & LOW)


def weights_of(keys: Keys) -> NDArray[np.float32]:
    """The score of each key."""
    return (keys >> 32).astype(np.int32).view(np.float32)


def summed(rows: Rows, votes: NDArray[np.floating], scratch: Scratch) -> Sparse:
    """The sum of the votes for each distinct row; only what sums to more than 0."""
    return Sparse(sum_up(rows, votes, scratch.sums)) if len(rows) else NONE


@compiled
def take_out(touched: Rows, count: int, sums: NDArray[np.float64]) -> Keys:
    """What was summed up for the first `count` of `touched`, and zeros where it stood."""
    scores = np.empty(count)
    for at in range(count):
        scores[at] = sums[touched[at]]
        sums[touched[at]] = 0.0
    return keyed(touched[:count], scores)


@compiled
def keyed(rows: Rows, scores: NDArray[np.float64]) -> Keys:
    """The key of each row with its score."""
    bits = scores.astype(np.float32).view(np.int32)
    keys = np.empty(len(rows), np.int64)
    for at in range(len(rows)):
        keys[at] = (np.int64(bits[at]) << 32) | (LOW - rows[at])
    return keys


@compiled
def sum_up(rows: Rows, votes: NDArray[np.floating], sums: NDArray[np.float64]) -> Keys:
    """The keys of the sum of the votes for each distinct row."""
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
def highest(keys: Keys, most: int) -> Keys:
    """The highest `most` of some keys, in no order, and a few more: those above a border between equal parts."""
    if len(keys) <= 2 * most:
        return keys
    low, high, bits = keys.min(), keys.max(), 0
    while (high - low) >> bits >= PARTS:
        bits += 1
    counts = np.zeros(PARTS, np.int64)
    for key in keys:
        counts[(key - low) >> bits] += 1
    part, count = PARTS, 0
    while count < most:
        part -= 1
        count += counts[part]
    found, border, at = np.empty(count, np.int64), low + (part << bits), 0
    for key in keys:
        if key >= border:
            found[at] = key
            at += 1
    return found


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
