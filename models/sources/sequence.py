"""Own sequence: what the listener has gone on with before, from where they are now."""

from collections.abc import Sequence

from models.explain import goes_on_after
from models.release import Release
from models.sources.base import Batch, Candidates, Listener, Rows
from models.sources.signalled import best


class OwnSequence:
    """What followed on the last ten plays in the listener's own past."""

    name = "sequence"

    def __init__(self, release: Release) -> None:
        self._titles = release.catalogue.titles

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        found = best(batch, lambda signals: signals.own[0], quota)
        return [self._explained(listener, rows) for listener, rows in zip(batch.listeners, found, strict=True)]

    def _explained(self, listener: Listener, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            known = listener.recent[listener.recent >= 0]
            return [goes_on_after(self._titles[int(known[-1])])] * len(positions)

        return Candidates(rows, reasons)
