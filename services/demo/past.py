"""The past of a crowd into a running stream: what `segue import` does with files, with frames; every event once."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
from msgspec import Struct

from schemas.topics import LISTENS, TRACKS
from services.importer.app import Cluster
from services.importer.catch_up import catch_up_events, catch_up_tracks
from services.importer.event_ids import keys_of
from services.importer.ledger import EventLedger, TrackLedger
from services.importer.progress import Meter
from services.importer.report import Report
from services.importer.sending import send_listens, send_tracks
from services.importer.state import locked
from services.importer.tables import encode_tracks
from services.runtime.bulk_producer import BulkProducer
from services.runtime.errors import Fatal
from services.runtime.settings import KafkaSettings

WEEK_MS = 7 * 86_400_000


class Sent(Struct):
    """What of the past the broker has acknowledged."""

    listens: int = 0
    already: int = 0  # listens that were in the topic before
    tracks: int = 0


def whole_weeks(end_ms: int, now_ms: int) -> int:
    """The whole weeks, in ms, by which a past that ends at `end_ms` is moved so that it ends in the week before now.

    Whole ones, so that a Saturday stays a Saturday.
    """
    return (now_ms - end_ms) // WEEK_MS * WEEK_MS


async def send_past(
    kafka: KafkaSettings,
    cluster: Cluster,
    state: Path,
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    sent: Sent,
    meter: Meter,
) -> None:
    """Send the tracks, then the listens, that the topics lack; `sent` is right also when this is cancelled.

    `state` is the importer's folder. Raises BrokerAway, and Fatal when the stream holds another crowd's tracks or an
    import runs.
    """
    folder = state / "import"
    with locked(folder / cluster.cluster_id):
        events = EventLedger(cluster.ledger(folder, LISTENS.name))
        known = TrackLedger(cluster.ledger(folder, TRACKS.name))
        try:
            await _catch_up(kafka, cluster, events, known, meter)
            _refuse_another_crowd(tracks, known)
            sent.already = int(events.has(keys_of(listens["event_id"])).sum())
            await _send(kafka, listens, tracks, events, known, sent, meter)
        finally:
            events.save()
            known.save()


async def _send(
    kafka: KafkaSettings,
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    events: EventLedger,
    known: TrackLedger,
    sent: Sent,
    meter: Meter,
) -> None:
    before = len(events)
    try:
        async with BulkProducer(kafka, LISTENS.name) as to_listens, BulkProducer(kafka, TRACKS.name) as to_tracks:
            sent.tracks = await send_tracks(tracks, True, to_tracks, known, Report(), meter)
            await send_listens(listens, to_listens, events, meter)
    finally:
        sent.listens = len(events) - before


async def _catch_up(
    kafka: KafkaSettings, cluster: Cluster, events: EventLedger, known: TrackLedger, meter: Meter
) -> None:
    def step(what: str) -> Callable[[int, int], None]:
        def at(done: int, total: int) -> None:
            if meter.what != what:
                meter.begin(what, total)
            meter.at(done)

        return at

    partitions = cluster.partitions
    await catch_up_events(kafka, LISTENS.name, partitions[LISTENS.name], events, step("reading the log of listens"))
    await catch_up_tracks(kafka, TRACKS.name, partitions[TRACKS.name], known, step("reading the log of tracks"))


def _refuse_another_crowd(tracks: pl.DataFrame, known: TrackLedger) -> None:
    """Crowds call their tracks alike; were two mixed, each would listen to the other's."""
    for track_id, value in encode_tracks(tracks):
        if isinstance(value, bytes) and known.has(track_id) and not known.holds(track_id, value):
            raise Fatal(
                f"the stream already holds another {track_id}, from a crowd of another --seed or elsewhere: nothing "
                "was sent; use that seed, or a stream of its own (segue up)"
            )
