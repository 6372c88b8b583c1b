"""What a ranker knows of each candidate: one float32 row of NAMES, all from the listener and the release.

Times are event times: "now" is the listener's newest listen, for a list is made when it has just been heard.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.sources.base import BEGUN, KNOWN, Batch, Listener, Rows
from models.sources.own_past import session_starts
from models.sources.shelf import Shelf
from models.sources.signals import Signals
from models.taste import DAY

if TYPE_CHECKING:
    from models.release import Release

NEVER_H = 50_000.0  # hours since something that never was
FAR = 100_000.0  # plays since something that never was
FADING = (0.5, 2.0, 4.0, 14.0, 60.0)  # days, of plays among the recent ones
LATEST = 10
CONTEXT = 30
UNRANKED = 400.0  # the place of what a signal does not name
MOST_DUE = 20.0

NAMES = (
    "own", "own_pair", "straight", "soon", "around", "alike", "next", "then", "near", "taste",
    "own_place", "around_place", "alike_place", "next_place", "then_place", "dot",
    "weight_0.5d", "weight_2d", "weight_4d", "weight_14d", "weight_60d", "weight", "plays", "skips", "skip_rate",
    "age", "back", "week", "days", "hour", "first_back", "first_age", "every", "due",
    "artist_weight", "artist_weight_2d", "artist_known", "artist_age", "artist_skip_rate", "artist_last",
    "artist_latest", "listeners", "recent_listeners", "trend", "track_skip_rate", "artist_rank",
    "known", "begun", "session", "going_on", "going_on_5", "same_artist", "repeating", "skipping", "skipped_last",
    "size", "session_size",
)  # fmt: skip

# Counts and sums of decades are told apart by their logarithm: log(1 + scale·x).
_SCALES = {
    "own": 10.0, "own_pair": 10.0, "straight": 10.0, "around": 10.0, "alike": 10.0,
    "next": 100.0, "then": 100.0, "near": 50.0, "taste": 10.0,
    "own_place": 1.0, "around_place": 1.0, "alike_place": 1.0, "next_place": 1.0, "then_place": 1.0,
    "weight_0.5d": 10.0, "weight_2d": 10.0, "weight_4d": 10.0, "weight_14d": 5.0, "weight_60d": 2.0, "weight": 5.0,
    "plays": 1.0, "skips": 1.0, "age": 1.0, "back": 1.0, "week": 1.0, "days": 1.0, "hour": 5.0,
    "first_back": 1.0, "first_age": 1.0, "every": 1.0, "size": 1.0, "session_size": 1.0,
    "artist_weight": 1.0, "artist_weight_2d": 3.0, "artist_known": 1.0, "artist_age": 1.0, "artist_rank": 1.0,
    "listeners": 1.0, "recent_listeners": 1.0,
}  # fmt: skip
_LOGGED = [NAMES.index(name) for name in _SCALES]
_SCALE = np.array(list(_SCALES.values()), dtype=np.float32)[:, None]

Column = NDArray[np.float64]


class Features:
    """Makes the features of one release's candidates."""

    def __init__(self, release: "Release", shelf: Shelf) -> None:
        frame = release.catalogue.frame
        self._release, self._shelf = release, shelf
        self._listeners = frame["listeners"].to_numpy().astype(np.float64)
        self._recent = frame["recent_listeners"].to_numpy().astype(np.float64)
        plays, skips = (frame[name].to_numpy().astype(np.float64) for name in ("plays", "skips"))
        self._skip_rate = (skips + 2.0) / (skips + plays + 6.0)
        self._artist_rank = shelf.rank_by_artist().astype(np.float64)

    def of(self, batch: Batch, at: int, rows: Rows) -> NDArray[np.float32]:
        """(len(rows), len(NAMES)) for the listener `at` of a batch."""
        listener, signals = batch.listeners[at], batch.signals[at]
        columns: list[Column] = [
            *self._signals(signals, rows),
            self._dot(batch.vectors[at], rows),
            *self._own(listener, rows),
            *self._artists(listener, rows),
            *self._tracks(rows),
            *_flags(batch, listener, rows),
            *(np.full(len(rows), value) for value in context(listener, self._shelf)),
        ]
        table = np.empty((len(NAMES), len(rows)), dtype=np.float32)
        for at, column in enumerate(columns):
            table[at] = column
        table[_LOGGED] = np.log1p(table[_LOGGED] * _SCALE)
        return table.T

    @staticmethod
    def _signals(signals: Signals, rows: Rows) -> list[Column]:
        own = signals.own
        named = (
            own.after, own.pair, own.straight, own.soon, own.around, signals.alike,
            signals.next, signals.then, signals.near, signals.taste,
        )  # fmt: skip
        placed = (own.after, own.around, signals.alike, signals.next, signals.then)
        return [each.at(rows) for each in named] + [each.places(rows, UNRANKED) for each in placed]

    def _dot(self, vector: NDArray[np.float32], rows: Rows) -> Column:
        return (self._release.factors_of(rows) @ vector).astype(np.float64)

    @staticmethod
    def _own(listener: Listener, rows: Rows) -> list[Column]:
        order = np.argsort(listener.rows, kind="stable")
        where, there = _found(listener.rows[order], rows)
        where = order[where] if len(order) else where

        def own(column: NDArray[np.generic], missing: float = 0.0) -> Column:
            return np.where(there, column[where].astype(np.float64), missing) if len(order) else (
                np.full(len(rows), missing)
            )  # fmt: skip

        recent = _Recent(listener, rows)
        plays, skips = own(listener.plays), own(listener.skips)
        return [
            *(recent.faded(days) for days in FADING),
            own(np.maximum(listener.weights, 0.0)),
            plays,
            skips,
            skips / (skips + plays + 1.0),
            own((listener.newest - listener.lasts) / 3_600.0, NEVER_H),
            recent.back(),
            recent.within(7 * DAY),
            recent.days(),
            recent.at_this_hour(),
            *recent.rhythm(),
        ]

    def _artists(self, listener: Listener, rows: Rows) -> list[Column]:
        artists = self._shelf.artists[rows]
        own, of = np.unique(self._shelf.artists[listener.rows], return_inverse=True)
        where, there = _found(own, artists)

        def summed(column: NDArray[np.generic]) -> Column:
            return np.where(there, np.bincount(of, column, len(own))[where], 0.0) if len(own) else np.zeros(len(rows))

        age = (listener.newest - listener.lasts).astype(np.float64)
        weights = np.maximum(listener.weights, 0.0)
        last = np.zeros(len(own))
        np.maximum.at(last, of, listener.lasts)
        heard, skipped = summed(listener.plays), summed(listener.skips)
        latest = self._shelf.artists_at(listener.recent[::-1][:LATEST])
        return [
            summed(weights),
            summed(weights * np.exp2(-age * (1 / 2.0 - 1 / 14.0) / DAY)),
            summed(listener.plays > 0),
            np.where(there, (listener.newest - last[where]) / 3_600.0, NEVER_H) if len(own) else (
                np.full(len(rows), NEVER_H)
            ),
            skipped / (heard + skipped + 1.0),
            (artists == latest[0]).astype(np.float64) if len(latest) else np.zeros(len(rows)),
            (artists[:, None] == latest[None, :]).mean(axis=1) if len(latest) else np.zeros(len(rows)),
        ]  # fmt: skip

    def _tracks(self, rows: Rows) -> list[Column]:
        listeners, recent = self._listeners[rows], self._recent[rows]
        return [listeners, recent, recent / (listeners + 1.0), self._skip_rate[rows], self._artist_rank[rows]]


class _Recent:
    """The recent plays of the candidates."""

    def __init__(self, listener: Listener, rows: Rows) -> None:
        self._size, self._newest = len(rows), listener.newest
        order = np.argsort(rows, kind="stable")
        where, there = _found(rows[order], listener.recent)
        self._position = np.flatnonzero(there)
        self._count = len(listener.recent)
        self._of = order[where[there]] if len(rows) else where[:0]
        self._times = listener.recent_times[there]
        self._played = listener.recent_played[there]

    def faded(self, half_life_days: float) -> Column:
        """Plays, decayed."""
        return self._summed(np.exp2((self._times - self._newest) / (half_life_days * DAY)) * self._played)

    def within(self, seconds: float) -> Column:
        """Plays in the last so many seconds."""
        return self._summed(self._played & (self._newest - self._times < seconds))

    def days(self) -> Column:
        """On how many days it was played."""
        days = np.unique(self._of[self._played] << 32 | self._times[self._played] // DAY)
        return np.bincount(days >> 32, minlength=self._size).astype(np.float64)

    def at_this_hour(self) -> Column:
        """Plays within an hour of this time of day, of the last weeks."""
        apart = np.abs(self._times // 3_600 % 24 - self._newest // 3_600 % 24)
        near = np.minimum(apart, 24 - apart) <= 1
        return self._summed(np.exp2((self._times - self._newest) / (30 * DAY)) * (near & self._played))

    def rhythm(self) -> tuple[Column, Column, Column, Column]:
        """Plays and hours since it was first heard, plays from one time to the next, and how due it is."""
        first, count = np.full(self._size, -1), np.bincount(self._of, minlength=self._size)
        first[self._of[::-1]] = np.arange(len(self._of))[::-1]
        there = first >= 0
        position, time = np.zeros(self._size), np.zeros(self._size)
        position[there] = self._position[first[there]]
        time[there] = self._times[first[there]]
        back = self.back()
        every = np.where(there, self._count - position - back, 0.0) / np.maximum(count - 1, 1)
        return (
            np.where(there, self._count - position, FAR),
            np.where(there, (self._newest - time) / 3_600.0, NEVER_H),
            every,
            np.where(every > 0, np.minimum(back / np.maximum(every, 1.0), MOST_DUE), 0.0),
        )

    def back(self) -> Column:
        """How many plays ago it was last heard."""
        found = np.full(self._size, FAR)
        found[self._of] = self._count - self._position  # positions rise, so the last one written is the newest
        return found

    def _summed(self, values: NDArray[np.generic]) -> Column:
        return np.bincount(self._of, values, self._size).astype(np.float64)


def _flags(batch: Batch, listener: Listener, rows: Rows) -> list[Column]:
    kinds = batch.kinds(listener, rows)
    session = np.isin(rows, _session(listener)).astype(np.float64)
    return [(kinds == KNOWN).astype(np.float64), (kinds == BEGUN).astype(np.float64), session]


def _session(listener: Listener) -> Rows:
    """What was heard since the last pause."""
    return listener.recent[int(session_starts(listener.recent_times)[-1]) :]


def context(listener: Listener, shelf: Shelf) -> tuple[float, ...]:
    """What kind of listening this is just now, the same for every candidate: the last eight of NAMES."""
    recent, size = listener.recent, len(listener.recent)
    if size < 2:
        return (0.0,) * 6 + (float(size),) * 2
    going_on = []
    for back in range(1, min(6, size)):
        before, then = recent[size - 1 - back], recent[size - back]
        at = np.flatnonzero(recent[: size - 1 - back] == before)
        going_on.append(float((recent[at + 1] == then).sum() / (len(at) + 1.0)))
    artists = shelf.artists_at(recent[-LATEST - 1 :])
    latest, older = recent[-CONTEXT:], recent[:-CONTEXT]
    return (
        going_on[0],
        float(np.mean(going_on)),
        float((artists[1:] == artists[:-1]).mean()),
        float((latest[:, None] == older[None, :]).any(axis=1).mean()),
        float(1.0 - listener.recent_played[-LATEST:].mean()),
        float(not listener.recent_played[-1]),
        float(size),
        float(len(_session(listener))),
    )


def _found(among: Rows, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Where each row stands in `among` (rising), and whether it does."""
    if not len(among):
        return np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=bool)
    where = np.minimum(np.searchsorted(among, rows), len(among) - 1)
    return where, among[where] == rows
