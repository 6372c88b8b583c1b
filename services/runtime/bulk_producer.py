"""Many messages to one topic, fast and once each: whole batches to aiokafka, success only on the broker's word.

Measured traps (aiokafka 0.14, read in its source): `send_batch` waits only until the batch is queued, so several
senders to one partition would overtake each other, hence a lock a partition; an idempotent producer retries for ever,
hence `patience_s`; after a batch failed for good its sequence numbers are spent, hence the first failure ends it all.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from msgspec import Struct

from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

log = logging.getLogger(__name__)

Codec = Literal["gzip", "lz4", "snappy", "zstd"]

BATCH_BYTES = 512 * 1024  # well below the 1 MB that a broker takes by default
PATIENCE_S = 60.0
STOP_S = 5.0


@lru_cache(maxsize=1 << 18)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition that the default partitioner (murmur2) of Java, kafka-python and aiokafka gives this key."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def filled(
    producer: AIOKafkaProducer, keys: Sequence[bytes], values: Sequence[bytes | None]
) -> Iterator[tuple[BatchBuilder, int, int]]:
    """Whole batches of these, closed, each with the index of its first message and how many it has.

    A message put into a batch costs a quarter of one that aiokafka is given by itself, which has a future of its own.
    """
    first = 0
    while first < len(keys):
        batch, last = producer.create_batch(), first
        while last < len(keys) and batch.append(timestamp=None, key=keys[last], value=values[last]) is not None:
            last += 1
        batch.close()  # nobody else may add to it
        yield batch, first, last - first
        first = last


class Sent(Struct, frozen=True):
    """Messages that the broker has."""

    partition: int
    first: int  # index in the sequence that was sent
    count: int
    offset: int  # of the first; -1: they are there, but where is not known (a retry of what had arrived)
    timestamp: int  # ms, the broker's if the topic is stamped by it; else -1


class BulkProducer:
    """Sends to one topic; `async with` it. All errors are BrokerAway (run it again) or Fatal."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        *,
        compression: Codec | None = None,
        batch_bytes: int = BATCH_BYTES,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._settings = settings
        self.topic = topic
        self._options: dict[str, Any] = {
            **aio_connection(settings, "segue-bulk"),
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": compression,
            "max_batch_size": batch_bytes,
            "linger_ms": 0,  # batches come full
        }
        self._patience_s = patience_s
        self._locks: dict[int, asyncio.Lock] = {}
        self.partitions = 0  # of the topic; known once started

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerAway, and Fatal when there is no such topic."""
        self._producer = AIOKafkaProducer(**self._options)
        try:
            await self._producer.start()
            self.partitions = len(await self._partitions())
        except BaseException as error:
            await self._stop()
            if isinstance(error, KafkaConnectionError):
                raise BrokerAway(
                    f"no broker answers at {self._settings.bootstrap}; start one with `segue up` or set "
                    "SEGUE_KAFKA_BOOTSTRAP"
                ) from error
            raise
        self._locks = {partition: asyncio.Lock() for partition in range(self.partitions)}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def send(self, partition: int, keys: Sequence[bytes], values: Sequence[bytes | None]) -> list[Sent]:
        """Send these to one partition, in order and after what was sent to it before; return when the broker has all.

        Several may run at once. Raises BrokerAway when the broker stays silent for `patience_s` (what was under way may
        have arrived or not), Fatal when it refuses.
        """
        try:
            async with self._locks[partition]:
                waiting = await self._queue(partition, keys, values)
            return [await self._done(future, partition, first, count) for future, first, count in waiting]
        except MessageSizeTooLargeError as error:
            raise Fatal(f"a message for {self.topic} is larger than the broker takes (message.max.bytes)") from error
        except TimeoutError as error:
            raise BrokerAway(
                f"the broker acknowledged nothing on {self.topic} for {self._patience_s:.0f} s; run it again: it goes "
                "on where it stopped"
            ) from error
        except KafkaError as error:
            raise BrokerAway(f"sending to {self.topic} failed: {error!r}; run it again") from error

    async def _queue(
        self, partition: int, keys: Sequence[bytes], values: Sequence[bytes | None]
    ) -> list[tuple["asyncio.Future[Any]", int, int]]:
        waiting = []
        for batch, first, count in filled(self._producer, keys, values):
            queued = self._producer.send_batch(batch, self.topic, partition=partition)
            future = await asyncio.wait_for(queued, self._patience_s)
            future.add_done_callback(_looked_at)
            waiting.append((future, first, count))
        return waiting

    async def _done(self, future: "asyncio.Future[Any]", partition: int, first: int, count: int) -> Sent:
        told = await asyncio.wait_for(future, self._patience_s)
        return Sent(partition, first, count, told.offset, told.timestamp)

    async def _partitions(self) -> set[int]:
        """Fatal rather than a wait for ever, or a topic made by the broker with the wrong number of partitions."""
        topics = (await self._producer.client.fetch_all_metadata()).topics()
        if self.topic not in topics:
            raise Fatal(f"the broker has no topic {self.topic}; create the topics with `segue topics apply`")
        found: set[int] = await self._producer.partitions_for(self.topic)
        return found

    async def _stop(self) -> None:
        """Give up after a while: an idempotent producer would wait for a broker that is away for ever."""
        with suppress(KafkaError):
            try:
                await asyncio.wait_for(self._producer.stop(), STOP_S)
            except TimeoutError:
                log.warning("the producer of %s was left behind: the broker does not answer", self.topic)
                await self._producer.client.close()


def _looked_at(future: "asyncio.Future[Any]") -> None:
    """The first failure is raised; asyncio need not complain that nobody looked at those after it."""
    if not future.cancelled():
        future.exception()
