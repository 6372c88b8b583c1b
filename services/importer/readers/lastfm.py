"""Last.fm and Libre.fm scrobbles as CSV: lastfm-to-csv, mainstream.ghan.nl, Libre.fm's own export."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl
from msgspec import Struct

from services.importer.csv_frames import Lines, csv_frames, named_once, split_line
from services.importer.opening import Part, parts, told
from services.importer.report import Report
from services.importer.rows import BadOption, Batch, Options
from services.importer.times import to_ms

SOURCE = "import:lastfm"
BARE = ["artist", "album", "track", "date"]  # lastfm-to-csv writes no header
DATES = ("%d %b %Y %H:%M", "%d %b %Y, %H:%M", "%d %b %Y %H:%M:%S")
TIMES = ("uts", "time", "timestamp", "date", "utc_time")  # the most exact first
COMMENT = (b"#", b"+ACM-")  # Libre.fm writes its "#" in UTF-7
MBID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
PREAMBLE = 50  # comment lines there may be before the header


class Layout(Struct, frozen=True):
    """Where things stand in one file."""

    names: list[str]  # in lower case
    separator: str
    first: int  # the line of the first row
    rows: list[bytes]  # lines already read that are rows


def read(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The scrobbles of one file. Raises BadOption without a user, unless a column tells."""
    for part in parts(file, lambda name: name.lower().endswith(".csv"), report, options.encoding):
        with told(part.name, report):
            layout = layout_of(part, report)
            if layout is None:
                continue
            user_column = next(
                (name for name in ("user_id", "userid", "user", "username") if name in layout.names), None
            )
            if user_column is None and options.user is None:
                raise BadOption(f"{part.name} does not say whose scrobbles these are: name the listener with --user")
            stream = _Joined(layout.rows, part.stream)
            for frame in csv_frames(stream, part.name, layout.names, layout.separator, layout.first, report):
                yield Batch(_rows(frame, user_column, options), part.name)


def layout_of(part: Part, report: Report) -> Layout | None:
    """Finds the header, or knows the form that has none; None: it is none of these, which the report is told."""
    lines = list(islice(part.stream, PREAMBLE))
    skipped = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith(COMMENT)), len(lines))
    fields, separator = split_line(lines[skipped]) if skipped < len(lines) else ([], ",")
    names = [field.strip().lower() for field in fields]
    if {"artist", "track"} <= set(names) and any(name in names for name in TIMES):
        return Layout(named_once(names), separator, skipped + 2, lines[skipped + 1 :])
    if len(fields) == len(BARE) and is_date(fields[3]):
        return Layout(BARE, separator, skipped + 1, lines[skipped:])
    report.problem(
        part.name, f"line {skipped + 1}", "header", "not a scrobble export: neither columns artist, track and a time, "
        "nor four fields artist, album, track, date"
    )  # fmt: skip
    return None


class _Joined:
    """Lines already read, then the rest of the stream: as much of a stream as csv_frames needs."""

    def __init__(self, lines: list[bytes], stream: Lines) -> None:
        self._lines = b"".join(lines)
        self._stream = stream

    def read1(self, size: int) -> bytes:
        data, self._lines = self._lines, b""
        return data or self._stream.read1(size)

    def readline(self) -> bytes:
        return self._stream.readline()


def _rows(frame: pl.DataFrame, user_column: str | None, options: Options) -> pl.DataFrame:
    time = next(name for name in TIMES if name in frame.columns)
    user = pl.col(user_column).fill_null(pl.lit(options.user, pl.String)) if user_column else pl.lit(options.user)
    given = _text(frame, "track_mbid").str.to_lowercase()
    mbid = pl.when(given.str.contains(MBID)).then(given)
    return frame.select(
        "row",
        user.alias("user_id"),
        _date(frame[time], options).alias("listened_at"),
        mbid.alias("track_id"),
        "artist",
        pl.col("track").alias("title"),
        _text(frame, "album").alias("release"),
        mbid.alias("mbid"),
        pl.lit(SOURCE).alias("source"),
    )


def is_date(text: str) -> bool:
    """Whether this is how a scrobble export writes a time."""
    return _date(pl.Series([text], dtype=pl.String)).null_count() == 0


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name)) if name in frame.columns else pl.lit(None, pl.String)


def _date(values: pl.Series, options: Options | None = None) -> pl.Series:
    """ "03 Feb 2024 21:07", or anything that `to_ms` reads."""
    tried = [
        values.str.strip_chars().str.to_datetime(form, strict=False, time_unit="ms").dt.epoch("ms") for form in DATES
    ]
    tried.append(to_ms(values, options.time_unit if options else None))
    named = [series.alias(str(number)) for number, series in enumerate(tried)]
    return pl.DataFrame(named).select(pl.coalesce(pl.all())).to_series()
