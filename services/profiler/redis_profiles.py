"""Profiles and cursors in Redis, committed together: one Lua call a partition and batch.

`profile:{p}:<user_id>` holds the profile's bytes, `cursor:{p}` a hash of `folded` and `noticed`. The braces put all
keys of a partition into one slot of a Redis Cluster.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from redis.asyncio import Redis

from services.profiler.ports import Cursor
from services.runtime.keys import cursor_key, profile_key
from services.runtime.redis_client import redis_trouble

# Compare, then write all: the script is atomic, so a profile and its cursor are never apart. It answers where the
# cursor was. KEYS: cursor, profiles…; ARGV: expected, folded, noticed, profiles' bytes…
COMMIT = """
local folded = tonumber(redis.call('HGET', KEYS[1], 'folded') or '-1')
if folded ~= tonumber(ARGV[1]) then return folded end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 2]) end
redis.call('HSET', KEYS[1], 'folded', ARGV[2], 'noticed', ARGV[3])
return folded
"""


class RedisProfiles:
    """The `Profiles` port over one Redis. Raises RedisAway while it is away, loading or out of memory."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commit = redis.register_script(COMMIT)

    async def cursors(self, partitions: Iterable[int]) -> dict[int, Cursor]:
        """The cursor of each partition; Cursor(-1, -1) for one never seen."""
        wanted = list(partitions)
        with redis_trouble("read cursors"):
            async with self._redis.pipeline(transaction=False) as pipe:
                for partition in wanted:
                    pipe.hmget(cursor_key(partition), "folded", "noticed")
                answers = await pipe.execute()
        return {
            p: Cursor(*(-1 if v is None else int(v) for v in values)) for p, values in zip(wanted, answers, strict=True)
        }

    async def read(self, partition: int, users: list[str]) -> list[bytes | None]:
        """The profiles' bytes, None for a listener without one, in the order asked."""
        with redis_trouble("read profiles"):
            values = await self._redis.mget([profile_key(partition, user) for user in users])
        return cast(list[bytes | None], values)  # the client is told not to decode

    async def commit(self, partition: int, expected: int, cursor: Cursor, profiles: Mapping[str, bytes]) -> int:
        """One atomic step, taken only if the cursor is at `expected`; returns where it was."""
        keys = [cursor_key(partition), *(profile_key(partition, user) for user in profiles)]
        with redis_trouble("commit profiles"):
            return int(await self._commit(keys, [expected, cursor.folded, cursor.noticed, *profiles.values()]))
