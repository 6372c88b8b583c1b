"""A sparse square table in release files: for each row the best others with their weights, strongest first."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PAIR = np.dtype([("row", "<i4"), ("weight", "<f4")])
AT_ONCE = 1 << 20  # pairs, 8 MB: few enough to be no memory, many enough not to ask for Python's lock often


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
        pairs, starts_file = (path.with_name(name) for name in cls.files(path.name))
        starts = np.load(starts_file, allow_pickle=False)
        if starts.dtype != np.int64 or starts.ndim != 1:
            raise ValueError(f"{path.name}: no table, but starts that are {starts.dtype}")
        return cls(starts, *_columns(pairs))


def _columns(path: Path) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows and weights of a file of pairs, some at a time: all at once they would be in memory twice."""
    with path.open("rb") as file:
        if (version := np.lib.format.read_magic(file)) != (1, 0):
            raise ValueError(f"{path.stem}: no table, but an array of format {version}")
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        if kind != PAIR or len(shape) != 1:
            raise ValueError(f"{path.stem}: no table, but {len(shape)}-dimensional pairs that are {kind}")
        rows, weights = np.empty(shape[0], np.int32), np.empty(shape[0], np.float32)
        some = np.empty(min(shape[0], AT_ONCE), PAIR)
        for first in range(0, shape[0], AT_ONCE):
            part = some[: shape[0] - first]
            if file.readinto(part.view(np.uint8).data) != part.nbytes:
                raise ValueError(f"{path.stem}: a table that was cut short")
            rows[first : first + len(part)], weights[first : first + len(part)] = part["row"], part["weight"]
    return rows, weights


EMPTY = Table(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
