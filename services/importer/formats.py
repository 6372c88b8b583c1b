"""The formats there are, and which one a file is."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import polars as pl
from polars.exceptions import PolarsError

from services.importer.csv_frames import split_line
from services.importer.opening import packing, parts
from services.importer.readers import hetrec, lastfm, listenbrainz, native, spotify, table
from services.importer.report import Report
from services.importer.rows import BadOption, Reader
from services.runtime.errors import Fatal

Format = Literal["listenbrainz", "spotify", "lastfm", "hetrec", "csv", "parquet", "jsonl"]

READERS: dict[str, Reader] = {
    "listenbrainz": listenbrainz.read,
    "spotify": spotify.read,
    "lastfm": lastfm.read,
    "hetrec": hetrec.read,
    "csv": table.read_csv,
    "parquet": table.read_parquet,
    "jsonl": native.read,
}
# Where the source's own rule says that equal listens are one: ListenBrainz keeps one a user, second and recording.
ONCE = ("listenbrainz",)


class NoSuchFile(Fatal):
    """A file that is named but not there."""


def reader_of(name: str) -> Reader:
    """The reader of a format. Raises BadOption when there is none of that name."""
    if name not in READERS:
        raise BadOption(f"unknown format {name!r}; known: {', '.join(get_args(Format))}")
    return READERS[name]


def expand(files: Sequence[Path]) -> list[Path]:
    """Files, and for a folder its files (a HetRec folder stays one). Raises NoSuchFile."""
    found = []
    for file in files:
        if file.is_dir() and not (file / hetrec.COUNTS).is_file():
            inside = sorted(path for path in file.rglob("*") if path.is_file() and not path.name.startswith("."))
            if not inside:
                raise NoSuchFile(f"{file}: the folder is empty")
            found += inside
        elif file.exists():
            found.append(file)
        else:
            raise NoSuchFile(f"{file}: no such file or folder")
    return found


def detect(path: Path) -> Format:
    """The format of a file or folder, from its name and content. Raises BadOption when it cannot be told."""
    file = expand([path])[0]
    if file.is_dir() or file.name == hetrec.COUNTS:
        return "hetrec"
    if table.is_parquet(file):
        return _parquet(file)
    if spotify.NAME.search(file.name):
        return "spotify"
    ignored = Report(limit=0)
    if packing(file) == "zip" and any(True for _ in parts(file, lambda name: bool(spotify.NAME.search(name)), ignored)):
        return "spotify"
    part = next(parts(file, lambda _: True, ignored), None)
    head = part.stream.read(1 << 16) if part else b""
    if ".listens" in file.name:
        return "listenbrainz"
    guess = _json(head) if head.lstrip()[:1] in (b"{", b"[") else _text(head)
    if guess is None:
        raise BadOption(f"{file.name}: cannot tell what format it is; name one of {', '.join(get_args(Format))}")
    return guess


def _parquet(file: Path) -> Format:
    try:
        names = pl.read_parquet_schema(file).keys()
    except (PolarsError, OSError):
        return "parquet"
    return "listenbrainz" if {"recording_name", "artist_name", "listened_at"} <= set(names) else "parquet"


def _json(head: bytes) -> Format | None:
    """By the field names that only one format has, in order of their telling power."""
    telling: tuple[tuple[Format, bytes], ...] = (
        ("spotify", rb'"(master_metadata_track_name|endTime|msPlayed)"\s*:'),
        ("listenbrainz", rb'"track_metadata"\s*:'),
        ("jsonl", rb'"(event_id|track_id)"\s*:'),
    )
    return next((name for name, pattern in telling if re.search(pattern, head)), None)


def _text(head: bytes) -> Format | None:
    lines = [line for line in head.splitlines() if line.strip()]
    if not lines:
        return None
    if lines[0].startswith(lastfm.COMMENT):
        return "lastfm"
    fields, _ = split_line(lines[0])
    names = {field.strip().lower() for field in fields}
    if {"uts", "artist", "track"} <= names or [f.strip().lower() for f in fields] == [
        "artist",
        "track",
        "album",
        "time",
    ]:
        return "lastfm"
    if len(fields) == len(lastfm.BARE) and lastfm.is_date(fields[3]):
        return "lastfm"
    return "csv" if len(fields) > 1 and any(name in names for name in table.NAMES["listened_at"]) else None
