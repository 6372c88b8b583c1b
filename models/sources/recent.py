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
        known = np.flatnonzero(listener.recent >= 0)[::-1]
        if not len(known):
            return NOTHING
        _, first = np.unique(listener.recent[known], return_index=True)
        newest = known[np.sort(first)[: 2 * quota]]
        newest = newest[batch.allowed(listener, listener.recent[newest])][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            ages = listener.newest - listener.recent_times[newest[list(positions)]]
            return [ago_played(age) for age in ages.tolist()]

        return Candidates(listener.recent[newest], reasons)
