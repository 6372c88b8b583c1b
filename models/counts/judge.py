"""How well held-out items are ranked: among all items that the listener does not have in training, never a sample."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.counts.data import Numbers, Split
from models.evaluation.metrics import ndcg, recall
from models.evaluation.protocol import MEASURED

RANKED = ("ndcg@100", "recall@20", "recall@50", "auc", "auc_truncated@10")
COVERAGE = "coverage@100"
TRUNCATED = 10
BLOCK = 128  # listeners at a time: 18 MB of scores for 17,632 items

Scores = NDArray[np.floating]


class Model(Protocol):
    """Fitted; what it was fitted on are the rows and columns of the training part."""

    def scores(self, users: Numbers) -> Scores:
        """Of every item, (len(users), items), finite; the caller may write into it."""
        ...


class Judged(NamedTuple):
    """RANKED of each judged listener, and of all lists together the share of heard items in their first 100."""

    users: Numbers
    values: NDArray[np.float64]  # (users, RANKED)
    coverage: float


def judge(model: Model, split: Split, progress: Callable[[float], None] = lambda _: None) -> Judged:
    """Every listener of whom something was held out. Coverage counts only items that somebody has in training."""
    users = split.judged
    shown = np.zeros(split.train.shape[1], dtype=bool)
    values: list[NDArray[np.float64]] = []
    for user, scores in _rows(model, split, users):
        wanted = split.test.indices[split.test.indptr[user] : split.test.indptr[user + 1]]
        open_items = np.flatnonzero(scores > -np.inf)
        values.append(of_list(scores[open_items], np.searchsorted(open_items, np.sort(wanted)), len(scores)))
        shown[_first(scores, min(MEASURED, len(open_items)))] = True
        if len(values) % BLOCK == 0:
            progress(len(values) / len(users))
    heard = split.train.getnnz(axis=0) > 0
    progress(1.0)
    return Judged(users, np.array(values), float((shown & heard).sum() / max(1, int(heard.sum()))))


def of_list(scores: Scores, wanted: Numbers, items: int) -> NDArray[np.float64]:
    """RANKED of one listener: `scores` of all items to rank, `wanted` the places of the right ones in it, `items`
    how many items there are with those of the training part.

    Of equal scores the first place goes first; for the AUC they are half above and half below.
    """
    inside, size = np.sort(scores), len(scores)
    own = scores[wanted]
    above = size - np.searchsorted(inside, own, side="right")
    equal = size - np.searchsorted(inside, own, side="left") - above
    ranks = (
        above
        + [  # from 0
            0 if same == 1 else int((scores[:place] == score).sum())
            for place, score, same in zip(wanted, own, equal, strict=True)
        ]
    )
    hits = np.zeros(MEASURED, dtype=bool)
    hits[ranks[ranks < MEASURED]] = True
    count = len(wanted)
    return np.array([
        ndcg(hits, count, MEASURED), recall(hits, count, 20), recall(hits, count, 50),
        _auc(above + (equal + 1) / 2, size), truncated_auc(hits[:TRUNCATED], count, items - count),
    ])  # fmt: skip


def _auc(ranks: NDArray[np.float64], size: int) -> float:
    """The share of (right, wrong) pairs in the right order, from the ranks of the right ones, 1 the best."""
    right = len(ranks)
    wrong = size - right
    return 1.0 - (float(ranks.sum()) - right * (right + 1) / 2) / (right * wrong) if wrong else 0.5


def truncated_auc(hits: NDArray[np.bool_], right: int, wrong: int) -> float:
    """What `implicit.evaluation.AUC_at_k` calls AUC: the area up to rank k, then a straight line to the end.

    All that stands below rank k is taken to be in an order by chance: 10 ranks of 17,000 items can lift it but little
    above 0.5. Here only to be compared with published figures. `wrong`: all items that are not right, as there also
    those of the training part.
    """
    missed = ~hits
    found = np.cumsum(hits)
    area = float(found[missed].sum()) + (float(found[-1]) + right) / 2 * (wrong - int(missed.sum()))
    return area / (right * wrong) if wrong else 0.5


def _rows(model: Model, split: Split, users: Numbers) -> Iterator[tuple[int, Scores]]:
    """Each listener's scores, −inf at what they have in training."""
    train = split.train
    for start in range(0, len(users), BLOCK):
        block = users[start : start + BLOCK]
        with threadpool_limits(1, "blas"):  # many small systems: threads would only wait for each other
            scores = model.scores(block)
        if not np.isfinite(scores).all():
            raise ValueError(f"{type(model).__name__} gave scores that are not finite")
        for user, row in zip(block.tolist(), scores, strict=True):
            row[train.indices[train.indptr[user] : train.indptr[user + 1]]] = -np.inf
            yield user, row


def _first(scores: Scores, k: int) -> Numbers:
    return np.argpartition(-scores, k - 1)[:k] if k else np.empty(0, dtype=np.int64)
