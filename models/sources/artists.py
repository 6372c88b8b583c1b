"""Artists: what the listener has not heard yet of those they play just now and of those they like."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import more_of
from models.release import Release
from models.sources.bars import Columns, is_barred
from models.sources.base import Batch, Candidates, Rows, firsts
from models.sources.joined import Joined, parted
from models.sources.liked import strongest
from models.sources.shelf import Shelf
from models.sources.sparse import LOW

NOW = 3  # artists of the last plays …
EACH_NOW = 40  # … and so many unheard tracks of each, most popular first
ARTISTS = 60  # of the listener's strongest
EACH = 12
LOOK = 6  # times as many are looked at: many are known already

Numbers = tuple[Rows, Rows, Rows]  # of a Shelf: artists, by_artist, starts


class Artists:
    """Unheard tracks, in turn: the first of each artist, then the second of each."""

    name = "artists"

    def __init__(self, release: Release, shelf: Shelf) -> None:
        self._names, self._shelf = release.catalogue.artists, shelf
        self._played = int((release.catalogue.frame["listeners"] > 0).sum())

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        shelf = (self._shelf.artists, self._shelf.by_artist, self._shelf.starts)
        found = _all_unheard(
            batch.recent, batch.own, batch.weights, shelf, self._played, batch.unheard.columns, quota, *batch.scratch
        )
        return [self._of(rows) for rows in parted(*found)]

    def _of(self, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            return [more_of(self._names[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)


@compiled
def _all_unheard(
    recent: Joined,
    own: Joined,
    weights: NDArray[np.float64],
    shelf: Numbers,
    played: int,
    bars: Columns,
    quota: int,
    sums: NDArray[np.float64],
    marks: NDArray[np.int32],
) -> tuple[Rows, Rows]:
    """(listeners, `quota`) rows, and how many each listener has of them."""
    artists, ends = shelf[0], own[1]
    found, counts = np.empty((len(ends), quota), np.int64), np.empty(len(ends), np.int64)
    begin = begin_recent = 0
    for at in range(len(ends)):
        now = _playing(recent[0][begin_recent : recent[1][at]], artists, marks)
        liked = strongest(artists, own[0][begin : ends[at]], weights[begin : ends[at]], ARTISTS, sums)
        if begin == ends[at]:
            now = now[:0]
        counts[at] = _unheard(at, now, LOW - (liked & LOW), shelf, played, bars, found[at], marks)
        begin, begin_recent = ends[at], recent[1][at]
    return found, counts


@compiled
def _unheard(
    at: int,
    now: Rows,
    liked: Rows,
    shelf: Numbers,
    played: int,
    bars: Columns,
    found: Rows,
    marks: NDArray[np.int32],
) -> int:
    """Fills `found` with rows of the artists of now and of those liked, in turn; how many."""
    _, by_artist, starts = shelf
    wanted = firsts(np.concatenate((now, liked)), NOW + ARTISTS, marks)
    places, ends = starts[wanted], starts[wanted + 1]
    count = 0
    for turn in range(EACH_NOW):
        for of in range(len(wanted)):
            each = EACH_NOW if of < len(now) else EACH
            if turn == 0:
                ends[of] = min(ends[of], places[of] + LOOK * each)
            while turn < each and places[of] < ends[of]:
                row = by_artist[places[of]]
                places[of] += 1
                if row < played and not is_barred(at, row, bars):
                    found[count] = row
                    count += 1
                    break
            if count == len(found):
                return count
    return count


@compiled
def _playing(recent: Rows, artists: Rows, marks: NDArray[np.int32]) -> Rows:
    """The artists of the last plays, newest first."""
    latest = recent[::-1][: 4 * NOW].copy()
    for at in range(len(latest)):
        if latest[at] >= 0:
            latest[at] = artists[latest[at]]
    return firsts(latest, NOW, marks)
