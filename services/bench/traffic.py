"""An open load and what comes of it: events go out on time whatever comes back, and each is timed until it is answered.

Times run from the broker's acknowledgement of an event to the moment when its answer can be read.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Delivered
from msgspec import Struct
from msgspec.json import Decoder

from services.runtime.librdkafka import member, producer, rdkafka_trouble
from services.runtime.settings import KafkaSettings

Message = tuple[int, str, bytes]  # its number, its listener, its value
# That answers are waited for after the last event: longer than a session of the group, which a stall may end.
DRAIN_S = 30.0
TICK_S = 0.001
ANSWER_S = 5.0  # that the broker has to say where a topic ends
MOST = 10_000  # messages that are read at once


class Answers(Protocol):
    """Which events are answered, and after how long."""

    seconds: list[float]

    def acknowledged(self, number: int, user: str, offset: int, now: float) -> None:
        """The broker has this event."""

    def came(self, value: bytes, now: float) -> None:
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
            self.seconds.append(0.0)  # its list was here before the acknowledgement
            return
        self._pending.setdefault(user, deque()).append((offset, now))
        self.waiting += 1

    def came(self, value: bytes, now: float) -> None:
        """See Answers."""
        made = self._decode(value)
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
            self.seconds.append(0.0)
        else:
            self._pending[number] = now

    def came(self, value: bytes, now: float) -> None:
        """See Answers."""
        number = int(self._decode(value).event_id.rpartition("-")[2])
        if number in self._pending:
            self.seconds.append(now - self._pending.pop(number))
        else:
            self._early.add(number)


class Load(Struct, frozen=True):
    """What a load came to."""

    sent: int
    seconds: float
    late_s: float  # by which an event went out after its time, at most: the load's own fault
    waiting_half: int  # events without an answer half-way …
    waiting_end: int  # … and when the last went out: grown, the system does not keep up
    unanswered: int  # after the drain


class Traffic:
    """Sends to one topic and reads another; `async with` it.

    Over librdkafka: the load shares the cores with what it measures, and should take as little of them as it can.
    """

    def __init__(self, kafka: KafkaSettings, source: str, target: str) -> None:
        self._kafka, self._source, self._target = kafka, source, target

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._consumer.close)

    async def run(self, messages: Iterator[Message], rate: float, seconds: float, answers: Answers) -> Load:
        """Send at an even pace for so long, then wait for the last answers, a while. Raises BrokerAway."""
        return await asyncio.to_thread(self._run, messages, rate, seconds, answers)

    def _open(self) -> None:
        """What is sent later is read; nothing of before."""
        self._producer = producer(self._kafka, "segue-bench", {})
        self._consumer = member(self._kafka, "segue-bench", "segue-bench", {})
        topic = self._consumer.list_topics(self._target, timeout=ANSWER_S).topics[self._target]
        places = [TopicPartition(self._target, partition) for partition in topic.partitions]
        for place in places:
            _, place.offset = self._consumer.get_watermark_offsets(place, timeout=ANSWER_S)
        self._consumer.assign(places)

    def _run(self, messages: Iterator[Message], rate: float, seconds: float, answers: Answers) -> Load:
        heard = _Heard(answers)
        ended = threading.Event()
        hearing = threading.Thread(target=self._hear, args=(ended,), name="acknowledgements")
        hearing.start()
        try:
            with rdkafka_trouble(f"load on {self._source}"):
                return self._send(messages, rate, seconds, heard)
        finally:
            ended.set()
            hearing.join()

    def _hear(self, ended: threading.Event) -> None:
        """Each acknowledgement is told when it comes, whatever else is under way."""
        while not ended.is_set():
            self._producer.poll(0.1)

    def _send(self, messages: Iterator[Message], rate: float, seconds: float, heard: "_Heard") -> Load:
        total, sent, late, half = max(1, round(rate * seconds)), 0, 0.0, -1
        begun = time.perf_counter()
        while sent < total:
            at = time.perf_counter() - begun
            while sent < min(total, int(at * rate) + 1):
                late = max(late, at - sent / rate)
                number, user, value = next(messages)
                self._producer.produce(self._source, value, user, on_delivery=partial(heard.acknowledged, number, user))
                sent += 1
            if half < 0 and sent >= total / 2:
                half = heard.waiting
            self._read(max(TICK_S, begun + sent / rate - time.perf_counter()), heard)
        took, end = time.perf_counter() - begun, heard.waiting
        until = time.perf_counter() + DRAIN_S
        while heard.answered < total and time.perf_counter() < until:
            self._read(0.1, heard)
        return Load(total, took, late, max(0, half), end, total - heard.answered)

    def _read(self, seconds: float, heard: "_Heard") -> None:
        """Read what comes within so long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if (first := self._consumer.poll(left)) is None:
                return
            heard.came([first, *self._consumer.consume(MOST, 0)])


class _Heard:
    """Tells the answers, which are asked from one thread and told from two."""

    def __init__(self, answers: Answers) -> None:
        self._answers, self._lock = answers, threading.Lock()
        self._refused: KafkaError | None = None

    def acknowledged(self, number: int, user: str, error: KafkaError | None, sent: Delivered) -> None:
        """The broker has an event, or an error."""
        now, offset = time.perf_counter(), sent.offset()
        with self._lock:
            if error is not None or offset is None:
                self._refused = error
            else:
                self._answers.acknowledged(number, user, offset, now)

    def came(self, polled: list[Delivered]) -> None:
        """These can be read."""
        now = time.perf_counter()
        with self._lock:
            for each in polled:
                if each.error() is None and (value := each.value()) is not None:
                    self._answers.came(value, now)

    @property
    def waiting(self) -> int:
        """Events without an answer."""
        with self._lock:
            return self._answers.waiting

    @property
    def answered(self) -> int:
        """Events with one. Raises KafkaException: the broker did not take one."""
        with self._lock:
            if self._refused is not None:
                raise KafkaException(self._refused)
            return len(self._answers.seconds)
