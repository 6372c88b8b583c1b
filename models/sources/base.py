"""The one interface of a source of candidates, and what a source is given and gives."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.compiled import compiled
from models.met import BYTES
from models.sources.bars import NO_FLAGS, Bars, barred_rows
from models.sources.joined import Joined, joined
from models.sources.noted import is_noted
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
        self._excluded = np.empty(0, np.bool_) if excluded is None else excluded
        self._kinds: dict[int, tuple[Rows, NDArray[np.int8]]] = {}
        self.signals = signals  # parallel to the listeners
        self.vectors = vectors  # (listeners, factors); zeros: nothing is known of this listener's taste
        self.scratch = shelf.scratch
        self._shelf = shelf

    @cached_property
    def own(self) -> Joined:
        """The listeners' rows."""
        return joined([each.rows for each in self.listeners])

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Of `own`."""
        return np.concatenate([np.empty(0), *(each.weights for each in self.listeners)])

    @cached_property
    def recent(self) -> Joined:
        """The listeners' newest plays."""
        return joined([each.recent for each in self.listeners])

    @cached_property
    def allowed(self) -> Bars:
        """What may not be in the listeners' lists at all."""
        return self._bars(heard=False)

    @cached_property
    def unheard(self) -> Bars:
        """What may not be in the listeners' lists, or is not new to them.

        What they have heard in any edition is not new; of what their profile only notes (models.met) the very one.
        """
        return self._bars(heard=True)

    def kinds(self, at: int, rows: Rows) -> NDArray[np.int8]:
        """KNOWN, BEGUN or UNSEEN, of each row; BEGUN is also what is only noted as met (models.met)."""
        kept = self._kinds.get(at)
        if kept is None or kept[0] is not rows:
            listener = self.listeners[at]
            heard = listener.rows, listener.plays, listener.recent, listener.recent_played
            kinds = _kinds(rows, *heard, _noting(listener), self._shelf.catalogue.keys, self.scratch.marks)
            kept = self._kinds[at] = (rows, kinds)
        return kept[1]

    def _bars(self, *, heard: bool) -> Bars:
        shelf, listeners = self._shelf, self.listeners
        bits = noted = np.empty((len(listeners), 0), np.uint8)
        barred = [self._barred(each) for each in listeners]
        if heard or any(map(len, barred)):
            own = (self.own, self.recent) if heard else (joined([]), joined([]))
            bits = barred_rows(shelf.editions, joined(barred), *own)
        if heard and any(len(each.met) for each in listeners):
            nothing = np.zeros(BYTES, np.uint8)
            noted = np.stack([each.met if len(each.met) else nothing for each in listeners])
        return Bars((bits, self._excluded, noted, shelf.catalogue.keys))

    def _barred(self, listener: Listener) -> Rows:
        """A row of each work that may not be in a listener's list at all."""
        shelf, artists = self._shelf, listener.artists
        rows = shelf.first_of_works[listener.works] if len(listener.works) else NO_ROWS
        if not len(artists):
            return rows
        every, _ = shelf.first_of_artists(artists, np.full(len(artists), len(shelf)))
        return np.concatenate((rows, every))


def _noting(listener: Listener) -> NDArray[np.uint8]:
    return listener.met if len(listener.met) else NO_FLAGS


@compiled
def firsts(rows: Rows, most: int, marks: NDArray[np.int32]) -> Rows:
    """The first `most` distinct rows, in their order; −1 is none."""
    found, count = np.empty(min(most, len(rows)), np.int64), 0
    for row in rows:
        if count == len(found):
            break
        if row >= 0 and marks[row] == 0:
            marks[row] = 1
            found[count] = row
            count += 1
    for row in found[:count]:
        marks[row] = 0
    return found[:count]


@compiled
def _kinds(
    rows: Rows,
    own: Rows,
    plays: Rows,
    recent: Rows,
    played: NDArray[np.bool_],
    noted: NDArray[np.uint8],
    keys: Rows,
    marks: NDArray[np.int32],
) -> NDArray[np.int8]:
    for at in range(len(own)):
        marks[own[at]] = 2 if plays[at] > 0 else 1
    for at in range(len(recent)):
        if recent[at] >= 0 and marks[recent[at]] < 2:
            marks[recent[at]] = 2 if played[at] else 1
    kinds = np.empty(len(rows), np.int8)
    for at in range(len(rows)):
        kinds[at] = UNSEEN - marks[rows[at]]
        if kinds[at] == UNSEEN and len(noted) > 0 and is_noted(noted, keys[rows[at]]):
            kinds[at] = BEGUN
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
