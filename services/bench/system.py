"""What is measured: a real broker and Redis, full of made-up profiles, and the services as processes of their own."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from models.release import MANIFEST, sha256_of
from schemas.codec import encode
from schemas.release import ReleaseAnnounced
from schemas.topics import LISTENS, RELEASES
from services.bench.made import make, profile
from services.demo.processes import Service
from services.local.stack import LocalStack
from services.runtime import topics
from services.runtime.bulk_producer import partition_of
from services.runtime.kafka_clients import producer
from services.runtime.keys import profile_key
from services.runtime.redis_client import sync_redis
from services.runtime.settings import KafkaSettings, RedisSettings

KINDS = 500  # profiles that differ; the others are copies of them under other names
CHUNK = 2_000  # profiles written at once


class System:
    """A broker, a Redis and whatever is started on them; `with` it."""

    def __init__(self) -> None:
        self._closing = ExitStack()
        self.services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        self.folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="segue-bench-")))
        stack = self._closing.enter_context(LocalStack())
        self.kafka, self.redis = KafkaSettings(bootstrap=stack.bootstrap), RedisSettings(url=stack.redis_url)
        self.servers = {"SEGUE_KAFKA_BOOTSTRAP": stack.bootstrap, "SEGUE_REDIS_URL": stack.redis_url}
        topics.apply(self.kafka)
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

    def announce(self, tracks: int, profiles: int, known: int, rng: np.random.Generator) -> list[str]:
        """Publish a made-up release, fill Redis with profiles of its tracks; the release's track ids."""
        folder = self.folder / "releases" / "made-up"
        folder.parent.mkdir()
        release = make(folder, tracks, tracks, rng)
        told = ReleaseAnnounced(folder.name, folder.as_uri(), sha256_of(folder / MANIFEST), 0)
        sender = producer(self.kafka)
        try:
            sender.send(RELEASES.name, encode(told), b"current").get(20)
        finally:
            sender.close()
        made = [profile(release, known, rng) for _ in range(min(KINDS, profiles))]
        for each in made:
            each.version = -1  # older than any event to come
        data = [each.encode() for each in made]
        with sync_redis(self.redis) as redis:
            for start in range(0, profiles, CHUNK):
                users = [user(number) for number in range(start, min(profiles, start + CHUNK))]
                keys = [profile_key(partition_of(name.encode(), LISTENS.partitions), name) for name in users]
                redis.mset({key: data[(start + at) % len(data)] for at, key in enumerate(keys)})
        return list(release.catalogue.track_ids)


def user(number: int) -> str:
    """The name of a listener."""
    return f"listener-{number}"
