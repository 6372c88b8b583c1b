"""Artists: what the listener has not heard yet of those they play just now and of those they like."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import more_of
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Listener, Rows, firsts
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
        wanted = firsts(np.concatenate((now, strongest)), NOW + ARTISTS, batch.scratch)
        if not len(wanted):
            return NOTHING
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
        fine = batch.unheard(listener, rows) & (rows < self._played)
        chosen: Rows = rows[_in_turn(of, fine, each)]
        return chosen


@compiled
def _in_turn(of: Rows, fine: NDArray[np.bool_], most: Rows) -> Rows:
    """Positions of what is fine: the first of each number in `of`, which rises, then the second, up to `most` of it."""
    taken, waiting = np.zeros(len(most), np.int64), np.empty((len(most), most.max()), np.int64)
    for at in range(len(of)):
        if fine[at] and taken[of[at]] < most[of[at]]:
            waiting[of[at], taken[of[at]]] = at
            taken[of[at]] += 1
    chosen, count = np.empty(taken.sum(), np.int64), 0
    for turn in range(taken.max()):
        for each in range(len(most)):
            if turn < taken[each]:
                chosen[count] = waiting[each, turn]
                count += 1
    return chosen
