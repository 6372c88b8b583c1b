"""What follows: a first-order chain of plays, the simplest guess at the next track."""

import numpy as np
from scipy.sparse import coo_matrix

from models.evaluation.baselines.past import Past
from models.evaluation.log import Log, Numbers
from models.evaluation.systems import Asked, best

TOGETHER_S = 7_200  # what came later than this did not follow


class Chain:
    """First what the listener has gone on with after the last track, by how often; then what everybody has; then what
    they have played most.
    """

    def __init__(self, past: Past) -> None:
        self._log = past.log
        size = len(past.log.tracks)
        first, second = _steps(past.log, past.log.seconds < past.moment)
        ones = np.ones(len(first), dtype=np.float32)
        self._followed = coo_matrix((ones, (first, second)), shape=(size, size)).tocsr()

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        return [
            self._of(asked, at, self._log.before(user, moment))
            for at, (user, moment) in enumerate(zip(asked.users.tolist(), asked.moments.tolist(), strict=True))
        ]

    def _of(self, asked: Asked, at: int, span: slice) -> Numbers:
        items, seconds, played = self._log.items[span], self._log.seconds[span], self._log.played[span]
        if not len(items):
            return np.empty(0, dtype=np.int64)
        after = np.flatnonzero((items[:-1] == items[-1]) & played[1:] & (np.diff(seconds) < TOGETHER_S)) + 1
        row = self._followed[int(items[-1])]
        tracks, of = np.unique(np.concatenate((items[after], row.indices, items[played])), return_inverse=True)
        # Own steps before everybody's, those before plays: each kind counts less than one of the kind before.
        others, plays = row.data / (1.0 + row.data.sum()), np.full(int(played.sum()), 1e-9 / (1.0 + len(items)))
        scores = np.bincount(of, np.concatenate((np.ones(len(after)), others * 0.5, plays)), len(tracks))
        return best(tracks, scores.astype(np.float64), asked, at)


def _steps(log: Log, among: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Numbers, Numbers]:
    """(from, to) of each play that followed another event of its listener, both among those."""
    near = (np.diff(log.users) == 0) & (np.diff(log.seconds) < TOGETHER_S) & log.played[1:] & among[1:] & among[:-1]
    return log.items[:-1][near], log.items[1:][near]
