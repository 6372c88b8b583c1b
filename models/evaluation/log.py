"""A log of listens as numbers: whose, of what, when, and whether it was played. Everything is judged on these."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models import interactions

PLAY_MS = 30_000  # a play counts from here on; a shorter one is a skip

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Log:
    """Plays and skips by listener, and of each listener by time; read only.

    Listener u is `names[u]`, track i is `tracks[i]`, both in the order of their ids. `users`, `items`, `seconds` and
    `played` are parallel, one a play or skip. A love or a ban is no play: it is folded into profiles (`folds`) and
    judges nothing.
    """

    def __init__(self, listens: pl.DataFrame, *, timed: bool = False, numbered: bool = False) -> None:
        """`listens`: models.interactions.COLUMNS (some may be missing), in the log's order. Raises ValueError.

        `timed`: a play without `ms_played` is none where any play has it; else it was heard to the end. `numbered`:
        listeners are whole numbers, and stand in the order of these. An independent judge has it so.
        """
        frame = _whole(listens, numbered)
        self.names: list[str] = frame["user_id"].unique(maintain_order=True).to_list()
        self.tracks: list[str] = frame["track_id"].unique().sort().to_list()
        self.events = frame  # what profiles are folded from: one listener after the other, each by time
        self._event_seconds: Numbers = (frame["listened_at"] // 1000).to_numpy()
        self._event_starts = _starts(_codes(frame["user_id"], self.names), len(self.names))
        plays = frame.filter(pl.col("kind").is_in(["play", "skip"]))
        self.users = _codes(plays["user_id"], self.names)
        self.items = _codes(plays["track_id"], self.tracks)
        self.seconds: Numbers = (plays["listened_at"] // 1000).to_numpy()
        strict = timed and plays["ms_played"].is_not_null().any()
        self.played: Flags = plays.select(_played(strict)).to_series().to_numpy()
        self._starts = _starts(self.users, len(self.names))

    @property
    def newest(self) -> int:
        """The second of the newest listen; −1 when there is none."""
        return int(self._event_seconds.max()) if len(self._event_seconds) else -1

    def before(self, user: int, moment: int) -> slice:
        """Where a listener's plays and skips before a moment stand in the columns."""
        first, last = self._starts[user], self._starts[user + 1]
        return slice(int(first), int(first + np.searchsorted(self.seconds[first:last], moment)))

    def events_before(self, user: int, moment: int) -> tuple[int, int]:
        """(first, end) of a listener's rows of `events` before a moment."""
        first, last = self._event_starts[user], self._event_starts[user + 1]
        return int(first), int(first + np.searchsorted(self._event_seconds[first:last], moment))

    def known(self, user: int, moment: int) -> tuple[Numbers, Numbers]:
        """(known, met) before a moment: the distinct tracks played, and those begun at all, played or skipped."""
        span = self.before(user, moment)
        items = self.items[span]
        return np.unique(items[self.played[span]]), np.unique(items)

    def codes_of(self, tracks: pl.Series) -> Numbers:
        """The number of each track id; −1 for one that this log has never met."""
        return _codes(tracks, self.tracks)


def _whole(listens: pl.DataFrame, numbered: bool) -> pl.DataFrame:
    """Each event once, with the columns that are folded, in the order of Listen's fields."""
    frame = interactions.distinct(listens)
    if "event_id" not in frame.columns:  # every row is its own event
        frame = frame.with_columns(event_id=pl.format("row:{}", pl.int_range(pl.len())))
    user = pl.col("user_id").cast(pl.Int64) if numbered else pl.col("user_id")
    return frame.select(list(interactions.COLUMNS)).sort(user, "listened_at", maintain_order=True)


def _played(strict: bool) -> pl.Expr:
    unmeasured = pl.lit(False) if strict else pl.col("kind") == "play"  # a column's value
    return pl.when(pl.col("ms_played").is_null()).then(unmeasured).otherwise(pl.col("ms_played") >= PLAY_MS)


def _codes(values: pl.Series, names: list[str]) -> Numbers:
    numbered = pl.DataFrame({"name": names}, schema={"name": pl.String}).with_row_index("code")
    joined = values.to_frame("name").join(numbered, on="name", how="left", maintain_order="left")
    return joined["code"].cast(pl.Int64).fill_null(-1).to_numpy()


def _starts(codes: Numbers, count: int) -> Numbers:
    return np.searchsorted(codes, np.arange(count + 1))
