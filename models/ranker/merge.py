"""Proposals of several sources in one set of candidates, each with the source that it is owed to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.base import NO_ROWS, Candidates, Rows


class Merged(NamedTuple):
    """Distinct candidates of one listener; parallel columns, rows rising."""

    rows: Rows
    sources: Rows  # the source that proposes it highest
    positions: Rows  # where that source has it
    fused: NDArray[np.float64]  # reciprocal rank fusion of all sources' proposals


K = 10.0  # how much the first places count before the later ones (Cormack et al. 2009: score = Σ 1/(K + rank))


def merge(proposals: Sequence[Candidates], weights: Sequence[float] | NDArray[np.float64], scratch: Scratch) -> Merged:
    """All proposals of one listener; `weights[source]` is what a source's word counts in the fusion."""
    if not proposals:
        return Merged(NO_ROWS, NO_ROWS, NO_ROWS, np.empty(0))
    rows = np.concatenate([proposed.rows for proposed in proposals])
    ends = np.cumsum([len(proposed.rows) for proposed in proposals])
    return Merged(*_merged(rows, np.sort(rows), ends, np.asarray(weights, dtype=np.float64), scratch.marks))


@compiled
def _merged(
    rows: Rows, rising: Rows, ends: Rows, weights: NDArray[np.float64], marks: NDArray[np.int32]
) -> tuple[Rows, Rows, Rows, NDArray[np.float64]]:
    """`ends[source]`: where the rows of a source end."""
    distinct, count = np.empty(len(rows), np.int64), 0
    for row in rising:
        if marks[row] == 0:
            distinct[count] = row
            count += 1
            marks[row] = count
    sources, positions = np.empty(count, np.int64), np.empty(count, np.int64)
    fused, highest = np.zeros(count), np.full(count, -1.0)
    start = 0
    for source in range(len(ends)):
        for each in range(start, ends[source]):
            at, vote = marks[rows[each]] - 1, weights[source] / (K + each - start)
            fused[at] += vote
            if vote > highest[at]:
                highest[at], sources[at], positions[at] = vote, source, each - start
        start = ends[source]
    for row in distinct[:count]:
        marks[row] = 0
    return distinct[:count], sources, positions, fused
