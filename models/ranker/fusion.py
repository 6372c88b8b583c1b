"""Ranking without a trained ranker: what the sources say together."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.ranker.merge import Merged
from models.sources.base import Batch


class Ranker(Protocol):
    """Says how good each candidate is for a listener."""

    def scores(self, batch: Batch, at: int, merged: Merged) -> NDArray[np.floating]:
        """One score a candidate of the listener `at` of a batch; higher is better."""
        ...


class Fusion:
    """Reciprocal rank fusion (models.ranker.merge)."""

    def scores(self, batch: Batch, at: int, merged: Merged) -> NDArray[np.floating]:  # noqa: ARG002  # as Ranker has it
        """See Ranker."""
        return merged.fused
