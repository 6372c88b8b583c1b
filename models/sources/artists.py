"""Artists: what the listener has not heard yet of those they play just now and of those they like."""

from collections.abc import Sequence

import numpy as np

from models.explain import more_of
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Listener, Rows
from models.sources.liked import liked
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
        strongest, _ = liked(self._shelf, listener, ARTISTS)
        now = self._playing(listener)
        wanted = np.concatenate((now, strongest[~np.isin(strongest, now)]))
        each = np.where(np.arange(len(wanted)) < len(now), EACH_NOW, EACH)
        rows = self._unheard(batch, listener, wanted, each)[:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            return [more_of(self._names[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)

    def _playing(self, listener: Listener) -> Rows:
        """The artists of the last plays, newest first."""
        artists = self._shelf.artists_at(listener.recent[: -4 * NOW - 1 : -1])
        known = [artist for artist in dict.fromkeys(artists.tolist()) if artist >= 0]
        return np.array(known[:NOW], dtype=np.int64)

    def _unheard(self, batch: Batch, listener: Listener, artists: Rows, each: Rows) -> Rows:
        """At most `each` of each artist, in turn."""
        rows, of = self._shelf.first_of_artists(artists, LOOK * each)
        fine = batch.unheard(listener, rows) & (rows < self._played) if len(rows) else np.empty(0, dtype=bool)
        rows, of = rows[fine], of[fine]
        begins = np.searchsorted(of, np.arange(len(artists)))
        turn = np.arange(len(rows)) - begins[of]
        kept = np.flatnonzero(turn < each[of])
        chosen: Rows = rows[kept[np.argsort(turn[kept], kind="stable")]]
        return chosen
