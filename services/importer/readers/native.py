"""Segue's own lines: `Listen` and `Track` messages as they are on the wire, one JSON object a line."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from schemas.codec import decode
from schemas.errors import Poison
from schemas.events import Listen
from schemas.track import Track
from services.importer.json_items import Item, json_items
from services.importer.opening import parts
from services.importer.report import Report
from services.importer.row_buffer import RowBuffer
from services.importer.rows import Batch, Options
from services.importer.tables import TRACKS, track_row

SOURCE = "import:jsonl"
COLUMNS = (
    "row", "event_id", "user_id", "track_id", "listened_at", "kind", "artist", "ms_played", "duration_ms", "scope",
    "organic", "list_id", "source",
)  # fmt: skip


class Probe(msgspec.Struct):
    """Enough of a line to tell which message it is."""

    title: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_probe = msgspec.json.Decoder(Probe)


def read(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """Listens and tracks of one file, mixed as they come: a line with a title is a track."""
    for part in parts(
        file, lambda name: name.lower().endswith((".jsonl", ".ndjson", ".json")), report, options.encoding
    ):
        listens, tracks, unit = RowBuffer(COLUMNS), RowBuffer(tuple(TRACKS), TRACKS), ""
        for item in json_items(part, report):
            unit = item.unit
            _take(item, listens, tracks, part.name, report)
            if listens.full or tracks.full:
                yield Batch(listens.take(), part.name, unit, tracks.take())
        yield Batch(listens.take(), part.name, unit, tracks.take())


def _take(item: Item, listens: RowBuffer, tracks: RowBuffer, file: str, report: Report) -> None:
    try:
        if _is_track(item.data):
            tracks.add(track_row(decode(Track, item.data)))
        else:
            listen = decode(Listen, item.data)
            listens.add(
                (
                    item.number, listen.event_id, listen.user_id, listen.track_id, listen.listened_at, listen.kind,
                    listen.artist, listen.ms_played, listen.duration_ms, listen.scope, listen.organic, listen.list_id,
                    listen.source or SOURCE,
                )
            )  # fmt: skip
    except Poison as error:
        text, _, path = str(error).partition(" - at `$")
        report.problem(file, item.where, path.strip(".`"), text)


def _is_track(item: bytes) -> bool:
    try:
        return _probe.decode(item).title is not msgspec.UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # decoding it as a listen says what is wrong
