"""New tracks: what anybody first played in the last weeks, of artists that the listener likes.

First played is not released: where the year of a track is known, an old one is not new.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from models.explain import new_by
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Rows
from models.sources.liked import liked
from models.sources.shelf import Shelf
from models.taste import DAY

DAYS = 28
ARTISTS = 100  # of the listener's strongest


class New:
    """Unheard new tracks, best by the artist's weight times who has played it."""

    name = "new"

    def __init__(self, release: Release, shelf: Shelf) -> None:
        self._names, self._shelf = release.catalogue.artists, shelf
        rows = new_rows(release.catalogue.frame)
        artists = shelf.artists[rows]
        order = np.argsort(artists, kind="stable")
        self._rows, self._artists = rows[order], artists[order]
        self._listeners = release.catalogue.frame["listeners"].to_numpy().astype(np.float64)[self._rows]

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [self._of(batch, at, quota) for at in range(len(batch.listeners))]

    def _of(self, batch: Batch, of_listener: int, quota: int) -> Candidates:
        artists, weights = liked(self._shelf, batch.listeners[of_listener], ARTISTS)
        begins = np.searchsorted(self._artists, artists)
        counts = np.searchsorted(self._artists, artists, side="right") - begins
        of = np.repeat(np.arange(len(artists)), counts)
        if not len(of):
            return NOTHING
        at = begins[of] + np.arange(len(of)) - (np.cumsum(counts) - counts)[of]
        rows, scores = self._rows[at], weights[of] * self._listeners[at]
        fine = np.flatnonzero(batch.unheard.keeps(of_listener, rows))
        rows = rows[fine[np.argsort(-scores[fine], kind="stable")]][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            return [new_by(self._names[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)


def new_rows(frame: pl.DataFrame) -> Rows:
    """The rows of a catalogue that somebody first played to its merit in the last DAYS, none where none can be told.

    That is so when the release does not say, or when its history is not twice as long: then most of it is new.
    """
    if "first_heard" not in frame.columns:
        return np.empty(0, dtype=np.int64)
    first = frame["first_heard"].to_numpy()
    heard = first[first > 0]
    if not len(heard) or heard.max() - heard.min() < 2 * DAYS * DAY:
        return np.empty(0, dtype=np.int64)
    since = int(heard.max()) - DAYS * DAY
    this_year = pl.from_epoch(pl.lit(since)).dt.year()
    young = frame.select(pl.col("year").is_null() | (pl.col("year") >= this_year)).to_series().to_numpy()
    return np.flatnonzero((first > since) & young)
