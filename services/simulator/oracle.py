"""Do recommendations find the true tastes? Only a simulated crowd can be asked.

The measure: of all tracks that a listener has never played, which share do they truly like less than a recommended one?
0.5 is chance, 1 is perfect. What was played before is left out, for to recommend it again takes no understanding.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.simulator.crowd import Crowd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCH = 256  # resamples at once


class Interval(NamedTuple):
    """A mean over listeners and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """Mean percentile of true affinity, of lists and of what they have to beat; all over the same listeners."""

    listeners: int
    tracks: int  # recommended and never played, over all listeners
    lists: Interval
    random: Interval  # as many never-played tracks by lot
    popular: Interval  # as many never-played tracks, heard by most listeners
    over_popular: Interval  # lists - popular, listener by listener


def measure(
    crowd: Crowd,
    lists: Mapping[str, Sequence[str]],
    heard: Mapping[str, Collection[str]],
    rng: np.random.Generator,
    resamples: int = 2_000,
) -> Verdict:
    """Judge lists (user_id -> track_ids) by the crowd's true tastes of now.

    heard: user_id -> every track the listener has ever played; also says what is popular.
    Raises ValueError for a listener or track that the crowd does not know, and when nothing is left to judge.
    """
    popular = _popularity(crowd, heard)
    out = crowd.out()
    scores: list[list[float]] = []
    judged = 0
    for user_id, track_ids in lists.items():
        user = _index(crowd.book.user_index, user_id, "listener")
        known = _indexes(crowd, heard.get(user_id, ()))
        listed = np.setdiff1d(_indexes(crowd, track_ids), known)
        if not len(listed):
            continue
        judged += len(listed)
        unheard = np.setdiff1d(out, known)
        percentile = _percentiles(crowd, user, unheard)
        by_lot = rng.choice(unheard, len(listed), replace=False)
        charts = unheard[np.argsort(-popular[unheard], kind="stable")[: len(listed)]]
        scores.append([float(percentile[picked].mean()) for picked in (listed, by_lot, charts)])
    if not scores:
        raise ValueError("nothing to judge: no list has a track that its listener never played")
    ours, lot, chart = np.array(scores).T
    return Verdict(
        listeners=len(scores),
        tracks=judged,
        lists=bootstrap(ours, rng, resamples),
        random=bootstrap(lot, rng, resamples),
        popular=bootstrap(chart, rng, resamples),
        over_popular=bootstrap(ours - chart, rng, resamples),
    )


def bootstrap(values: Floats, rng: np.random.Generator, resamples: int = 2_000) -> Interval:
    """The mean and its percentile bootstrap interval, 2.5 % to 97.5 % (Efron and Tibshirani 1993). values: (n,)."""
    means = np.concatenate(
        [
            values[rng.integers(0, len(values), (min(BATCH, resamples - done), len(values)))].mean(axis=1)
            for done in range(0, resamples, BATCH)
        ]
    )
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))


def _percentiles(crowd: Crowd, user: int, pool: Ints) -> Floats:
    """For each track of the pool the share of the pool liked less, ties counted half; NaN for all others. (T,)."""
    liked = crowd.affinity(user, pool)
    order = np.sort(liked)
    below = np.searchsorted(order, liked, side="left") + np.searchsorted(order, liked, side="right")
    percentile = np.full(len(crowd.track_ids), np.nan)
    percentile[pool] = below / (2 * len(pool))
    return percentile


def _popularity(crowd: Crowd, heard: Mapping[str, Collection[str]]) -> Ints:
    """How many listeners have heard each track. (T,)."""
    counts = Counter(track for tracks in heard.values() for track in set(tracks))
    popular = np.zeros(len(crowd.track_ids), np.int64)
    popular[_indexes(crowd, counts)] = list(counts.values())
    return popular


def _indexes(crowd: Crowd, track_ids: Collection[str]) -> Ints:
    return np.array([_index(crowd.book.track_index, track_id, "track") for track_id in track_ids], np.int64)


def _index(indexes: Mapping[str, int], name: str, what: str) -> int:
    try:
        return indexes[name]
    except KeyError:
        raise ValueError(f"the crowd has no {what} {name!r}: it is another crowd's, or made with other sizes") from None
