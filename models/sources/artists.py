"""Liked artists: what the listener has not heard yet of those they play most, most popular first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.explain import more_of
from models.release import Release
from models.sources.base import NO_ROWS, NOTHING, Batch, Candidates, Listener
from models.sources.shelf import Shelf

ARTISTS = 60  # of the listener's strongest
EACH = 12  # unheard tracks of one


class Artists:
    """Unheard tracks of liked artists, in turn: the first of each, then the second of each."""

    name = "artists"

    def __init__(self, release: Release, shelf: Shelf) -> None:
        self._names, self._shelf = release.catalogue.artists, shelf
        self._played = int((release.catalogue.frame["listeners"] > 0).sum())

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [self._of(batch, listener, quota) for listener in batch.listeners]

    def _of(self, batch: Batch, listener: Listener, quota: int) -> Candidates:
        if not len(listener.rows):
            return NOTHING
        artists, where = np.unique(self._shelf.artists[listener.rows], return_inverse=True)
        weights = np.bincount(where, np.maximum(listener.weights, 0.0))
        liked = artists[np.argsort(-weights, kind="stable")[:ARTISTS]]
        kept = [self._unheard(batch, listener, int(artist)) for artist in liked[: np.count_nonzero(weights)]]
        ranks = np.concatenate([np.arange(len(rows)) for rows in kept]) if kept else NO_ROWS
        rows = np.concatenate(kept) if kept else NO_ROWS
        rows = rows[np.argsort(ranks, kind="stable")][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            return [more_of(self._names[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)

    def _unheard(self, batch: Batch, listener: Listener, artist: int) -> NDArray[np.int64]:
        rows = self._shelf.of_artist(artist)
        rows = rows[rows < self._played][: 6 * EACH]
        return rows[batch.unheard(listener, rows)][:EACH]
