"""Brings a ledger up to the end of the log as it is when the import begins."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.importer.ledger import EventLedger, Offsets, TrackLedger
from services.runtime.errors import BrokerAway
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

log = logging.getLogger(__name__)

PATIENCE_S = 60.0
FETCH_BYTES = 4 << 20

Progress = Callable[[int, int], None]  # records read by now, of how many


class Record(Protocol):
    """As much of aiokafka's record as is needed here."""

    offset: int
    key: bytes | None
    value: bytes | None


class _EventId(msgspec.Struct):
    event_id: str


_event_id = msgspec.json.Decoder(_EventId)


async def catch_up_events(
    settings: KafkaSettings, topic: str, partitions: int, ledger: EventLedger, progress: Progress
) -> None:
    """Read the event ids that the ledger lacks. Raises BrokerAway."""

    def take(partition: int, records: Sequence[Record], following: int) -> None:
        ledger.read(partition, list(_ids(records)), following)

    await _catch_up(settings, topic, partitions, ledger, take, progress)


async def catch_up_tracks(
    settings: KafkaSettings, topic: str, partitions: int, ledger: TrackLedger, progress: Progress
) -> None:
    """Read the tracks that the ledger lacks. Raises BrokerAway."""

    def take(partition: int, records: Sequence[Record], following: int) -> None:
        for record in records:
            if record.key is not None:
                ledger.put(record.key.decode("utf-8", errors="replace"), record.value)
        ledger.offsets[partition] = following

    await _catch_up(settings, topic, partitions, ledger, take, progress)


def _ids(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        try:
            yield _event_id.decode(record.value or b"").event_id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # poison: the profiler's to judge; it has no id to know it by


async def _catch_up(
    settings: KafkaSettings,
    topic: str,
    count: int,
    ledger: EventLedger | TrackLedger,
    take: Callable[[int, Sequence[Record], int], None],
    progress: Progress,
) -> None:
    consumer = AIOKafkaConsumer(
        **aio_connection(settings, "segue-import"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(count)]
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        if any(ledger.offsets.get(tp.partition, 0) > ends[tp] for tp in partitions):
            log.warning("%s is shorter than it was: reading it from its beginning", topic)
            ledger.forget()
        await _read(consumer, _spans(ledger.offsets, begins, ends), take, progress)
    finally:
        await consumer.stop()


def _spans(offsets: Offsets, begins: Mapping[Any, int], ends: Mapping[Any, int]) -> dict[Any, tuple[int, int]]:
    starts = {tp: max(offsets.get(tp.partition, 0), begins[tp]) for tp in ends}
    return {tp: (starts[tp], end) for tp, end in ends.items() if starts[tp] < end}


async def _read(
    consumer: AIOKafkaConsumer,
    spans: Mapping[Any, tuple[int, int]],
    take: Callable[[int, Sequence[Record], int], None],
    progress: Progress,
) -> None:
    """Every record of each span, first offset to before the last; compacted logs have gaps."""
    consumer.assign(list(spans))
    for tp, (start, _) in spans.items():
        consumer.seek(tp, start)
    total = sum(end - start for start, end in spans.values())
    left = dict(spans)
    heard = time.monotonic()
    while left:
        batches = await consumer.getmany(timeout_ms=500)
        for tp, records in batches.items():
            if tp in left:
                take(tp.partition, records, records[-1].offset + 1)
        at = {tp: await consumer.position(tp) for tp in left}
        if any(at[tp] > left[tp][0] for tp in left):
            heard = time.monotonic()
        elif time.monotonic() - heard > PATIENCE_S:
            raise BrokerAway(
                f"the broker sent nothing of {next(iter(left)).topic} for {PATIENCE_S:.0f} s; run it again"
            )
        left = {tp: (at[tp], end) for tp, (_, end) in left.items() if at[tp] < end}
        progress(total - sum(end - start for start, end in left.values()), total)
