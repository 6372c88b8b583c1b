"""Kafka and Redis together, for as long as a `with` block lasts."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from services.local.errors import LocalError
from services.local.kafka import KafkaServer, kafka_runtime
from services.local.redis_server import Options, RedisServer
from services.local.server import Server

# For processes that are to reach them: they ask for no password, and Redis is one, whatever the caller's own are.
OPEN = {
    "SEGUE_KAFKA_SECURITY": "PLAINTEXT", "SEGUE_KAFKA_USER": "", "SEGUE_KAFKA_PASSWORD": "", "SEGUE_KAFKA_CA": "",
    "SEGUE_REDIS_CLUSTER": "false",
}  # fmt: skip


class LocalStack:
    """A Kafka broker and a Redis server on the loopback address, gone at the end of the `with` block.

    With a `data` folder they find there what they held before; without one, all is in a temporary folder
    that is removed afterwards, even if this process is killed. Ports are free ones unless given.
    """

    def __init__(
        self,
        data: Path | None = None,
        kafka: bool = True,
        redis: bool = True,
        *,
        kafka_port: int | None = None,
        redis_port: int | None = None,
        kafka_properties: Mapping[str, str | int] | None = None,
        redis_options: Options | None = None,
        kafka_heap: str = "512m",
    ) -> None:
        self._data = data
        self._wants = (kafka, redis)
        self._kafka_options = (kafka_port, kafka_properties, kafka_heap)
        self._redis_options = (redis_port, redis_options)
        self._temporary: Path | None = None
        self._kafka: KafkaServer | None = None
        self._redis: RedisServer | None = None

    @property
    def kafka(self) -> KafkaServer:
        """The broker, to stop, kill, pause or restart it."""
        if self._kafka is None:
            raise LocalError("this stack has no Kafka, or is not started")
        return self._kafka

    @property
    def redis(self) -> RedisServer:
        """The Redis server, to stop, kill, pause or restart it."""
        if self._redis is None:
            raise LocalError("this stack has no Redis, or is not started")
        return self._redis

    @property
    def bootstrap(self) -> str:
        """The broker's address, as host:port."""
        return self.kafka.bootstrap

    @property
    def redis_url(self) -> str:
        """The Redis server's address, as redis://host:port/0."""
        return self.redis.url

    @property
    def servers(self) -> list[Server]:
        """The servers of this stack, in the order in which they are stopped."""
        return [server for server in (self._kafka, self._redis) if server]

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the servers side by side and wait until each answers; on an error nothing is left behind."""
        try:
            self._create()
            # Redis first: it comes up, or fails, while the broker still starts.
            for server in reversed(self.servers):
                server.launch()
            for server in reversed(self.servers):
                server.wait_ready(timeout_s)
        except BaseException:
            self.kill()
            raise

    def stop(self, grace_s: float = 5.0) -> None:
        """Shut the servers down, then remove a temporary folder; interrupted, do it the hard way."""
        try:
            for server in self.servers:
                server.terminate()
            for server in self.servers:
                server.stop(grace_s)
        finally:
            self.kill()

    def kill(self) -> None:
        """End everything at once and remove a temporary folder."""
        try:
            for server in self.servers:
                server.kill()
        finally:
            if self._temporary:
                shutil.rmtree(self._temporary, ignore_errors=True)

    def check_alive(self) -> None:
        """Raise StartError, with the end of its log, if a server has ended by itself."""
        for server in self.servers:
            server.check_alive()

    def _create(self) -> None:
        wants_kafka, wants_redis = self._wants
        port, properties, heap = self._kafka_options
        # Anything slow (a first download) comes before there is anything to clean up.
        runtime = kafka_runtime() if wants_kafka else None
        if self._data is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="segue-"))
        folder = self._data or self._temporary or Path()
        remove = self._temporary
        if wants_redis:
            self._redis = RedisServer(folder / "redis", *self._redis_options, remove=remove)
        if runtime:
            self._kafka = KafkaServer(folder / "kafka", port, properties, heap=heap, remove=remove, runtime=runtime)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
