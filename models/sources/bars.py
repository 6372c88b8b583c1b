"""What may not be in a listener's list: worked out once a list, then asked of each row."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.sources.noted import is_noted

Rows = NDArray[np.int64]
Flags = NDArray[np.uint8]
# The work of each row; a bit for each work that is barred, or none where no work is; whether each row is, or none where
# no row is; what is noted as met (models.met), or nothing; and the key of each row.
Columns = tuple[Rows, Flags, NDArray[np.bool_], Flags, Rows]

NO_BITS: Flags = np.empty(0, np.uint8)
NO_FLAGS: Flags = np.frombuffer(b"", np.uint8)  # read only, as what a profile notes: one kind of column to Numba


class Bars:
    """What bars rows from one list. A row of −1 is barred."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns  # for other loops that ask `is_barred`

    def first(self, rows: Rows, most: int) -> Rows:
        """The first `most` of these rows that are not barred."""
        return _first(rows, most, self.columns)

    def keeps(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows are not barred."""
        return _kept(rows, self.columns)


@compiled
def barred_works(works: Rows, barred: Rows, heard: Rows, recent: Rows) -> Flags:
    """A bit for each work that is among `barred`, or is that of a row of `heard` or `recent`."""
    bits = np.zeros((len(works) >> 3) + 1, np.uint8)
    for work in barred:
        bits[work >> 3] |= 1 << (work & 7)
    _mark(bits, works, heard)
    _mark(bits, works, recent)
    return bits


@compiled
def _mark(bits: Flags, works: Rows, rows: Rows) -> None:
    for row in rows:
        if row >= 0:
            bits[works[row] >> 3] |= 1 << (works[row] & 7)


@compiled
def is_barred(row: int, columns: Columns) -> bool:
    """Whether a row may not be in the list."""
    works, bits, excluded, flags, keys = columns
    if row < 0 or (len(excluded) > 0 and excluded[row]):
        return True
    if len(bits) > 0 and bits[works[row] >> 3] >> (works[row] & 7) & 1:
        return True
    return len(flags) > 0 and is_noted(flags, keys[row])


@compiled
def _first(rows: Rows, most: int, columns: Columns) -> Rows:
    found, count = np.empty(min(most, len(rows)), np.int64), 0
    for row in rows:
        if count == len(found):
            break
        if not is_barred(row, columns):
            found[count] = row
            count += 1
    return found[:count]


@compiled
def _kept(rows: Rows, columns: Columns) -> NDArray[np.bool_]:
    kept = np.empty(len(rows), np.bool_)
    for at in range(len(rows)):
        kept[at] = not is_barred(rows[at], columns)
    return kept
