"""A day in advance: who listens when, for how long, in which mood; and the dice for everything that follows.

All randomness of a day is drawn here, in one order. What is done with it needs no generator, so the same day played in
bulk (history) or event by event (live) comes out the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.habits import WEEKEND_MORE, Habits
from services.simulator.settings import DAY_MS, HOUR_MS, CrowdSettings
from services.simulator.tastes import CANDIDATES, Tastes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAPS = 2  # earlier plays looked at before one of them is repeated


@dataclass(frozen=True)
class Dice:
    """One row a slot (a track that may be played); log-odds are to be compared with log-odds."""

    repeat: Floats  # uniform: back to something known?
    loved: Floats  # uniform: to a loved track?
    gap: Floats  # (n, GAPS) uniform: how far back
    way: Floats  # uniform: favourite artist, exploring, or the taste's genre
    favourite: Floats  # uniform: which favourite
    genre: Floats  # uniform: where exploring leads
    fresh: Floats  # (n, CANDIDATES) uniform: tracks looked at
    lean: Floats  # (n, CANDIDATES) Gumbel noise of the choice among them
    radio: Floats  # uniform: chosen by somebody else?
    skip: Floats  # log-odds
    love: Floats  # log-odds
    ban: Floats  # log-odds
    stop_ms: Ints  # when a skip comes
    part: Floats  # how much of an unskipped track is heard, up to 1
    pause_ms: Ints  # before it starts
    from_list: Floats  # uniform: from the listener's list, where there is one?
    list_place: Ints  # how far down the list the eye falls, from 0


@dataclass(frozen=True)
class Plan:
    """A day: S sessions in n slots. Sorted by round (a listener's first session of the day, second, …), listener."""

    day: int
    day_ms: int
    listener: Ints  # (S,)
    taste: Ints  # (S,)
    start_ms: Ints  # (S,) when it would start were nothing else still playing
    album: NDArray[np.bool_]  # (S,)
    first_slot: Ints  # (S + 1,)
    rounds: Ints  # (rounds + 1,) the first session of each round, then S
    session: Ints  # (n,)
    dice: Dice


def make_plan(settings: CrowdSettings, habits: Habits, tastes: Tastes, day: int, rng: np.random.Generator) -> Plan:
    """Draw a day. Session starts are a Poisson process whose rate follows each listener's hours."""
    day_ms = settings.first_day_ms + day * DAY_MS
    weekend = (day_ms // DAY_MS + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    counts = rng.poisson(habits.sessions * (WEEKEND_MORE if weekend else 1.0))
    listener = np.repeat(np.arange(settings.listeners), counts)
    n = len(listener)
    hour = (habits.hours[int(weekend)][listener] <= rng.random(n)[:, None]).sum(axis=1)
    start = day_ms + ((np.minimum(hour, 23) + rng.random(n)) * HOUR_MS).astype(np.int64)
    taste = (tastes.reach[listener] <= rng.random(n)[:, None]).sum(axis=1)
    length = np.round(settings.session_tracks * rng.lognormal(0.0, 0.8, n)).astype(np.int64)
    album = rng.random(n) < settings.album_share

    by_time = np.lexsort((start, listener))
    ordinal = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    order = by_time[np.argsort(ordinal, kind="stable")]  # `listener` is the same in both orders
    length = np.clip(length[order], 1, settings.longest_session)
    return Plan(
        day=day,
        day_ms=day_ms,
        listener=listener[order],
        taste=taste[order],
        start_ms=start[order],
        album=album[order],
        first_slot=np.concatenate(([0], np.cumsum(length))),
        rounds=np.concatenate(([0], np.cumsum(np.bincount(ordinal)))) if n else np.zeros(1, np.int64),
        session=np.repeat(np.arange(n), length),
        dice=_dice(int(length.sum()), rng),
    )


def _dice(n: int, rng: np.random.Generator) -> Dice:
    def log_odds() -> Floats:
        u = rng.random(n)
        return np.asarray(np.log((u + 1e-300) / (1.0 - u)))

    return Dice(
        repeat=rng.random(n),
        loved=rng.random(n),
        gap=rng.random((n, GAPS)),
        way=rng.random(n),
        favourite=rng.random(n),
        genre=rng.random(n),
        fresh=rng.random((n, CANDIDATES)),
        lean=rng.gumbel(size=(n, CANDIDATES)),
        radio=rng.random(n),
        skip=log_odds(),
        love=log_odds(),
        ban=log_odds(),
        # Of all skips half come within 5 s and most within 30 s (Lamere 2014); never at once, a thumb needs its time.
        stop_ms=1_500 + rng.lognormal(np.log(5_000), 1.3, n).astype(np.int64),
        part=np.where(rng.random(n) < 0.9, 1.0, 0.6 + 0.4 * rng.random(n)),
        pause_ms=rng.exponential(1_500, n).astype(np.int64) + np.where(rng.random(n) < 0.03, 120_000, 0),
        from_list=rng.random(n),
        list_place=rng.geometric(0.2, n) - 1,
    )
