"""Talking to a running stream: send one listen, read one listener's lists, find the release in force."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from uuid import uuid4

from kafka import KafkaConsumer, TopicPartition

from models.release import Release, load
from schemas.codec import decode, encode
from schemas.errors import Poison
from schemas.events import Listen
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import LISTENS, RECOMMENDATIONS, RELEASES, TOPICS
from services.runtime import kafka_clients
from services.runtime.bulk_producer import partition_of
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.keys import profile_keys, whole_profiles
from services.runtime.redis_client import redis_trouble, sync_redis
from services.runtime.settings import KafkaSettings, RedisSettings
from services.trainer.kafka_releases import KafkaReleases

ANSWER_S = 30.0


def send(settings: KafkaSettings, listen: Listen) -> tuple[int, int]:
    """Send one listen; its partition and offset, once the broker has it. Raises BrokerAway, Fatal."""
    producer = kafka_clients.producer(settings)
    try:
        with kafka_clients.kafka_trouble("sending the listen"):
            done = producer.send(LISTENS.name, encode(listen), key=listen.user_id.encode()).get(ANSWER_S)
    finally:
        producer.close(5)
    return done.partition, done.offset


def event_id() -> str:
    """A new one."""
    return uuid4().hex


def now_ms() -> int:
    """The wall clock, ms since epoch."""
    return time.time_ns() // 1_000_000


class Lists:
    """One listener's lists, as they come; use it in a `with`."""

    def __init__(self, settings: KafkaSettings, user_id: str) -> None:
        self._user = user_id.encode()
        self._consumer = kafka_clients.consumer(settings)
        try:
            self._tp = TopicPartition(RECOMMENDATIONS.name, partition_of(self._user, _partitions(self._consumer)))
        except BaseException:
            self._consumer.close()
            raise
        self._consumer.assign([self._tp])

    def newest(self) -> Recommendations | None:
        """The list that stands now; the position is behind it. Reads the listener's partition once."""
        found = None
        with kafka_clients.kafka_trouble("reading the lists"):
            end = self._consumer.end_offsets([self._tp])[self._tp]
            self._consumer.seek_to_beginning(self._tp)
            while self._consumer.position(self._tp) < end:
                for made in self._poll(1000):
                    found = made
        return found

    def follow(self, seconds: float | None = None) -> Iterator[Recommendations]:
        """Each list from here on, until `seconds` have passed (None: for ever)."""
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            yield from self._poll(200)

    def _poll(self, timeout_ms: int) -> list[Recommendations]:
        with kafka_clients.kafka_trouble("reading the lists"):
            batches = self._consumer.poll(timeout_ms)
        found = []
        for record in (r for records in batches.values() for r in records if r.key == self._user):
            try:
                found.append(decode(Recommendations, record.value))
            except Poison:
                continue
        return found

    def __enter__(self) -> "Lists":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()


def announcements(settings: KafkaSettings) -> KafkaReleases:
    """The topic that says which release is in force. Raises Fatal at once when it is not there, BrokerAway."""
    if RELEASES.name not in partition_counts(settings):
        raise _no_topic(RELEASES.name)
    return KafkaReleases(settings)


def current_release(settings: KafkaSettings) -> ReleaseAnnounced:
    """The release in force. Raises Fatal when none was announced yet, BrokerAway."""
    found = announcements(settings).newest()
    if found is None:
        raise _none_yet()
    return found


def release_history(settings: KafkaSettings) -> list[ReleaseAnnounced]:
    """What is known to have been announced, the release in force last. Raises Fatal when there is none, BrokerAway."""
    found = announcements(settings).history()
    if not found:
        raise _none_yet()
    return found


def release_folder(announced: ReleaseAnnounced) -> Path:
    """Where it was published."""
    return Path(announced.uri.removeprefix("file://"))


def load_release(announced: ReleaseAnnounced) -> Release:
    """Load the announced release, every hash checked. Raises BadRelease."""
    return load(release_folder(announced), announced.sha256)


def stored_profile(kafka: KafkaSettings, redis: RedisSettings, user_id: str) -> tuple[int, bytes | None]:
    """A listener's partition of `listens`, and profile as it stands in Redis: None for one never seen.

    Raises RedisAway, BrokerAway.
    """
    consumer = kafka_clients.consumer(kafka)
    try:
        partition = partition_of(user_id.encode(), _partitions(consumer, LISTENS.name))
    finally:
        consumer.close()
    with redis_trouble("read the profile"), sync_redis(redis) as client:
        found = client.mget(profile_keys(partition, [user_id]))
    return partition, whole_profiles(cast("list[bytes | None]", found))[0]


def partition_counts(settings: KafkaSettings) -> dict[str, int]:
    """How many partitions each of our topics has; a topic that is not there is left out. Raises BrokerAway."""
    consumer = kafka_clients.consumer(settings)
    try:
        with kafka_clients.kafka_trouble("reading the topics"):
            there = consumer.topics()
        return {t.name: len(consumer.partitions_for_topic(t.name) or ()) for t in TOPICS if t.name in there}
    finally:
        consumer.close()


def _partitions(consumer: KafkaConsumer, topic: str = RECOMMENDATIONS.name) -> int:
    end = time.monotonic() + ANSWER_S
    while True:
        found = consumer.partitions_for_topic(topic)
        if found:
            return len(found)
        if topic not in consumer.topics():
            raise _no_topic(topic)
        if time.monotonic() > end:
            raise BrokerAway(f"the broker says nothing about topic {topic}")


def _none_yet() -> Fatal:
    return Fatal("no release was announced yet; is `segue trainer` running, and has it listens enough?")


def _no_topic(name: str) -> Fatal:
    return Fatal(f"the broker has no topic {name}; create the topics with `segue topics apply`")
