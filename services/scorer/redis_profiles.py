"""Profiles from Redis."""

from collections.abc import Sequence
from typing import cast

from redis import Redis

from services.runtime.keys import profile_key
from services.runtime.redis_client import redis_trouble


class RedisProfiles:
    """The `Profiles` port. Raises RedisAway, Fatal."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def read(self, wanted: Sequence[tuple[int, str]]) -> list[bytes | None]:
        """See Profiles: one MGET."""
        if not wanted:
            return []
        with redis_trouble("read profiles"):
            return cast(
                "list[bytes | None]", self._client.mget([profile_key(partition, user) for partition, user in wanted])
            )

    def ping(self) -> None:
        """Returns when Redis answers."""
        with redis_trouble("answer a ping"):
            self._client.ping()
