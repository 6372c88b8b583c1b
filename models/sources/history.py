"""Own history: what the listener has liked before and would hear again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import played_before
from models.sources.bars import Columns, is_barred
from models.sources.base import Batch, Candidates, Listener, Rows
from models.sources.joined import Joined, parted


class History:
    """The listener's own tracks by decayed weight, those that they like more than not."""

    name = "history"

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        found = parted(*_best(batch.own, batch.weights, quota, batch.allowed.columns))
        return [self._of(*each) for each in zip(batch.listeners, found, strict=True)]

    @staticmethod
    def _of(listener: Listener, best: Rows) -> Candidates:

        def reasons(positions: Sequence[int]) -> list[str]:
            own = best[list(positions)]
            ages = listener.newest - listener.lasts[own]
            return played_before(listener.plays[own].tolist(), ages.tolist())

        return Candidates(listener.rows[best], reasons)


@compiled
def _best(own: Joined, weights: NDArray[np.float64], most: int, bars: Columns) -> tuple[Rows, Rows]:
    """Where each listener's heaviest rows stand among theirs, heaviest first, equals in their order; and how many.

    Of weights over 0, and not barred.
    """
    rows, ends = own
    found, counts = np.empty((len(ends), most), np.int64), np.empty(len(ends), np.int64)
    usable, begin = np.empty(len(rows), np.int64), 0
    for at in range(len(ends)):
        count = 0
        for each in range(begin, ends[at]):
            if weights[each] > 0 and not is_barred(at, rows[each], bars):
                usable[count] = each
                count += 1
        order = np.argsort(-weights[usable[:count]], kind="mergesort")[:most]
        counts[at] = len(order)
        found[at, : len(order)] = usable[order] - begin
        begin = ends[at]
    return found, counts
