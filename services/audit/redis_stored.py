"""What Redis holds, read only: profiles together with the cursor that stood when they were read."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

from redis import Redis

from models.ids import key_of
from services.runtime.keys import cursor_key, profile_keys, whole_profiles
from services.runtime.redis_client import redis_trouble, sync_redis
from services.runtime.settings import RedisSettings

PREFIX = b"profile:{"
SCAN = 2_000  # keys a call: a few hundred microseconds of Redis


class Snapshot(NamedTuple):
    """Some profiles of a partition and its cursor, of one moment."""

    cursor: int  # the last offset folded, -1: none
    profiles: list[bytes | None]  # in the order asked


class RedisStored:
    """Reads profiles and cursors; use it in a `with`. Raises RedisAway, Fatal."""

    def __init__(self, settings: RedisSettings) -> None:
        self._redis: Redis = sync_redis(settings)

    def __enter__(self) -> "RedisStored":
        return self

    def __exit__(self, *_: object) -> None:
        self._redis.close()

    def cursor(self, partition: int) -> int:
        """The last offset folded; -1 when none is."""
        return self.snapshot(partition, ()).cursor

    def snapshot(self, partition: int, users: Sequence[str]) -> Snapshot:
        """Cursor and profiles in one MULTI: between a profiler's commits, never within one."""
        with redis_trouble("read profiles"), self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(cursor_key(partition), "folded")
            if users:
                send: Callable[..., object] = pipe.execute_command  # a cluster's pipeline has no `mget`
                send("MGET", *profile_keys(partition, users))
            answers = pipe.execute()
        folded = answers[0]
        stored = whole_profiles(cast(list[bytes | None], answers[1] if users else []))
        return Snapshot(-1 if folded is None else int(folded), stored)

    def listeners(self) -> "dict[int, array[int]]":
        """By partition, the keys (models.ids.key_of) of all listeners who have a profile: 8 bytes each."""
        found: dict[int, array[int]] = {}
        for partition, user in self._scan("profile:{*}:*"):
            found.setdefault(partition, array("q")).append(key_of(user))
        return found

    def named(self, partition: int, keys: set[int], most: int) -> list[str]:
        """Some of those listeners of a partition who have these keys, by name."""
        found: list[str] = []
        for number, user in self._scan(f"profile:{{{partition}}}:*"):
            if number == partition and key_of(user) in keys:
                found.append(user)
                if len(found) >= most:
                    break
        return found

    def _scan(self, pattern: str) -> Iterator[tuple[int, str]]:
        with redis_trouble("list the profiles"):
            for key in cast(Iterator[bytes], self._redis.scan_iter(match=pattern, count=SCAN)):  # not decoded
                number, _, user = key.removeprefix(PREFIX).partition(b"}:")
                if number.isdigit():
                    yield int(number), user.decode("utf-8", "surrogateescape")
