"""Item neighbours: tracks that others play around what the listener plays."""

from collections.abc import Sequence

import numpy as np

from models.explain import heard_around
from models.neighbours.table import Table
from models.release import Release
from models.sources.base import Batch, Candidates, Listener, Rows
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
        taste = best(batch, lambda signals: signals.taste, 2 * quota)
        near = best(batch, lambda signals: signals.near, quota)
        found = []
        for listener, long, short in zip(batch.listeners, taste, near, strict=True):
            new = long[batch.unheard(listener, long)][: quota - quota // 2] if len(long) else long
            now = short[batch.unheard(listener, short)][: quota // 2] if len(short) else short
            rows, first = np.unique(np.concatenate((now, new)), return_index=True)
            found.append(self._explained(listener, rows[np.argsort(first, kind="stable")]))
        return found

    def _explained(self, listener: Listener, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            causes = _causes(self._table, listener, rows[list(positions)])
            return [heard_around(self._titles[row]) if row >= 0 else NO_CAUSE for row in causes]

        return Candidates(rows, reasons)


def _causes(table: Table, listener: Listener, rows: Rows) -> list[int]:
    """For each row the nearest of the listener's strongest tracks, −1 for none; only what they like is a cause."""
    liked = np.flatnonzero(listener.weights > 0)
    own = listener.rows[liked[np.argsort(-listener.weights[liked], kind="stable")[:CAUSES]]]
    at, of = table.entries(own)
    order = np.argsort(rows)
    place = np.minimum(np.searchsorted(rows[order], table.rows[at]), len(rows) - 1)
    hit = np.flatnonzero(rows[order[place]] == table.rows[at])
    # Strongest last, of equals the listener's favourite: the last one written stays.
    hit = hit[np.lexsort((-hit, table.weights[at[hit]]))]
    causes = np.full(len(rows), -1, dtype=np.int64)
    causes[order[place[hit]]] = own[of[hit]]
    return causes.tolist()
