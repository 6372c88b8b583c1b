"""Proposals of several sources in one set of candidates, each with the source that it is owed to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.sources.base import NO_ROWS, Candidates, Rows


class Merged(NamedTuple):
    """Distinct candidates of one listener; parallel columns, rows rising."""

    rows: Rows
    sources: Rows  # the source that proposes it highest
    positions: Rows  # where that source has it
    fused: NDArray[np.float64]  # reciprocal rank fusion of all sources' proposals


K = 10.0  # how much the first places count before the later ones (Cormack et al. 2009: score = Σ 1/(K + rank))


def merge(proposals: Sequence[Candidates], weights: Sequence[float]) -> Merged:
    """All proposals of one listener; `weights[source]` is what a source's word counts in the fusion."""
    lengths = [len(proposed.rows) for proposed in proposals]
    rows = np.concatenate([proposed.rows for proposed in proposals]) if lengths else NO_ROWS
    positions = np.concatenate([np.arange(length) for length in lengths]) if lengths else NO_ROWS
    sources = np.repeat(np.arange(len(lengths)), lengths)
    votes = np.repeat(np.asarray(weights, dtype=np.float64), lengths) / (K + positions)
    order = np.lexsort((sources, -votes, rows))
    distinct, first, where = np.unique(rows[order], return_index=True, return_inverse=True)
    chosen = order[first]
    fused = np.bincount(where, votes[order], len(distinct)).astype(np.float64, copy=False)
    return Merged(distinct, sources[chosen], positions[chosen], fused)
