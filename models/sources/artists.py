"""Artists: what the listener has not heard yet of those they play just now and of those they like."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.explain import more_of
from models.release import Release
from models.sources.base import NO_ROWS, NOTHING, Batch, Candidates, Listener
from models.sources.shelf import Shelf

NOW = 3  # artists of the last plays …
EACH_NOW = 40  # … and so many unheard tracks of each, most popular first
ARTISTS = 60  # of the listener's strongest
EACH = 12
LOOK = 6  # times as many are looked at: many are known already


class Artists:
    """Unheard tracks, in turn: the first of each artist, then the second of each."""

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
        liked = artists[np.argsort(-weights, kind="stable")[: min(ARTISTS, np.count_nonzero(weights))]]
        now = self._playing(listener)
        kept = [self._unheard(batch, listener, artist, EACH_NOW) for artist in now]
        kept += [self._unheard(batch, listener, artist, EACH) for artist in liked.tolist() if artist not in now]
        ranks = np.concatenate([np.arange(len(rows)) for rows in kept]) if kept else NO_ROWS
        rows = np.concatenate(kept) if kept else NO_ROWS
        rows = rows[np.argsort(ranks, kind="stable")][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            return [more_of(self._names[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)

    def _playing(self, listener: Listener) -> list[int]:
        """The artists of the last plays, newest first."""
        artists = self._shelf.artists_at(listener.recent[: -4 * NOW - 1 : -1])
        return [artist for artist in dict.fromkeys(artists.tolist()) if artist >= 0][:NOW]

    def _unheard(self, batch: Batch, listener: Listener, artist: int, most: int) -> NDArray[np.int64]:
        rows = self._shelf.of_artist(artist)
        rows = rows[rows < self._played][: LOOK * most]
        return rows[batch.unheard(listener, rows)][:most]
