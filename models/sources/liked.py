"""The artists that a listener likes."""

import numpy as np
from numpy.typing import NDArray

from models.sources.base import Listener, Rows
from models.sources.shelf import Shelf


def liked(shelf: Shelf, listener: Listener, most: int) -> tuple[Rows, NDArray[np.float64]]:
    """The strongest artists, strongest first, and their weights: sums of what their tracks weigh, dislikes as 0."""
    artists, of = np.unique(shelf.artists[listener.rows], return_inverse=True)
    weights = np.bincount(of, np.maximum(listener.weights, 0.0), len(artists)).astype(np.float64, copy=False)
    best = np.argsort(-weights, kind="stable")[:most]
    best = best[weights[best] > 0.0]
    return artists[best], weights[best]
