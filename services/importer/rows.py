"""What a reader is, and the raw rows that every reader yields."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol, get_args

import polars as pl
from msgspec import Struct, field

from models.audio.settings import TASKS, Task
from services.importer.report import Report
from services.runtime.errors import Fatal

Unit = Literal["s", "ms", "us", "ns"]

# One play as a source tells it; anything may be null. `row` is where it stands in its file, times are ms since epoch.
ROWS: dict[str, pl.DataType] = {
    "row": pl.Int64(),
    "user_id": pl.String(),
    "listened_at": pl.Int64(),
    "track_id": pl.String(),
    "artist": pl.String(),
    "title": pl.String(),
    "release": pl.String(),
    "mbid": pl.String(),
    "ms_played": pl.Int64(),
    "duration_ms": pl.Int64(),
    "kind": pl.String(),
    "event_id": pl.String(),
    "scope": pl.String(),
    "organic": pl.Boolean(),
    "list_id": pl.String(),
    "source": pl.String(),
}


class BadOption(Fatal):
    """An option that is missing or cannot be meant; the text names it and says what is expected."""


class Options(Struct, frozen=True):
    """How to read: the same for every file of one import."""

    now_ms: int  # a listen more than a day later than this is wrong
    user: str | None = None  # whose listens these are, for formats that do not say
    columns: Mapping[str, str] = field(default_factory=dict)  # our name -> the file's name
    time_unit: Unit | None = None  # of numeric times; None: told from their size
    task: Task = "genre"  # of recordings: what the folders they are in are classes of
    labels: Path | None = None  # of recordings: a CSV that says more of them
    encoding: str | None = None  # of text; None: UTF-8, or UTF-16 with a byte order mark

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.user is not None and not 1 <= len(self.user) <= 512:
            raise BadOption(f"--user has {len(self.user)} characters; a user id has 1 to 512")
        if self.time_unit not in (None, *get_args(Unit)):
            raise BadOption(f"--time-unit {self.time_unit!r} is unknown; known: {', '.join(get_args(Unit))}")
        if self.task not in TASKS:
            raise BadOption(f"--task {self.task!r} is unknown; known: {', '.join(TASKS)}")


class Batch(Struct):
    """Some rows of one file, in its order."""

    rows: pl.DataFrame  # columns of ROWS, those that the source has
    part: str  # the file, or the member of an archive, that they are from
    unit: str = "row"  # what the column `row` counts: "row", "line", "item"
    tracks: pl.DataFrame | None = None  # whole tracks, when the file holds such (columns of TRACKS)


class Reader(Protocol):
    """Reads one file of one format. Never raises over what the file holds: that goes to the report."""

    def __call__(self, file: Path, options: Options, report: Report) -> Iterator[Batch]:
        """The file's rows, batch by batch."""
        ...


def whole(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows with every column of ROWS, missing ones null. One chunk of memory, exact types."""
    have = set(rows.columns)
    return rows.select(
        (pl.col(name).cast(kind, strict=False) if name in have else pl.lit(None, kind)).alias(name)
        for name, kind in ROWS.items()
    )
