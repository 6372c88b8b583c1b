"""Profiles from Redis."""

from collections.abc import Sequence

from redis import Redis

from services.runtime.keys import past_key, profile_key, whole_profiles
from services.runtime.redis_client import get_many, ping, redis_trouble


class RedisProfiles:
    """The `Profiles` port. Raises RedisAway, Fatal."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def read(self, wanted: Sequence[tuple[int, str]]) -> list[bytes | None]:
        """See Profiles: one round trip."""
        if not wanted:
            return []
        keys = [key(partition, user) for key in (profile_key, past_key) for partition, user in wanted]
        with redis_trouble("read profiles"):
            return whole_profiles(get_many(self._client, keys))

    def ping(self) -> None:
        """Returns when Redis answers."""
        with redis_trouble("answer a ping"):
            ping(self._client)
