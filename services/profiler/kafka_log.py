"""What the broker says of the log of listens, asked beside the consumer that reads it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import LISTENS
from services.profiler.ports import Record
from services.runtime.errors import BrokerAway
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

ASK_S = 5.0
STOP_S = 2.0


class KafkaLog:
    """The `Log` port over one connection of its own. Raises BrokerAway, also when nothing is answered in 5 s."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._connection = aio_connection(settings, "segue-profiler-log")
        self._asking = asyncio.Lock()  # it stands at one position at a time
        self._consumer: Any = None  # aiokafka is untyped; none before the start

    async def start(self) -> None:
        """Connect; may be tried again."""
        consumer = AIOKafkaConsumer(**self._connection, enable_auto_commit=False, auto_offset_reset="earliest")
        try:
            async with _patience("connecting"):
                await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer

    async def stop(self) -> None:
        """Disconnect; a broker that is away is not waited for."""
        if self._consumer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._consumer.stop(), STOP_S)

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """See Log."""
        wanted = [TopicPartition(LISTENS.name, partition) for partition in partitions]
        if not wanted:
            return {}
        async with _patience("asking for the ends of the log"):
            ends = await self._consumer.end_offsets(wanted)
        return {tp.partition: end for tp, end in ends.items()}

    async def begins(self, partition: int) -> int:
        """See Log."""
        at = TopicPartition(LISTENS.name, partition)
        async with _patience("asking where the log begins"):
            return int((await self._consumer.beginning_offsets([at]))[at])

    async def first_from(self, partition: int, offset: int) -> int | None:
        """See Log. Reads one record."""
        at = TopicPartition(LISTENS.name, partition)
        async with self._asking, _patience("looking for a listen"):
            end = (await self._consumer.end_offsets([at]))[at]
            self._consumer.assign([at])
            try:
                self._consumer.seek(at, offset)
                while await self._consumer.position(at) < end:
                    if found := await self._consumer.getmany(at, timeout_ms=500, max_records=1):
                        return int(found[at][0].offset)
            finally:
                self._consumer.unsubscribe()
        return None

    async def read(self, partition: int, until: int) -> AsyncGenerator[list[Record], None]:
        """See Log."""
        at = TopicPartition(LISTENS.name, partition)
        async with self._asking:
            self._consumer.assign([at])
            try:
                async with _patience("finding the beginning of the log"):
                    await self._consumer.seek_to_beginning(at)
                    position = await self._consumer.position(at)
                while position <= until:
                    async with _patience("reading the log again"):
                        before, records = position, []
                        while position == before:
                            records = (await self._consumer.getmany(at, timeout_ms=500)).get(at, [])
                            position = await self._consumer.position(at)
                    if some := [record for record in records if record.offset <= until]:
                        yield some
            finally:
                self._consumer.unsubscribe()


@asynccontextmanager
async def _patience(doing: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ASK_S):
            yield
    except (KafkaError, TimeoutError) as error:
        raise BrokerAway(f"{doing}: {error!r}") from error
