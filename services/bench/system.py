"""What is measured: a real broker and Redis, full of made-up profiles, and the services as processes of their own."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from models.als.settings import AlsSettings
from models.release import MANIFEST, Release, sha256_of
from schemas.codec import encode
from schemas.release import ReleaseAnnounced
from schemas.topics import LISTENS, RELEASES
from services.bench.made import make, profile
from services.demo.processes import Service
from services.local.stack import LocalStack
from services.runtime import topics
from services.runtime.bulk_producer import BulkProducer, partition_of
from services.runtime.kafka_clients import producer
from services.runtime.keys import past_key, profile_key
from services.runtime.redis_client import sync_redis
from services.runtime.settings import KafkaSettings, RedisSettings

KINDS = 500  # profiles that differ; the others are copies of them under other names
CHUNK = 2_000  # profiles written at once
SENT_AT_ONCE = 10_000  # messages


class System:
    """A broker, a Redis and whatever is started on them; `with` it."""

    def __init__(self, partitions: int = LISTENS.partitions) -> None:
        """`partitions` of every topic that holds listeners."""
        self.partitions = partitions
        self._closing = ExitStack()
        self.services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        self.folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="segue-bench-")))
        stack = self._closing.enter_context(LocalStack())
        self.kafka, self.redis = KafkaSettings(bootstrap=stack.bootstrap), RedisSettings(url=stack.redis_url)
        self.servers = {"SEGUE_KAFKA_BOOTSTRAP": stack.bootstrap, "SEGUE_REDIS_URL": stack.redis_url}
        topics.apply(self.kafka, {topic.name: self.partitions for topic in topics.LISTENER_TOPICS})
        self._closing.callback(self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def start(self, name: str, settings: Mapping[str, str] | None = None) -> Service:
        """Start a service; `ready` of it waits until it works."""
        self.services[name] = Service(name, self.folder, {**self.servers, **(settings or {})})
        return self.services[name]

    def _stop(self) -> None:
        for service in self.services.values():
            service.ask_to_stop()
        for service in self.services.values():
            service.stop()

    async def send(self, topic: str, messages: Iterator[tuple[bytes, bytes]]) -> None:
        """Keys and values to a topic that holds listeners, each key's in their order. Raises BrokerAway, Fatal."""
        async with BulkProducer(self.kafka, topic) as sender:
            while chunk := list(islice(messages, SENT_AT_ONCE)):
                parts: dict[int, list[tuple[bytes, bytes]]] = {}
                for key, value in chunk:
                    parts.setdefault(partition_of(key, self.partitions), []).append((key, value))
                for partition, mine in parts.items():
                    await sender.send(partition, [key for key, _ in mine], [value for _, value in mine])

    def announce(self, tracks: int, profiles: int, known: int, rng: np.random.Generator) -> list[str]:
        """Publish a made-up release, fill Redis with profiles of its tracks; the release's track ids."""
        release = self.made("made-up", tracks, rng, ranked=True)
        self.tell(release)
        self.fill(release, profiles, known, rng)
        return list(release.catalogue.track_ids)

    def made(self, name: str, tracks: int, rng: np.random.Generator, *, ranked: bool = False) -> Release:
        """A made-up release in a folder that the services can read; as many have factors as the trainer would fit."""
        folder = self.folder / "releases" / name
        folder.parent.mkdir(exist_ok=True)
        return make(folder, tracks, min(tracks, AlsSettings().max_items), rng, ranked=ranked)

    def tell(self, release: Release) -> None:
        """Announce it: scorers load it."""
        with self.telling(release) as tell:
            tell()

    @contextmanager
    def telling(self, release: Release) -> Iterator[Callable[[], None]]:
        """What announces it when it is called; it is connected before, for connecting takes a tenth of a second."""
        folder = self.folder / "releases" / release.id
        told = encode(ReleaseAnnounced(release.id, folder.as_uri(), sha256_of(folder / MANIFEST), 0))
        sender = producer(self.kafka)
        try:
            yield lambda: sender.send(RELEASES.name, told, b"current").get(20)
        finally:
            sender.close()

    def fill(self, release: Release, profiles: int, known: int, rng: np.random.Generator, version: int = -1) -> None:
        """So many listeners' profiles into Redis, KINDS of them different; folded up to `version`."""
        made = [profile(release, known, rng) for _ in range(min(KINDS, profiles))]
        for each in made:
            each.version = version  # −1: older than any event to come
        heads, pasts = [each.head() for each in made], [each.past for each in made]
        with sync_redis(self.redis) as redis:
            for start in range(0, profiles, CHUNK):
                kept: dict[str, bytes] = {}
                for at in range(start, min(profiles, start + CHUNK)):
                    partition = partition_of(user(at).encode(), self.partitions)
                    kept[profile_key(partition, user(at))] = heads[at % len(heads)]
                    if pasts[at % len(pasts)]:
                        kept[past_key(partition, user(at))] = pasts[at % len(pasts)]
                redis.mset(kept)


def user(number: int) -> str:
    """The name of a listener."""
    return f"listener-{number}"
