"""Item neighbours: tracks that others play around what the listener plays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import heard_around
from models.release import Release
from models.sources.base import Batch, Candidates, Listener, Rows, firsts
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
        found = []
        for at, (listener, long, short) in enumerate(zip(batch.listeners, taste, near, strict=True)):
            new = batch.unheard(at).first(long, quota - quota // 2)
            now = batch.unheard(at).first(short, quota // 2)
            rows = firsts(np.concatenate((now, new)), quota, batch.scratch.marks)
            found.append(self._explained(batch, listener, rows))
        return found

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
