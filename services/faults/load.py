"""A seeded log, sent at a rate through whatever happens, as a careful producer sends it."""

import asyncio
import time
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    RecordListTooLargeError,
)

from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

BROKEN = (OutOfOrderSequenceNumber, ProducerFenced)
TICK_S = 0.02
AGAIN_S = 0.2
USERS, TRACKS, ARTISTS = 120, 600, 60
KINDS = ("play",) * 90 + ("skip",) * 5 + ("love",) * 3 + ("ban", "unban")
REPEATED = 0.02  # of the events are sent three times, as an eager producer does
LATE_DAYS = 0.02  # of the events come days after they happened
# Events that wait for a broker; then the producer waits too. They must fit into the batches under way: aiokafka wakes
# all that wait for a full one whenever it is sent, and 20,000 of them once kept the loop busy for good.
MOST_UNDER_WAY = 2_000
BATCH_BYTES = 1 << 20


class Load:
    """Sends events until told to stop. Every event is sent again until the broker has acknowledged it."""

    def __init__(self, kafka: KafkaSettings, rng: Random, rate: float) -> None:
        self._kafka, self._rng, self._rate = kafka, rng, rate
        self.sent = 0  # acknowledged by the broker
        self.retried = 0
        self.acknowledged: dict[int, int] = {}  # by partition, the newest offset that the broker said it has
        self._number = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []
        self._producer: Any = None  # aiokafka is untyped; none before the first event
        self._stopping: list[asyncio.Task[None]] = []
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is set; returns when all that was begun is acknowledged."""
        start, begun = time.monotonic(), 0
        while not self.stop.is_set():
            due = int((time.monotonic() - start) * self._rate)
            while begun < due and len(self._under_way) < MOST_UNDER_WAY:
                self._begin(self._event())
                begun += 1
            begun = max(begun, due - 1_000)  # after a pause it goes on, it does not make up for all of it
            await asyncio.sleep(TICK_S)
        while self._under_way:
            await asyncio.wait(self._under_way)
        for stopping in self._stopping:
            stopping.cancel()
        if self._producer is not None:
            await self._producer.stop()
        if self._failed:
            raise self._failed[0]

    def burst(self, values: list[tuple[bytes | None, bytes | None]]) -> list[asyncio.Task[None]]:
        """Send some (key, value) besides the load, whatever they are."""
        return [self._start(key, value) for key, value in values]

    def _event(self) -> Listen:
        rng = self._rng
        self._number += 1
        track = min(int(rng.paretovariate(0.8)), TRACKS)
        late = rng.randrange(1, 20) * 86_400_000 if rng.random() < LATE_DAYS else 0
        kind = rng.choice(KINDS)
        return Listen(
            f"fault-{self._number}", f"user-{rng.randrange(USERS)}", f"track-{track}",
            time.time_ns() // 1_000_000 - late, kind=kind, artist=f"artist-{track % ARTISTS}",  # type: ignore[arg-type]  # one of KINDS
        )  # fmt: skip

    def _begin(self, event: Listen) -> None:
        for _ in range(3 if self._rng.random() < REPEATED else 1):
            self._start(event.user_id.encode(), encode(event))

    def _start(self, key: bytes | None, value: bytes | None) -> asyncio.Task[None]:
        task = asyncio.create_task(self._deliver(key, value))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failed.append(error)  # a bug here, not a fault: the run must not call itself clean

    async def _deliver(self, key: bytes | None, value: bytes | None) -> None:
        while True:
            try:
                producer = await self._connected()
                done = await producer.send_and_wait(LISTENS.name, value, key=key)
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                raise  # the world is built wrong: no time will mend it
            except BROKEN:  # it would refuse everything from now on (aiokafka#1017); a repeat has the same event_id
                self._renew(producer)
            except KafkaError:
                pass
            else:
                self.sent += 1
                self.acknowledged[done.partition] = max(self.acknowledged.get(done.partition, -1), done.offset)
                return
            self.retried += 1
            await asyncio.sleep(AGAIN_S)

    def _renew(self, spent: AIOKafkaProducer) -> None:
        if self._producer is spent:
            self._producer = None
            self._stopping.append(asyncio.create_task(spent.stop()))

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                **aio_connection(self._kafka, "segue-faults"), acks="all", enable_idempotence=True,
                max_request_size=16 << 20, max_batch_size=BATCH_BYTES, request_timeout_ms=10_000,
            )  # fmt: skip
            self._starting = asyncio.create_task(self._producer.start())
        await asyncio.shield(self._starting)
        return self._producer
