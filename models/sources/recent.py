"""Recently heard: what the listener has played last, liked or not yet."""

from collections.abc import Sequence

import numpy as np

from models.explain import ago_played
from models.sources.base import Batch, Candidates, Listener, first_places


class Recent:
    """The listener's own tracks by when they were last heard, those skipped lately among them: some come back."""

    name = "recent"

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [self._of(batch, listener, quota) for listener in batch.listeners]

    @staticmethod
    def _of(batch: Batch, listener: Listener, quota: int) -> Candidates:
        backwards = np.ascontiguousarray(listener.recent[::-1])
        newest = len(backwards) - 1 - first_places(backwards, 2 * quota, batch.scratch)
        newest = newest[batch.allowed(listener, listener.recent[newest])][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            ages = listener.newest - listener.recent_times[newest[list(positions)]]
            return [ago_played(age) for age in ages.tolist()]

        return Candidates(listener.recent[newest], reasons)
