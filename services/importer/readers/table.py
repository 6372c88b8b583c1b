"""Plain tables, CSV or Parquet, with a map from our names to the file's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from services.importer.csv_frames import csv_frames, named_once, split_line
from services.importer.opening import parts, told
from services.importer.report import Report, names_told
from services.importer.rows import ROWS, BadOption, Batch, Options, Unit
from services.importer.times import to_ms, unit_of

SLICE_ROWS = 2_000_000
# Our name -> what it is called when no map is given, letter case aside; the first that the file has is taken.
NAMES: dict[str, tuple[str, ...]] = {
    "user_id": ("user_id", "user", "userid", "username", "user_name"),
    "listened_at": ("listened_at", "timestamp", "played_at", "ts", "time", "datetime", "date"),
    "track_id": ("track_id",),
    "artist": ("artist", "artist_name"),
    "title": ("title", "track", "track_name"),
    "release": ("release", "album", "release_name", "album_name"),
    "mbid": ("mbid", "recording_mbid", "track_mbid"),
    "ms_played": ("ms_played",),
    "duration_ms": ("duration_ms",),
    "kind": ("kind",),
    "event_id": ("event_id",),
    "scope": ("scope",),
    "organic": ("organic",),
    "list_id": ("list_id",),
    "source": ("source",),
}
NUMBERS = ("ms_played", "duration_ms")
NAME_IT = "name it with --map (of segue import, train, evaluate and tune)"
NOT_A_NUMBER = -1  # refused later, with its field


def read_csv(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The rows of a delimited text file with a header."""
    mapped = _mapper(options, report, "import:csv")
    for part in parts(file, lambda name: name.lower().endswith((".csv", ".tsv", ".txt")), report, options.encoding):
        with told(part.name, report):
            names, separator = split_line(part.stream.readline())
            frames = csv_frames(part.stream, part.name, named_once(names), separator, 2, report)
            yield from mapped(part.name, frames)


def read_parquet(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The rows of a Parquet file."""
    yield from _mapper(options, report, "import:parquet")(file.name, parquet_frames(file, None, report))


def is_parquet(file: Path) -> bool:
    """Whether the file begins as Parquet does."""
    with file.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def parquet_frames(file: Path, wanted: Sequence[str] | None, report: Report) -> Iterator[pl.DataFrame]:
    """Slices of a Parquet file with those of the `wanted` columns (None: all) that it has, and `row` from 1."""
    try:
        scan = pl.scan_parquet(file)
        have = [name for name in scan.collect_schema().names() if wanted is None or name in wanted]
        height = int(scan.select(pl.len()).collect().item())
        for start in range(0, height, SLICE_ROWS):
            frame = scan.select(have).slice(start, SLICE_ROWS).collect()
            yield frame.drop("row", strict=False).with_row_index("row", start + 1).cast({"row": pl.Int64})
    except (PolarsError, PanicException, OSError) as error:
        report.problem(file.name, "", "", f"not readable as Parquet: {str(error).splitlines()[0]}")


def columns_of(have: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Our name -> the file's, by the given map first and the default names next. Raises BadOption on a bad map."""
    by_lower = {name.lower(): name for name in reversed(have)}
    found = {}
    for ours, defaults in NAMES.items():
        match = next((by_lower[name] for name in defaults if name in by_lower), None)
        if match:
            found[ours] = match
    for ours, theirs in given.items():
        ours = "title" if ours == "track" else ours
        if ours not in NAMES:
            raise BadOption(f"--map {ours}={theirs}: unknown name; known: {', '.join(NAMES)}")
        if theirs not in have:
            raise BadOption(f"--map {ours}={theirs}: the file has no such column; it has {names_told(have)}")
        found[ours] = theirs
    return found


Mapper = Callable[[str, Iterator[pl.DataFrame]], Iterator[Batch]]


def _mapper(options: Options, report: Report, source: str) -> Mapper:
    def mapped(file: str, frames: Iterator[pl.DataFrame]) -> Iterator[Batch]:
        unit: Unit | None = options.time_unit
        for frame in frames:
            have = [name for name in frame.columns if name != "row"]
            columns = columns_of(have, options.columns)
            lacking = _lacking(columns, options)
            if lacking:
                report.problem(file, "", lacking, f"no such column; it has {names_told(have)}; {NAME_IT}")
                return
            times = frame[columns["listened_at"]]
            unit = unit or (unit_of(times) if times.dtype.is_numeric() else None)
            yield Batch(_rows(frame, columns, to_ms(times, unit), options.user, source), file)

    return mapped


def _lacking(columns: Mapping[str, str], options: Options) -> str | None:
    if "user_id" not in columns and options.user is None:
        return "user_id"
    if "listened_at" not in columns:
        return "listened_at"
    if "track_id" not in columns and not {"artist", "title"} <= columns.keys():
        return "track_id (or artist and track)"
    return None


def _rows(
    frame: pl.DataFrame, columns: Mapping[str, str], times: pl.Series, user: str | None, source: str
) -> pl.DataFrame:
    named = {ours: _column(frame[theirs], ours) for ours, theirs in columns.items() if ours != "listened_at"}
    rows = pl.DataFrame([frame["row"], times.alias("listened_at"), *(s.alias(ours) for ours, s in named.items())])
    if user is not None:
        filled = pl.col("user_id").fill_null(user) if "user_id" in columns else pl.lit(user)
        rows = rows.with_columns(filled.alias("user_id"))
    filled = pl.col("source").fill_null(source) if "source" in columns else pl.lit(source)
    return rows.with_columns(filled.alias("source"))


def _column(values: pl.Series, ours: str) -> pl.Series:
    if ours in NUMBERS:
        return _count(values)
    if ours == "organic" and values.dtype == pl.String:
        return values.str.to_lowercase().replace_strict(
            {"true": True, "1": True, "false": False, "0": False}, default=None
        )
    if ROWS[ours] == pl.String and values.dtype != pl.String:
        return values.cast(pl.String, strict=False)
    return values


def _count(values: pl.Series) -> pl.Series:
    """Whole milliseconds; text that is no number becomes NOT_A_NUMBER."""
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    given = values.is_not_null() & (values.cast(pl.String, strict=False) != "")
    read = values.cast(pl.Float64, strict=False).fill_nan(None).round().cast(pl.Int64, strict=False)
    return read.zip_with(
        read.is_not_null() | ~given, pl.Series([NOT_A_NUMBER], dtype=pl.Int64).new_from_index(0, len(read))
    )
