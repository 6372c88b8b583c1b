"""What sources of one list for everybody have in common: the first of it that a listener has not heard."""

from models.sources.base import NO_ROWS, Batch, Listener, Rows

STEP = 4  # how much further to look when a listener knows most of the head already


def first_unheard(batch: Batch, listener: Listener, rows: Rows, quota: int) -> Rows:
    """The first `quota` of these rows that are new to the listener."""
    look = 2 * quota
    while True:
        head = rows[:look]
        kept = head[batch.unheard(listener, head)] if len(head) else NO_ROWS
        if len(kept) >= quota or look >= len(rows):
            return kept[:quota]
        look *= STEP
