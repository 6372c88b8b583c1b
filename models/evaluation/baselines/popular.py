"""Lists that know nothing of the listener: by chance, and by popularity as it was when the window began."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.baselines.past import Past
from models.evaluation.log import Numbers
from models.evaluation.protocol import DAY, NEXT
from models.evaluation.systems import Asked, best


class Random:
    """Every track that anybody had played, in an order by chance; the same seed, the same lists."""

    def __init__(self, past: Past, seed: int) -> None:
        self._tracks = np.unique(past.items)
        self._seed = seed

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        return [
            self._of(asked, at, np.random.default_rng((self._seed, int(user), int(moment))))
            for at, (user, moment) in enumerate(zip(asked.users, asked.moments, strict=True))
        ]

    def _of(self, asked: Asked, at: int, chance: np.random.Generator) -> Numbers:
        if asked.kind == "next":
            return chance.choice(self._tracks, min(NEXT, len(self._tracks)), replace=False)
        return best(self._tracks, chance.random(len(self._tracks)), asked, at)


class Ordered:
    """The same order for everybody."""

    def __init__(self, scores: NDArray[np.floating]) -> None:
        """`scores` of each track of the log; only those above 0 are listed."""
        order = np.argsort(-scores, kind="stable")
        self._tracks: Numbers = order[scores[order] > 0]
        self._scores = -np.arange(len(self._tracks), dtype=np.float64)

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        if asked.kind == "next":
            return [self._tracks[:NEXT]] * len(asked.users)
        return [best(self._tracks, self._scores, asked, at) for at in range(len(asked.users))]


def popular(past: Past) -> Ordered:
    """By listeners, then by plays."""
    listeners, plays = past.per_track()
    return Ordered(listeners + plays / (plays.sum() + 1.0))


def decayed_popular(past: Past, half_life_days: float) -> Ordered:
    """By listeners, each counting less as their last play of the track ages."""
    faded = np.exp2((past.lasts - past.moment) / (half_life_days * DAY))
    return Ordered(np.bincount(past.items, faded, len(past.log.tracks)).astype(np.float64))
