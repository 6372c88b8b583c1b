"""Transitions: what everybody goes on with after the listener's last plays."""

from collections.abc import Sequence

from models.explain import often_after
from models.release import Release
from models.sources.base import Batch, Candidates, Listener, Rows
from models.sources.signalled import best


class Transitions:
    """The likeliest followers of the last five plays."""

    name = "transitions"

    def __init__(self, release: Release) -> None:
        self._titles = release.catalogue.titles

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        found = best(batch, lambda signals: signals.then, quota)
        return [self._explained(listener, rows) for listener, rows in zip(batch.listeners, found, strict=True)]

    def _explained(self, listener: Listener, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            known = listener.recent[listener.recent >= 0]
            return [often_after(self._titles[int(known[-1])])] * len(positions)

        return Candidates(rows, reasons)
