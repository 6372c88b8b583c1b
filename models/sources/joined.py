"""Columns of several listeners in one, for compiled loops over a whole batch: calling one costs as much as its work."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Joined = tuple[Rows, Rows]  # one column behind the other, and where each ends
_NONE: Rows = np.empty(0, np.int64)


def joined(columns: Sequence[Rows]) -> Joined:
    """One column behind the other, and where each ends."""
    return np.concatenate([_NONE, *columns]), np.cumsum([len(each) for each in columns], dtype=np.int64)


def parted(table: Rows, counts: Rows) -> list[Rows]:
    """Of each row of a table its first few."""
    return [row[:count] for row, count in zip(table, counts.tolist(), strict=True)]
