"""What a listener's past says of tracks, each as a sparse column of scores: what sources propose and the ranker weighs.

Worked out once a listener and list; everything is numpy over rows of one release.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.neighbours.table import Table
from models.sources.base import NO_ROWS, Listener, Rows

WINDOW = 10  # plays looked back, and ahead
SESSION_S = 7_200  # what came later than this did not follow
OCCURRENCES = 60  # newest ones of a track in the listener's own past
OWN_HALF_LIFE_S = 60 * 86_400
SKIPPED = 0.5  # of what a play counts among what followed: what was skipped there is often played the next time
FADE = 0.6  # from one play to the one before it, in what everybody plays next
NEAR_FADE = 0.8
FEW = 4_000  # entries of a table
OWN_TRACKS = 300  # of the listener's strongest, whose neighbours are looked at


class Sparse(NamedTuple):
    """Scores of some rows, rows rising and distinct."""

    rows: Rows
    weights: NDArray[np.float64]

    def top(self, most: int) -> Rows:
        """The rows with the highest scores, best first; ties by row."""
        rows, weights = self.rows, self.weights
        if (
            len(rows) > most
        ):  # first what is at least as high as the last one wanted: a partition takes ties as they come
            high = weights >= np.partition(weights, len(rows) - most)[len(rows) - most]
            rows, weights = rows[high], weights[high]
        return rows[np.argsort(-weights, kind="stable")[:most]]

    def at(self, rows: Rows) -> NDArray[np.float64]:
        """The score of each of these rows, 0 where there is none."""
        if not len(self.rows):
            return np.zeros(len(rows))
        found = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[found] == rows, self.weights[found], 0.0)


NONE = Sparse(NO_ROWS, np.empty(0))


class Signals:
    """One listener's."""

    def __init__(self, listener: Listener, followers: Table, neighbours: Table) -> None:
        self._listener, self._followers, self._neighbours = listener, followers, neighbours

    @cached_property
    def own(self) -> tuple[Sparse, Sparse]:
        """What came after the same plays in the listener's own past: of each of the last ten, and of the last two."""
        return continuations(self._listener)

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


def continuations(listener: Listener) -> tuple[Sparse, Sparse]:
    """What followed in the listener's own past.

    For the k-th newest play (k = 0 the newest), each earlier occurrence p of its track votes for what came d = k+1 …
    WINDOW plays after p, with 2^(−age/half-life) / (k+1) / (d−k), SKIPPED as much for what was skipped there. The
    second column counts only occurrences of the newest track that came after the same track as now.
    """
    recent, times, played = listener.recent, listener.recent_times, listener.recent_played
    size = len(recent)
    last = recent[: size - WINDOW - 1 : -1] if size > WINDOW else recent[:0:-1]  # the oldest play of all has no past
    back, at = np.nonzero(last[:, None] == recent[None, :])
    kept = (at < size - 1 - back) & (last[back] >= 0)
    back, at = back[kept], at[kept]
    if not len(at):
        return NONE, NONE
    ends = np.searchsorted(back, back, side="right")
    kept = ends - np.arange(len(back)) <= OCCURRENCES
    back, at = back[kept, None], at[kept, None]
    ahead = np.arange(1, WINDOW + 1)
    to = np.minimum(at + ahead, size - 1)
    there = (ahead > back) & (at + ahead < size - back) & (times[to] - times[at] < SESSION_S)
    there &= recent[to] >= 0
    weights = np.exp2((times[at] - times[-1]) / OWN_HALF_LIFE_S) / (back + 1) / np.maximum(ahead - back, 1)
    weights *= np.where(played[to], 1.0, SKIPPED)
    both = there & (back == 0) & (at > 0) & (recent[at - 1] == recent[-2]) & (recent[-2] >= 0)
    return _summed(recent[to[there]], weights[there]), _summed(recent[to[both]], weights[both])


def _summed(rows: Rows, weights: NDArray[np.floating]) -> Sparse:
    if not len(rows):
        return NONE
    distinct, where = np.unique(rows, return_inverse=True)
    return Sparse(distinct, _bincount(where, weights, len(distinct)))


def _bincount(where: NDArray[np.integer], weights: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    return np.bincount(where, weights, size).astype(np.float64, copy=False)


def _gathered(table: Table, rows: Rows, weights: NDArray[np.floating]) -> Sparse:
    """Σ weight x row of the table."""
    at, of = table.entries(rows)
    if not len(at):
        return NONE
    votes, scored = weights[of] * table.weights[at], table.rows[at]
    if len(at) < FEW:  # looking through a column as long as the catalogue would cost more than sorting
        return _summed(scored.astype(np.int64), votes)
    scores = _bincount(scored, votes, len(table.starts) - 1)
    found = np.flatnonzero(scores != 0.0)  # of bools, which is many times faster
    return Sparse(found, scores[found])
