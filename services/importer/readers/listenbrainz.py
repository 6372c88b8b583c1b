"""ListenBrainz: dump lines, user exports, submissions, answers of its API, and the dump's Parquet files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from msgspec import Struct

from services.importer.json_items import Item, json_items
from services.importer.opening import parts
from services.importer.readers.table import is_parquet, parquet_frames
from services.importer.report import Report, names_told
from services.importer.row_buffer import RowBuffer
from services.importer.rows import Batch, Options
from services.importer.times import to_ms

SOURCE = "import:listenbrainz"
COLUMNS = ("row", "user_id", "listened_at", "track_id", "artist", "title", "release", "mbid", "duration_ms", "source")
PARQUET = (
    "listened_at",
    "user_id",
    "recording_msid",
    "artist_name",
    "release_name",
    "recording_name",
    "recording_mbid",
)
_MBID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MBID_COLUMN = f"^{_MBID.pattern}$"


class Info(Struct):
    """`additional_info`: what the listener's player sent along."""

    recording_mbid: str | None = None
    recording_msid: str | None = None
    duration_ms: Any = None
    duration: Any = None  # s


class Mapping(Struct):
    """`mbid_mapping`: what ListenBrainz found the recording to be."""

    recording_mbid: str | None = None


class Metadata(Struct):
    """`track_metadata`."""

    artist_name: str
    track_name: str
    release_name: str | None = None
    recording_msid: str | None = None
    additional_info: Info | None = None
    mbid_mapping: Mapping | None = None


class Line(Struct):
    """One listen: `listened_at` (s) in exports and submissions, `timestamp` (s) in dumps."""

    track_metadata: Metadata
    listened_at: int | float | str | None = None
    timestamp: int | float | str | None = None
    user_id: int | str | None = None
    user_name: str | None = None
    recording_msid: str | None = None


class Answer(Struct):
    """What the API answers inside `payload`."""

    listens: list[msgspec.Raw]
    user_id: str | None = None


class Submission(Struct):
    """What is sent to, or answered by, the API: several listens."""

    payload: list[msgspec.Raw] | Answer
    listen_type: str = "import"


_line = msgspec.json.Decoder(Line)
_submission = msgspec.json.Decoder(Submission)


class Wrong(ValueError):
    """A listen that cannot be taken in: field and what is wrong."""


def read(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The listens of one file. Users are `user_id`, else `user_name`, else the option `user`."""
    if is_parquet(file):
        yield from _parquet(file, options, report)
        return
    for part in parts(file, _wanted, report, options.encoding):
        buffer, unit = RowBuffer(COLUMNS), ""
        for item in json_items(part, report):
            unit = item.unit
            for data, user in _listens(item, part.name, report):
                _take(item._replace(data=data), user or options.user, buffer, part.name, report)
            if buffer.full:
                yield Batch(buffer.take(), part.name, unit)
        yield Batch(buffer.take(), part.name, unit)


def _wanted(name: str) -> bool:
    """Dump and export archives also hold feedback, pins and licences."""
    return name.endswith(".listens") or ("listens" in name and name.endswith((".json", ".jsonl")))


def _listens(item: Item, file: str, report: Report) -> Iterator[tuple[bytes, str | None]]:
    """The listens of one value, each with the user that the whole names."""
    if b'"payload"' not in item.data:
        yield item.data, None
        return
    try:
        submission = _submission.decode(item.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        report.problem(file, item.where, *_explained(error))
        return
    payload = submission.payload
    listens, user = (payload.listens, payload.user_id) if isinstance(payload, Answer) else (payload, None)
    if submission.listen_type == "playing_now":
        report.leave_out("playing now", len(listens))
        return
    for data in listens:
        yield bytes(data), user


def _take(item: Item, user: str | None, buffer: RowBuffer, file: str, report: Report) -> None:
    try:
        buffer.add(_row(_line.decode(item.data), item.number, user))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Wrong) as error:
        report.problem(file, item.where, *_explained(error))


def _row(line: Line, number: int, user: str | None) -> tuple[object, ...]:
    track = line.track_metadata
    info = track.additional_info or Info()
    mbid = _mbid((track.mbid_mapping and track.mbid_mapping.recording_mbid) or info.recording_mbid)
    named = track.artist_name.strip() and track.track_name.strip()
    who = line.user_id if line.user_id is not None else line.user_name
    return (
        number,
        user if who is None else str(who),
        _millis(line.timestamp if line.listened_at is None else line.listened_at),
        # A listen without names is none to ListenBrainz, whatever id it was given.
        (mbid or line.recording_msid or track.recording_msid or info.recording_msid or None) if named else None,
        track.artist_name,
        track.track_name,
        track.release_name,
        mbid,
        _duration(info),
        SOURCE,
    )


def _explained(error: Exception) -> tuple[str, str]:
    if isinstance(error, Wrong):
        field, message = error.args
        return field, message
    text, _, path = str(error).partition(" - at `$")
    return path.strip(".`"), text


def _mbid(text: str | None) -> str | None:
    if not text:
        return None
    if not _MBID.fullmatch(text):
        raise Wrong("recording_mbid", f"{text[:40]!r} is not a MusicBrainz id")
    return text.lower()


def _millis(seconds: float | str | None) -> int | None:
    try:
        return None if seconds is None else round(min(float(seconds), 2**43) * 1000)
    except (ValueError, OverflowError):
        raise Wrong("listened_at", f"{str(seconds)[:40]!r} is not a time in seconds") from None


def _duration(info: Info) -> int | None:
    """Players send all sorts of things here; what is no number is not known."""
    for value, unit in ((info.duration_ms, 1), (info.duration, 1000)):
        try:
            length = float(value) * unit
        except (TypeError, ValueError, OverflowError):
            continue
        if 0 < length < 2**53:
            return round(length)
    return None


def _parquet(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    for frame in parquet_frames(file, PARQUET, report):
        have = frame.columns
        missing = [name for name in ("listened_at", "artist_name", "recording_name") if name not in have]
        if missing:
            report.problem(file.name, "", missing[0], f"no such column; the file has {names_told(have)}")
            return
        frame = frame.with_columns(to_ms(frame["listened_at"], options.time_unit))
        mbid = _text("recording_mbid", have).str.to_lowercase()
        mbid = pl.when(mbid.str.contains(_MBID_COLUMN)).then(mbid)
        named = pl.all_horizontal(pl.col("artist_name", "recording_name").str.strip_chars() != "")
        user = _text("user_id", have)
        yield Batch(
            frame.select(
                "row",
                user.fill_null(pl.lit(options.user, pl.String)) if options.user else user,
                "listened_at",
                pl.when(named).then(pl.coalesce(mbid, _text("recording_msid", have))).alias("track_id"),
                pl.col("artist_name").alias("artist"),
                pl.col("recording_name").alias("title"),
                _text("release_name", have).alias("release"),
                mbid.alias("mbid"),
                pl.lit(SOURCE).alias("source"),
            ),
            file.name,
        )


def _text(name: str, have: list[str]) -> pl.Expr:
    return (pl.col(name).cast(pl.String) if name in have else pl.lit(None, pl.String)).alias(name)
