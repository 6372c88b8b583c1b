"""The announced release from the `releases` topic over kafka-python."""

import logging

from kafka import TopicPartition

from schemas.codec import decode
from schemas.errors import Poison
from schemas.release import ReleaseAnnounced
from schemas.topics import RELEASES
from services.runtime.errors import BrokerAway
from services.runtime.kafka_clients import consumer, kafka_trouble
from services.runtime.settings import KafkaSettings

CURRENT = b"current"
PING_MS = 2_000

log = logging.getLogger(__name__)


class KafkaAnnouncements:
    """The `Announcements` port: reads the whole topic (compacted, so a few records) and then what is added."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connects. Raises BrokerAway, BadSetting."""
        self._at = TopicPartition(RELEASES.name, 0)
        self._consumer = consumer(settings, client="segue-scorer-releases")
        self._consumer.assign([self._at])
        self._consumer.seek_to_beginning(self._at)
        self._newest: ReleaseAnnounced | None = None

    def newest(self, seconds: float) -> ReleaseAnnounced | None:
        """See Announcements. A record that is no announcement changes nothing."""
        with kafka_trouble("read announcements of releases"):
            polled = self._consumer.poll(timeout_ms=max(1, int(seconds * 1000)))
        for record in polled.get(self._at, ()):
            if record.key != CURRENT or record.value is None:
                continue
            try:
                self._newest = decode(ReleaseAnnounced, record.value)
            except Poison as poison:
                log.error("announcement %d of a release is passed over: %s", record.offset, poison)
        return self._newest

    def ping(self) -> None:
        """See Announcements."""
        with kafka_trouble("ask the broker"):
            if self._at not in self._consumer.end_offsets([self._at], timeout_ms=PING_MS):
                raise BrokerAway(f"the broker does not know topic {RELEASES.name}; create it with `segue topics apply`")

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close(timeout_ms=250)  # of no group: there is nothing to tell a broker
