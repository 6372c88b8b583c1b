"""What a listener's past says of tracks, each as a sparse column of scores: what sources propose and the ranker weighs.

Worked out once a listener and list; everything is numpy over rows of one release.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.neighbours.table import Table
from models.scratch import Scratch
from models.sources.base import Listener, Rows
from models.sources.own_past import WINDOW, OwnPast, alike, own_past
from models.sources.sparse import DEEP, Keys, Sparse, keyed, ranked

FADE = 0.6  # from one play to the one before it, in what everybody plays next
NEAR_FADE = 0.8
FADES, NEAR_FADES = FADE ** np.arange(WINDOW), NEAR_FADE ** np.arange(WINDOW)
THEN = 5  # plays
OWN_TRACKS = 300  # of the listener's strongest, whose neighbours are looked at

Columns = tuple[Rows, NDArray[np.int32], NDArray[np.float32]]  # of a Table
Found = tuple[Keys, Keys]


class Everybody(NamedTuple):
    """What others play."""

    next: Sparse  # after the last track
    then: Sparse  # after the last five
    near: Sparse  # around the last ten
    taste: Sparse  # around the listener's strongest tracks


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
    def everybody(self) -> Everybody:
        """What others play after and around the same plays."""
        listener = self._listener
        rows, weights = listener.rows, listener.weights
        if len(rows) > OWN_TRACKS:
            own = np.flatnonzero(weights > 0)
            if len(own) > OWN_TRACKS:
                own = own[np.argpartition(-weights[own], OWN_TRACKS - 1)[:OWN_TRACKS]]
            rows, weights = rows[own], weights[own]
        followers, neighbours = _columns(self._followers), _columns(self._neighbours)
        found = _of_everybody(listener.recent, rows, weights, followers, neighbours, self._scratch.marks)
        return Everybody(*(Sparse(*each) for each in found))


def _columns(table: Table) -> Columns:
    return table.starts, table.rows, table.weights


@compiled
def _of_everybody(
    recent: Rows,
    own: Rows,
    liking: NDArray[np.float64],
    followers: Columns,
    neighbours: Columns,
    marks: NDArray[np.int32],
) -> tuple[Found, Found, Found, Found]:
    """The keys of Everybody, and the highest of them, best first.

    `liking`: the weights of the listener's own tracks, of which those over 0 count.
    """
    latest = recent[::-1][:WINDOW].copy()  # newest first; a track that the release does not know is −1
    fades, near_fades = FADES.copy(), NEAR_FADES.copy()  # a global is read only: another kind of column to Numba
    votes = np.log1p(3.0 * np.maximum(liking, 0.0))
    return (
        _gathered(followers, latest[:1], fades, marks),
        _gathered(followers, latest[:THEN], fades, marks),
        _gathered(neighbours, latest, near_fades, marks),
        _gathered(neighbours, own, votes, marks),
    )


@compiled
def _gathered(table: Columns, rows: Rows, weights: NDArray[np.floating], marks: NDArray[np.int32]) -> Found:
    """Σ weight x row of the table; a row that it does not have, −1 for one, has none.

    Indices are unsigned: a signed one is looked at each time for whether it counts from the end.
    """
    starts, others, strengths = table
    most = 0
    for row in rows:
        if 0 <= row < len(starts) - 1:
            most += starts[row + 1] - starts[row]
    found, sums, count = np.empty(most, np.int64), np.empty(most), 0
    for at in range(len(rows)):
        if not 0 <= rows[at] < len(starts) - 1:
            continue
        begin, end = starts[rows[at]], starts[rows[at] + 1]
        theirs, near = others[begin:end], strengths[begin:end]
        for entry in range(len(theirs)):
            vote, other = weights[at] * near[entry], np.uint32(theirs[entry])
            if vote <= 0.0:
                continue
            place = np.uint32(marks[other])
            if place:
                sums[place - np.uint32(1)] += vote
            else:
                found[count], sums[count] = other, vote
                count += 1
                marks[other] = count
    for row in found[:count]:
        marks[np.uint32(row)] = 0
    keys = keyed(found[:count], sums[:count])
    best = ranked(keys, DEEP)
    return (best, best) if len(best) == count else (keys, best)
