"""The tracks: a table of what the compacted topic says, newest value of each, with a snapshot on disk."""

import json
import logging
from functools import partial
from pathlib import Path

import polars as pl

from services.runtime.files import write_whole
from services.trainer.columns import TRACKS

log = logging.getLogger(__name__)

NAME = "tracks.parquet"
# A tombstone stays in the log for `delete.retention.ms`, a day by default. Past that a removal may have been missed.
OLDEST_MS = 12 * 3_600_000


class Tracks:
    """The newest value of each track. `positions` are the next offsets to read, by partition.

    It begins with the snapshot in `folder` if that is of the same topic and young enough at `now_ms`, else empty.
    """

    def __init__(self, folder: Path, topic_id: str, now_ms: int) -> None:
        self.path = folder / NAME
        self._topic_id = topic_id
        self._table = pl.DataFrame(schema=TRACKS)
        self._waiting: list[pl.DataFrame] = []
        self.positions: dict[int, int] = {}
        self._saved: dict[int, int] = {}
        if self.path.exists():
            self._begin_with_snapshot(now_ms)

    def take(self, partition: int, position: int, tracks: pl.DataFrame) -> None:
        """Take in what was read of a partition, up to before `position`."""
        if tracks.height:
            self._waiting.append(tracks)
        self.positions[partition] = position

    def table(self) -> pl.DataFrame:
        """The tracks there are: columns TRACKS, each track once, in no particular order."""
        if self._waiting:
            newest = pl.concat([self._table, *self._waiting]).unique("track_id", keep="last")
            self._table = newest.filter(~pl.col("gone"))
            self._waiting = []
        return self._table

    def save(self, now_ms: int) -> Path:
        """Write the snapshot, if anything has changed; where it is."""
        if self.positions != self._saved or not self.path.exists():
            about = {"topic_id": self._topic_id, "saved_ms": str(now_ms), "positions": json.dumps(self.positions)}
            write_whole(self.path, partial(self.table().write_parquet, compression="zstd", metadata=about))
            self._saved = dict(self.positions)
        return self.path

    def _begin_with_snapshot(self, now_ms: int) -> None:
        try:
            about = pl.read_parquet_metadata(self.path)
            fresh = about["topic_id"] == self._topic_id and now_ms - int(about["saved_ms"]) < OLDEST_MS
            positions = {int(partition): int(at) for partition, at in json.loads(about["positions"]).items()}
            table = pl.read_parquet(self.path)
        except (pl.exceptions.PolarsError, OSError, ValueError, KeyError, AttributeError) as error:
            log.warning("%s: %s; the tracks are read from the log again", self.path, error)
            return
        if fresh and dict(table.schema) == TRACKS:
            self._table, self.positions, self._saved = table, positions, dict(positions)
