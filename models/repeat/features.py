"""What is known of a listener and a track just after they met, for: will they play it again within 30 days?

Everything is of the log up to the moment, and of the kind that a profile holds (models.profile) or a catalogue: so it
could be asked of a listener whom training never met.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.taste import DAY, TasteSettings

WITHIN = 30 * DAY
NEVER = 365 * DAY  # what stands for "never before"
LIVES = 500  # half-lives

COLUMNS = (
    "played",  # now: 1, or skipped: 0
    "plays", "skips",  # of the track by the listener, now included
    "weight", "artist_weight",  # decayed, in plays
    "gap", "first",  # seconds since they met before; 1: they never had
    "pause",  # seconds since whatever the listener played before
    "same_artist",  # as that: 1
    "artist_plays", "artist_tracks", "artist_gap",  # of the artist by the listener: plays, tracks met, seconds since
    "track_age",  # seconds since anybody first met the track
    "events", "skipped", "per_track",  # the listener's: how many, the share skipped, how many to a track
    "listeners", "per_listener", "track_skipped",  # the track's, of all listeners
    "hour_sin", "hour_cos",
)  # fmt: skip
_LOGS = (
    "plays", "skips", "gap", "pause", "artist_plays", "artist_tracks", "artist_gap", "track_age", "events",
    "per_track", "listeners", "per_listener",
)  # fmt: skip


def events(plays: pl.DataFrame, taste: TasteSettings) -> pl.DataFrame:
    """COLUMNS of every play and skip, with user, item, second and `again`: whether it is played within WITHIN.

    What is older than LIVES half-lives is left out: it weighs nothing.

    `plays`: (user, item, artist, second, played), numbers, of everybody, at any time; `artist` may be null. Their order
    within a second is kept.
    """
    newest = plays["second"].max()
    if isinstance(newest, int):  # a clock that stood at 1970 would make 2^(age / half-life) overflow
        plays = plays.filter(pl.col("second") > newest - LIVES * taste.half_life_days * DAY)
    frame = plays.sort("second", maintain_order=True).with_columns(pl.col("played").cast(pl.Float64))
    gain = pl.when(pl.col("played") > 0).then(taste.play).otherwise(taste.skip)
    frame = frame.with_columns(gain=gain)
    of_pair, of_user, of_item, of_artist = ("user", "item"), ("user",), ("item",), ("user", "artist")
    frame = frame.with_columns(
        plays=pl.col("played").cum_sum().over(of_pair),
        met=pl.int_range(1, pl.len() + 1).over(of_pair),
        gap=(pl.col("second") - pl.col("second").shift(1)).over(of_pair),
        pause=(pl.col("second") - pl.col("second").shift(1)).over(of_user),
        same_artist=(pl.col("artist") == pl.col("artist").shift(1)).over(of_user),
        events=pl.int_range(1, pl.len() + 1).over(of_user),
        user_plays=pl.col("played").cum_sum().over(of_user),
        item_met=pl.int_range(1, pl.len() + 1).over(of_item),
        item_plays=pl.col("played").cum_sum().over(of_item),
        weight=_decayed(taste).over(of_pair),
        artist_weight=_decayed(taste).over(of_artist),
        artist_plays=pl.col("played").cum_sum().over(of_artist),
        artist_gap=(pl.col("second") - pl.col("second").shift(1)).over(of_artist),
        track_age=(pl.col("second") - pl.col("second").first()).over(of_item),
        next_play=pl.when(pl.col("played") > 0).then(pl.col("second")).shift(-1).backward_fill().over(of_pair),
    )
    first = (pl.col("met") == 1).cast(pl.Float64)
    frame = frame.with_columns(
        first=first,
        tracks=first.cum_sum().over(of_user),
        listeners=first.cum_sum().over(of_item),
        artist_tracks=first.cum_sum().over(of_artist),
    )
    angle = 2 * np.pi * (pl.col("second") % DAY) / DAY
    return frame.select(
        "user", "item", "second", "played", "plays", "weight", "first", "events", "listeners", "artist_plays",
        "artist_tracks", "track_age",
        skips=pl.col("met") - pl.col("plays"),
        artist_weight=pl.when(pl.col("artist").is_null()).then(0.0).otherwise(pl.col("artist_weight")),
        gap=pl.col("gap").fill_null(NEVER).clip(0, NEVER),
        pause=pl.col("pause").fill_null(NEVER).clip(0, NEVER),
        artist_gap=pl.col("artist_gap").fill_null(NEVER).clip(0, NEVER),
        same_artist=pl.col("same_artist").fill_null(value=False).cast(pl.Float64),
        skipped=1 - pl.col("user_plays") / pl.col("events"),
        per_track=pl.col("events") / pl.col("tracks"),
        per_listener=pl.col("item_met") / pl.col("listeners"),
        track_skipped=1 - pl.col("item_plays") / pl.col("item_met"),
        hour_sin=angle.sin(),
        hour_cos=angle.cos(),
        again=((pl.col("next_play") - pl.col("second")) <= WITHIN).fill_null(value=False),
    )  # fmt: skip


def _decayed(taste: TasteSettings) -> pl.Expr:
    """Σ gain · 2^(−age / half-life) over the rows up to each, as models.taste folds it."""
    lives = (pl.col("second") - pl.col("second").first()) / (taste.half_life_days * DAY)
    return (pl.col("gain") * pl.lit(2.0).pow(lives)).cum_sum() / pl.lit(2.0).pow(lives)


def matrix(found: pl.DataFrame) -> NDArray[np.float64]:
    """(rows, COLUMNS), counts and times by their logarithm, weights by a signed one."""
    bent = [
        pl.col(name).cast(pl.Float64).log1p() if name in _LOGS
        else pl.col(name).sign() * pl.col(name).abs().log1p() if name.endswith("weight")
        else pl.col(name).cast(pl.Float64)
        for name in COLUMNS
    ]  # fmt: skip
    return found.select(bent).to_numpy()
