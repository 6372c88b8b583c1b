"""A sparse square table in release files: for each row the best others with their weights, strongest first."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PAIR = np.dtype([("row", "<i4"), ("weight", "<f4")])


class Table(NamedTuple):
    """Those of row r are `[starts[r]:starts[r + 1]]`."""

    starts: NDArray[np.int64]  # (rows + 1)
    rows: NDArray[np.int32]
    weights: NDArray[np.float32]

    def entries(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the others of these rows stand, row after row, and the position in `rows` that each belongs to.

        A row that the table does not have, −1 for one, has none.
        """
        has = (rows >= 0) & (rows < len(self.starts) - 1)
        begins = self.starts[np.where(has, rows, 0)]
        counts = np.where(has, self.starts[np.where(has, rows + 1, 0)] - begins, 0)
        of = np.repeat(np.arange(len(rows)), counts)
        return np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(len(of)), of

    @staticmethod
    def files(name: str) -> tuple[str, str]:
        """What `save` writes."""
        return f"{name}.npy", f"{name}_starts.npy"

    def fits(self, items: int) -> bool:
        """Whether it is a table of the first of so many items, with finite weights."""
        starts, rows = self.starts, self.rows
        inside = not len(rows) or bool(rows.min() >= 0 and rows.max() < items)
        ends = 1 <= len(starts) <= items + 1 and starts[0] == 0 and starts[-1] == len(rows) == len(self.weights)
        return ends and inside and bool(np.all(np.diff(starts) >= 0) and np.isfinite(self.weights).all())

    def save(self, path: Path) -> None:
        """As one .npy of a record a pair and one of the starts: `path` is without its ending."""
        pairs_name, starts_name = self.files(path.name)
        pairs = np.empty(len(self.rows), dtype=PAIR)
        pairs["row"], pairs["weight"] = self.rows, self.weights
        np.save(path.with_name(pairs_name), pairs, allow_pickle=False)
        np.save(path.with_name(starts_name), self.starts, allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> "Table":
        """What `save` wrote. Raises OSError, ValueError."""
        pairs, starts = (np.load(path.with_name(name), allow_pickle=False) for name in cls.files(path.name))
        if pairs.dtype != PAIR or starts.dtype != np.int64 or (pairs.ndim, starts.ndim) != (1, 1):
            raise ValueError(f"{path.name}: no table, but columns of {pairs.dtype} and {starts.dtype}")
        return cls(starts, np.ascontiguousarray(pairs["row"]), np.ascontiguousarray(pairs["weight"]))


EMPTY = Table(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
