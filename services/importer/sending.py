"""Frames of listens and tracks to their topics: only what is not there yet, one listener's listens in their order."""

import asyncio
from collections import deque
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from services.importer.event_ids import keys_of
from services.importer.key_set import Keys
from services.importer.ledger import EventLedger, TrackLedger
from services.importer.progress import Meter
from services.importer.report import Report
from services.importer.tables import encode_listens, encode_tracks
from services.runtime.bulk_producer import BulkProducer, partition_of

SLICE_ROWS = 20_000  # encoded at once
UNDER_WAY = 3  # slices that the broker has not yet acknowledged


async def send_listens(listens: pl.DataFrame, producer: BulkProducer, ledger: EventLedger, meter: Meter) -> int:
    """Send those that the ledger does not know, and tell the ledger once the broker has them; how many were sent."""
    keys = keys_of(listens["event_id"])
    new = ~ledger.has(keys) & _first(keys)
    fresh, keys = listens.filter(pl.Series(new)), keys[new]
    partitions = _partitions(fresh["user_id"], producer.partitions)
    meter.begin("listens", fresh.height)
    under_way: deque[asyncio.Task[int]] = deque()
    try:
        for start in range(0, fresh.height, SLICE_ROWS):
            part = slice(start, start + SLICE_ROWS)
            sending = _send_slice(fresh[part], keys[part], partitions[part], producer, ledger)
            under_way.append(asyncio.create_task(sending))
            await asyncio.sleep(0)  # lets it begin, so that slices queue up in their order
            while len(under_way) > UNDER_WAY or (under_way and under_way[0].done()):
                meter.advance(await under_way.popleft())
        while under_way:
            meter.advance(await under_way.popleft())
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
    return fresh.height


async def _send_slice(
    listens: pl.DataFrame, keys: Keys, partitions: NDArray[np.int64], producer: BulkProducer, ledger: EventLedger
) -> int:
    values = encode_listens(listens)
    users = [user.encode() for user in listens["user_id"]]
    groups = {int(number): np.flatnonzero(partitions == number) for number in np.unique(partitions)}

    async def send_one(partition: int, at: NDArray[np.int64]) -> None:
        sent = await producer.send(partition, [users[i] for i in at], [values[i] for i in at])
        for batch in sent:
            ledger.add(keys[at[batch.first : batch.first + batch.count]])
            ledger.offsets.advance(partition, batch.offset, batch.count)

    await asyncio.gather(*(send_one(partition, at) for partition, at in groups.items()))
    return listens.height


async def send_tracks(
    tracks: pl.DataFrame, whole: bool, producer: BulkProducer, ledger: TrackLedger, report: Report, meter: Meter
) -> int:
    """Send tracks that the topic lacks and, if these are `whole`, those it has otherwise; how many were sent.

    What listens tell of a track (not `whole`) never replaces anything: it may know less than what is there.
    """
    groups: dict[int, tuple[list[str], list[bytes]]] = {}
    for track_id, value in encode_tracks(tracks):
        if isinstance(value, str):
            report.problem("tracks", track_id, "", value)
        elif not (ledger.holds(track_id, value) if whole else ledger.has(track_id)):
            partition = partition_of(track_id.encode(), producer.partitions)
            ids, values = groups.setdefault(partition, ([], []))
            ids.append(track_id)
            values.append(value)
    meter.begin("tracks", sum(len(ids) for ids, _ in groups.values()))
    await asyncio.gather(
        *(_send_tracks(p, ids, values, producer, ledger, meter) for p, (ids, values) in groups.items())
    )
    return sum(len(ids) for ids, _ in groups.values())


async def _send_tracks(
    partition: int,
    ids: Sequence[str],
    values: Sequence[bytes],
    producer: BulkProducer,
    ledger: TrackLedger,
    meter: Meter,
) -> None:
    sent = await producer.send(partition, [track_id.encode() for track_id in ids], values)
    for batch in sent:
        for at in range(batch.first, batch.first + batch.count):
            ledger.put(ids[at], values[at])
        ledger.offsets.advance(partition, batch.offset, batch.count)
        meter.advance(batch.count)


def _partitions(users: pl.Series, count: int) -> NDArray[np.int64]:
    distinct = users.unique()
    numbers = np.array([partition_of(user.encode(), count) for user in distinct], dtype=np.int64)
    return np.take(numbers, users.cast(pl.Enum(distinct)).to_physical().to_numpy())


def _first(keys: Keys) -> NDArray[np.bool_]:
    """Whether a key is the first of its kind here: files of one import may overlap."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.ones(len(keys), dtype=np.bool_)
    first[order[1:]] = ordered[1:] != ordered[:-1]
    return first
