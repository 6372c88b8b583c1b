"""The crowd's listens and tracks as polars frames, for training offline."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from schemas.track import Track
from services.simulator.crowd import History
from services.simulator.rows import KINDS, SKIP, SOURCE

TRACK_COLUMNS = {
    "track_id": pl.String,
    "title": pl.String,
    "artist": pl.String,
    "release": pl.String,
    "year": pl.Int64,
    "duration_ms": pl.Int64,
    "mbid": pl.String,
    "genre": pl.String,
    "lyrics": pl.String,
    "audio": pl.String,
}


def listens_frame(history: History) -> pl.DataFrame:
    """One row a listen, in order of time, with the columns of schemas.events.Listen; absent values are null."""
    rows, book = history.rows, history.book
    played = pl.Series(rows.kind <= SKIP)
    number = pl.Series(np.arange(history.first, history.first + len(rows))).cast(pl.String).str.zfill(9)
    nothing = pl.Series([None], dtype=pl.String).extend_constant(None, max(0, len(rows) - 1)).head(len(rows))
    durations = pl.Series(book.durations, dtype=pl.Int64).gather(rows.track)
    frame = pl.DataFrame(
        {
            "event_id": f"sim-{book.run}-" + number,
            "user_id": pl.Series(book.users).gather(rows.listener),
            "track_id": pl.Series(book.tracks).gather(rows.track),
            "listened_at": pl.Series(rows.time_ms),
            "kind": pl.Series(KINDS).gather(rows.kind),
            "artist": pl.Series(book.artists).gather(rows.track),
            "ms_played": pl.Series(rows.ms_played),
            "duration_ms": durations,
            "organic": pl.Series(rows.organic),
            "list_id": nothing,
            "played": played,
        }
    )
    return frame.select(
        "event_id",
        "user_id",
        "track_id",
        "listened_at",
        "kind",
        "artist",
        pl.when("played").then("ms_played").alias("ms_played"),
        "duration_ms",
        pl.lit("track").alias("scope"),
        pl.when("played").then("organic").alias("organic"),
        "list_id",
        pl.lit(SOURCE).alias("source"),
    )


def tracks_frame(tracks: Sequence[Track]) -> pl.DataFrame:
    """One row a track, with the columns of schemas.track.Track except `labels` (empty here)."""
    return pl.DataFrame(
        {name: [getattr(track, name) for track in tracks] for name in TRACK_COLUMNS}, schema=TRACK_COLUMNS
    )


def heard_by(listens: pl.DataFrame) -> dict[str, set[str]]:
    """user_id -> the tracks that the listener has ever started, from a frame with user_id, track_id and kind."""
    played = listens.filter(pl.col("kind").is_in(["play", "skip"]))
    groups = played.group_by("user_id").agg(pl.col("track_id").unique())
    return {user: set(tracks) for user, tracks in groups.iter_rows()}
