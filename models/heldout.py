"""What a fit is worth on listens it has not seen: full ranking, split by time, each baseline beside the model."""

from collections.abc import Iterator
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.als.serve import FoldIn
from models.fitted import Fitted

TOP = 100
HIT = 20
BATCH = 64  # listeners whose scores over all items are in memory at once

Rows = NDArray[np.int64]


def cut(listens: pl.DataFrame, days: float, share: float) -> int:
    """The time (ms) where held-out begins: the last `days`, but never more than `share` of the listens."""
    newest = listens["listened_at"].max()
    latest = listens["listened_at"].sort()[max(0, ceil(listens.height * (1 - share)) - 1)] if listens.height else 0
    return max(int(newest - days * 86_400_000) if isinstance(newest, int) else 0, int(latest))


def score(ranked: Rows, wanted: Rows) -> tuple[float, float, float]:
    """(NDCG@100, Recall@100, HR@20) of one list; `wanted` are distinct, and not empty."""
    hits = np.isin(ranked[:TOP], wanted)
    gains = 1.0 / np.log2(np.arange(2, TOP + 2))
    best = gains[: min(TOP, len(wanted))].sum()
    return float((hits * gains[: len(hits)]).sum() / best), float(hits.sum() / len(wanted)), float(hits[:HIT].any())


def evaluate(fitted: Fitted, truth: pl.DataFrame, most: int, seed: int) -> dict[str, dict[str, float]]:
    """Metrics of `popular`, `personal` and `als`, means over at most `most` listeners drawn at random.

    `truth` is (user_id, track_id), what each listener later played; a track that `fitted` has never met counts against
    every model alike. `new_…` is over what the listener had never met, ranked without what they had.
    """
    listeners = _listeners(fitted, truth, most, seed)
    sums: dict[str, list[tuple[float, float, float]]] = {}
    for (user, wanted), scores in zip(listeners, _als_scores(fitted, [user for user, _ in listeners]), strict=True):
        known, weights = fitted.of(user)
        new = wanted[~np.isin(wanted, known)]
        popular = np.arange(min(len(fitted.catalogue), TOP + len(known)))
        sums.setdefault("popular", []).append(score(popular, wanted))
        sums.setdefault("personal", []).append(score(known[np.argsort(-weights, kind="stable")], wanted))
        sums.setdefault("als", []).append(score(_best(scores), wanted))
        if len(new):
            sums.setdefault("new_popular", []).append(score(popular[~np.isin(popular, known)], new))
            scores[known[known < len(scores)]] = -np.inf
            sums.setdefault("new_als", []).append(score(_best(scores), new))
    return _means(sums)


def _means(sums: dict[str, list[tuple[float, float, float]]]) -> dict[str, dict[str, float]]:
    metrics: dict[str, dict[str, float]] = {}
    for name, rows in sums.items():
        model, prefix = (name.removeprefix("new_"), "new_") if name.startswith("new_") else (name, "")
        means = np.mean(rows, axis=0)
        values = dict(zip(("ndcg@100", "recall@100", "hr@20"), means.tolist(), strict=True))
        values["listeners"] = float(len(rows))
        metrics.setdefault(model, {}).update({prefix + key: value for key, value in values.items()})
    return metrics


def _listeners(fitted: Fitted, truth: pl.DataFrame, most: int, seed: int) -> list[tuple[int, Rows]]:
    """Some listeners of the fit and the distinct rows they later played; −2, −3, … for tracks it has never met."""
    users = pl.DataFrame({"user_id": fitted.users}, schema={"user_id": pl.String}).with_row_index("user")
    met = fitted.catalogue.select("track_id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    rows = truth.unique().join(users, on="user_id").join(met, on="track_id", how="left").sort("user", "track_id")
    rows = rows.with_columns(pl.col("row").fill_null(-2 - pl.int_range(pl.len())))
    grouped = rows.group_by("user", maintain_order=True).agg("row")
    chosen = np.sort(np.random.default_rng(seed).permutation(grouped.height)[:most])
    kept = grouped[chosen]
    return [(int(user), wanted.to_numpy()) for user, wanted in zip(kept["user"], kept["row"], strict=True)]


def _als_scores(fitted: Fitted, users: list[int]) -> Iterator[NDArray[np.float32]]:
    fold = FoldIn(fitted.factors, fitted.factors.T @ fitted.factors, fitted.als)
    for start in range(0, len(users), BATCH):
        vectors = fold.vectors([fitted.of(user) for user in users[start : start + BATCH]])
        yield from vectors @ fitted.factors.T


def _best(scores: NDArray[np.float32]) -> Rows:
    top = np.argpartition(-scores, TOP)[:TOP] if len(scores) > TOP else np.arange(len(scores))
    return np.asarray(top[np.argsort(-scores[top], kind="stable")], dtype=np.int64)
