"""How good one list is, and how lists are as a whole. `hits` says of each rank, best first, whether it was right."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.log import Flags, Numbers
from models.evaluation.protocol import DEPTH, MEASURED, MIN_OF_KIND, NEXT

KINDS = ("", "rep_", "exp_", "unseen_")
RANKED = ("ndcg@10", "ndcg@100", "recall@100", f"recall@{DEPTH}")
WEEKLY = tuple(kind + name for kind in KINDS for name in RANKED)
GUESSED = (f"hr@{NEXT}", f"mrr@{NEXT}")
OF_LISTS = ("popularity_percentile@100", "novelty@100", "share_new@10")  # novelty: 1 − percentile
OF_NEXT = tuple(kind + name for kind in ("", "repeat_", "new_") for name in GUESSED)

_GAINS = 1.0 / np.log2(np.arange(2, MEASURED + 2))
_IDEAL = np.concatenate(([0.0], np.cumsum(_GAINS)))


def ndcg(hits: Flags, wanted: int, k: int) -> float:
    """Σ 1/log₂(rank + 1) over the hits of the first k ranks, as a share of the best possible; k ≤ MEASURED."""
    top = hits[:k]
    return float(_GAINS[: len(top)][top].sum() / _IDEAL[min(wanted, k)])


def recall(hits: Flags, wanted: int, k: int) -> float:
    """Hits in the first k ranks, as a share of the most that k ranks can hold."""
    return float(hits[:k].sum() / min(wanted, k))


def reciprocal_rank(hits: Flags, k: int) -> float:
    """1/rank of the first hit; 0 without one in the first k."""
    found = np.flatnonzero(hits[:k])
    return 1.0 / (float(found[0]) + 1.0) if len(found) else 0.0


def of_week(ranked: Numbers, wanted: Numbers, known: Numbers, met: Numbers) -> NDArray[np.float64]:
    """WEEKLY, in that order, of one list; NaN where too few tracks of a kind were wanted.

    Rep is the list cut down to tracks that the listener had played, Exp to those they had not, Unseen to those they had
    not even begun, against the wanted tracks of that kind. `ranked` names no track twice, `wanted` is not empty.
    """
    old, had = np.isin(ranked, known), np.isin(ranked, met)
    wanted_old, wanted_had = np.isin(wanted, known), np.isin(wanted, met)
    hits = np.isin(ranked, wanted)
    parts = ((hits, len(wanted)), (hits[old], wanted_old.sum()), (hits[~old], (~wanted_old).sum()))
    out: list[float] = []
    for at, (kept, count) in enumerate((*parts, (hits[~had], (~wanted_had).sum()))):
        if at and count < MIN_OF_KIND:
            out += [np.nan] * len(RANKED)
        else:
            count = int(count)
            out += [ndcg(kept, count, 10), ndcg(kept, count, 100), *(recall(kept, count, k) for k in (100, DEPTH))]
    return np.array(out)


def of_guess(ranked: Numbers, item: int, repeat: bool) -> NDArray[np.float64]:
    """OF_NEXT, in that order, of one list; NaN for the kind of play that this one is not."""
    hits = ranked[:NEXT] == item
    pair = [float(hits.any()), reciprocal_rank(hits, NEXT)]
    nothing = [np.nan, np.nan]
    return np.array([*pair, *(pair if repeat else nothing), *(nothing if repeat else pair)])


def gini(counts: Numbers) -> float:
    """How unequally tracks are recommended: 0 when all equally often, towards 1 when few get everything."""
    total, size = counts.sum(), len(counts)
    if not total:
        return 0.0
    ranks = np.arange(1, size + 1)
    return float((2 * ranks - size - 1) @ np.sort(counts) / (size * total))


def percentiles(plays: Numbers) -> NDArray[np.float64]:
    """Each track's place among those played at all, by plays: 1 the most played, ties share their mean; else 0."""
    out = np.zeros(len(plays))
    heard = plays > 0
    _, place, counts = np.unique(plays[heard], return_inverse=True, return_counts=True)
    if len(place):
        out[heard] = (np.cumsum(counts) - (counts - 1) / 2)[place] / heard.sum()
    return out


class Spread:
    """What the lists of one window are as a whole."""

    NAMES = ("coverage@100", "gini@100")

    def __init__(self, plays: Numbers) -> None:
        """`plays`: of each track, before the window."""
        self._heard = plays > 0
        self._percentiles = percentiles(plays)
        self._times = np.zeros(len(plays), dtype=np.int64)

    def add(self, ranked: Numbers, known: Numbers) -> NDArray[np.float64]:
        """Take in a list of a listener who had played `known`; its part in the figures OF_LISTS.

        [Σ percentile of its first 100 ranks, these ranks, new tracks in the first 10, 10]; zeros for an empty list.
        """
        if not len(ranked):
            return np.zeros(4)
        top = ranked[:MEASURED]
        self._times[top] += 1
        return np.array([self._percentiles[top].sum(), len(top), (~np.isin(ranked[:10], known)).sum(), 10.0])

    def figures(self) -> list[float]:
        """NAMES, in that order."""
        recommended = self._times > 0
        return [
            float(recommended.sum() / max(1, int(self._heard.sum()))),
            gini(self._times[self._heard | recommended]),
        ]
