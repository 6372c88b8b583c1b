"""What sources that follow one signal have in common."""

from collections.abc import Callable

from models.sources.base import Batch, Rows
from models.sources.signals import Signals, Sparse

SPARE = 2  # times as many are looked at as are wanted: some may not be in the list


def best(batch: Batch, pick: Callable[[Signals], Sparse], quota: int) -> list[Rows]:
    """For each listener the rows that a signal scores highest, of those that their list may hold."""
    found = []
    for listener, signals in zip(batch.listeners, batch.signals, strict=True):
        rows = pick(signals).top(SPARE * quota)
        found.append(rows[batch.allowed(listener, rows)][:quota] if len(rows) else rows)
    return found
