"""What sources that follow one signal have in common."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from models.sources.base import Batch, Candidates, Listener, Rows
from models.sources.signals import Signals
from models.sources.sparse import NONE, Sparse

if TYPE_CHECKING:
    from models.release import Release

SPARE = 2  # times as many are looked at as are wanted: some may not be in the list


class Signalled:
    """The rows that a signal scores highest."""

    name: str

    def __init__(
        self,
        release: "Release",
        pick: Callable[[Signals], Sparse],
        words: str,
        newest: Callable[[Signals], Sparse] = lambda _: NONE,
        words_of: Callable[[str], str] | None = None,
    ) -> None:
        """`words` is the reason, but for rows that `newest` scores: there the newest play is named by `words_of`."""
        self._titles, self._pick, self._words = release.catalogue.titles, pick, words
        self._newest, self._words_of = newest, words_of

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        found = best(batch, self._pick, quota)
        return [
            self._explained(batch, listener, signals, rows)
            for listener, signals, rows in zip(batch.listeners, batch.signals, found, strict=True)
        ]

    def _explained(self, batch: Batch, listener: Listener, signals: Signals, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            if self._words_of is None or not len(listener.recent) or listener.recent[-1] < 0:
                return [self._words] * len(positions)
            named = self._words_of(self._titles[int(listener.recent[-1])])
            after = self._newest(signals).at(rows[list(positions)], batch.scratch) > 0
            return [named if it else self._words for it in after.tolist()]

        return Candidates(rows, reasons)


def best(batch: Batch, pick: Callable[[Signals], Sparse], quota: int) -> list[Rows]:
    """For each listener the rows that a signal scores highest, of those that their list may hold."""
    return batch.allowed.first([pick(signals).top(SPARE * quota) for signals in batch.signals], quota)
