"""Tracks that are announced while a release is in force, from the `tracks` topic over kafka-python."""

import logging
from typing import Any

from kafka import TopicPartition

from schemas.codec import decode
from schemas.errors import Poison
from schemas.topics import TRACKS
from services.runtime.kafka_clients import consumer, kafka_trouble
from services.runtime.settings import KafkaSettings
from services.scorer.ports import Described

FETCH: dict[str, Any] = {"max_poll_records": 500, "check_crcs": False}  # TCP and the broker's own check have to do
TOPIC_MS = 2_000

log = logging.getLogger(__name__)


class KafkaTracks:
    """The `Tracks` port: reads on from a moment, partition by partition, without a group."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connects. Raises BrokerAway, BadSetting."""
        self._consumer = consumer(settings, client="segue-scorer-tracks", **FETCH)

    def begin(self, since_ms: int) -> None:
        """See Tracks."""
        with kafka_trouble("look for tracks"):
            numbers = self._consumer.partitions_for_topic(TRACKS.name)
            if not numbers:
                log.warning("no topic %s: no track joins this release; `segue topics apply` makes it", TRACKS.name)
            places = [TopicPartition(TRACKS.name, number) for number in sorted(numbers or ())]
            self._consumer.assign(places)
            if not places:
                return
            found = self._consumer.offsets_for_times(dict.fromkeys(places, since_ms), timeout_ms=TOPIC_MS)
            ends = self._consumer.end_offsets(places, timeout_ms=TOPIC_MS)
            for place in places:
                first = found.get(place)
                self._consumer.seek(place, ends[place] if first is None else first.offset)

    def poll(self) -> list[tuple[str, Described | None]]:
        """See Tracks. A record that describes no track is passed over: the trainer tells of it."""
        if not self._consumer.assignment():
            return []
        with kafka_trouble("read tracks"):
            polled = self._consumer.poll(timeout_ms=0)
        tracks: list[tuple[str, Described | None]] = []
        for record in (record for records in polled.values() for record in records):
            try:
                tracks.append(_read(record.key, record.value))
            except Poison as poison:
                log.info("track at offset %d is passed over: %s", record.offset, poison)
        return tracks

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close(timeout_ms=250)  # of no group: there is nothing to tell a broker


def _read(key: bytes | None, value: bytes | None) -> tuple[str, Described | None]:
    try:
        name = (key or b"").decode()
    except UnicodeDecodeError as error:
        raise Poison("bad-key", f"{error} - at `$.track_id`") from error
    track = None if value is None else decode(Described, value)
    if not name or (track is not None and track.track_id != name):
        raise Poison("bad-key", "the record's key is not its track_id - at `$.track_id`")
    return name, track
