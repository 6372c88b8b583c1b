"""Proposals of several sources in one set of candidates, each with the source that it is owed to."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.base import Candidates, Rows
from models.sources.joined import joined
from models.sources.sparse import ranked


class Merged(NamedTuple):
    """Distinct candidates of one listener; parallel columns, rows rising."""

    rows: Rows
    sources: Rows  # the source that proposes it highest
    positions: Rows  # where that source has it
    fused: NDArray[np.float64]  # reciprocal rank fusion of all sources' proposals


K = 10.0  # how much the first places count before the later ones (Cormack et al. 2009: score = Σ 1/(K + rank))


def merge(
    proposals: Sequence[Sequence[Candidates]], weights: Sequence[float] | NDArray[np.float64], scratch: Scratch
) -> list[Merged]:
    """For each listener all their proposals, one a source; `weights[source]` is what its word counts in the fusion."""
    rows, ends = joined([proposed.rows for of_listener in proposals for proposed in of_listener])
    ends = ends.reshape(len(proposals), len(weights))
    found, fused, counts = _all_merged(rows, ends, np.asarray(weights, dtype=np.float64), scratch.marks)
    distinct, sources, positions = found
    bounds = [slice(*each) for each in pairwise([0, *np.cumsum(counts).tolist()])]
    return [Merged(distinct[of], sources[of], positions[of], fused[of]) for of in bounds]


@compiled
def _all_merged(
    rows: Rows, ends: Rows, weights: NDArray[np.float64], marks: NDArray[np.int32]
) -> tuple[Rows, NDArray[np.float64], Rows]:
    """The columns of all listeners, one behind the other: the first three, the last; and how long each listener's are.

    `ends[listener, source]`: where the rows end that a source proposes to a listener.
    """
    found, counts = np.empty((3, len(rows)), np.int64), np.zeros(len(ends), np.int64)
    fused = np.zeros(len(rows))
    begin = total = 0
    for at in range(len(ends)):
        room = found[:, total:]
        counts[at] = _merged(rows, begin, ends[at], weights, marks, room[0], room[1], room[2], fused[total:])
        total += counts[at]
        begin = ends[at, -1] if ends.shape[1] else 0
    return found, fused, counts


@compiled
def _merged(
    rows: Rows,
    start: int,
    ends: Rows,
    weights: NDArray[np.float64],
    marks: NDArray[np.int32],
    distinct: Rows,
    sources: Rows,
    positions: Rows,
    fused: NDArray[np.float64],
) -> int:
    """Fills the last four with the columns of one listener, whose first source's rows begin at `start`; how many."""
    count = 0
    for row in rows[start : ends[-1]] if len(ends) else rows[:0]:
        if marks[row] == 0:
            marks[row] = 1
            distinct[count] = -row
            count += 1
    distinct[:count] = -ranked(distinct[:count], count)
    highest = np.full(count, -1.0)
    for at in range(count):
        marks[distinct[at]] = at + 1
    for source in range(len(ends)):
        for each in range(start, ends[source]):
            at, vote = marks[rows[each]] - 1, weights[source] / (K + each - start)
            fused[at] += vote
            if vote > highest[at]:
                highest[at], sources[at], positions[at] = vote, source, each - start
        start = ends[source]
    for row in distinct[:count]:
        marks[row] = 0
    return count
