"""Recently heard: what the listener has played last, liked or not yet."""

from collections.abc import Sequence

import numpy as np

from models.explain import ago_played
from models.sources.base import NOTHING, Batch, Candidates, Listener


class Recent:
    """The listener's own tracks by when they were last heard, those skipped lately among them: some come back."""

    name = "recent"

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [self._of(batch, listener, quota) for listener in batch.listeners]

    @staticmethod
    def _of(batch: Batch, listener: Listener, quota: int) -> Candidates:
        heard = listener.recent[::-1]
        heard = heard[heard >= 0]
        if not len(heard):
            return NOTHING
        _, first = np.unique(heard, return_index=True)
        rows = heard[np.sort(first)][: 2 * quota]
        rows = rows[batch.allowed(listener, rows)][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            lasts = dict(zip(listener.recent.tolist(), listener.recent_times.tolist(), strict=True))
            return [ago_played(listener.newest - lasts[row]) for row in rows[list(positions)].tolist()]

        return Candidates(rows, reasons)
