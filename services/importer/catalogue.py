"""Tracks: those that listens are about, and those of a file of tracks."""

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from schemas.codec import encode
from services.importer.csv_frames import csv_frames, named_once, split_line
from services.importer.opening import parts, told
from services.importer.readers import native
from services.importer.readers.table import is_parquet, parquet_frames
from services.importer.report import Report
from services.importer.rows import Options
from services.importer.tables import TRACKS, encode_tracks, tracks_frame

_DESCRIBED = ("title", "artist", "release", "duration_ms", "mbid")


def tracks_of(listens: pl.DataFrame) -> pl.DataFrame:
    """The distinct tracks of admitted listens (with title, release, mbid): the first known value of each field."""
    named = listens.filter(pl.col("title").is_not_null() & (pl.col("title") != "") & pl.col("artist").is_not_null())
    # Most repeat in full, which is far cheaper to see than to merge field by field.
    named = named.select("track_id", *_DESCRIBED).unique(maintain_order=True)
    merged = named.group_by("track_id", maintain_order=True).agg(
        pl.col(name).drop_nulls().first() for name in _DESCRIBED
    )
    return _whole(merged)


def merge(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Each track once, as it comes first."""
    return pl.concat([tracks_frame(), *frames]).unique("track_id", keep="first", maintain_order=True)


def filled(tracks: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Each track once: as `tracks` has it, and in the fields where that says nothing as `more` does."""
    known = pl.concat([tracks_frame(), tracks, more])
    return known.group_by("track_id", maintain_order=True).agg(pl.all().drop_nulls().first())


def read_tracks(file: Path, options: Options, report: Report) -> pl.DataFrame:
    """A file of tracks (CSV, Parquet or JSON lines with Track's field names) as columns of TRACKS, each track once.

    The newest, that is the last, value of a track wins. What is no track goes to the report.
    """
    if is_parquet(file):
        frames = [_typed(frame) for frame in parquet_frames(file, None, report)]
    elif ".json" in file.name or ".ndjson" in file.name:
        frames = [batch.tracks for batch in native.read(file, options, report) if batch.tracks is not None]
    else:
        frames = _csv(file, options, report)
    checked = [_checked(frame, file.name, report) for frame in frames]
    tracks = pl.concat([tracks_frame(), *checked]).unique("track_id", keep="last", maintain_order=True)
    return tracks.with_columns(_found(tracks["audio"], file.absolute().parent))


def _found(audio: pl.Series, folder: Path) -> pl.Series:
    """Relative paths of recordings are from the folder that the file of tracks is in."""
    uris = [uri if uri is None or "://" in uri else (folder / uri).as_uri() for uri in audio]
    return pl.Series("audio", uris, dtype=pl.String)


def _csv(file: Path, options: Options, report: Report) -> list[pl.DataFrame]:
    frames: list[pl.DataFrame] = []
    for part in parts(file, lambda name: name.lower().endswith((".csv", ".tsv")), report, options.encoding):
        with told(part.name, report):
            names, separator = split_line(part.stream.readline())
            named = named_once([name.lower() for name in names])
            frames += [_typed(f) for f in csv_frames(part.stream, part.name, named, separator, 2, report)]
    return frames


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of TRACKS and `row`; a struct of labels becomes its JSON, empty text is none."""
    if isinstance(frame.schema.get("labels"), pl.Struct):
        texts = [
            encode({task: name for task, name in (row or {}).items() if name is not None}) for row in frame["labels"]
        ]
        frame = frame.with_columns(pl.Series("labels", [text.decode() for text in texts]).replace("{}", None))
    have = set(frame.columns)
    empty: Callable[[str], pl.Expr] = lambda name: pl.col(name).replace("", None)  # noqa: E731  # one expression
    return frame.select(
        "row",
        *(
            (empty(name) if frame.schema[name] == pl.String else pl.col(name)).cast(kind, strict=False)
            if name in have
            else pl.lit(None, kind).alias(name)
            for name, kind in TRACKS.items()
        ),
    )


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, kind).alias(name) for name, kind in TRACKS.items() if name not in frame.columns]
    return frame.with_columns(missing).select(TRACKS.keys())


def _checked(frame: pl.DataFrame, file: str, report: Report) -> pl.DataFrame:
    """Without the rows that are no valid Track."""
    rows = frame["row"] if "row" in frame.columns else None
    good = []
    for at, (_, value) in enumerate(encode_tracks(frame)):
        good.append(not isinstance(value, str))
        if isinstance(value, str):
            text, _, path = value.partition(" - at `$")
            report.problem(file, f"row {rows[at]}" if rows is not None else "", path.strip(".`"), text)
    return frame.select(TRACKS.keys()).filter(pl.Series(good, dtype=pl.Boolean))
