"""Trending tracks: more of their listeners played them in the last weeks than of other tracks'."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from models.explain import RISING
from models.sources.base import Batch, Candidates, Rows
from models.sources.shelf import Shelf

FEWEST = 2  # recent listeners
MOST = 5_000  # tracks


class Trending:
    """The tracks that trend most and that the listener has not heard."""

    name = "trending"

    def __init__(self, shelf: Shelf) -> None:
        rows = trending_rows(shelf.catalogue.frame)
        _, first = np.unique(shelf.works[rows], return_index=True)  # a work once, its most trending edition
        self._rows = rows[np.sort(first)][:MOST]

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [Candidates(rows, _reasons) for rows in batch.unheard.first_of_same(self._rows, quota)]


def trending_rows(frame: pl.DataFrame) -> Rows:
    """The rows with more recent listeners than usual, by how far (r − p·n)/√(p·n + 1) they are above it.

    r of a track's n listeners are recent (models.popular.RECENT_DAYS), and the share p of all tracks' listeners is.
    """
    listeners, recent = (frame[name].to_numpy().astype(np.float64) for name in ("listeners", "recent_listeners"))
    expected = listeners * (recent.sum() / max(1.0, listeners.sum()))
    excess = (recent - expected) / np.sqrt(expected + 1.0)
    rising = np.flatnonzero((recent >= FEWEST) & (excess > 0))
    return rising[np.argsort(-excess[rising], kind="stable")]


def _reasons(positions: Sequence[int]) -> list[str]:
    return [RISING] * len(positions)
