"""HetRec 2011 Last.fm (hetrec2011-lastfm-2k): how often who played which artist, without times.

A count of n becomes ceil(log2(1 + n)) listens of a pseudo-track that stands for the artist, spread over one year at
times that depend on listener, artist and number alone: enough to rank by, and the same on every run.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from services.importer.csv_frames import csv_frames, split_line
from services.importer.opening import parts, told
from services.importer.report import Report
from services.importer.rows import Batch, Options

SOURCE = "import:hetrec"
COUNTS = "user_artists.dat"
ARTISTS = "artists.dat"
START_MS = 1_275_350_400_000  # 2010-06-01: the year before the set was published
YEAR_S = 365 * 86_400
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads consecutive numbers evenly


def read(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The folder (or its user_artists.dat); artist names come from artists.dat beside it, if it is there."""
    folder = file if file.is_dir() else file.parent
    if not (folder / COUNTS).is_file():
        report.problem(file.name, "", "", f"no {COUNTS} in the folder")
        return
    names = _names(folder / ARTISTS, options, report)
    for frame in _table(folder / COUNTS, ("userID", "artistID", "weight"), options, report):
        numbers = frame.with_columns(pl.col("userID", "artistID", "weight").cast(pl.Int64, strict=False))
        wrong = numbers.filter(pl.any_horizontal(pl.all().is_null()) | (pl.col("weight") < 1))
        found = ((f"row {row}", "", "not three positive whole numbers") for row in wrong["row"])
        report.problems(COUNTS, found, wrong.height)
        counts = numbers.filter(pl.all_horizontal(pl.all().is_not_null()) & (pl.col("weight") >= 1))
        yield Batch(_plays(counts.join(names, on="artistID", how="left", maintain_order="left")), COUNTS)


def _table(file: Path, names: tuple[str, ...], options: Options, report: Report) -> Iterator[pl.DataFrame]:
    for part in parts(file, lambda _: True, report, options.encoding):
        with told(part.name, report):
            header, separator = split_line(part.stream.readline(), "\t")
            if not set(names) <= set(header):
                report.problem(part.name, "line 1", "header", f"not the columns {', '.join(names)}")
                continue
            for frame in csv_frames(part.stream, part.name, header, separator, 2, report):
                yield frame.select("row", *names)


def _names(file: Path, options: Options, report: Report) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"artistID": pl.Int64(), "name": pl.String()})
    if not file.is_file():
        return empty
    frames = _table(file, ("id", "name"), options, report)
    named = (frame.select(pl.col("id").cast(pl.Int64, strict=False).alias("artistID"), "name") for frame in frames)
    return pl.concat([empty, *named]).drop_nulls().unique("artistID", keep="first", maintain_order=True)


def _plays(counts: pl.DataFrame) -> pl.DataFrame:
    plays = counts.with_columns(
        (64 - pl.col("weight").bitwise_leading_zeros()).cast(pl.Int64).alias("plays"),  # ceil(log2(1 + n)), exactly
        pl.col("name").fill_null("artist " + pl.col("artistID").cast(pl.String)),
    )
    plays = plays.with_columns(pl.int_ranges(pl.col("plays")).alias("nth")).explode("nth")
    return plays.select(
        "row",
        pl.col("userID").cast(pl.String).alias("user_id"),
        _times(plays).alias("listened_at"),
        ("hetrec:artist:" + pl.col("artistID").cast(pl.String)).alias("track_id"),
        pl.col("name").alias("artist"),
        pl.col("name").alias("title"),
        pl.lit(SOURCE).alias("source"),
    )


def _times(plays: pl.DataFrame) -> pl.Series:
    user, artist, nth = (plays[name].to_numpy().astype(np.uint64) for name in ("userID", "artistID", "nth"))
    mixed = ((user * _MIX ^ artist) * _MIX ^ nth) * _MIX  # uint64 wraps around: meant
    return pl.Series("listened_at", (mixed >> np.uint64(20)) % np.uint64(YEAR_S)).cast(pl.Int64) * 1000 + START_MS
