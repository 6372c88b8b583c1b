"""Profiles and cursors in Redis, committed together: one Lua call a partition and batch.

`profile:{p}:<user_id>` holds the profile's head, `past:{p}:<user_id>` the segments of its past (models.profile),
`cursor:{p}` a hash of `folded` and `noticed`. The braces put all keys of a partition into one slot of a Redis Cluster.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import cast

from redis.asyncio import Redis

from models.profile import past_bytes
from services.profiler.ports import Cursor, Stored
from services.runtime.keys import cursor_key, past_key, profile_key
from services.runtime.redis_client import of_cluster, redis_trouble

# Compare, then write all: the script is atomic, so a profile and its cursor are never apart. It answers where the
# cursor was. KEYS: cursor, heads…, pasts…; ARGV: expected, folded, noticed, how many heads, how many pasts begin (they
# come first), most bytes of a past, heads' bytes…, segments… A past that begins with nothing is removed: what
# stands there is of a profile that is gone.
COMMIT = """
local folded = tonumber(redis.call('HGET', KEYS[1], 'folded') or '-1')
if folded ~= tonumber(ARGV[1]) then return folded end
local heads = tonumber(ARGV[4])
for i = 2, heads + 1 do redis.call('SET', KEYS[i], ARGV[i + 5]) end
for i = heads + 2, #KEYS do
  local past = ARGV[i + 5]
  if i > heads + 1 + tonumber(ARGV[5]) then past = (redis.call('GET', KEYS[i]) or '') .. past end
  past = string.sub(past, -tonumber(ARGV[6]))
  if past == '' then redis.call('DEL', KEYS[i]) else redis.call('SET', KEYS[i], past) end
end
redis.call('HSET', KEYS[1], 'folded', ARGV[2], 'noticed', ARGV[3])
return folded
"""


class RedisProfiles:
    """The `Profiles` port over one Redis. Raises RedisAway while it is away, loading or out of memory."""

    def __init__(self, redis: Redis, max_past: int) -> None:
        """`max_past`: plays, as in TasteSettings."""
        self._redis = redis
        self._past_bytes = past_bytes(max_past)
        self._commit = redis.register_script(COMMIT)
        # A cluster's client closes all its connections where a node is gone, also those that somebody waits at.
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if of_cluster(redis) else nullcontext()

    async def cursors(self, partitions: Iterable[int]) -> dict[int, Cursor]:
        """The cursor of each partition; Cursor(-1, -1) for one never seen."""
        wanted = list(partitions)
        with redis_trouble("read cursors"):
            async with self._turn, self._redis.pipeline(transaction=False) as pipe:
                for partition in wanted:
                    pipe.hmget(cursor_key(partition), "folded", "noticed")
                answers = await pipe.execute()
        return {
            p: Cursor(*(-1 if v is None else int(v) for v in values)) for p, values in zip(wanted, answers, strict=True)
        }

    async def read(self, partition: int, users: list[str]) -> list[bytes | None]:
        """The profiles' heads, None for a listener without one, in the order asked."""
        with redis_trouble("read profiles"):
            async with self._turn:
                values = await self._redis.mget([profile_key(partition, user) for user in users])
        return cast(list[bytes | None], values)  # the client is told not to decode

    async def commit(self, partition: int, expected: int, cursor: Cursor, profiles: Mapping[str, Stored]) -> int:
        """One atomic step, taken only if the cursor is at `expected`; returns where it was."""
        begun = {user: each.sealed for user, each in profiles.items() if each.begins}
        grown = {user: each.sealed for user, each in profiles.items() if each.sealed and not each.begins}
        keys = [cursor_key(partition), *(profile_key(partition, user) for user in profiles)]
        keys += [past_key(partition, user) for user in (*begun, *grown)]
        numbers = [expected, cursor.folded, cursor.noticed, len(profiles), len(begun), self._past_bytes]
        heads = [each.head for each in profiles.values()]
        with redis_trouble("commit profiles"):
            async with self._turn:
                return int(await self._commit(keys, [*numbers, *heads, *begun.values(), *grown.values()]))
