"""Own history: what the listener has liked before and would hear again."""

from collections.abc import Sequence

import numpy as np

from models.explain import played_before
from models.sources.base import Batch, Candidates, Listener


class History:
    """The listener's own tracks by decayed weight, those that they like more than not."""

    name = "history"

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [self._of(batch, listener, quota) for listener in batch.listeners]

    @staticmethod
    def _of(batch: Batch, listener: Listener, quota: int) -> Candidates:
        usable = np.flatnonzero((listener.weights > 0) & batch.allowed(listener, listener.rows))
        best = usable[np.argsort(-listener.weights[usable], kind="stable")[:quota]]

        def reasons(positions: Sequence[int]) -> list[str]:
            own = best[list(positions)]
            ages = listener.newest - listener.lasts[own]
            return [
                played_before(plays, age)
                for plays, age in zip(listener.plays[own].tolist(), ages.tolist(), strict=True)
            ]

        return Candidates(listener.rows[best], reasons)
