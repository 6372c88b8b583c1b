"""Will this listener play this track again within 30 days? Learned from past moments, judged on later ones.

Asked of every play and skip, and of those by which listener and track met first: what the WSDM Cup of 2018 asked of
KKBox's listeners. Split by time: all that is learned from had shown its 30 days before the first moment that is asked.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from models import interactions
from models.repeat.features import WITHIN, events, matrix
from models.repeat.fit import fit
from models.taste import DAY, TasteSettings

ASKED = 28 * DAY  # the moments asked are of so long
MOST = 2_000_000  # listens looked at: those of listeners drawn at random
EXAMPLES = 100_000  # learned from, and asked, at most
LEAST = 200  # of either; with fewer nothing is said

Flags = NDArray[np.bool_]


def measured(listens: pl.DataFrame, taste: TasteSettings, seed: int) -> dict[str, float]:
    """AUC and accuracy beside the majority's share, of all moments and of first meetings (`first_…`).

    `listens`: as from models.interactions.distinct. Empty where the history is too short (it takes 88 days and more) or
    one thing only ever happens.
    """
    known = events(_numbered(listens, taste, seed), taste)
    until = (known["second"].max() or 0) - WITHIN  # type: ignore[operator]  # polars' max may be of anything
    begin = until - ASKED
    learned = _drawn(known.filter(pl.col("second") <= begin - WITHIN), seed)
    asked = _drawn(known.filter(pl.col("second").is_between(begin, until)), seed)
    if min(learned.height, asked.height) < LEAST or learned["again"].n_unique() < 2:
        return {}
    model = fit(matrix(learned), learned["again"].to_numpy())
    chances, again = model.chances(matrix(asked)), asked["again"].to_numpy()
    first = asked["first"].to_numpy() > 0
    figures = {"learned": float(learned.height), **_figures(chances, again, "")}
    figures |= _figures(chances[first], again[first], "first_")
    return figures if np.isfinite(list(figures.values())).all() else {}  # a manifest holds no other numbers


def _numbered(listens: pl.DataFrame, taste: TasteSettings, seed: int) -> pl.DataFrame:
    """(user, item, artist, second, played) of plays and skips; not one listener's times are cut short."""
    plays = interactions.heard(listens, taste)
    if plays.height > MOST:
        counts = plays.group_by("user_id").len().sort("user_id").sample(fraction=1.0, shuffle=True, seed=seed)
        kept = counts.filter(pl.col("len").cum_sum() <= MOST)["user_id"]
        plays = plays.filter(pl.col("user_id").is_in(kept.implode()))
    numbers = [
        pl.col(name).rank("dense").cast(pl.Int32).alias(new)
        for name, new in (("user_id", "user"), ("track_id", "item"), ("artist", "artist"))
    ]
    return plays.select(*numbers, "second", "played")


def _drawn(found: pl.DataFrame, seed: int) -> pl.DataFrame:
    return found if found.height <= EXAMPLES else found.sample(EXAMPLES, seed=seed)


def _figures(chances: NDArray[np.float64], again: Flags, prefix: str) -> dict[str, float]:
    if len(again) < LEAST or again.all() or not again.any():
        return {}
    said = {
        "auc": auc(chances, again),
        "accuracy": float(((chances > 0.5) == again).mean()),
        "majority": float(max(again.mean(), 1.0 - again.mean())),
        "asked": float(len(again)),
    }
    return {prefix + name: value for name, value in said.items()}


def auc(scores: NDArray[np.float64], right: Flags) -> float:
    """The share of (right, wrong) pairs in the right order; equal scores are half (Mann-Whitney)."""
    ones = int(right.sum())
    return float((rankdata(scores)[right].sum() - ones * (ones + 1) / 2) / (ones * (len(right) - ones)))
