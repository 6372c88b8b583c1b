"""Reading `listens` and `tracks` from Kafka: every partition, from where the folder on disk ends.

kafka-python reads about 150,000 listens/s here (aiokafka 470,000): 1.7 million take 12 s, once, and from then on the
rate of arrival is what counts. One plain loop is worth more than those seconds.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import OffsetOutOfRangeError

from schemas.topics import LISTENS, TRACKS
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import admin, consumer, kafka_trouble
from services.runtime.settings import KafkaSettings
from services.trainer.columns import Record
from services.trainer.history import Identity

Place = tuple[str, int]  # topic, partition

FETCH: dict[str, Any] = {
    "auto_offset_reset": "none",  # what the log has dropped is found and told, never skipped in silence
    "max_poll_records": 10_000,
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
    "fetch_max_bytes": 32 * 1024 * 1024,
    "fetch_max_wait_ms": 250,
    # In pure Python a checksum costs 160 ns a byte, five times everything else here; with the crc32c package nothing.
    # Without it the broker's own check at append and TCP's on the way have to do.
    "check_crcs": find_spec("crc32c") is not None,
}


class Batch(NamedTuple):
    """Records of one partition; it is now read up to before `next`, whatever stands on those offsets."""

    topic: str
    partition: int
    next: int
    records: list[Record]


class OutOfRange(Exception):
    """The broker no longer has an offset that was to be read: `begin` again."""


class KafkaLog:
    """Both topics, partition by partition, without a consumer group: the history's folder is the position."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer: KafkaConsumer = consumer(settings, client="segue-trainer", **FETCH)
        self._places: dict[Place, TopicPartition] = {}

    def describe(self) -> dict[str, tuple[Identity, int]]:
        """What each topic is, and its number of partitions. Raises BrokerAway, also while one is missing."""
        wanted = [LISTENS.name, TRACKS.name]
        with kafka_trouble("looking for the topics"), admin(self._settings) as client:
            cluster = client.describe_cluster()["cluster_id"]
            found = {topic["name"]: topic for topic in client.describe_topics(wanted)}
        missing = [name for name in wanted if not found.get(name, {}).get("partitions")]
        if missing:
            where = self._settings.bootstrap
            raise BrokerAway(f"no topic {' nor '.join(missing)} at {where} yet; `segue topics apply` makes them")
        return {
            name: (Identity(cluster, name, str(found[name]["topic_id"])), len(found[name]["partitions"]))
            for name in wanted
        }

    def begin(self, positions: Mapping[Place, int]) -> dict[Place, tuple[int, int]]:
        """Read on at these offsets; what the broker still has of each place, (first, next to be written).

        A position that the broker has dropped moves up to the first it has. Raises Fatal for one that it does not have
        yet: then the log is not the one that was read.
        """
        self._places = {place: TopicPartition(*place) for place in positions}
        with kafka_trouble("finding the ends of the log"):
            firsts = self._consumer.beginning_offsets(list(self._places.values()))
            nexts = self._consumer.end_offsets(list(self._places.values()))
            for place, at in self._places.items():
                if positions[place] > nexts[at]:
                    raise Fatal(
                        f"the history is at offset {positions[place]} of {at.topic}-{at.partition}, but the log ends "
                        f"at {nexts[at]}: the broker has lost data. Point SEGUE_TRAINER_HISTORY at a new folder"
                    )
            self._consumer.assign(list(self._places.values()))
            for place, at in self._places.items():
                self._consumer.seek(at, max(positions[place], firsts[at]))
        return {place: (firsts[at], nexts[at]) for place, at in self._places.items()}

    def poll(self, timeout: float) -> list[Batch]:
        """What has come within `timeout` seconds. Raises OutOfRange, BrokerAway: then `begin` again, where you were."""
        with _out_of_range(), kafka_trouble("reading the log"):
            polled = self._consumer.poll(timeout_ms=int(timeout * 1000))
            return [
                Batch(
                    at.topic,
                    at.partition,
                    self._consumer.position(at),
                    [Record(record.offset, record.timestamp, record.key, record.value) for record in records],
                )
                for at, records in polled.items()
            ]

    def ends(self) -> dict[Place, int]:
        """The next offset to be written, by place."""
        with kafka_trouble("finding the end of the log"):
            nexts = self._consumer.end_offsets(list(self._places.values()))
        return {place: nexts[at] for place, at in self._places.items()}

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


@contextmanager
def _out_of_range() -> Iterator[None]:
    try:
        yield
    except OffsetOutOfRangeError as error:
        raise OutOfRange(str(error)) from error
