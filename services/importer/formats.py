"""The formats there are, and which one a file is."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import polars as pl
from polars.exceptions import PolarsError

from services.importer.csv_frames import split_line
from services.importer.opening import TROUBLE, Part, parts
from services.importer.readers import audio, hetrec, lastfm, listenbrainz, native, spotify, table
from services.importer.report import Report
from services.importer.rows import BadOption, Reader
from services.runtime.errors import Fatal

Format = Literal["listenbrainz", "spotify", "lastfm", "hetrec", "csv", "parquet", "jsonl", "audio"]

READERS: dict[str, Reader] = {
    "listenbrainz": listenbrainz.read,
    "spotify": spotify.read,
    "lastfm": lastfm.read,
    "hetrec": hetrec.read,
    "csv": table.read_csv,
    "parquet": table.read_parquet,
    "jsonl": native.read,
    "audio": audio.read,
}
# Where the source's own rule says that equal listens are one: ListenBrainz keeps one a user, second and recording.
ONCE = ("listenbrainz",)
# How the files of a format are named: which of a folder's files are looked at.
ENDINGS: dict[Format, str] = {
    "listenbrainz": r"\.(listens|json|jsonl|parquet)",
    "spotify": r"(streaming_?history|endsong).*\.json",
    "lastfm": r"\.csv",
    "hetrec": rf"^{re.escape(hetrec.COUNTS)}",
    "csv": r"\.(csv|tsv|txt)",
    "parquet": r"\.parquet",
    "jsonl": r"\.(jsonl|ndjson|json)",
    "audio": r"(?!)",  # a folder of recordings is read as a whole, and only when it is asked for
}
PACKED = r"(\.(gz|bz2|xz|zst|zip))?"
HEAD_BYTES = 1 << 16  # as much of a file as is looked at to tell its format


class NoSuchFile(Fatal):
    """A file that is named but not there."""


def reader_of(name: str) -> Reader:
    """The reader of a format. Raises BadOption when there is none of that name."""
    if name not in READERS:
        raise BadOption(f"unknown format {name!r}; known: {', '.join(get_args(Format))}")
    return READERS[name]


def expand(files: Sequence[Path], form: Format | None = None) -> list[Path]:
    """Files, and for a folder those files in it that are named as the format's (None: any format's) are.

    A HetRec folder stays one, and one of recordings. Raises NoSuchFile.
    """
    found = []
    for file in files:
        if file.is_dir() and form != "audio" and not (file / hetrec.COUNTS).is_file():
            inside = sorted(path for path in file.rglob("*") if path.is_file() and _named(path.name, form))
            if not inside:
                raise NoSuchFile(f"{file}: no file in this folder is named as those of {form or 'any format'} are")
            found += inside
        elif file.exists():
            found.append(file)
        else:
            raise NoSuchFile(f"{file}: no such file or folder")
    return found


def _named(name: str, form: Format | None) -> bool:
    endings = [ending for known, ending in ENDINGS.items() if form in (known, None)]
    return any(re.search(rf"({ending}){PACKED}$", name, re.IGNORECASE) for ending in endings)


def detect(path: Path, times: str | None = None) -> Format:
    """The format of a file or folder, from its name and content. Raises BadOption when it cannot be told.

    `times`: what the column of times is called, if that was said.
    """
    file = expand([path])[0]
    if file.is_dir() or file.name == hetrec.COUNTS:
        return "hetrec"
    if table.is_parquet(file):
        return _parquet(file)
    for part in parts(file, lambda _: True, Report(limit=0)):
        if guess := _part(part, times):
            return guess
    raise BadOption(
        f"{file.name}: cannot tell what format it is; name one of {', '.join(get_args(Format))} (to segue import), "
        "or a table's column of times: --map listened_at=NAME"
    )


def _part(part: Part, times: str | None) -> Format | None:
    """By the name, where that tells, else by the beginning."""
    if spotify.NAME.search(part.name):
        return "spotify"
    if ".listens" in part.name:
        return "listenbrainz"
    try:
        head = part.stream.read(HEAD_BYTES)
    except TROUBLE:
        return None
    return _json(head) if head.lstrip()[:1] in (b"{", b"[") else _text(head, times)


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


def _text(head: bytes, times: str | None) -> Format | None:
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
    known = (*table.NAMES["listened_at"], *([times.lower()] if times else []))
    return "csv" if len(fields) > 1 and any(name in names for name in known) else None
