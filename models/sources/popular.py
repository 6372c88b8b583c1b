"""Popular tracks: the fallback, and a stranger's first list."""

from collections.abc import Sequence

from models.sources.base import NO_ROWS, Batch, Candidates, Listener, Rows
from models.sources.shelf import Shelf

REASON = "Popular with listeners now"
STEP = 4  # how much further to look when a listener knows most of the head already


class Popular:
    """The most popular tracks that the listener has not heard, at most `artist_cap` of an artist."""

    name = "popular"

    def __init__(self, shelf: Shelf, artist_cap: int) -> None:
        rows = shelf.first_rows(artist_cap)
        self._rows = rows[rows < shelf.catalogue.trained]  # a newcomer is for who has played it already

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [Candidates(self._of(batch, listener, quota), _reasons) for listener in batch.listeners]

    def _of(self, batch: Batch, listener: Listener, quota: int) -> Rows:
        look = 2 * quota
        while True:
            head = self._rows[:look]
            kept = head[batch.unheard(listener, head)] if len(head) else NO_ROWS
            if len(kept) >= quota or look >= len(self._rows):
                return kept[:quota]
            look *= STEP


def _reasons(positions: Sequence[int]) -> list[str]:
    return [REASON] * len(positions)
