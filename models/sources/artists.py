"""Artists: what the listener has not heard yet of those they play just now and of those they like."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import more_of
from models.release import Release
from models.sources.bars import Columns, is_barred
from models.sources.base import NOTHING, Batch, Candidates, Rows, firsts
from models.sources.liked import strongest
from models.sources.shelf import Shelf
from models.sources.sparse import LOW

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
        return [self._of(batch, at, quota) for at in range(len(batch.listeners))]

    def _of(self, batch: Batch, at: int, quota: int) -> Candidates:
        listener, shelf = batch.listeners[at], self._shelf
        if not len(listener.rows):
            return NOTHING
        rows = _unheard(
            listener.recent, listener.rows, listener.weights, shelf.artists, shelf.by_artist, shelf.starts,
            self._played, batch.unheard(at).columns, quota, *batch.scratch,
        )  # fmt: skip

        def reasons(positions: Sequence[int]) -> list[str]:
            return [more_of(self._names[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)


@compiled
def _unheard(
    recent: Rows,
    own: Rows,
    weights: NDArray[np.float64],
    artists: Rows,
    by_artist: Rows,
    starts: Rows,
    played: int,
    bars: Columns,
    quota: int,
    sums: NDArray[np.float64],
    marks: NDArray[np.int32],
) -> Rows:
    """At most `quota` rows of the artists of now and of the strongest, in turn."""
    now = _playing(recent, artists, marks)
    liked = LOW - (strongest(artists, own, weights, ARTISTS, sums) & LOW)
    wanted = firsts(np.concatenate((now, liked)), NOW + ARTISTS, marks)
    places, ends = starts[wanted], starts[wanted + 1]
    found, count = np.empty(quota, np.int64), 0
    for turn in range(EACH_NOW):
        for at in range(len(wanted)):
            each = EACH_NOW if at < len(now) else EACH
            if turn == 0:
                ends[at] = min(ends[at], places[at] + LOOK * each)
            while turn < each and places[at] < ends[at]:
                row = by_artist[places[at]]
                places[at] += 1
                if row < played and not is_barred(row, bars):
                    found[count] = row
                    count += 1
                    break
            if count == quota:
                return found
    return found[:count]


@compiled
def _playing(recent: Rows, artists: Rows, marks: NDArray[np.int32]) -> Rows:
    """The artists of the last plays, newest first."""
    latest = recent[::-1][: 4 * NOW].copy()
    for at in range(len(latest)):
        if latest[at] >= 0:
            latest[at] = artists[latest[at]]
    return firsts(latest, NOW, marks)
