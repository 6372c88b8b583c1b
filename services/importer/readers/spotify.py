"""Spotify: the account export and the extended streaming history, as JSON files or the zip they come in."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct

from services.importer.json_items import Item, json_items
from services.importer.opening import parts
from services.importer.report import Report
from services.importer.row_buffer import RowBuffer
from services.importer.rows import BadOption, Batch, Options
from services.importer.times import iso_ms

SOURCE = "import:spotify"
NAME = re.compile(r"(Streaming_?History|endsong).*\.json$", re.IGNORECASE)
COLUMNS = ("row", "ended", "track_id", "artist", "title", "release", "ms_played")
SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(COLUMNS, pl.String()),
    "row": pl.Int64(),
    "ms_played": pl.Int64(),
}


class Stream(Struct):
    """One stream of either export: account (endTime, artistName…) or extended (ts, master_metadata_…)."""

    ts: str | None = None
    endTime: str | None = None  # noqa: N815  # Spotify's name
    ms_played: int | None = None
    msPlayed: int | None = None  # noqa: N815  # Spotify's name
    master_metadata_track_name: str | None = None
    master_metadata_album_artist_name: str | None = None
    master_metadata_album_album_name: str | None = None
    spotify_track_uri: str | None = None
    artistName: str | None = None  # noqa: N815  # Spotify's name
    trackName: str | None = None  # noqa: N815  # Spotify's name
    podcastName: str | None = None  # noqa: N815  # Spotify's name
    audiobook_title: str | None = None
    audiobook_uri: str | None = None
    episode_name: str | None = None
    spotify_episode_uri: str | None = None


_decoder = msgspec.json.Decoder(Stream)


def read(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The streams of one listener; podcasts and audiobooks are left out. Raises BadOption without a user."""
    if options.user is None:
        raise BadOption("a Spotify export does not say whose it is: name the listener with --user")
    for part in parts(file, lambda name: bool(NAME.search(name)), report, options.encoding):
        buffer, unit = RowBuffer(COLUMNS, SCHEMA), ""
        for item in json_items(part, report):
            unit = item.unit
            _take(item, buffer, part.name, report)
            if buffer.full:
                yield Batch(_rows(buffer.take(), options.user), part.name, unit)
        yield Batch(_rows(buffer.take(), options.user), part.name, unit)


def _take(item: Item, buffer: RowBuffer, file: str, report: Report) -> None:
    try:
        stream = _decoder.decode(item.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text, _, path = str(error).partition(" - at `$")
        report.problem(file, item.where, path.strip(".`"), text)
        return
    title = stream.master_metadata_track_name or stream.trackName
    if title is None and (why := _left_out(stream)):
        report.leave_out(why)
        return
    ended = stream.ts or stream.endTime
    artist = stream.master_metadata_album_artist_name or stream.artistName
    played = stream.ms_played if stream.ms_played is not None else stream.msPlayed
    release = stream.master_metadata_album_album_name
    buffer.add((item.number, ended, stream.spotify_track_uri or None, artist, title, release, played))


def _left_out(stream: Stream) -> str | None:
    if stream.episode_name or stream.spotify_episode_uri or stream.podcastName:
        return "podcast"
    if stream.audiobook_title or stream.audiobook_uri:
        return "audiobook"
    # Spotify blanks what it no longer knows, e.g. a local file or a track withdrawn since: nothing to recommend by.
    return "without a name" if stream.ts else None


def _rows(streams: pl.DataFrame, user: str) -> pl.DataFrame:
    """Spotify tells when a stream ended; a listen is when it began."""
    ended = iso_ms(streams["ended"])
    return streams.drop("ended").with_columns(
        (ended - pl.col("ms_played").fill_null(0).clip(0, 2**53)).alias("listened_at"),
        pl.lit(user).alias("user_id"),
        pl.lit(SOURCE).alias("source"),
    )
