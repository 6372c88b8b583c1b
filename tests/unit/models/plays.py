"""Listeners made by hand of a few plays, and the scores of a signal as a dict."""

import numpy as np

from models.sources.base import Listener
from models.sources.sparse import Sparse
from tests.unit.scorer.worlds import NOON


def listener(*plays: tuple[int, int], skipped: tuple[int, ...] = ()) -> Listener:
    """Who played (row, seconds after noon); `skipped` are positions."""
    recent, times = np.array(plays, dtype=np.int64).reshape(-1, 2).T
    played = ~np.isin(np.arange(len(recent)), skipped)
    return Listener(
        newest=int(times.max(initial=0)) + NOON, recent=recent, recent_times=times + NOON, recent_played=played
    )


def scores(found: Sparse) -> dict[int, float]:
    return dict(zip(found.rows.tolist(), found.weights.tolist(), strict=True))
