"""The served lists as tables by artist and track, for whoever would judge them by other means."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from models.evaluation.log import Numbers
from models.evaluation.result import Served


def numbers_of(files: Sequence[Path]) -> pl.DataType | None:
    """The type of the listeners' ids where they are whole numbers in every file, as only Parquet can say."""
    found = [_type_of(file) for file in files]
    return found[0] if found and all(each.is_integer() for each in found) else None


def _type_of(file: Path) -> pl.DataType:
    try:
        return pl.read_parquet_schema(file).get("user_id", pl.String())
    except (OSError, pl.exceptions.PolarsError):
        return pl.String()  # a file of another format


def weekly_lists(served: Served, tracks: pl.DataFrame, users: pl.DataType | None = None) -> pl.DataFrame:
    """(window_start, user_id, rank, artist, track); times in seconds, ranks from 1; `users`: the type of their ids."""
    starts = [each.window_start for each in served.weekly]
    rows = _rows(served, tracks, "window_start", starts, [(each.user, each.tracks) for each in served.weekly])
    rows = rows.cast({"user_id": users or pl.String()})
    return rows.select("window_start", "user_id", "rank", "artist", "track")


def next_lists(served: Served, tracks: pl.DataFrame, users: pl.DataType | None = None) -> pl.DataFrame:
    """(user_id, at, rank, artist, track); as `weekly_lists`."""
    moments = [each.at for each in served.next]
    rows = _rows(served, tracks, "at", moments, [(each.user, each.tracks) for each in served.next])
    rows = rows.cast({"user_id": users or pl.String()})
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
