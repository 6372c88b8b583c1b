"""The served lists as tables by artist and track, for whoever would judge them by other means."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from models.evaluation.log import Numbers
from models.evaluation.result import Served


def weekly_lists(served: Served, tracks: pl.DataFrame) -> pl.DataFrame:
    """(window_start, user_id, rank, artist, track); times in seconds, ranks from 1."""
    starts = [each.window_start for each in served.weekly]
    rows = _rows(served, tracks, "window_start", starts, [(each.user, each.tracks) for each in served.weekly])
    return rows.select("window_start", "user_id", "rank", "artist", "track")


def next_lists(served: Served, tracks: pl.DataFrame) -> pl.DataFrame:
    """(user_id, at, rank, artist, track); times in seconds, ranks from 1."""
    moments = [each.at for each in served.next]
    rows = _rows(served, tracks, "at", moments, [(each.user, each.tracks) for each in served.next])
    return rows.select("user_id", "at", "rank", "artist", "track")


def _rows(
    served: Served, tracks: pl.DataFrame, time: str, times: Sequence[int], lists: Sequence[tuple[int, Numbers]]
) -> pl.DataFrame:
    lengths = [len(ranked) for _, ranked in lists]
    nothing = np.empty(0, dtype=np.int64)
    frame = pl.DataFrame(
        {
            time: np.repeat(np.array(times, dtype=np.int64), lengths),
            "user": np.repeat(np.array([user for user, _ in lists], dtype=np.int64), lengths),
            "rank": np.concatenate([nothing, *(np.arange(1, length + 1) for length in lengths)]),
            "item": np.concatenate([nothing, *(ranked for _, ranked in lists)]),
        }
    )
    users = pl.DataFrame({"user_id": served.names}, schema={"user_id": pl.String})
    return (
        frame.join(_numbered(users, "user"), on="user", how="left", maintain_order="left")
        .join(_numbered(_names(served, tracks), "item"), on="item", how="left", maintain_order="left")
    )  # fmt: skip


def _numbered(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_row_index(name).with_columns(pl.col(name).cast(pl.Int64))


def _names(served: Served, tracks: pl.DataFrame) -> pl.DataFrame:
    """(artist, track) of each number; a track that nothing is told of is called by its id, by an artist ""."""
    named = tracks.unique("track_id", keep="last").select("track_id", "artist", track="title")
    ids = pl.DataFrame({"track_id": served.ids}, schema={"track_id": pl.String})
    return ids.join(named, on="track_id", how="left", maintain_order="left").select(
        pl.col("artist").fill_null(""), pl.col("track").fill_null(pl.col("track_id"))
    )
