"""Item neighbours: tracks that others play around what the listener plays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import heard_around
from models.release import Release
from models.sources.base import Batch, Candidates, Listener, Rows, firsts
from models.sources.joined import joined, parted
from models.sources.signalled import best

NO_CAUSE = "Others play it around what you play"
CAUSES = 50  # only a listener's strongest tracks are named


class Neighbours:
    """The nearest of the listener's strongest tracks, and of what they play just now, half and half."""

    name = "neighbours"

    def __init__(self, release: Release) -> None:
        self._titles, self._table = release.catalogue.titles, release.neighbours

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source. Only what the listener has not heard: the rest is their own history."""
        taste = best(batch, lambda signals: signals.everybody.taste, 2 * quota)
        near = best(batch, lambda signals: signals.everybody.near, quota)
        now = batch.unheard.first(near, quota // 2)
        new = batch.unheard.first(taste, quota - quota // 2)
        both, ends = joined([rows for each in zip(now, new, strict=True) for rows in each])
        found = parted(*_firsts(both, ends[1::2], quota, batch.scratch.marks))
        return [self._explained(batch, *each) for each in zip(batch.listeners, found, strict=True)]

    def _explained(self, batch: Batch, listener: Listener, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            own = _strongest(listener)
            table, marks = self._table, batch.scratch.marks
            causes = _causes(table.starts, table.rows, table.weights, own, rows[list(positions)], marks).tolist()
            return [heard_around(self._titles[row]) if row >= 0 else NO_CAUSE for row in causes]

        return Candidates(rows, reasons)


def _strongest(listener: Listener) -> Rows:
    """The listener's tracks that they like most."""
    liked = np.flatnonzero(listener.weights > 0)
    strongest: Rows = listener.rows[liked[np.argsort(-listener.weights[liked], kind="stable")[:CAUSES]]]
    return strongest


@compiled
def _firsts(rows: Rows, ends: Rows, most: int, marks: NDArray[np.int32]) -> tuple[Rows, Rows]:
    """(listeners, `most`) distinct rows, and how many each listener has of them; `ends`: where each one's rows end."""
    found, counts, begin = np.empty((len(ends), most), np.int64), np.empty(len(ends), np.int64), 0
    for at in range(len(ends)):
        own = firsts(rows[begin : ends[at]], most, marks)
        found[at, : len(own)] = own
        counts[at], begin = len(own), ends[at]
    return found, counts


@compiled
def _causes(
    starts: Rows,
    others: NDArray[np.int32],
    strengths: NDArray[np.float32],
    own: Rows,
    rows: Rows,
    marks: NDArray[np.int32],
) -> Rows:
    """For each row that of `own` which the table has nearest to it, of equals the first; −1 for none."""
    causes, nearest = np.full(len(rows), -1), np.zeros(len(rows), np.float32)
    for at in range(len(rows)):
        marks[rows[at]] = at + 1
    for row in own:
        if not 0 <= row < len(starts) - 1:
            continue
        for entry in range(starts[row], starts[row + 1]):
            at = marks[others[entry]] - 1
            if at >= 0 and strengths[entry] > nearest[at]:
                causes[at], nearest[at] = row, strengths[entry]
    for row in rows:
        marks[row] = 0
    return causes
