"""EASE (models/ease.py) on the tracks of most listeners."""

from models.ease import Inverse
from models.evaluation.baselines.past import Columns, Past
from models.evaluation.log import Numbers
from models.evaluation.systems import Asked, best

MIN_LISTENERS = 2
MOST = 5_000  # tracks: 200 MB and seconds
LAMBDA = 100.0


class Ease:
    """Ranks the tracks of most listeners, at most `most`."""

    def __init__(self, past: Past, regularization: float = LAMBDA, most: int = MOST) -> None:
        self._columns = Columns(past.log, past.shared(MIN_LISTENERS, most))
        matrix = self._columns.matrix(past)
        self._inverse = Inverse(matrix[matrix.getnnz(axis=1) > 0], regularization)

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        own = self._columns.rows(asked.users, asked.moments).toarray()
        scores = own - self._inverse.times(own) / self._inverse.diagonal
        return [best(self._columns.tracks, scores[at], asked, at) for at in range(len(asked.users))]
