"""The one interface of a source of candidates, and what a source is given and gives."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.noted import noted
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
        self.scratch = shelf.scratch
        self._shelf = shelf

    def allowed(self, listener: Listener, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows may be in this listener's list at all. A row of −1 may not."""
        return self._without(listener, rows, NO_ROWS, NO_ROWS)

    def unheard(self, listener: Listener, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows may be in the list and are new to the listener.

        In every edition, but for what their profile only notes (models.met): of that in the very one.
        """
        kept = self._without(listener, rows, listener.rows, listener.recent)
        if len(listener.met):
            at = np.flatnonzero(kept)
            kept[at[noted(listener.met, self._shelf.catalogue.keys[rows[at]])]] = False
        return kept

    def kinds(self, listener: Listener, rows: Rows) -> NDArray[np.int8]:
        """KNOWN, BEGUN or UNSEEN, of each row; BEGUN is also what is only noted as met (models.met)."""
        kinds = _kinds(rows, listener.rows, listener.plays, listener.recent, listener.recent_played, self.scratch.marks)
        if len(listener.met):
            unseen = np.flatnonzero(kinds == UNSEEN)
            kinds[unseen[noted(listener.met, self._shelf.catalogue.keys[rows[unseen]])]] = BEGUN
        return kinds

    def _without(self, listener: Listener, rows: Rows, heard: Rows, recent: Rows) -> NDArray[np.bool_]:
        shelf = self._shelf
        kept = _usable(rows, shelf.works, listener.works, heard, recent, self.scratch.marks)
        if self._excluded is not None:
            kept &= ~self._excluded[rows]
        if len(listener.artists) and len(rows):
            kept &= ~np.isin(shelf.artists[rows], listener.artists)
        return kept


def firsts(rows: Rows, most: int, scratch: Scratch) -> Rows:
    """The first `most` distinct rows, in their order; −1 is none."""
    found: Rows = rows[_firsts(rows, most, scratch.marks)]
    return found


def first_places(rows: Rows, most: int, scratch: Scratch) -> Rows:
    """Where the first `most` distinct rows stand; −1 is none."""
    return _firsts(rows, most, scratch.marks)


@compiled
def _firsts(rows: Rows, most: int, marks: NDArray[np.int32]) -> Rows:
    places, count = np.empty(min(most, len(rows)), np.int64), 0
    for at in range(len(rows)):
        if count == len(places):
            break
        if rows[at] >= 0 and marks[rows[at]] == 0:
            marks[rows[at]] = 1
            places[count] = at
            count += 1
    for at in range(count):
        marks[rows[places[at]]] = 0
    return places[:count]


@compiled
def _usable(
    rows: Rows, works: Rows, barred: Rows, heard: Rows, recent: Rows, marks: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Which rows there are whose work is neither barred nor that of a row that was heard."""
    for work in barred:
        marks[work] = 1
    for row in heard:
        marks[works[row]] = 1
    for row in recent:
        if row >= 0:
            marks[works[row]] = 1
    usable = np.empty(len(rows), np.bool_)
    for at in range(len(rows)):
        usable[at] = rows[at] >= 0 and marks[works[rows[at]]] == 0
    for work in barred:
        marks[work] = 0
    for row in heard:
        marks[works[row]] = 0
    for row in recent:
        if row >= 0:
            marks[works[row]] = 0
    return usable


@compiled
def _kinds(
    rows: Rows, own: Rows, plays: Rows, recent: Rows, played: NDArray[np.bool_], marks: NDArray[np.int32]
) -> NDArray[np.int8]:
    for at in range(len(own)):
        marks[own[at]] = 2 if plays[at] > 0 else 1
    for at in range(len(recent)):
        if recent[at] >= 0 and marks[recent[at]] < 2:
            marks[recent[at]] = 2 if played[at] else 1
    kinds = np.empty(len(rows), np.int8)
    for at in range(len(rows)):
        kinds[at] = UNSEEN - marks[rows[at]]
    for row in own:
        marks[row] = 0
    for row in recent:
        if row >= 0:
            marks[row] = 0
    return kinds


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
