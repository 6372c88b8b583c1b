"""The one interface of a source of candidates, and what a source is given and gives."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.met import noted
from models.sources.shelf import Shelf

if TYPE_CHECKING:
    from models.sources.signals import Signals

Rows = NDArray[np.int64]
NO_ROWS: Rows = np.empty(0, dtype=np.int64)
KNOWN, BEGUN, UNSEEN = range(3)  # played to its merit before, only begun and skipped, never met


class Listener(Struct, frozen=True):
    """What one profile says, in rows of the release. `rows`, `weights`, `plays`, `lasts` are parallel.

    Tracks that the release does not know are left out, but for `recent`. A listener without a profile has only empty
    columns.
    """

    newest: int = 0  # event time of the newest listen, s: what "now" means for this list
    rows: Rows = NO_ROWS
    weights: NDArray[np.float64] = np.empty(0)  # in plays, decayed to `newest`; a banned track weighs 0
    plays: Rows = NO_ROWS
    skips: Rows = NO_ROWS
    lasts: Rows = NO_ROWS  # last played, s
    recent: Rows = NO_ROWS  # the newest plays and skips, oldest first; −1: a track that the release does not know
    recent_times: Rows = NO_ROWS  # s
    recent_played: NDArray[np.bool_] = np.empty(0, dtype=bool)  # or skipped
    met: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)  # models.met: what is in the past, or was
    works: Rows = NO_ROWS  # that may not be in the list: banned or just played, in any edition
    artists: Rows = NO_ROWS  # banned ones


class Batch:
    """The listeners that lists are made for together."""

    def __init__(
        self,
        shelf: Shelf,
        listeners: Sequence[Listener],
        vectors: NDArray[np.float32],
        signals: "Sequence[Signals]",
        excluded: NDArray[np.bool_] | None = None,
    ) -> None:
        """`excluded`: by row, what is in nobody's list."""
        self.listeners = listeners
        self._excluded = excluded
        self.signals = signals  # parallel to the listeners
        self.vectors = vectors  # (listeners, factors); zeros: nothing is known of this listener's taste
        self._shelf = shelf
        self._marked = np.zeros(len(shelf), dtype=bool)  # by work; all False between calls
        self._kinds = np.full(len(shelf), UNSEEN, dtype=np.int8)  # by row; all UNSEEN between calls

    def allowed(self, listener: Listener, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows may be in this listener's list at all. A row of −1 may not."""
        return self._without(listener, rows, listener.works)

    def unheard(self, listener: Listener, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows may be in the list and are new to the listener.

        In every edition, but for what their profile only notes (models.met): of that in the very one.
        """
        heard = np.concatenate((listener.rows, listener.recent[listener.recent >= 0]))
        kept = self._without(listener, rows, np.concatenate((listener.works, self._shelf.works[heard])))
        if len(listener.met):
            at = np.flatnonzero(kept)
            kept[at[noted(listener.met, self._shelf.catalogue.keys[rows[at]])]] = False
        return kept

    def kinds(self, listener: Listener, rows: Rows) -> NDArray[np.int8]:
        """KNOWN, BEGUN or UNSEEN, of each row; BEGUN is also what is only noted as met (models.met)."""
        there = listener.recent >= 0
        recent, played = listener.recent[there], listener.recent_played[there]
        self._kinds[listener.rows] = BEGUN
        self._kinds[recent] = BEGUN
        self._kinds[listener.rows[listener.plays > 0]] = KNOWN
        self._kinds[recent[played]] = KNOWN
        kinds = self._kinds[rows]
        if len(listener.met):
            unseen = np.flatnonzero(kinds == UNSEEN)
            kinds[unseen[noted(listener.met, self._shelf.catalogue.keys[rows[unseen]])]] = BEGUN
        self._kinds[listener.rows] = UNSEEN
        self._kinds[recent] = UNSEEN
        return kinds

    def _without(self, listener: Listener, rows: Rows, works: Rows) -> NDArray[np.bool_]:
        self._marked[works] = True
        kept = ~self._marked[self._shelf.works[rows]] & (rows >= 0) if len(rows) else rows >= 0
        self._marked[works] = False
        if self._excluded is not None:
            kept &= ~self._excluded[rows]
        if len(listener.artists) and len(rows):
            kept &= ~np.isin(self._shelf.artists[rows], listener.artists)
        return kept


class Candidates(NamedTuple):
    """What a source proposes to one listener, best first and no row twice. Asked for reasons only of what is taken."""

    rows: Rows
    reasons: Callable[[Sequence[int]], list[str]]  # positions in `rows` -> words for the listener


class Source(Protocol):
    """Brings candidates: constructed with a release, then asked for every batch."""

    name: str

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """At most `quota` for each listener of the batch, only of what `batch` allows them."""
        ...


def no_reasons(positions: Sequence[int]) -> list[str]:
    """For an empty proposal."""
    return ["" for _ in positions]


NOTHING = Candidates(NO_ROWS, no_reasons)
