"""The live part: listens sent at a rate, lists watched as they come, the time between measured on one clock."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.codec import decode
from schemas.errors import Poison
from schemas.recommendation import Recommendations
from schemas.topics import RECOMMENDATIONS
from services.demo.player import PATIENCE_S, Message, Player
from services.demo.seen import Seen
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

LAST_LISTS_S = 5.0  # how long the lists of the last listens are waited for
STOP_S = 5.0


class Live:
    """Plays listens to a running stream and watches the lists. `async with` it, then `play`."""

    def __init__(self, kafka: KafkaSettings, seen: Seen, client: str = "segue-demo") -> None:
        self._kafka, self.seen, self._client = kafka, seen, client

    async def __aenter__(self) -> "Live":
        """Connect, and stand before the lists that are there already. Raises BrokerAway, Fatal: no such topic."""
        client = aio_connection(self._kafka, self._client)
        self._producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True, linger_ms=0)
        self._consumer = AIOKafkaConsumer(**client, enable_auto_commit=False, fetch_max_wait_ms=100)
        try:
            await self._producer.start()
            await self._consumer.start()
            self._partitions = await self._find_partitions()
            self._consumer.assign(self._partitions)
            await self._consumer.seek_to_beginning(*self._partitions)
        except BaseException as error:
            await self._stop()
            if isinstance(error, KafkaError):
                raise BrokerAway(
                    f"no broker answers at {self._kafka.bootstrap} ({error}); start one with `segue up` or set "
                    "SEGUE_KAFKA_BOOTSTRAP"
                ) from error
            raise
        self._player = Player(self._producer, self.seen)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError, Exception):  # it was told to whoever looked at it
            await self._reading
        await self._stop()

    async def first_list(self, within_s: float) -> float:
        """Wait for any list; when it came (perf_counter). Raises BrokerAway when none does."""
        end = time.perf_counter() + within_s
        while self.seen.first_list is None:
            self._check_reading()
            if time.perf_counter() > end:
                raise BrokerAway(f"no list came within {within_s:.0f} s")
            await asyncio.sleep(0.02)
        return self.seen.first_list

    async def standing(self) -> None:
        """Read the lists that stand now; they do not count as seen. Raises BrokerAway."""
        ends = await self._consumer.end_offsets(self._partitions)
        left, heard = -1, time.perf_counter()
        while missing := sum([max(0, end - await self._consumer.position(tp)) for tp, end in ends.items()]):
            self._check_reading()
            if missing != left:
                left, heard = missing, time.perf_counter()
            elif time.perf_counter() - heard > PATIENCE_S:
                raise BrokerAway(f"the broker sent nothing of {RECOMMENDATIONS.name} for {PATIENCE_S:.0f} s")
            await asyncio.sleep(0.02)
        self.seen.lists, self.seen.first_list = 0, None

    async def caught_up(self, versions: Mapping[str, int], within_s: float) -> None:
        """Wait until every listener has a list of at least this profile version. Raises BrokerAway when none comes."""
        end = time.perf_counter() + within_s
        left = dict(versions)
        while left:
            self._check_reading()
            if time.perf_counter() > end:
                raise BrokerAway(f"{len(left):,} listeners have no fresh list after {within_s:.0f} s")
            await asyncio.sleep(0.02)
            left = {user: version for user, version in left.items() if not self._has(user, version)}

    def _has(self, user: str, version: int) -> bool:
        return user in self.seen.newest and self.seen.newest[user].profile_version >= version

    async def play(
        self, messages: Iterator[Message], rate: float, until: float | None, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """As Player.play; then the lists of the last listens are waited for, a while. Raises BrokerAway."""
        await self._player.play(messages, rate, until, lambda: self._check_reading() or stop())
        end = time.perf_counter() + LAST_LISTS_S
        while self.unanswered and time.perf_counter() < end:
            self._check_reading()
            await asyncio.sleep(0.02)

    @property
    def unanswered(self) -> int:
        """Listens whose list has not come."""
        return self.seen.unanswered

    def _check_reading(self) -> bool:
        """False; raises what went wrong with the reader."""
        if self._reading.done():
            self._reading.result()
        return False

    async def _read(self) -> None:
        try:
            while True:
                batches = await self._consumer.getmany(timeout_ms=200)
                now = time.perf_counter()
                for record in (record for records in batches.values() for record in records):
                    with suppress(Poison):  # no list, or a listener's deletion: not ours to judge
                        self.seen.came(decode(Recommendations, record.value), now)
        except KafkaError as error:
            raise BrokerAway(f"reading the lists failed: {error!r}") from error

    async def _find_partitions(self) -> list[TopicPartition]:
        name = RECOMMENDATIONS.name
        if name not in await self._consumer.topics():
            raise Fatal(f"the broker has no topic {name}; create the topics with `segue topics apply`")
        return [TopicPartition(name, number) for number in sorted(await self._producer.partitions_for(name))]

    async def _stop(self) -> None:
        """Give up after a while: an idempotent producer would wait for a broker that is away for ever."""
        for client in (self._consumer, self._producer):
            stopping = asyncio.create_task(client.stop())
            await asyncio.wait({stopping}, timeout=STOP_S)  # aiokafka cancels itself, so wait_for would raise that
            if not stopping.done():
                stopping.cancel()
            elif not stopping.cancelled():
                stopping.exception()  # looked at: what it was doing has failed before, and been told
        await self._producer.client.close()
