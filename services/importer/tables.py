"""Frames whose columns are the fields of `Listen` and `Track`, and their way to the bytes on the wire."""

from collections.abc import Iterator

import msgspec
import polars as pl

from schemas.codec import MAX_BYTES, encode
from schemas.events import Listen
from schemas.track import Track

# In the order of the structs' fields; a test holds that.
LISTENS: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "user_id": pl.String(),
    "track_id": pl.String(),
    "listened_at": pl.Int64(),  # ms since epoch, UTC
    "kind": pl.String(),
    "artist": pl.String(),
    "ms_played": pl.Int64(),
    "duration_ms": pl.Int64(),
    "scope": pl.String(),
    "organic": pl.Boolean(),
    "list_id": pl.String(),
    "source": pl.String(),
}
TRACKS: dict[str, pl.DataType] = {
    "track_id": pl.String(),
    "title": pl.String(),
    "artist": pl.String(),
    "release": pl.String(),
    "year": pl.Int64(),
    "duration_ms": pl.Int64(),
    "mbid": pl.String(),
    "genre": pl.String(),
    "labels": pl.String(),  # JSON object, task -> class; null: none
    "lyrics": pl.String(),
    "audio": pl.String(),
}

TrackRow = tuple[str | int | None, ...]  # one value for each column of TRACKS

_labels = msgspec.json.Decoder(dict[str, str])


def listens_frame() -> pl.DataFrame:
    """No listens."""
    return pl.DataFrame(schema=LISTENS)


def tracks_frame() -> pl.DataFrame:
    """No tracks."""
    return pl.DataFrame(schema=TRACKS)


def track_row(track: Track) -> TrackRow:
    """A track as a row of TRACKS."""
    labels = encode(track.labels).decode() if track.labels else None
    return (
        track.track_id, track.title, track.artist, track.release, track.year, track.duration_ms, track.mbid,
        track.genre, labels, track.lyrics, track.audio,
    )  # fmt: skip


def track_of(row: TrackRow) -> Track:
    """A row of TRACKS as a track. Raises msgspec.MsgspecError naming the wrong field."""
    fields: dict[str, object] = {name: value for name, value in zip(TRACKS, row, strict=True) if value is not None}
    if "labels" in fields:
        fields["labels"] = _labels.decode(str(fields["labels"]))
    return msgspec.convert(fields, Track)


def encode_listens(listens: pl.DataFrame) -> list[bytes]:
    """The messages for a frame of LISTENS that was admitted, in its order."""
    return [encode(Listen(*row)) for row in listens.iter_rows()]


def encode_tracks(tracks: pl.DataFrame) -> Iterator[tuple[str, bytes | str]]:
    """track_id and message for each row of TRACKS; instead of the message what is wrong, where something is."""
    for row in tracks.select(TRACKS.keys()).iter_rows():
        try:
            value = encode(track_of(row))
        except (msgspec.MsgspecError, UnicodeError) as error:
            yield row[0], str(error)
        else:
            yield row[0], value if len(value) <= MAX_BYTES else f"{len(value):,} bytes, more than {MAX_BYTES:,}"
