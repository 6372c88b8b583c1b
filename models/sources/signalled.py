"""What sources that follow one signal have in common."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from models.sources.base import Batch, Candidates, Listener, Rows
from models.sources.signals import Signals
from models.sources.sparse import Sparse

if TYPE_CHECKING:
    from models.release import Release

SPARE = 2  # times as many are looked at as are wanted: some may not be in the list


class Signalled:
    """The rows that a signal scores highest; the reason names the newest track that the release knows."""

    name: str

    def __init__(self, release: "Release", pick: Callable[[Signals], Sparse], words: Callable[[str], str]) -> None:
        self._titles, self._pick, self._words = release.catalogue.titles, pick, words

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        found = best(batch, self._pick, quota)
        return [self._explained(listener, rows) for listener, rows in zip(batch.listeners, found, strict=True)]

    def _explained(self, listener: Listener, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            known = listener.recent[listener.recent >= 0]
            return [self._words(self._titles[int(known[-1])])] * len(positions)

        return Candidates(rows, reasons)


def best(batch: Batch, pick: Callable[[Signals], Sparse], quota: int) -> list[Rows]:
    """For each listener the rows that a signal scores highest, of those that their list may hold."""
    found = []
    for listener, signals in zip(batch.listeners, batch.signals, strict=True):
        rows = pick(signals).top(SPARE * quota)
        found.append(rows[batch.allowed(listener, rows)][:quota] if len(rows) else rows)
    return found
