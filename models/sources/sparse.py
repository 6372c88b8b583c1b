"""Scores of some tracks: a sparse column over the rows of a release."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.base import NO_ROWS, Rows

DEEP = 400  # rows that are put in order at once
PARTS = 1_024  # at most, of their range
FEW = 24  # rows that are put in order one after the other
LOW = np.int64(0xFFFF_FFFF)

Keys = NDArray[np.int64]  # one number a row: the bits of its score, a float32 over 0, and behind them LOW less the row


class Sparse:
    """Scores of some rows; rows distinct, scores above 0.

    The bits of positive floats are in the order of the floats, so these whole numbers are by score, and of equal ones
    the first row is the highest; and whole numbers sort many times faster than two columns.
    """

    def __init__(self, keys: Keys, best: Keys | None = None) -> None:
        """`best`: the highest of them, best first; none: nobody has asked yet."""
        self.keys = keys  # in no order
        self._best = keys[:0] if best is None else best  # as deep as anybody has asked

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
        if len(self._best) < min(most, len(self.keys)):
            self._best = ranked(self.keys, max(most, DEEP))
        return self._best[:most]

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
def ranked(keys: Keys, most: int) -> Keys:
    """The highest `most` of some keys, highest first, and a few more: those in the last part of their range."""
    if len(keys) <= FEW:
        found = keys.copy()
        _sort(found)
        return found
    high, spread, bits = keys.max(), keys.max() - keys.min(), 0
    while spread >> bits >= PARTS:
        bits += 1
    ends = np.zeros(PARTS, np.int64)
    for key in keys:
        ends[(high - key) >> bits] += 1
    part, count = 0, ends[0]
    while part + 1 < PARTS and count < most:
        part += 1
        count += ends[part]
        ends[part] = count
    found, border = np.empty(count, np.int64), (part + 1) << bits
    for key in keys:
        if high - key < border:
            at = (high - key) >> bits
            ends[at] -= 1
            found[ends[at]] = key
    begin = 0
    for at in range(1, part + 2):
        end = ends[at] if at <= part else count
        if end - begin > 1:
            _sort(found[begin:end])
        begin = end
    return found


@compiled
def _sort(keys: Keys) -> None:
    """Put them in order, highest first."""
    if len(keys) > FEW:
        keys[:] = np.sort(keys)[::-1]
        return
    for at in range(1, len(keys)):
        key, to = keys[at], at
        while to > 0 and keys[to - 1] < key:
            keys[to] = keys[to - 1]
            to -= 1
        keys[to] = key


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
