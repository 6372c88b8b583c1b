"""The artists that a listener likes."""

import numpy as np
from numpy.typing import NDArray

from models.sources.base import Listener, Rows
from models.sources.shelf import Shelf
from models.sources.sparse import summed


def liked(shelf: Shelf, listener: Listener, most: int) -> tuple[Rows, NDArray[np.float64]]:
    """The strongest artists, strongest first, and their weights: sums of what their tracks weigh, dislikes as 0."""
    found = summed(shelf.artists[listener.rows], listener.weights, shelf.scratch)
    artists = found.top(most)
    return artists, found.at(artists, shelf.scratch)
