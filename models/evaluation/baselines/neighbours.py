"""Item neighbours: cosine of who listens, all neighbours, without ever making the item-by-item matrix."""

import numpy as np
from scipy.sparse import diags_array

from models.evaluation.baselines.past import Columns, Past
from models.evaluation.log import Numbers
from models.evaluation.systems import Asked, best

MIN_LISTENERS = 2  # a track that one listener has is everything's neighbour that they have


class Neighbours:
    """A track scores the sum of its cosines with the listener's own tracks, each weighed by log₂(1 + plays).

    With X (listeners x tracks, unit columns) and a listener's weights u that is Xᵀ(X u): two products with a sparse
    matrix, in memory of listens, not of tracks squared.
    """

    def __init__(self, past: Past) -> None:
        self._columns = Columns(past.log, past.shared(MIN_LISTENERS, len(past.log.tracks)))
        matrix = self._columns.matrix(past)
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
        self._unit = (matrix @ diags_array(1.0 / np.maximum(lengths, 1e-12))).tocsr()
        self._turned = self._unit.T.tocsr()

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        own = self._columns.rows(asked.users, asked.moments)
        scores = (self._turned @ (self._unit @ own.T.toarray())).T  # (questions, tracks)
        scores[scores <= 0] = -np.inf
        return [best(self._columns.tracks, scores[at], asked, at) for at in range(len(asked.users))]
