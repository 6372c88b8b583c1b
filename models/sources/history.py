"""Own history: what the listener has liked before and would hear again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import played_before
from models.sources.bars import Columns, is_barred
from models.sources.base import Batch, Candidates, Listener, Rows


class History:
    """The listener's own tracks by decayed weight, those that they like more than not."""

    name = "history"

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [
            self._of(listener, _best(listener.rows, listener.weights, quota, batch.allowed(at).columns))
            for at, listener in enumerate(batch.listeners)
        ]

    @staticmethod
    def _of(listener: Listener, best: Rows) -> Candidates:

        def reasons(positions: Sequence[int]) -> list[str]:
            own = best[list(positions)]
            ages = listener.newest - listener.lasts[own]
            return played_before(listener.plays[own].tolist(), ages.tolist())

        return Candidates(listener.rows[best], reasons)


@compiled
def _best(rows: Rows, weights: NDArray[np.float64], most: int, bars: Columns) -> Rows:
    """Where the heaviest rows stand, heaviest first, equals in their order: of weights over 0, and not barred."""
    usable, count = np.empty(len(rows), np.int64), 0
    for at in range(len(rows)):
        if weights[at] > 0 and not is_barred(rows[at], bars):
            usable[count] = at
            count += 1
    order = np.argsort(-weights[usable[:count]], kind="mergesort")
    return usable[order[:most]]
