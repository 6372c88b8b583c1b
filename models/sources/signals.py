"""What a listener's past says of tracks, each as a sparse column of scores: what sources propose and the ranker weighs.

Worked out once a listener and list; everything is numpy over rows of one release.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.neighbours.table import Table
from models.scratch import Scratch
from models.sources.base import Listener, Rows
from models.sources.own_past import WINDOW, OwnPast, alike, own_past
from models.sources.sparse import Sparse, take_out

FADE = 0.6  # from one play to the one before it, in what everybody plays next
NEAR_FADE = 0.8
OWN_TRACKS = 300  # of the listener's strongest, whose neighbours are looked at


class Signals:
    """One listener's."""

    def __init__(self, listener: Listener, followers: Table, neighbours: Table, scratch: Scratch) -> None:
        self._listener, self._followers, self._neighbours, self._scratch = listener, followers, neighbours, scratch

    @cached_property
    def own(self) -> OwnPast:
        """What followed and stood around the same plays in the listener's own past."""
        return own_past(self._listener, self._scratch)

    @cached_property
    def alike(self) -> Sparse:
        """What the listener played in sessions like this one."""
        return alike(self._listener, self._scratch)

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
        return self._gathered(self._neighbours, rows, NEAR_FADE ** np.arange(len(rows)))

    @cached_property
    def taste(self) -> Sparse:
        """What everybody plays around the listener's strongest tracks."""
        listener = self._listener
        own = np.flatnonzero(listener.weights > 0)
        if len(own) > OWN_TRACKS:
            own = own[np.argpartition(-listener.weights[own], OWN_TRACKS - 1)[:OWN_TRACKS]]
        return self._gathered(self._neighbours, listener.rows[own], np.log1p(3.0 * listener.weights[own]))

    def _followed(self, plays: int) -> Sparse:
        rows = self._last(plays)
        return self._gathered(self._followers, rows, FADE ** np.arange(len(rows)))

    def _gathered(self, table: Table, rows: Rows, weights: NDArray[np.floating]) -> Sparse:
        return Sparse(*_gathered(table.starts, table.rows, table.weights, rows, weights, self._scratch.sums))

    def _last(self, plays: int) -> Rows:
        """Rows of the newest plays, newest first; a track that the release does not know is −1."""
        return np.ascontiguousarray(self._listener.recent[::-1][:plays])


@compiled
def _gathered(
    starts: Rows,
    others: NDArray[np.int32],
    strengths: NDArray[np.float32],
    rows: Rows,
    weights: NDArray[np.floating],
    sums: NDArray[np.float64],
) -> tuple[Rows, NDArray[np.float32]]:
    """Σ weight x row of the table; a row that it does not have, −1 for one, has none."""
    most = 0
    for row in rows:
        if 0 <= row < len(starts) - 1:
            most += starts[row + 1] - starts[row]
    touched, count = np.empty(most, np.int64), 0
    for at in range(len(rows)):
        if not 0 <= rows[at] < len(starts) - 1:
            continue
        for entry in range(starts[rows[at]], starts[rows[at] + 1]):
            vote = weights[at] * strengths[entry]
            if vote > 0.0:
                if sums[others[entry]] == 0.0:
                    touched[count] = others[entry]
                    count += 1
                sums[others[entry]] += vote
    return take_out(touched, count, sums)
