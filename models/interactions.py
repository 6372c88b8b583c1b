"""Listens to weights: what `models.taste.fold` says of each (listener, track), for a whole history at once.

The same table of what counts (TasteSettings), in polars: for a profile within its bounds the weights are the folded
ones but for their rounding (tests/unit/models/test_interactions.py folds and compares).
"""

import polars as pl

from models.ids import artist_key_of
from models.taste import DAY, TasteSettings

GRAIN = 1024  # of a play, that weights are rounded to

# What is read of a listen; a frame may have more columns. Rows stand in the log's order, at least within a listener.
COLUMNS = {
    "event_id": pl.String,
    "user_id": pl.String,
    "track_id": pl.String,
    "listened_at": pl.Int64,  # ms since epoch
    "kind": pl.String,
    "artist": pl.String,
    "ms_played": pl.Int64,
    "duration_ms": pl.Int64,
    "scope": pl.String,
}


def distinct(listens: pl.DataFrame) -> pl.DataFrame:
    """The listens with each event once (its first), in their order, with every column of COLUMNS.

    A column that is missing is filled as an absent field would be. Raises ValueError naming a missing required column.
    """
    for name in ("user_id", "track_id", "listened_at"):
        if name not in listens.columns:
            raise ValueError(f"the listens have no column {name!r}; they have {', '.join(listens.columns)}")
    defaults = {"kind": pl.lit("play"), "scope": pl.lit("track")}
    missing = [
        defaults.get(name, pl.lit(None)).cast(kind).alias(name)
        for name, kind in COLUMNS.items()
        if name not in listens.columns and name != "event_id"
    ]
    listens = listens.with_columns(missing)
    if "event_id" not in listens.columns:  # a file of plays without ids: every row is its own event
        return listens
    # Not `unique`, which takes 340 bytes of memory a row.
    first = listens["event_id"].is_first_distinct()
    return listens if first.all() else listens.filter(first)


def weigh(listens: pl.DataFrame, taste: TasteSettings) -> pl.DataFrame:
    """(user_id, track_id, weight, last, first, plays, skips), one row a pair that is not banned, in no order.

    `listens` as from `distinct`. `weight` is in plays, decayed to the newest listen of its listener; `last` is in
    seconds since epoch, as is `first`: when it was first played to its merit; null: never.
    `plays` are positive plays, `skips` negative ones.
    """
    half_life = taste.half_life_days * DAY
    is_play = pl.col("kind").is_in(["play", "skip"])
    gain = pl.when(is_play & pl.col("positive")).then(taste.play).when(is_play).then(taste.skip).otherwise(taste.love)
    counted = is_play | ((pl.col("kind") == "love") & (pl.col("scope") == "track"))
    pairs = (
        listens.lazy()
        .with_columns(second=pl.col("listened_at") // 1000, positive=_positive(taste))
        .with_columns(newest=pl.col("second").max().over("user_id"))
        .filter(counted)
        .with_columns(gain=gain * pl.lit(2.0).pow((pl.col("second") - pl.col("newest")) / half_life))
        .group_by("user_id", "track_id")
        .agg(
            weight=pl.col("gain").sum(),
            last=pl.col("second").max(),
            first=pl.col("second").filter(is_play & pl.col("positive")).min(),
            newest=pl.col("newest").first(),
            plays=(is_play & pl.col("positive")).sum(),
            skips=(is_play & ~pl.col("positive")).sum(),
        )
        .with_columns(fade=pl.lit(2.0).pow((pl.col("last") - pl.col("newest")) / half_life))
        # Rounded at the pair's own last event: the order that threads sum in cannot show.
        .with_columns(weight=(pl.col("weight") / pl.col("fade") * GRAIN).round() / GRAIN * pl.col("fade"))
        .with_columns(pl.col("weight").fill_nan(0.0))  # older than 1,074 half-lives: 0 / 0
        .drop("newest", "fade")
        .collect()
    )
    return _without_banned(pairs, listens)


def positive_plays(listens: pl.DataFrame, taste: TasteSettings) -> pl.DataFrame:
    """(user_id, track_id, second) of every positive play, in the order of `listens`."""
    return heard(listens, taste).filter("played").select("user_id", "track_id", "second")


def heard(listens: pl.DataFrame, taste: TasteSettings) -> pl.DataFrame:
    """(user_id, track_id, artist, second, played) of every play and skip, in the order of `listens`."""
    return listens.filter(pl.col("kind").is_in(["play", "skip"])).select(
        "user_id", "track_id", "artist", second=pl.col("listened_at") // 1000, played=_positive(taste)
    )


def _positive(taste: TasteSettings) -> pl.Expr:
    """models.taste.is_positive, as a column."""
    heard, duration = pl.col("ms_played"), pl.col("duration_ms").fill_null(0)
    enough = (heard >= taste.play_ms) | ((duration > 0) & (heard >= taste.play_share * duration))
    return pl.when(heard.is_null()).then(pl.col("kind") == "play").otherwise(enough)


def _without_banned(pairs: pl.DataFrame, listens: pl.DataFrame) -> pl.DataFrame:
    """Leave out what a listener's newest mark bans, a track or all of an artist."""
    marks = listens.filter(pl.col("kind").is_in(["love", "ban", "unban"]))
    if marks.is_empty():
        return pairs
    of_track = marks.filter(pl.col("scope") == "track")
    tracks = _banned(of_track, ["user_id", "track_id"])
    pairs = pairs.join(tracks, on=["user_id", "track_id"], how="anti")
    of_artist = marks.filter((pl.col("scope") == "artist") & pl.col("artist").is_not_null())
    artists = _banned(_with_artist_key(of_artist), ["user_id", "artist_key"])
    if artists.is_empty():
        return pairs
    by_artist = _with_artist_key(listens.select("track_id", "artist").drop_nulls().unique("track_id", keep="last"))
    keyed = pairs.join(by_artist.select("track_id", "artist_key"), on="track_id", how="left")
    return keyed.join(artists, on=["user_id", "artist_key"], how="anti").drop("artist_key")


def _banned(marks: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    newest = marks.group_by(by, maintain_order=True).agg(pl.col("kind").last())
    return newest.filter(pl.col("kind") == "ban").select(by)


def _with_artist_key(frame: pl.DataFrame) -> pl.DataFrame:
    names = frame["artist"].unique().drop_nulls().to_list()
    keys = pl.DataFrame(
        {"artist": names, "artist_key": [artist_key_of(name) for name in names]},
        schema={"artist": pl.String, "artist_key": pl.Int64},
    )
    return frame.join(keys, on="artist", how="left")
