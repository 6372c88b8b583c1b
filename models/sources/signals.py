"""What a listener's past says of tracks, each as a sparse column of scores: what sources propose and the ranker weighs.

Worked out once a listener and list; everything is numpy over rows of one release.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.neighbours.table import Table
from models.sources.base import Listener, Rows
from models.sources.own_past import WINDOW, OwnPast, alike, own_past
from models.sources.sparse import NONE, Sparse, bincount, summed

FADE = 0.6  # from one play to the one before it, in what everybody plays next
NEAR_FADE = 0.8
FEW = 4_000  # entries of a table
OWN_TRACKS = 300  # of the listener's strongest, whose neighbours are looked at


class Signals:
    """One listener's."""

    def __init__(self, listener: Listener, followers: Table, neighbours: Table) -> None:
        self._listener, self._followers, self._neighbours = listener, followers, neighbours

    @cached_property
    def own(self) -> OwnPast:
        """What followed and stood around the same plays in the listener's own past."""
        return own_past(self._listener)

    @cached_property
    def alike(self) -> Sparse:
        """What the listener played in sessions like this one."""
        return alike(self._listener)

    @cached_property
    def next(self) -> Sparse:
        """What everybody plays after the last track."""
        return self._followed(1)

    @cached_property
    def then(self) -> Sparse:
        """What everybody plays after the last five."""
        return self._followed(5)

    @cached_property
    def near(self) -> Sparse:
        """What everybody plays around the last ten."""
        rows = self._last(WINDOW)
        return _gathered(self._neighbours, rows, NEAR_FADE ** np.arange(len(rows)))

    @cached_property
    def taste(self) -> Sparse:
        """What everybody plays around the listener's strongest tracks."""
        listener = self._listener
        own = np.flatnonzero(listener.weights > 0)
        if len(own) > OWN_TRACKS:
            own = own[np.argpartition(-listener.weights[own], OWN_TRACKS - 1)[:OWN_TRACKS]]
        return _gathered(self._neighbours, listener.rows[own], np.log1p(3.0 * listener.weights[own]))

    def _followed(self, plays: int) -> Sparse:
        rows = self._last(plays)
        return _gathered(self._followers, rows, FADE ** np.arange(len(rows)))

    def _last(self, plays: int) -> Rows:
        """Rows of the newest plays, newest first; a track that the release does not know is −1."""
        return self._listener.recent[::-1][:plays]


def _gathered(table: Table, rows: Rows, weights: NDArray[np.floating]) -> Sparse:
    """Σ weight x row of the table."""
    at, of = table.entries(rows)
    if not len(at):
        return NONE
    votes, scored = weights[of] * table.weights[at], table.rows[at]
    if len(at) < FEW:  # looking through a column as long as the catalogue would cost more than sorting
        return summed(scored.astype(np.int64), votes)
    scores = bincount(scored, votes, len(table.starts) - 1)
    found = np.flatnonzero(scores != 0.0)  # of bools, which is many times faster
    return Sparse(found, scores[found])
