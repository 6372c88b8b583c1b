"""The live part: listens sent at a rate, lists watched as they come, the time between measured on one clock."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from models.taste import TasteSettings, is_positive
from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.recommendation import Recommendations
from schemas.topics import LISTENS, RECOMMENDATIONS
from services.runtime.errors import BrokerAway
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

TOP = 20  # the hit rate looks at so many
LAST_LISTS_S = 5.0  # how long the lists of the last listens are waited for
TASTE = TasteSettings()


@dataclass
class Seen:
    """What was sent and what came back. Times in seconds on one clock (perf_counter)."""

    listens: int = 0
    lists: int = 0
    plays: int = 0  # live plays by a listener who had a list
    hits: int = 0  # of those, the track was in the list's first TOP
    latencies: list[float] = field(default_factory=list)  # listen acknowledged to its list read
    newest: dict[str, Recommendations] = field(default_factory=dict)
    recent: deque[Listen] = field(default_factory=lambda: deque(maxlen=2_000))
    first_list: float | None = None

    def percentiles(self) -> dict[str, float]:
        """p50, p95, p99 of the freshness, in ms; empty before the first list."""
        if not self.latencies:
            return {}
        values = np.percentile(np.array(self.latencies) * 1000, (50, 95, 99)).tolist()
        return {name: round(value, 2) for name, value in zip(("p50", "p95", "p99"), values, strict=True)}

    def hit_rate(self) -> float | None:
        """Share of live plays whose track was in the list that stood before them."""
        return round(self.hits / self.plays, 4) if self.plays else None


class Live:
    """Plays listens to a running stream and watches the lists. `async with` it, then `play`."""

    def __init__(self, kafka: KafkaSettings, seen: Seen) -> None:
        self._kafka, self.seen = kafka, seen
        # By partition, the listens whose list has not come yet: offset -> (listener, acknowledged at).
        self._waiting: dict[int, dict[int, tuple[str, float]]] = {p: {} for p in range(LISTENS.partitions)}
        self._newest_version: dict[str, tuple[int, float]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Live":
        """Connect, and stand behind the lists that are there already."""
        client = aio_connection(self._kafka, "segue-demo")
        self._producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True, linger_ms=0)
        self._consumer = AIOKafkaConsumer(**client, enable_auto_commit=False, fetch_max_wait_ms=100)
        try:
            await self._producer.start()
            await self._consumer.start()
        except KafkaError as error:
            raise BrokerAway(f"no broker answers the demo: {error}") from error
        partitions = [TopicPartition(RECOMMENDATIONS.name, p) for p in range(RECOMMENDATIONS.partitions)]
        self._consumer.assign(partitions)
        await self._consumer.seek_to_beginning(*partitions)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await self._consumer.stop()
        await self._producer.stop()

    async def first_list(self, within_s: float) -> float:
        """Wait for any list; when it came (perf_counter). Raises BrokerAway when none does."""
        end = time.perf_counter() + within_s
        while self.seen.first_list is None:
            if self._reading.done():
                self._reading.result()
            if time.perf_counter() > end:
                raise BrokerAway(f"no list came within {within_s:.0f} s; the services' logs say why")
            await asyncio.sleep(0.02)
        return self.seen.first_list

    async def caught_up(self, versions: Mapping[str, int], within_s: float) -> None:
        """Wait until every listener has a list of at least this profile version. Raises BrokerAway when none comes."""
        end = time.perf_counter() + within_s
        left = dict(versions)
        while left:
            if self._reading.done():
                self._reading.result()
            if time.perf_counter() > end:
                raise BrokerAway(
                    f"{len(left):,} listeners have no fresh list after {within_s:.0f} s; the services' logs say why"
                )
            await asyncio.sleep(0.02)
            left = {user: version for user, version in left.items() if not self._has(user, version)}

    def _has(self, user: str, version: int) -> bool:
        return user in self.seen.newest and self.seen.newest[user].profile_version >= version

    async def play(self, listens: Iterator[Listen], rate: float, until: float | None) -> None:
        """Send listens at `rate` a second until the clock says `until`, or until there are no more."""
        start = time.perf_counter()
        for sent, listen in enumerate(listens):
            due = start + sent / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if until is not None and time.perf_counter() >= until:
                break
            self._send(listen)
            if self._reading.done():
                self._reading.result()
        await self._settle()

    async def _settle(self) -> None:
        if self._sending:
            await asyncio.gather(*self._sending)
        end = time.perf_counter() + LAST_LISTS_S
        while self.unanswered and time.perf_counter() < end:  # noqa: ASYNC110  # a look 50 times a second is plenty
            await asyncio.sleep(0.02)

    @property
    def unanswered(self) -> int:
        """Listens whose list has not come."""
        return sum(map(len, self._waiting.values()))

    def _send(self, listen: Listen) -> None:
        self._look(listen)
        task = asyncio.create_task(self._acknowledged(listen))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _look(self, listen: Listen) -> None:
        """Was what is played now in the list that stood before?"""
        stood = self.seen.newest.get(listen.user_id)
        if stood is not None and listen.kind in ("play", "skip") and is_positive(listen, TASTE):
            self.seen.plays += 1
            self.seen.hits += any(item.track_id == listen.track_id for item in stood.items[:TOP])
        self.seen.recent.append(listen)

    async def _acknowledged(self, listen: Listen) -> None:
        done = await self._producer.send_and_wait(LISTENS.name, encode(listen), key=listen.user_id.encode())
        now = time.perf_counter()
        self.seen.listens += 1
        version, seen = self._newest_version.get(listen.user_id, (-1, 0.0))
        if version >= done.offset:  # the list was here before our acknowledgement was
            self.seen.latencies.append(max(0.0, seen - now))
        else:
            self._waiting[done.partition][done.offset] = listen.user_id, now

    async def _read(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for records in batches.values():
                for record in records:
                    self._take(decode(Recommendations, record.value), now)

    def _take(self, made: Recommendations, now: float) -> None:
        self.seen.lists += 1
        self.seen.first_list = self.seen.first_list or now
        self.seen.newest[made.user_id] = made
        self._newest_version[made.user_id] = made.profile_version, now
        waiting = self._waiting[made.partition]
        for offset in [o for o, (user, _) in waiting.items() if user == made.user_id and o <= made.profile_version]:
            self.seen.latencies.append(now - waiting.pop(offset)[1])
