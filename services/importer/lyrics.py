"""Files of lyrics and of topics, joined to the tracks that there are by artist and title.

Lyrics in LyricsFreak's columns: artist, song, link, text. Topics in the Music Dataset's (Moura et al. 2020):
artist_name, track_name, release_date, genre, lyrics, topic. Other columns, scores of topics among them, are not read.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import NoDataError, PolarsError

from models.sources.shelf import normalised
from schemas.codec import encode
from services.importer.admit import MAX_ID, MAX_TITLE, track_ids
from services.importer.report import Report, names_told
from services.importer.tables import TRACKS, tracks_frame
from services.runtime.errors import Fatal

LYRICS = {"artist": "artist", "title": "song", "lyrics": "text"}
TOPICS = {
    "artist": "artist_name", "title": "track_name", "year": "release_date", "genre": "genre", "lyrics": "lyrics",
    "topic": "topic",
}  # fmt: skip
MAY_MISS = ("release_date", "genre")
MAX_LYRICS = 200_000
_KEYS = ("by", "called")
# An unquoted comma in lyrics shifts what stands behind it: cut off, the rest of a song would pass for its topic.
_BEYOND = [f"beyond_{number}" for number in range(8)]


def read_lyrics(files: Sequence[Path], report: Report) -> pl.DataFrame:
    """Columns of TRACKS. Raises Fatal for a file without the columns of LYRICS."""
    return pl.concat([tracks_frame(), *(_read(file, LYRICS, report) for file in files)])


def read_topics(files: Sequence[Path], report: Report) -> pl.DataFrame:
    """Columns of TRACKS, the topic among the labels. Raises Fatal for a file without the columns of TOPICS."""
    return pl.concat([tracks_frame(), *(_read(file, TOPICS, report) for file in files)])


def join(tracks: pl.DataFrame, lyrics: pl.DataFrame, topics: pl.DataFrame) -> pl.DataFrame:
    """`tracks` with lyrics and labels where artist and title are the same, and behind them the songs it had not.

    Letter case and remarks on the edition aside. A song in both files has the lyrics of `lyrics`, which are whole, and
    the topic of `topics`. What a track says of itself stays.
    """
    described = pl.concat([_keyed(lyrics), _keyed(topics)]).group_by(_KEYS, maintain_order=True)
    songs = described.agg(pl.col(name).drop_nulls().first() for name in TRACKS)
    known = _keyed(tracks)
    named = songs.select(
        *_KEYS, *(pl.col(name).alias(f"{name}_said") for name in ("lyrics", "labels", "genre", "year"))
    )
    told = known.join(named, on=_KEYS, how="left", maintain_order="left").with_columns(
        pl.coalesce(name, f"{name}_said").alias(name) for name in ("lyrics", "labels", "genre", "year")
    )
    new = songs.join(known, on=_KEYS, how="anti", maintain_order="left")
    both = pl.concat([told.select(TRACKS.keys()), new.select(TRACKS.keys())])
    return both.unique("track_id", keep="first", maintain_order=True)


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    by = normalised(frame["artist"].fill_null("")).alias("by")
    return frame.with_columns(by, normalised(frame["title"].fill_null("")).alias("called"))


def _read(file: Path, columns: dict[str, str], report: Report) -> pl.DataFrame:
    found = _rows(file)
    names = [name for name in found.columns if name not in _BEYOND]
    have = {name.strip().lower(): name for name in names}
    missing = [name for name in columns.values() if name not in have and name not in MAY_MISS]
    if missing:
        raise Fatal(
            f"{file}: no column {', '.join(missing)}; expected {', '.join(columns.values())}, found {names_told(names)}"
        )
    text = found.select(
        (pl.col(have[theirs]).str.strip_chars() if theirs in have else pl.lit(None, pl.String)).alias(ours)
        for ours, theirs in columns.items()
    ).with_columns(ragged=found.select(pl.any_horizontal(pl.col(_BEYOND).str.len_bytes() > 0)).to_series())
    return _tracks(_sane(text.with_row_index("row", 2), file.name, len(names), report))


def _rows(file: Path) -> pl.DataFrame:
    """All as it is written: columns as the header says, and _BEYOND for what a row has behind them."""
    try:
        names = pl.read_csv(file, infer_schema=False, n_rows=0, encoding="utf8-lossy", truncate_ragged_lines=True)
        schema = dict.fromkeys([*names.columns, *_BEYOND], pl.String())
        found = pl.read_csv(
            file, has_header=False, schema=schema, encoding="utf8-lossy", truncate_ragged_lines=True,
            missing_columns="insert",
        )  # fmt: skip
    except NoDataError as error:
        raise Fatal(f"{file}: is empty") from error
    except PolarsError:
        # Polars' own text quotes the cell that it stumbled on, which may be a whole song: not even as a cause.
        raise Fatal(f"{file}: not readable as CSV (an unclosed quote?)") from None
    header = found.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_max() or 0
    return found.slice(header + 1)


def _sane(text: pl.DataFrame, file: str, fields: int, report: Report) -> pl.DataFrame:
    """The rows that can be taken in. What is wrong with a row is told without a word of it."""
    beyond = f"has more fields than the {fields} of the header: put lyrics with commas in quotes"
    ragged = text.filter(pl.col("ragged").fill_null(False))
    report.problems(file, ((f"row {row}", "", beyond) for row in ragged["row"]), ragged.height)
    text = text.filter(~pl.col("ragged").fill_null(False))
    whole = text.filter(
        *(pl.col(name).str.len_bytes() > 0 for name in ("artist", "title", "lyrics")),
        pl.col("artist").str.len_bytes() <= MAX_ID,
        pl.col("title").str.len_bytes() <= MAX_TITLE,
        pl.col("lyrics").str.len_chars() <= MAX_LYRICS,
    )
    left = text.join(whole, on="row", how="anti")
    told = ((f"row {row}", "", "needs an artist, a title and lyrics of sane length") for row in left["row"])
    report.problems(file, told, left.height)
    return whole


def _tracks(found: pl.DataFrame) -> pl.DataFrame:
    """Columns of TRACKS; the ids are those that an import gives to plays without any."""
    if "topic" in found.columns:
        labels = [encode({"topic": topic}).decode() if topic else None for topic in found["topic"]]
        found = found.with_columns(labels=pl.Series(labels, dtype=pl.String))
    found = found.with_columns(track_ids(found))
    return found.select(
        (pl.col(name).cast(kind, strict=False) if name in found.columns else pl.lit(None, kind)).alias(name)
        for name, kind in TRACKS.items()
    )
