"""What a ranker knows of each candidate: one float32 row of NAMES, all from the listener and the release.

Times are event times: "now" is the listener's newest listen, for a list is made when it has just been heard.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.ranker.columns import FAR, LATEST, NEVER_H, of_artists, of_context, of_own, of_recent, of_signals
from models.ranker.habits import of_artist, of_track
from models.ranker.steps import of_steps
from models.sources.base import BEGUN, KNOWN, Batch, Listener, Rows
from models.sources.shelf import Shelf

if TYPE_CHECKING:
    from models.release import Release

__all__ = ["FAR", "NAMES", "NEVER_H", "UNRANKED", "Features", "context"]

UNRANKED = 400  # the place of what a signal names no higher

# Counts and sums of decades are told apart by their logarithm: log(1 + scale·x).
_LOGGED = {
    "own": 10.0, "own_pair": 10.0, "straight": 10.0, "around": 10.0, "alike": 10.0,
    "next": 100.0, "then": 100.0, "near": 50.0, "taste": 10.0, "soon": 10.0,
    "own_place": 1.0, "around_place": 1.0, "alike_place": 1.0, "next_place": 1.0, "then_place": 1.0,
    "weight_0.5d": 10.0, "weight_2d": 10.0, "weight_4d": 10.0, "weight_14d": 5.0, "weight_60d": 2.0,
    "back": 1.0, "week": 1.0, "days": 1.0, "hour": 5.0, "first_back": 1.0, "first_age": 1.0, "every": 1.0,
    "days_14d": 1.0, "days_28d": 1.0, "days_112d": 1.0, "most_a_day": 1.0, "skips_7d": 1.0, "skips_28d": 1.0,
    "artist_plays_7d": 1.0, "artist_plays_28d": 1.0, "artist_tracks_7d": 1.0,
    "weight": 5.0, "plays": 1.0, "skips": 1.0, "age": 1.0,
    "artist_weight": 1.0, "artist_weight_2d": 3.0, "artist_known": 1.0, "artist_age": 1.0,
    "artist_rank": 1.0, "listeners": 1.0, "recent_listeners": 1.0, "size": 1.0, "session_size": 1.0,
}  # fmt: skip
NAMES = (
    *_LOGGED, "dot", "due", "session", "skip_rate", "artist_skip_rate", "artist_last", "artist_latest",
    "trend", "track_skip_rate", "known", "begun",
    "going_on", "going_on_5", "same_artist", "repeating", "skipping", "skipped_last",
    "after_last", "after_second", "after_third", "after_before",
    "met_behind", "met_ahead", "heard_behind", "heard_ahead",
)  # fmt: skip
_SCALE = np.array(list(_LOGGED.values()), dtype=np.float32)[:, None]
_AT = {name: at for at, name in enumerate(NAMES)}


def _from(first: str, last: str) -> slice:
    return slice(_AT[first], _AT[last] + 1)


_SIGNALS = _from("own", "soon")
_PLACES, _RECENT, _OWN = _from("own_place", "then_place"), _from("weight_0.5d", "every"), _from("weight", "age")
_HABITS, _OF_ARTIST = _from("days_14d", "skips_28d"), _from("artist_plays_7d", "artist_tracks_7d")
_ARTIST, _ARTIST_RATES = _from("artist_weight", "artist_age"), _from("artist_skip_rate", "artist_latest")
_FACTS, _RATES = _from("artist_rank", "recent_listeners"), _from("trend", "track_skip_rate")
_STEPS = _from("after_last", "heard_ahead")
_CONTEXT, _SIZES = _from("going_on", "skipped_last"), _from("size", "session_size")


class Features:
    """Makes the features of one release's candidates."""

    def __init__(self, release: "Release", shelf: Shelf) -> None:
        frame = release.catalogue.frame
        self._release, self._shelf = release, shelf
        listeners, recent, plays, skips = (
            frame[name].to_numpy().astype(np.float32) for name in ("listeners", "recent_listeners", "plays", "skips")
        )
        ranks = shelf.rank_by_artist().astype(np.float32)
        trend, skip_rate = recent / (listeners + 1.0), (skips + 2.0) / (skips + plays + 6.0)
        self._facts = np.stack([ranks, listeners, recent, trend, skip_rate], axis=1)  # all of a row side by side

    def of(self, batch: Batch, at: int, rows: Rows) -> NDArray[np.float32]:
        """(len(rows), len(NAMES)) for the listener `at` of a batch."""
        listener = batch.listeners[at]
        table = np.empty((len(NAMES), len(rows)), dtype=np.float32)
        self._signals(batch, at, rows, table)
        self._plays(batch, listener, rows, table)
        facts = self._facts[rows].T
        table[_FACTS], table[_RATES] = facts[:3], facts[3:]
        kinds = batch.kinds(at, rows)
        table[_AT["known"]], table[_AT["begun"]] = kinds == KNOWN, kinds == BEGUN
        logged = table[: len(_LOGGED)]
        logged *= _SCALE
        logged += 1.0
        np.log(logged, out=logged)
        return table.T

    def _signals(self, batch: Batch, at: int, rows: Rows, table: NDArray[np.float32]) -> None:
        signals = batch.signals[at]
        own = signals.own
        named = (
            own.after, own.pair, own.straight, own.around, signals.alike, *signals.everybody, own.soon,
        )  # fmt: skip
        placed = (own.after, own.around, signals.alike, signals.everybody.next, signals.everybody.then)
        of_signals(
            rows,
            tuple(scores.keys for scores in named),
            tuple(scores.best(UNRANKED) for scores in placed),
            UNRANKED,
            batch.scratch.marks,
            table[_SIGNALS],
            table[_PLACES],
        )
        table[_AT["dot"]] = self._release.factors_of(rows) @ batch.vectors[at]

    def _plays(self, batch: Batch, listener: Listener, rows: Rows, table: NDArray[np.float32]) -> None:
        shelf, marks, newest = self._shelf, batch.scratch.marks, listener.newest
        recent = listener.recent, listener.recent_times, listener.recent_played
        own = listener.weights, listener.plays, listener.skips, listener.lasts
        of_recent(rows, *recent, newest, marks, table[_RECENT], table[_AT["due"]], table[_AT["session"]])
        of_own(rows, listener.rows, *own, newest, marks, table[_OWN], table[_AT["skip_rate"]])
        latest = shelf.artists_at(listener.recent[::-1][:LATEST])
        rates, artists = table[_ARTIST_RATES], shelf.artists[rows]
        of_track(rows, *recent, newest, marks, table[_HABITS])
        of_steps(rows, listener.recent, listener.recent_times, marks, table[_STEPS])
        of_artist(artists, shelf.artists, *recent, newest, marks, batch.scratch.sums, table[_OF_ARTIST])
        of_artists(artists, shelf.artists[listener.rows], *own, latest, newest, marks, table[_ARTIST], rates)
        *kind, size, session = context(listener, shelf)
        table[_CONTEXT], table[_SIZES] = np.array(kind)[:, None], np.array([[size], [session]])


def context(listener: Listener, shelf: Shelf) -> tuple[float, ...]:
    """What kind of listening this is just now, the same for every candidate: `going_on` … `skipped_last`, and sizes."""
    latest = shelf.artists_at(listener.recent[::-1][: LATEST + 1])
    return of_context(listener.recent, listener.recent_times, listener.recent_played, latest, shelf.scratch.marks)
