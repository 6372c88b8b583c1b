"""Does the crowd look like one? Ranges are wide: they are about what listening looks like, not about one seed."""

import numpy as np
import polars as pl

from services.simulator.settings import DAY_MS, HOUR_MS
from tests.unit.simulator.conftest import DAYS, Lived

PAUSE_MS = 30 * 60_000  # longer than this without an event: a new session


def test_popularity_follows_a_zipf_law(lived: Lived) -> None:
    counts = lived.played["track_id"].value_counts()["count"].sort(descending=True).to_numpy()
    ranks = np.arange(10, 1_000)
    slope, _ = np.polyfit(np.log(ranks), np.log(counts[ranks]), 1)
    assert -1.3 < slope < -0.5
    assert counts[:50].sum() > 0.10 * counts.sum()  # 1 % of the tracks, ten times their share or more


def test_most_plays_are_repeats(lived: Lived) -> None:
    firsts = lived.played.select("user_id", "track_id").unique().height
    assert 0.5 < 1 - firsts / lived.played.height < 0.8


def test_what_was_played_lately_comes_back_sooner(lived: Lived) -> None:
    def soon(plays: pl.DataFrame) -> float:
        places = plays.with_columns(place=pl.int_range(pl.len()).over("user_id"))
        gap = places.select(pl.col("place").diff().over("user_id", "track_id")).to_series()
        return float((gap.drop_nulls() <= 50).mean())  # type: ignore[arg-type]  # a number: it is not empty

    shuffled = lived.played.with_columns(pl.col("track_id").shuffle(seed=1).over("user_id"))
    assert soon(lived.played) > 1.25 * soon(shuffled)


def test_a_quarter_or_so_is_skipped_soon_after_the_start(lived: Lived) -> None:
    skipped = lived.played.filter(pl.col("kind") == "skip")
    assert 0.20 < skipped.height / lived.played.height < 0.35
    assert skipped["ms_played"].median() < 10_000  # type: ignore[operator]  # a number: it is not empty
    played = lived.played.filter(pl.col("kind") == "play")
    assert (played["ms_played"] >= 0.6 * played["duration_ms"] - 1).all()


def test_what_suits_is_skipped_less(lived: Lived) -> None:
    crowd = lived.crowd
    late = lived.played.tail(lived.played.height // 6)  # the truth is of now
    better = []
    for user_id, plays in late.group_by("user_id"):
        tracks = plays["track_id"].replace_strict(crowd.book.track_index).to_numpy()
        liked = crowd.affinity(crowd.book.user_index[str(user_id[0])], tracks)
        skip = (plays["kind"] == "skip").to_numpy()
        if skip.any() and not skip.all():
            better.append(liked[~skip].mean() - liked[skip].mean())
    assert len(better) > 100
    assert np.mean(better) > 0.5  # of a log-odds-like unit
    assert np.mean(np.array(better) > 0) > 0.9


def test_loves_and_bans_are_rare_and_final(lived: Lived) -> None:
    share = dict(lived.listens["kind"].value_counts(normalize=True).iter_rows())
    assert 0.003 < share["love"] < 0.03
    assert 0.0003 < share["ban"] < 0.005
    bans = lived.listens.filter(pl.col("kind") == "ban").select("user_id", "track_id", banned="listened_at")
    after = lived.listens.join(bans, on=["user_id", "track_id"]).filter(pl.col("listened_at") > pl.col("banned"))
    assert bans.height > 20
    assert after.is_empty()
    loves = lived.listens.filter(pl.col("kind") == "love")
    assert loves["ms_played"].is_null().all()
    assert loves["organic"].is_null().all()


def test_listening_comes_in_sessions(lived: Lived) -> None:
    gap = pl.col("listened_at").diff().over("user_id")
    # From the end of one track to the end of the next: the next one's own length is no pause.
    starts = lived.played.with_columns(new=(gap - pl.col("ms_played") > PAUSE_MS).fill_null(True))
    sessions = starts.with_columns(pl.col("new").cum_sum().over("user_id")).group_by("user_id", "new").len()
    assert 6 < sessions["len"].median() < 14  # type: ignore[operator]  # a number: it is not empty
    assert sessions["len"].quantile(0.95) > 2.5 * sessions["len"].median()  # type: ignore[operator]
    a_day = sessions.height / DAYS / len(lived.crowd.user_ids)
    assert 1.0 < a_day < 2.5


def test_no_track_twice_within_a_session_and_nobody_plays_two_at_once(lived: Lived) -> None:
    before = pl.col("listened_at").diff().over("user_id")
    assert lived.played.filter(before < pl.col("ms_played")).is_empty()
    close = lived.played.filter(pl.col("listened_at").diff().over("user_id", "track_id") < 60_000)
    assert close.is_empty()


def test_each_listener_has_hours_of_their_own(lived: Lived) -> None:
    hour = (pl.col("listened_at") % DAY_MS // HOUR_MS).alias("hour")
    counts = lived.played.group_by("user_id", hour).len().pivot("hour", index="user_id", values="len").fill_null(0)
    share = (
        counts.drop("user_id").select([str(h) for h in range(24) if str(h) in counts.columns]).to_numpy().astype(float)
    )
    share /= share.sum(axis=1, keepdims=True)
    crowd = share.mean(axis=0)
    assert crowd[17:23].sum() > 2 * crowd[2:8].sum()  # evenings, not nights
    apart = np.abs(share - crowd).sum(axis=1) / 2  # total variation
    assert np.median(apart) > 0.15


def test_albums_are_played_in_their_order(lived: Lived) -> None:
    index = pl.col("track_id").str.tail(6).cast(pl.Int64)  # tracks of a release stand together, in order
    following = lived.played.filter(index.diff().over("user_id") == 1)
    preceding = lived.played.filter(index.diff().over("user_id") == -1)
    assert following.height > 0.03 * lived.played.height
    assert following.height > 4 * preceding.height
    assert following["organic"].mean() > 0.99  # type: ignore[operator]  # a number: it is not empty


def test_some_is_chosen_by_others(lived: Lived) -> None:
    organic = lived.played["organic"].mean()
    assert 0.85 < organic < 0.99  # type: ignore[operator]  # a number: it is not empty
    assert lived.listens["list_id"].is_null().all()
