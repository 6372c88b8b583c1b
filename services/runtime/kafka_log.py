"""Reading topics from Kafka, one partition after the other. No group, no commit: nothing there is changed."""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import OffsetOutOfRangeError

from services.runtime.errors import BrokerAway, Fatal, Transient
from services.runtime.kafka_clients import consumer, kafka_trouble
from services.runtime.settings import KafkaSettings

PATIENCE_S = 60.0
FETCH: dict[str, Any] = {
    "auto_offset_reset": "none",  # what retention removes while it is read is told, never skipped in silence
    "max_poll_records": 10_000,
    "max_partition_fetch_bytes": 4 << 20,
    "fetch_max_bytes": 32 << 20,
    "fetch_max_wait_ms": 250,
    "check_crcs": find_spec("crc32c") is not None,  # in pure Python a checksum costs more than all else
}


class Record(NamedTuple):
    """One record, as it came."""

    offset: int
    time: int  # ms, the broker's
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Span(NamedTuple):
    """What the broker has of a partition: from `first` to before `end`."""

    first: int
    end: int


class LogMoved(Transient):
    """Retention removed what was about to be read: look at the partition again."""


class KafkaLog:
    """Reads any topic; use it in a `with`. Raises BrokerAway, BadSetting."""

    def __init__(self, settings: KafkaSettings, client: str = "segue-audit", patience_s: float = PATIENCE_S) -> None:
        """`patience_s`: so long a broker may say nothing before it is away."""
        self._settings, self._patience_s = settings, patience_s
        self._consumer: KafkaConsumer = consumer(settings, client=client, **FETCH)

    def __enter__(self) -> "KafkaLog":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(timeout_ms=1_000)

    def spans(self, topic: str) -> dict[int, Span]:
        """What there is now of each partition. Raises Fatal when there is no such topic."""
        with kafka_trouble(f"finding the ends of {topic}"):
            numbers = self._consumer.partitions_for_topic(topic)
            if not numbers and topic in self._consumer.topics():
                numbers = self._consumer.partitions_for_topic(topic)
            if not numbers:
                raise Fatal(f"no topic {topic} at {self._settings.bootstrap}; run `segue topics apply`")
            places = [TopicPartition(topic, number) for number in sorted(numbers)]
            firsts, ends = self._ends(places)
        return {place.partition: Span(firsts[place], ends[place]) for place in places}

    def span(self, topic: str, partition: int) -> Span:
        """What there is now of one partition."""
        place = TopicPartition(topic, partition)
        with kafka_trouble(f"finding the end of {topic}"):
            firsts, ends = self._ends([place])
        return Span(firsts[place], ends[place])

    def _ends(self, places: list[TopicPartition]) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        most = int(1_000 * self._patience_s)
        return (
            self._consumer.beginning_offsets(places, timeout_ms=most),
            self._consumer.end_offsets(places, timeout_ms=most),
        )

    def read(self, topic: str, partition: int, first: int, stop: int) -> Iterator[list[Record]]:
        """The records from `first` to before `stop`, which must not be beyond the end. Raises LogMoved, BrokerAway."""
        if first >= stop:
            return
        place = TopicPartition(topic, partition)
        self._consumer.assign([place])
        self._consumer.seek(place, first)
        at, heard = first, time.monotonic()
        while at < stop:
            with kafka_trouble(f"reading {topic}"):
                try:
                    polled = self._consumer.poll(timeout_ms=500).get(place, ())
                except OffsetOutOfRangeError as error:
                    raise LogMoved(
                        f"{topic}-{partition}: offset {at} was removed while it was read; run it again"
                    ) from error
                position = self._consumer.position(place)
            if position > at:
                at, heard = position, time.monotonic()
                yield [Record(r.offset, r.timestamp, r.key, r.value, r.headers) for r in polled if r.offset < stop]
            elif time.monotonic() - heard > self._patience_s:
                raise BrokerAway(
                    f"the broker sent nothing of {topic}-{partition} for {self._patience_s:.0f} s; run it again"
                )
