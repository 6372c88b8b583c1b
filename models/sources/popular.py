"""Popular tracks: the fallback, and a stranger's first list."""

from collections.abc import Sequence

from models.sources.base import Batch, Candidates
from models.sources.shelf import Shelf

REASON = "Popular with listeners now"


class Popular:
    """The most popular tracks that the listener has not heard, at most `artist_cap` of an artist."""

    name = "popular"

    def __init__(self, shelf: Shelf, artist_cap: int) -> None:
        rows = shelf.first_rows(artist_cap)
        self._rows = rows[rows < shelf.catalogue.trained]  # a newcomer is for who has played it already

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [Candidates(rows, _reasons) for rows in batch.unheard.first_of_same(self._rows, quota)]


def _reasons(positions: Sequence[int]) -> list[str]:
    return [REASON] * len(positions)
