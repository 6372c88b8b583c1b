"""What ALS' settings are worth, by full ranking on held-out weeks."""

import numpy as np
import polars as pl
import pytest

from models.als.settings import AlsSettings
from models.evaluation.protocol import NothingToJudge, Protocol
from models.taste import TasteSettings
from models.tuning import Bench
from tests.unit.models.evaluation.logs import END, WEEK, Play, crowd, log_of, tracks_of

TASTE = TasteSettings()


def bench(listens: pl.DataFrame, weeks: int = 1, listeners: int = 100) -> Bench:
    return Bench(listens, tracks_of(listens), Protocol(weeks), listeners, seed=1)


def camps() -> pl.DataFrame:
    """Two camps that share no track; in the last week each listener plays, of their camp's, six they had not played."""
    rng, plays = np.random.default_rng(2), list[Play]()
    for user in range(20):
        own = rng.permutation(20) + 20 * (user % 2)
        plays += [(f"u{user}", f"x{track}", 2 * WEEK + int(rng.integers(WEEK)), 60_000) for track in own[:14]]
        plays += [(f"u{user}", f"x{track}", 1 + int(rng.integers(WEEK - 1)), 60_000) for track in own[14:]]
    return log_of([*plays, ("u0", "x0", 1, 60_000)])


def test_who_is_asked_and_for_what() -> None:
    made = bench(camps())
    assert made.listener_weeks == 20
    [question] = made.questions
    assert question.before["listened_at"].max() < (END - WEEK) * 1000
    assert all(5 < len(wanted) < 8 for wanted in question.wanted.values())
    assert bench(camps(), listeners=7).listener_weeks == 7
    assert bench(crowd(3), weeks=2).listener_weeks > 12


def test_settings_that_find_the_camps_are_worth_more_than_those_that_find_nothing() -> None:
    made = bench(camps())
    good = made.worth(TASTE, AlsSettings(factors=8, regularization=0.1), 1)
    # Of 40 tracks the 20 of the other camp stand behind, the 14 that were played before: half of the rest are in front.
    assert good.auc > 0.55
    blind = made.worth(TASTE, AlsSettings(factors=8, min_listeners=1_000), 1)  # no track has factors
    assert blind.auc == pytest.approx(0.5)
    assert good.ndcg > blind.ndcg


def test_the_same_settings_are_worth_the_same_and_the_half_life_counts() -> None:
    made, settings = bench(crowd(3)), AlsSettings(factors=8, iterations=3)
    one = made.worth(TASTE, settings, 1)
    other = made.worth(TasteSettings(half_life_days=1.0), settings, 1)
    assert made.worth(TASTE, settings, 1) == one != other


def test_tracks_that_nobody_had_met_count_against_every_model() -> None:
    listens = camps()
    later = pl.col("listened_at") >= (END - WEEK) * 1000
    unknown = listens.with_columns(track_id=pl.when(later).then(pl.format("{}-new", "track_id")).otherwise("track_id"))
    assert bench(unknown).worth(TASTE, AlsSettings(factors=8, regularization=0.1), 1).ndcg == 0.0


def test_a_log_without_a_held_out_week_is_refused() -> None:
    with pytest.raises(NothingToJudge):
        bench(crowd(3).head(2))
