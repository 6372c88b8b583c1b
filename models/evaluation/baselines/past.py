"""Who had played what before a window: what baselines are fitted on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.evaluation.log import Log, Numbers


class Past(NamedTuple):
    """One row a (listener, track) with a play before `moment`; parallel, by listener and track."""

    log: Log
    moment: int
    users: Numbers
    items: Numbers
    plays: Numbers
    lasts: Numbers  # second of the last play

    def per_track(self) -> tuple[Numbers, Numbers]:
        """(listeners, plays) of each track of the log."""
        size = len(self.log.tracks)
        return np.bincount(self.items, minlength=size), np.bincount(self.items, self.plays, size).astype(np.int64)

    def shared(self, least: int, most: int) -> Numbers:
        """Tracks of at least `least` listeners, at most `most` of them: those with most listeners, then plays."""
        listeners, plays = self.per_track()
        order = np.lexsort((-plays, -listeners))
        return np.sort(order[listeners[order] >= least][:most])


def past(log: Log, moment: int) -> Past:
    """All plays before `moment`."""
    rows = log.played & (log.seconds < moment)
    size = max(1, len(log.tracks))
    pairs, at, plays = np.unique(
        log.users[rows] * size + log.items[rows], return_inverse=True, return_counts=True
    )  # fmt: skip
    lasts = np.zeros(len(pairs), dtype=np.int64)
    np.maximum.at(lasts, at, log.seconds[rows])
    return Past(log, moment, pairs // size, pairs % size, plays, lasts)


class Columns:
    """Some tracks of the log as the columns of a matrix."""

    def __init__(self, log: Log, tracks: Numbers) -> None:
        """`tracks` rising."""
        self.tracks = tracks
        self._log = log
        self._column = np.full(len(log.tracks), -1, dtype=np.int64)
        self._column[tracks] = np.arange(len(tracks))

    def matrix(self, past: Past) -> csr_matrix:
        """Who had played what before a window: (listeners, tracks), log₂(1 + plays)."""
        columns = self._column[past.items]
        inside = columns >= 0
        weights = np.log2(1.0 + past.plays[inside])
        shape = (len(self._log.names), len(self.tracks))
        return csr_matrix((weights, (past.users[inside], columns[inside])), shape=shape)

    def rows(self, users: Numbers, moments: Numbers) -> csr_matrix:
        """The same of each listener up to their moment: (len(users), tracks)."""
        starts = [0]
        columns: list[Numbers] = [np.empty(0, dtype=np.int64)]
        weights: list[NDArray[np.float64]] = [np.empty(0)]
        for user, moment in zip(users.tolist(), moments.tolist(), strict=True):
            span = self._log.before(user, moment)
            played = self._column[self._log.items[span][self._log.played[span]]]
            own, plays = np.unique(played[played >= 0], return_counts=True)
            columns.append(own)
            weights.append(np.log2(1.0 + plays))
            starts.append(starts[-1] + len(own))
        shape = (len(users), len(self.tracks))
        return csr_matrix((np.concatenate(weights), np.concatenate(columns), np.array(starts)), shape=shape)
