"""An open load and what comes of it: events go out on time whatever comes back, and each is timed until it is answered.

Times run from the broker's acknowledgement of an event to the moment when its answer can be read.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import nan
from types import TracebackType
from typing import Protocol, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import RecordMetadata
from msgspec import Struct
from msgspec.json import Decoder

from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

Message = tuple[int, str, bytes]  # its number, its listener, its value
DRAIN_S = (
    30.0  # that answers are waited for after the last event: longer than a session of the group, which a stall may end
)
TICK_S = 0.001


class Answers(Protocol):
    """Which events are answered, and after how long."""

    seconds: list[float]

    def acknowledged(self, number: int, user: str, offset: int, now: float) -> None:
        """The broker has this event. Of one that does not count `now` is not a number, nor are its seconds then."""

    def came(self, record: ConsumerRecord, now: float) -> None:
        """Something can be read."""

    @property
    def waiting(self) -> int:
        """Events without an answer."""


class _Covered(Struct):
    """Of a list, what tells which events it covers."""

    user_id: str
    profile_version: int


class ListAnswers:
    """A list answers every event of its listener up to its profile's version."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.waiting = 0
        self._newest: dict[str, tuple[int, float]] = {}
        self._pending: dict[str, deque[tuple[int, float]]] = {}
        self._decode = Decoder(_Covered).decode

    def acknowledged(self, number: int, user: str, offset: int, now: float) -> None:  # noqa: ARG002  # the port's
        """See Answers."""
        if self._newest.get(user, (-1, 0.0))[0] >= offset:
            self.seconds.append(now - now)  # its list was here before the acknowledgement
            return
        self._pending.setdefault(user, deque()).append((offset, now))
        self.waiting += 1

    def came(self, record: ConsumerRecord, now: float) -> None:
        """See Answers."""
        made = self._decode(record.value)
        self._newest[made.user_id] = (made.profile_version, now)
        pending = self._pending.get(made.user_id, ())
        while pending and pending[0][0] <= made.profile_version:
            self.seconds.append(now - pending.popleft()[1])
            self.waiting -= 1


class _Numbered(Struct):
    """Of an event, its number."""

    event_id: str


class CopyAnswers:
    """A copy answers the event that it is a copy of."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._pending: dict[int, float] = {}
        self._early: set[int] = set()
        self._decode = Decoder(_Numbered).decode

    @property
    def waiting(self) -> int:
        """See Answers."""
        return len(self._pending)

    def acknowledged(self, number: int, user: str, offset: int, now: float) -> None:  # noqa: ARG002  # the port's
        """See Answers."""
        if number in self._early:
            self.seconds.append(now - now)
        else:
            self._pending[number] = now

    def came(self, record: ConsumerRecord, now: float) -> None:
        """See Answers."""
        number = int(self._decode(record.value).event_id.rpartition("-")[2])
        if number in self._pending:
            self.seconds.append(now - self._pending.pop(number))
        else:
            self._early.add(number)


class Load(Struct, frozen=True):
    """What a load came to."""

    counted: int  # events that count; what is not said to be of these is of all
    sent: int
    seconds: float
    late_s: float  # by which an event that counts went out after its time, at most: the load's own fault
    waiting_half: int  # events without an answer when half of those that count were out …
    waiting_end: int  # … and when the last went out: grown, the system does not keep up
    unanswered: int  # after the drain


class Traffic:
    """Sends to one topic and reads another; `async with` it."""

    def __init__(self, kafka: KafkaSettings, source: str, target: str) -> None:
        self._source, self._target = source, target
        connection = aio_connection(kafka, "segue-bench")
        self._producer = AIOKafkaProducer(**connection, acks="all", enable_idempotence=True, linger_ms=0)
        self._consumer = AIOKafkaConsumer(**connection, auto_offset_reset="latest", enable_auto_commit=False)

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._consumer.start()
        places = [TopicPartition(self._target, p) for p in await self._producer.partitions_for(self._target)]
        self._consumer.assign(places)
        await self._consumer.seek_to_end(*places)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    async def run(
        self, messages: Iterator[Message], rate: float, seconds: float, answers: Answers, lead_s: float = 0.0
    ) -> Load:
        """Send at an even pace for so long, then wait for the last answers, a while.

        The events of the first `lead_s`, which go before those of `seconds`, do not count.
        """
        reading = asyncio.create_task(self._read(answers))
        try:
            return await self._send(messages, rate, seconds, answers, round(rate * lead_s))
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _send(
        self, messages: Iterator[Message], rate: float, seconds: float, answers: Answers, lead: int
    ) -> Load:
        counted = max(1, round(rate * seconds))
        total, sent, late, half = lead + counted, 0, 0.0, -1
        begun = time.perf_counter()
        while sent < total:
            at = time.perf_counter() - begun
            while sent < min(total, int(at * rate) + 1):
                late = max(late, at - sent / rate) if sent >= lead else 0.0
                number, user, value = next(messages)
                future = await self._producer.send(self._source, value, key=user.encode())
                future.add_done_callback(_telling(answers, number, user, counts=sent >= lead))
                sent += 1
            if half < 0 and sent >= lead + counted / 2:
                half = answers.waiting
            await asyncio.sleep(max(TICK_S, begun + sent / rate - time.perf_counter()))
        took, end = time.perf_counter() - begun, answers.waiting
        await self._producer.flush()
        until = time.perf_counter() + DRAIN_S
        while len(answers.seconds) < total and time.perf_counter() < until:  # noqa: ASYNC110  # it may never come
            await asyncio.sleep(0.01)
        return Load(counted, total, took, late, max(0, half), end, total - len(answers.seconds))

    async def _read(self, answers: Answers) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for records in batches.values():
                for record in records:
                    answers.came(record, now)


def _telling(
    answers: Answers, number: int, user: str, *, counts: bool
) -> Callable[["asyncio.Future[RecordMetadata]"], None]:
    def told(future: "asyncio.Future[RecordMetadata]") -> None:
        answers.acknowledged(number, user, future.result().offset, time.perf_counter() if counts else nan)

    return told
