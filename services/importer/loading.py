"""Files to frames of listens and tracks: what both the way to Kafka and training without a broker go through."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct

from services.importer.admit import admit
from services.importer.catalogue import merge, read_tracks, tracks_of
from services.importer.event_ids import EventIds
from services.importer.formats import ONCE, Format, detect, expand, reader_of
from services.importer.report import Report
from services.importer.rows import Options
from services.importer.tables import LISTENS, listens_frame, tracks_frame

MEMORY_ROWS = 4_000_000  # listens held and sorted at once: about 1.5 GB


class Chunk(Struct):
    """As much of the files as is held in memory at once."""

    listens: pl.DataFrame  # columns of LISTENS, by time
    tracks: pl.DataFrame  # those the listens are about, as far as the source names them; columns of TRACKS
    given: pl.DataFrame  # whole tracks that the files hold; columns of TRACKS


class Frames(Struct):
    """Everything the files hold."""

    listens: pl.DataFrame  # columns of LISTENS, by time
    tracks: pl.DataFrame  # columns of TRACKS, each track once


class Gathering:
    """Collects admitted rows into chunks of about `most` rows, each sorted by time: one chunk if they all fit."""

    def __init__(self, most: int = MEMORY_ROWS) -> None:
        self._most = most
        self._listens: list[pl.DataFrame] = []
        self._given: list[pl.DataFrame] = []

    def add(self, listens: pl.DataFrame, tracks: pl.DataFrame) -> Chunk | None:
        """Take these in; a chunk when there is enough for one."""
        self._listens.append(listens)
        self._given.append(tracks)
        return self.end() if sum(frame.height for frame in self._listens) >= self._most else None

    def end(self) -> Chunk | None:
        """The chunk of all that is left; None: nothing is."""
        held, given, self._listens, self._given = self._listens, self._given, [], []
        if not any(frame.height for frame in (*held, *given)):
            return None
        listens = pl.concat(held).sort("listened_at", maintain_order=True)
        tracks = pl.concat([tracks_frame(), *given]).unique("track_id", keep="last", maintain_order=True)
        return Chunk(listens.select(LISTENS.keys()), tracks_of(listens), tracks)


def chunks(
    files: Sequence[Path], form: Format | None, options: Options, report: Report, most: int = MEMORY_ROWS
) -> Iterator[Chunk]:
    """The files' listens and tracks. Raises NoSuchFile and BadOption; what is wrong inside goes to the report."""
    gathering = Gathering(most)
    for listens, tracks in admitted(files, form, options, report):
        if chunk := gathering.add(listens, tracks):
            yield chunk
    if last := gathering.end():
        yield last


def admitted(
    files: Sequence[Path], form: Format | None, options: Options, report: Report
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Listens (with title, release, mbid) and whole tracks, batch by batch as the files hold them."""
    for file in expand(files, form):
        name = form or detect(file, options.columns.get("listened_at"))
        before, rows = (report.bad, report.left_out.total()), 0
        part, ids = "", EventIds()
        for batch in reader_of(name)(file, options, report):
            if batch.part != part:
                part, ids = batch.part, EventIds(once=name in ONCE)
            rows += batch.rows.height + (0 if batch.tracks is None else batch.tracks.height)
            listens = admit(batch.rows, options.now_ms, part, batch.unit, ids, report)
            yield listens, tracks_frame() if batch.tracks is None else batch.tracks
        if not rows and before == (report.bad, report.left_out.total()):
            report.problem(file.name, "", "", f"holds nothing of format {name}")


def load(
    files: Sequence[Path],
    track_files: Sequence[Path] = (),
    form: Format | None = None,
    options: Options | None = None,
    report: Report | None = None,
) -> Frames:
    """The same listens and tracks that an import would send, without a broker. `form` None: told from each file.

    A track of `track_files`, or given whole by a file, goes before what listens tell of it. Raises NoSuchFile and
    BadOption; what is wrong inside the files goes to the report.
    """
    options = options or Options(now_ms=int(time.time() * 1000))
    report = report or Report()
    found = list(chunks(files, form, options, report)) if files else []
    listens = pl.concat([listens_frame(), *(chunk.listens for chunk in found)])
    if len(found) > 1:
        listens = listens.sort("listened_at", maintain_order=True)
    given = [read_tracks(file, options, report) for file in reversed(expand(track_files))]
    tracks = [*given, *(chunk.given for chunk in reversed(found)), *(chunk.tracks for chunk in found)]
    return Frames(listens, merge(tracks))
