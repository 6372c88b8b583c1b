"""The `releases` topic: which release is in force."""

from time import monotonic

from kafka import TopicPartition

from schemas.codec import decode, encode
from schemas.errors import Poison
from schemas.release import ReleaseAnnounced
from schemas.topics import RELEASES
from services.runtime.errors import BrokerAway
from services.runtime.kafka_clients import consumer, kafka_trouble, producer
from services.runtime.settings import KafkaSettings

KEY = b"current"
PATIENCE = 30.0  # seconds


class KafkaReleases:
    """Reads and announces the current release. A client is made for each call: they are hours apart."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def newest(self) -> ReleaseAnnounced | None:
        """The release in force, None before the first. Raises BrokerAway."""
        return next(reversed(self.history()), None)

    def history(self) -> list[ReleaseAnnounced]:
        """What the broker still has, in its order, the one in force last: the topic is compacted. Raises BrokerAway."""
        at = TopicPartition(RELEASES.name, 0)
        found: list[ReleaseAnnounced] = []
        client = consumer(self._settings, client="segue-trainer-releases")
        try:
            with kafka_trouble("reading the releases"):
                end = client.end_offsets([at])[at]
                client.assign([at])
                client.seek_to_beginning(at)
                deadline = monotonic() + PATIENCE
                while client.position(at) < end:
                    records = client.poll(timeout_ms=500).get(at, [])
                    found += [each for r in records if r.key == KEY and (each := _announced(r.value)) is not None]
                    if monotonic() > deadline:
                        raise BrokerAway(f"{RELEASES.name}: not read to offset {end} within {PATIENCE:g} s")
        finally:
            client.close()
        return found

    def announce(self, release: ReleaseAnnounced) -> None:
        """Return once every in-sync replica has it. Raises BrokerAway, Fatal."""
        client = producer(self._settings, client="segue-trainer")
        try:
            with kafka_trouble("announcing a release"):
                client.send(RELEASES.name, key=KEY, value=encode(release)).get(timeout=PATIENCE)
        finally:
            client.close(timeout=5)


def _announced(value: bytes | None) -> ReleaseAnnounced | None:
    try:
        return decode(ReleaseAnnounced, value)
    except Poison:  # whatever else stands there, it is no release
        return None
