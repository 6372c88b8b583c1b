"""Records of `listens` and `tracks` to polars frames."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from models.admission import admit
from schemas.codec import decode, encode
from schemas.errors import Poison
from schemas.events import Listen
from schemas.track import Track

LISTENS = {
    "offset": pl.Int64,
    "appended_ms": pl.Int64,
    "event_id": pl.String,
    "user_id": pl.String,
    "track_id": pl.String,
    "listened_at": pl.Int64,
    "kind": pl.String,
    "artist": pl.String,
    "ms_played": pl.Int64,
    "duration_ms": pl.Int64,
    "scope": pl.String,
    "organic": pl.Boolean,
    "list_id": pl.String,
    "source": pl.String,
}
TRACKS = {
    "track_id": pl.String,
    "title": pl.String,
    "artist": pl.String,
    "release": pl.String,
    "year": pl.Int32,
    "duration_ms": pl.Int64,
    "genre": pl.String,
    "labels": pl.String,  # JSON, task -> class; null: none
    "lyrics": pl.String,
    "audio": pl.String,
    "gone": pl.Boolean,  # a tombstone
}
_FIELDS = tuple(LISTENS)[2:]
_TRACK_FIELDS = tuple(TRACKS)[1:-1]


class Record(NamedTuple):
    """One record of a topic, bytes as they are."""

    offset: int
    time: int  # ms, the broker's
    key: bytes | None
    value: bytes | None


def listens(records: Sequence[Record]) -> tuple[pl.DataFrame, Counter[str]]:
    """The records that are listens, in order, and how many are not, by cause. The profiler dead-letters those."""
    poison: Counter[str] = Counter()
    offsets: list[int] = []
    times: list[int] = []
    admitted: list[Listen] = []
    for record in records:
        try:
            admitted.append(admit(record.value, record.key, record.time))
        except Poison as error:
            poison[error.cause] += 1
            continue
        offsets.append(record.offset)
        times.append(record.time)
    columns = {name: [getattr(listen, name) for listen in admitted] for name in _FIELDS}
    return pl.DataFrame({"offset": offsets, "appended_ms": times, **columns}, schema=LISTENS), poison


def tracks(records: Sequence[Record]) -> tuple[pl.DataFrame, Counter[str]]:
    """The records that describe or remove a track, in order, and how many do neither, by cause."""
    poison: Counter[str] = Counter()
    rows: list[tuple[object, ...]] = []
    nothing = (None,) * len(_TRACK_FIELDS)
    for record in records:
        try:
            if not record.key:
                raise Poison("bad-key", "a track's record needs its track_id as key - at `$.track_id`")
            name = record.key.decode("utf-8", "strict")
            if record.value is None:
                rows.append((name, *nothing, True))
                continue
            track = decode(Track, record.value)
            if track.track_id != name:
                raise Poison("bad-key", "the record's key is not its track_id - at `$.track_id`")
        except UnicodeDecodeError:
            poison["bad-key"] += 1
        except Poison as error:
            poison[error.cause] += 1
        else:
            rows.append((name, *(_value(track, field) for field in _TRACK_FIELDS), False))
    return pl.DataFrame(rows, schema=TRACKS, orient="row"), poison


def _value(track: Track, field: str) -> object:
    if field == "labels":
        return encode(track.labels).decode() if track.labels else None
    return getattr(track, field)


def catalogue_columns(path: Path) -> pl.DataFrame:
    """The tracks of a snapshot, as models.train takes them."""
    return pl.read_parquet(path).drop("gone")
