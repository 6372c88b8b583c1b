"""What a ranker knows of each candidate: one float32 row of NAMES, all from the listener and the release.

Times are event times: "now" is the listener's newest listen, for a list is made when it has just been heard.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.ranker.columns import (
    FAR,
    LATEST,
    NEVER_H,
    Columns,
    Heard,
    Marks,
    artists_at,
    of_artists,
    of_context,
    of_own,
    of_recent,
    of_signals,
)
from models.ranker.habits import of_artist, of_track
from models.ranker.steps import of_steps
from models.sources.base import BEGUN, KNOWN, Batch, Rows
from models.sources.shelf import Shelf
from models.sources.signals import Signals
from models.sources.sparse import Keys

if TYPE_CHECKING:
    from models.release import Release

__all__ = ["FAR", "NAMES", "NEVER_H", "UNRANKED", "Features"]

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
_SCALE = np.array(list(_LOGGED.values()), dtype=np.float32)
_ONE = np.float32(1.0)
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
_KINDS_OF_CONTEXT = _CONTEXT.stop - _CONTEXT.start
_DOT, _DUE, _SESSION, _SKIP_RATE = _AT["dot"], _AT["due"], _AT["session"], _AT["skip_rate"]
_KNOWN, _BEGUN = _AT["known"], _AT["begun"]


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
        table[_DOT] = self._release.factors_of(rows) @ batch.vectors[at]
        heard = listener.recent, listener.recent_times, listener.recent_played
        own = listener.rows, listener.weights, listener.plays, listener.skips, listener.lasts
        of_catalogue = batch.kinds(at, rows), self._shelf.artists, self._facts
        _fill(rows, *_said(batch.signals[at]), heard, own, listener.newest, of_catalogue, *batch.scratch, table)
        logged = table[: len(_LOGGED)]
        np.log(logged, out=logged)
        return table.T


def _said(signals: Signals) -> tuple[tuple[Keys, ...], tuple[Keys, ...]]:
    """What each signal says, and the highest of those whose places count."""
    own, everybody = signals.own, signals.everybody
    named = own.after, own.pair, own.straight, own.around, signals.alike, *everybody, own.soon
    placed = own.after, own.around, signals.alike, everybody.next, everybody.then
    return tuple(scores.keys for scores in named), tuple(scores.best(UNRANKED) for scores in placed)


@compiled
def _fill(
    rows: Rows,
    named: tuple[Keys, ...],
    placed: tuple[Keys, ...],
    heard: Heard,
    own: tuple[Rows, NDArray[np.float64], Rows, Rows, Rows],
    newest: int,
    of_catalogue: tuple[NDArray[np.int8], Rows, Columns],
    sums: NDArray[np.float64],
    marks: Marks,
    table: Columns,
) -> None:
    """All features but "dot", those of _LOGGED ready for their logarithm. One call: each more costs a tenth of all.

    `of_catalogue`: kinds, of the candidates; artists, and facts (_FACTS, then _RATES), of each row of the catalogue.
    """
    kinds, artist_of, facts = of_catalogue
    of_signals(rows, named, placed, UNRANKED, marks, table[_SIGNALS], table[_PLACES])
    of_recent(rows, *heard, newest, marks, table[_RECENT], table[_DUE], table[_SESSION])
    of_own(rows, *own, newest, marks, table[_OWN], table[_SKIP_RATE])
    of_track(rows, *heard, newest, marks, table[_HABITS])
    of_steps(rows, heard[0], heard[1], marks, table[_STEPS])
    artists, latest = artist_of[rows], artists_at(heard[0][::-1][: LATEST + 1], artist_of)
    of_artist(artists, artist_of, *heard, newest, marks, sums, table[_OF_ARTIST])
    of_artists(
        artists, artist_of[own[0]], *own[1:], latest[:LATEST], newest, marks, table[_ARTIST], table[_ARTIST_RATES]
    )
    context = of_context(*heard, latest, marks)
    for which in range(_KINDS_OF_CONTEXT):
        table[_CONTEXT.start + which, :] = context[which]
    table[_SIZES.start, :], table[_SIZES.start + 1, :] = context[-2], context[-1]
    for at in range(len(rows)):
        row = rows[at]
        for which in range(3):
            table[_FACTS.start + which, at] = facts[row, which]
        for which in range(2):
            table[_RATES.start + which, at] = facts[row, 3 + which]
        table[_KNOWN, at], table[_BEGUN, at] = kinds[at] == KNOWN, kinds[at] == BEGUN
    for which in range(len(_SCALE)):
        for at in range(len(rows)):
            table[which, at] = table[which, at] * _SCALE[which] + _ONE
