"""The artists that a listener likes."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.sources.base import Listener, Rows
from models.sources.shelf import Shelf
from models.sources.sparse import Keys, rows_of, sum_up, weights_of


def liked(shelf: Shelf, listener: Listener, most: int) -> tuple[Rows, NDArray[np.float64]]:
    """The strongest artists, strongest first, and their weights: sums of what their tracks weigh, dislikes as 0."""
    keys = strongest(shelf.artists, listener.rows, listener.weights, most, shelf.scratch.sums)
    return rows_of(keys), weights_of(keys).astype(np.float64)


@compiled
def strongest(artists: Rows, rows: Rows, weights: NDArray[np.float64], most: int, sums: NDArray[np.float64]) -> Keys:
    """The same, as keys; `artists`: of each row of the catalogue."""
    return np.sort(sum_up(artists[rows], weights, sums))[::-1][:most].copy()
