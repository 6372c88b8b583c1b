"""EASE: linear item-to-item weights in closed form (Steck, 2019), on the tracks of most listeners.

B = I − P·diag(1/diag P) with P = (XᵀX + λI)⁻¹, and a listener's scores are u B = u − (u P)/diag P. With fewer listeners
than tracks P need not be made: by Woodbury u P = (u − u Xᵀ(XXᵀ + λI)⁻¹X)/λ, an inverse of listeners squared.
"""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.baselines.past import Columns, Past
from models.evaluation.log import Numbers
from models.evaluation.systems import Asked, best

MIN_LISTENERS = 2
MOST = 5_000  # tracks: 200 MB and seconds
LAMBDA = 100.0

Dense = NDArray[np.float64]


class Ease:
    """Ranks the tracks of most listeners, at most `most`."""

    def __init__(self, past: Past, regularization: float = LAMBDA, most: int = MOST) -> None:
        self._columns = Columns(past.log, past.shared(MIN_LISTENERS, most))
        matrix = self._columns.matrix(past).toarray()
        self._inverse = Inverse(matrix[matrix.any(axis=1)], regularization)

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        own = self._columns.rows(asked.users, asked.moments).toarray()
        scores = own - self._inverse.times(own) / self._inverse.diagonal
        return [best(self._columns.tracks, scores[at], asked, at) for at in range(len(asked.users))]


class Inverse:
    """P = (XᵀX + λI)⁻¹, held as the smaller of its two forms; X is (listeners, tracks)."""

    def __init__(self, matrix: Dense, regularization: float) -> None:
        listeners, tracks = matrix.shape
        self._regularization = regularization
        self._whole: Dense | None = None
        if tracks <= listeners:
            whole: Dense = np.asarray(np.linalg.inv(matrix.T @ matrix + regularization * np.eye(tracks)), np.float64)
            self._whole, self.diagonal = whole, np.diag(whole).copy()
            return
        self._matrix = matrix
        self._solved: Dense = np.asarray(
            np.linalg.solve(matrix @ matrix.T + regularization * np.eye(listeners), matrix), np.float64
        )
        self.diagonal = (1.0 - (matrix * self._solved).sum(axis=0)) / regularization

    def times(self, rows: Dense) -> Dense:
        """rows P."""
        if self._whole is not None:
            return np.asarray(rows @ self._whole)
        return np.asarray((rows - (rows @ self._matrix.T) @ self._solved) / self._regularization)
