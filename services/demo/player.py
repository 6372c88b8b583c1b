"""Sends listens (and tracks that come out) at a rate; what the broker has not acknowledged does not count."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS, TRACKS
from schemas.track import Track
from services.demo.seen import Seen
from services.runtime.errors import BrokerAway

PATIENCE_S = 60.0  # an idempotent producer would try for ever
LOOK_S = 0.2  # how often a slow player looks whether it is to stop

Message = Listen | Track
Future = asyncio.Future[Any]  # of something with an `offset`


class Producer(Protocol):
    """As much of AIOKafkaProducer as is needed here."""

    async def send(self, topic: str, value: bytes | None = None, key: bytes | None = None) -> Future:
        """Queue one message, in order; the future is done when the broker has it."""


class Player:
    """Plays messages to a producer that is started; `seen` is told of each listen."""

    def __init__(
        self,
        producer: Producer,
        seen: Seen,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._producer, self._seen = producer, seen
        self._patience_s, self._clock = patience_s, clock
        self._under_way: dict[Future, float] = {}  # oldest first: queued at
        self._failed: BaseException | None = None

    async def play(
        self, messages: Iterator[Message], rate: float, until: float | None, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Send `rate` listens a second until the clock says `until`, `stop()`, or there are no more.

        A message is asked for when its time has come. Returns when the broker has all; raises BrokerAway.
        """
        start, sent = self._clock(), 0
        while await self._due(start + sent / rate, until, stop):
            message = next(messages, None)
            while isinstance(message, Track):
                await self._send(message)
                message = next(messages, None)
            if message is None:
                break
            self._seen.sent(message)
            await self._send(message)
            sent += 1
        await self.flush()

    async def flush(self) -> None:
        """Return when the broker has everything. Raises BrokerAway."""
        while self._under_way:
            await asyncio.wait(self._under_way, timeout=LOOK_S)
            self._check()
        self._check()

    async def _due(self, at: float, until: float | None, stop: Callable[[], bool]) -> bool:
        while True:
            await asyncio.sleep(max(0.0, min(at - self._clock(), LOOK_S)))  # also when late: others want their turn
            self._check()
            now = self._clock()
            if stop() or (until is not None and now >= until):
                return False
            if now >= at:
                return True

    async def _send(self, message: Message) -> None:
        topic, key = (LISTENS, message.user_id) if isinstance(message, Listen) else (TRACKS, message.track_id)
        try:
            queued = self._producer.send(topic.name, encode(message), key=key.encode())
            future = await asyncio.wait_for(queued, self._patience_s)
        except (KafkaError, TimeoutError) as error:
            raise self._away(error) from error
        self._under_way[future] = self._clock()
        future.add_done_callback(lambda done: self._done(done, message))

    def _done(self, future: Future, message: Message) -> None:
        del self._under_way[future]
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is not None:
            self._failed = self._failed or error
        elif isinstance(message, Listen):
            self._seen.acknowledged(message.user_id, future.result().offset, self._clock())
        else:
            self._seen.tracks += 1

    def _check(self) -> None:
        if self._failed is not None:
            raise self._away(self._failed) from self._failed
        if self._under_way and self._clock() - next(iter(self._under_way.values())) > self._patience_s:
            raise self._away(TimeoutError(f"nothing acknowledged for {self._patience_s:.0f} s"))

    def _away(self, error: BaseException) -> BrokerAway:
        return BrokerAway(
            f"the broker takes no more listens ({error!r}); {self._seen.listens:,} were acknowledged before that: run "
            "it again when the broker is back"
        )
