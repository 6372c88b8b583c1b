"""The log as it was written, and what folding it once gives: what everything else is compared with.

It compares under load, after each fault; `segue audit` (services/audit) is the second opinion at the end, which reads
everything anew. The two share `fold` and nothing else, on purpose.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from redis.asyncio import Redis

from models.admission import admit
from models.ids import key_of
from models.profile import BadProfile, Profile
from models.taste import TasteSettings, fold
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.events import Listen
from schemas.topics import DEAD, LISTENS
from services.faults.reading import read_on
from services.runtime.keys import cursor_key, profile_keys, whole_profiles
from services.runtime.settings import KafkaSettings

LOOK_S = 0.05
CATCH_UP_S = 120.0  # that a cursor may take to come back to where it was


class Found(NamedTuple):
    """What an audit found wrong: events lost, events counted twice, profiles that differ in another way."""

    lost: int = 0
    doubled: int = 0
    other: int = 0

    def __add__(self, more: object) -> "Found":
        return Found(*(a + b for a, b in zip(self, cast(Found, more), strict=True)))


class Partition:
    """One partition of the log: records not folded here yet, profiles folded up to `at`."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, Listen]] = deque()
        self.profiles: dict[str, Profile] = {}
        self.at = -1
        self.end = 0
        self.remembered: dict[str, Profile] = {}  # only event ids, up to the end, to tell versions ahead of the fold
        self.bad: set[int] = set()

    def take(self, record: ConsumerRecord, taste: TasteSettings) -> None:
        """Read one record."""
        self.end = record.offset + 1
        try:
            listen = admit(record.value, record.key, record.timestamp)
        except Poison:
            self.bad.add(record.offset)
            return
        self.waiting.append((record.offset, listen))
        memory = self.remembered.setdefault(listen.user_id, Profile())
        if memory.remember(key_of(listen.event_id), taste.max_event_ids):
            memory.version = record.offset

    def fold_to(self, offset: int, taste: TasteSettings) -> None:
        """Fold what is waiting up to and with this offset."""
        while self.waiting and self.waiting[0][0] <= offset:
            at, listen = self.waiting.popleft()
            fold(self.profiles.setdefault(listen.user_id, Profile()), listen, at, taste)
        self.at = max(self.at, offset)

    def forget(self, before: int, after: int) -> int:
        """Leave out the offsets between the two, which the log lost; how many listens that were."""
        kept = deque(pair for pair in self.waiting if not before < pair[0] < after)
        gone = len(self.waiting) - len(kept)
        self.waiting = kept
        self.bad -= set(range(before + 1, after))
        return gone


class Mirror:
    """Reads `listens` and `listens.dead` as they are written, through outages of the broker."""

    def __init__(self, kafka: KafkaSettings, taste: TasteSettings) -> None:
        self._kafka, self._taste = kafka, taste
        self.partitions = {p: Partition() for p in range(LISTENS.partitions)}
        self.letters: set[tuple[int, int]] = set()
        self._consumer: AIOKafkaConsumer = None
        self._reading = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        await read_on(self._kafka, (LISTENS, DEAD), self._take, self._begin)

    def _begin(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._reading.set()

    def _take(self, tp: TopicPartition, record: ConsumerRecord) -> None:
        if tp.topic == LISTENS.name:
            self.partitions[tp.partition].take(record, self._taste)
        else:
            letter = DeadLetter.from_headers(record.headers)
            self.letters.add((letter.partition, letter.offset))

    async def level(self) -> None:
        """Return once everything that is in the log now has been read."""
        await self._reading.wait()
        wanted = [TopicPartition(LISTENS.name, p) for p in self.partitions]
        ends = await self._patiently(lambda: self._consumer.end_offsets(wanted))
        await asyncio.gather(*(self._reach(tp, end) for tp, end in ends.items()))

    async def _reach(self, tp: TopicPartition, end: int) -> None:
        while await self._patiently(lambda: self._consumer.position(tp)) < end:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(LOOK_S)

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        while True:
            try:
                return await ask()
            except KafkaError:  # the broker is just back
                await asyncio.sleep(LOOK_S)

    def versions(self) -> dict[str, int]:
        """The newest profile version of each listener as of what was read of the log."""
        return {user: memory.version for part in self.partitions.values() for user, memory in part.remembered.items()}

    def undelivered(self) -> int:
        """Bad messages that have no dead letter."""
        return sum((p, offset) not in self.letters for p, part in self.partitions.items() for offset in part.bad)

    async def audit(self, redis: Redis) -> Found:
        """Compare every profile with the fold of the log up to the cursor it stands with."""
        found = Found()
        for number, part in self.partitions.items():
            found += await self._audit(redis, number, part)
        return found

    async def _audit(self, redis: Redis, number: int, part: Partition) -> Found:
        users = sorted(part.remembered)
        cursor, stored = await _snapshot(redis, number, users)
        end = time.monotonic() + CATCH_UP_S
        while cursor < part.at or cursor >= part.end:  # rewound and on its way again; or ahead of our reading
            if time.monotonic() > end:
                return Found(other=len(users))  # it never comes: nobody folds this partition
            await asyncio.sleep(LOOK_S)
            cursor, stored = await _snapshot(redis, number, users)
        part.fold_to(cursor, self._taste)
        found = Found()
        for user, data in zip(users, stored, strict=True):
            expected = part.profiles.get(user)
            if (expected.encode() if expected else None) != data:
                found += _difference(expected, data)
        return found


async def _snapshot(redis: Redis, partition: int, users: list[str]) -> tuple[int, list[bytes | None]]:
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hget(cursor_key(partition), "folded")
        if users:
            pipe.mget(profile_keys(partition, users))
        cursor, *stored = await pipe.execute()
    return -1 if cursor is None else int(cursor), whole_profiles(stored[0]) if stored else []


def _difference(expected: Profile | None, data: bytes | None) -> Found:
    try:
        got = Profile.decode(data) if data else Profile()
    except BadProfile:
        return Found(other=1)
    wanted = expected or Profile()
    more = got.plays + got.skips - wanted.plays - wanted.skips
    return Found(lost=max(0, -more), doubled=max(0, more), other=int(more == 0))
