"""What may not be in a listener's list: worked out once a list, then asked of each row.

Of all listeners of a batch at once, as calling a compiled loop costs more than it takes to look at a listener's rows.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.sources.joined import Joined, Rows, joined, parted
from models.sources.noted import is_noted

Flags = NDArray[np.uint8]
# For each listener a bit for each row whose work is barred, or none where no work is; whether each row is barred for
# all, or none where no row is; for each listener what is noted as met (models.met), or nothing; the key of each row.
Columns = tuple[Flags, NDArray[np.bool_], Flags, Rows]
Editions = NDArray[np.int32]

NO_FLAGS: Flags = np.frombuffer(b"", np.uint8)  # read only, as what a profile notes: one kind of column to Numba


class Bars:
    """What bars rows from the lists of some listeners. A row of −1 is barred."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns  # for other loops that ask `is_barred`

    def first(self, rows: Sequence[Rows], most: int) -> list[Rows]:
        """For each listener the first `most` of their rows that are not barred."""
        every, ends = joined(rows)
        return parted(*_first(every, np.append(0, ends)[:-1], ends, most, self.columns))

    def first_of_same(self, rows: Rows, most: int) -> list[Rows]:
        """The same where all listeners are offered the same rows."""
        begins = np.zeros(len(self.columns[0]), np.int64)
        return parted(*_first(rows, begins, begins + len(rows), most, self.columns))

    def keeps(self, at: int, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows are not barred from the list of the listener `at`."""
        return _kept(at, rows, self.columns)


@compiled
def barred_rows(editions: Editions, barred: Joined, heard: Joined, recent: Joined) -> Flags:
    """For each listener a bit for each row of the same work as one of `barred`, `heard` or `recent`.

    `editions`: of a Shelf. A bit of a row, not of its work: more rows are looked up than are marked, and the bits are
    few enough to be at hand.
    """
    bits = np.zeros((len(barred[1]), (len(editions) >> 3) + 1), np.uint8)
    for rows, ends in (barred, heard, recent):
        begin = 0
        for at in range(len(ends)):
            for row in rows[begin : ends[at]]:
                _mark(bits[at], editions, row)
            begin = ends[at]
    return bits


@compiled
def _mark(bits: Flags, editions: Editions, row: int) -> None:
    while row >= 0 and bits[row >> 3] >> (row & 7) & 1 == 0:
        bits[row >> 3] |= 1 << (row & 7)
        row = editions[row]


@compiled
def is_barred(at: int, row: int, columns: Columns) -> bool:
    """Whether a row may not be in the list of the listener `at`."""
    bits, excluded, flags, keys = columns
    if row < 0 or (len(excluded) > 0 and excluded[row]):
        return True
    if bits.shape[1] > 0 and bits[at, row >> 3] >> (row & 7) & 1:
        return True
    return flags.shape[1] > 0 and is_noted(flags[at], keys[row])


@compiled
def _first(rows: Rows, begins: Rows, ends: Rows, most: int, columns: Columns) -> tuple[Rows, Rows]:
    """(listeners, at most `most`) rows, and how many each listener has of them; theirs are `rows[begin:end]`."""
    counts = np.zeros(len(begins), np.int64)
    found = np.empty((len(begins), min(most, (ends - begins).max()) if len(begins) else 0), np.int64)
    for at in range(len(begins)):
        for each in range(begins[at], ends[at]):
            if counts[at] == found.shape[1]:
                break
            if not is_barred(at, rows[each], columns):
                found[at, counts[at]] = rows[each]
                counts[at] += 1
    return found, counts


@compiled
def _kept(at: int, rows: Rows, columns: Columns) -> NDArray[np.bool_]:
    kept = np.empty(len(rows), np.bool_)
    for each in range(len(rows)):
        kept[each] = not is_barred(at, rows[each], columns)
    return kept
