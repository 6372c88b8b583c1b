"""Notices and dead letters over one idempotent aiokafka producer."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerFenced
from aiokafka.structs import RecordMetadata
from msgspec.structs import replace

from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.profile import ProfileChanged
from schemas.topics import DEAD, PROFILES
from services.profiler.ports import Record
from services.runtime.bulk_producer import BATCH_BYTES, filled
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

# Nothing that cannot heal by sending again: the sequence of an idempotent producer is broken (aiokafka#1017).
BROKEN = (OutOfOrderSequenceNumber, ProducerFenced)


Message = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]

PATIENCE_S = 1.0
STOP_S = 4.0
WHOLE = 960 * 1024  # what fits into a request, and into a broker's default message.max.bytes
CUT = 64 * 1024  # what is kept of the rest


class KafkaOutbox:
    """The `Outbox` port. Raises BrokerAway while the broker does not acknowledge, Fatal when the producer is spent.

    An idempotent producer never gives up a batch that may have been sent, so a broker that is away is waited for here.
    `waiting` is called once a second meanwhile: it shows life, and raises Stopped when the profiler is to end.
    """

    def __init__(self, settings: KafkaSettings, waiting: Callable[[], None]) -> None:
        self._waiting = waiting
        self._connection = aio_connection(settings, "segue-profiler")

    async def start(self) -> None:
        """Connect; may be tried again. Raises BrokerAway."""
        self._producer = AIOKafkaProducer(
            **self._connection,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            request_timeout_ms=10_000,
            max_batch_size=BATCH_BYTES,
        )
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise BrokerAway(f"no broker answers the profiler's producer: {error}") from error

    async def stop(self) -> None:
        """Send what is under way, disconnect; a broker that is away is not waited for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._producer.stop(), STOP_S)

    async def notices(self, partition: int, notices: Sequence[ProfileChanged]) -> None:
        """Announce changed profiles of a partition on that of `profiles` that has its number, in whole batches."""
        keys, values = [notice.user_id.encode() for notice in notices], [encode(notice) for notice in notices]
        with _trouble():
            await self._acknowledged(
                [
                    await self._producer.send_batch(batch, PROFILES.name, partition=partition)
                    for batch, _, _ in filled(self._producer, keys, values)
                ]
            )

    async def dead(self, letters: Iterable[tuple[DeadLetter, Record]]) -> None:
        """Put away messages, key and value as they came, the reason in the headers."""
        messages = [_put_away(letter, record) for letter, record in letters]
        with _trouble():
            await self._acknowledged(
                [
                    await self._producer.send(DEAD.name, value, key=key, headers=headers)
                    for value, key, headers in messages
                ]
            )

    async def _acknowledged(self, sent: list[asyncio.Future[RecordMetadata]]) -> None:
        """Once the broker has all of them. Raises what the first that it refused was refused for."""
        pending: set[asyncio.Future[RecordMetadata]] = set(sent)
        while pending:
            _, pending = await asyncio.wait(pending, timeout=PATIENCE_S)
            if pending:
                self._waiting()
        errors = [error for future in sent if (error := future.exception())]
        if errors:
            raise errors[0]


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise Fatal(f"the profiler's producer must be made anew: {error}") from error
    except KafkaError as error:
        raise BrokerAway(f"the broker did not acknowledge: {error}") from error


def _put_away(letter: DeadLetter, record: Record) -> Message:
    key, value = record.key, record.value
    if len(key or b"") + len(value or b"") > WHOLE:  # it can only be here if the broker was told to take such
        letter = replace(letter, cut=len(value or b""))
        key, value = key and key[:CUT], value and value[:CUT]
    return value, key, letter.headers()
