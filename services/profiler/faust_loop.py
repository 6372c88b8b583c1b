"""The live loop: faust feeds the profiler. The only file that knows faust.

Used: its consumer, rebalancing, flow control and offset commits. Not used, since each was measured to lose or double
events: tables, `exactly_once`, `concurrency` > 1, `take` (its timer adds latency), acks by the stream, seeking while
messages are buffered. Positions come from the profiles' store, so whatever faust acknowledges, nothing is skipped.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import faust
from faust.transport.drivers.aiokafka import Consumer as AiokafkaConsumer
from faust.transport.drivers.aiokafka import Transport as AiokafkaTransport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from mode.services import WaitResults

from schemas.topics import LISTENS
from services.profiler.app import Profiler
from services.profiler.errors import ReadAgainError
from services.profiler.metrics import Metrics
from services.profiler.ports import Record, Taken
from services.profiler.settings import ProfilerSettings
from services.runtime.errors import Fatal
from services.runtime.kafka_clients import MECHANISM, METADATA_MS, servers, ssl_context

log = logging.getLogger(__name__)

SEEK_S = 60.0  # for positions after a rebalance. At 90 s faust's recovery ends in silence and nothing is read any more;
# an error before that ends the process, and its supervisor starts it again
AT_ONCE = 8  # partitions of a batch; each holds a connection to Redis
DRAIN_S = 4.0  # that a batch under way may take to its end when the profiler is told to stop


class FaustLoop:
    """Runs a profiler on the partitions that its consumer group gives it, until stopped or until something breaks."""

    def __init__(self, profiler: Profiler, settings: ProfilerSettings, metrics: Metrics) -> None:
        self._profiler, self._metrics = profiler, metrics
        self._max_batch = settings.profiler.max_batch
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle = asyncio.Event()  # no batch is under way
        self._idle.set()
        self._app = _app(settings, _Transport, profiler)
        self._app.segue_broken = self._break
        topic = self._app.topic(
            LISTENS.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        self._app.agent(topic, name="profiler", concurrency=1)(self._agent)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises whatever broke the profiler; then nothing was acknowledged that was not applied.

        On stop the batch under way comes to its end; after a break nothing is waited for.
        """
        await self._app.start()
        stopped = asyncio.ensure_future(stop.wait())
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait((stopped, self._broken, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._finish_batch()
            for task in (stopped, watching):
                task.cancel()
            await asyncio.wait_for(self._app.stop(), timeout=10)
            with suppress(ReadAgainError):  # whoever starts next sees it too
                await self._profiler.rest()
        if self._broken.done():
            self._broken.result()
        if watching.done() and not watching.cancelled():
            watching.result()

    async def _finish_batch(self) -> None:
        """Let the batch under way come to its end, so that nobody has to repeat it."""
        if not self._broken.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), DRAIN_S)

    async def _agent(self, stream: Any) -> None:
        """One coroutine, raw bytes, acks in offset order after `apply`; no exception ever leaves it."""
        try:
            arrived = self._app.segue_arrived = stream.channel.queue
            async for first in stream.noack().events():
                batch = [first]
                while len(batch) < self._max_batch and not arrived.empty():
                    batch.append(arrived.get_nowait())  # past the stream, which takes a turn of the loop for each
                self._idle.clear()
                await self._apply(batch)
                self._idle.set()
                for done in batch:
                    done.ack()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # anything that left here would be acknowledged by faust
            self._break(error)
            await asyncio.Event().wait()  # leaving would let faust restart the agent on what it has buffered

    def _break(self, error: Exception) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)

    async def _apply(self, events: list[Any]) -> None:
        generation, parts = self._app.consumer_generation_id, dict[int, list[Record]]()
        for event in events:
            message = event.message
            # Of an older generation: since then partitions were given out anew and are read from their cursors. Of one
            # whose cursors are not asked for yet, they will be: faust resumes partitions before it seeks.
            if message.generation_id == generation == self._app.segue_placed:
                record = Taken(message.offset, message.key, message.value, round(message.timestamp * 1000))
                parts.setdefault(message.partition, []).append(record)
        waiting = list(parts.items())
        for begin in range(0, len(waiting), AT_ONCE):
            if generation == self._app.consumer_generation_id:
                await self._apply_at_once(waiting[begin : begin + AT_ONCE])

    async def _apply_at_once(self, parts: list[tuple[int, list[Record]]]) -> None:
        """Of several partitions, for most of a small batch is waiting for Redis and the broker."""
        if len(parts) == 1:
            await self._profiler.apply(*parts[0])
            return
        try:
            async with asyncio.TaskGroup() as at_once:
                tasks = [at_once.create_task(self._profiler.apply(*part)) for part in parts]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        for task in tasks:
            task.result()  # a group says nothing of a task that was cancelled on its own, and is not applied

    async def _watch(self) -> None:
        """The heartbeat of an idle worker, the lag, and an app that ended by itself."""
        while not self._app.should_stop:
            consumer = self._app.consumer
            ends = {tp: consumer.highwater(tp) for tp in consumer.assignment()}  # before anything is waited for
            for tp, end in ends.items():
                if end is not None:
                    await self._profiler.look_ahead(tp.partition, end, resting=self._idle.is_set())
            if self._idle.is_set():  # a batch that hangs must not look alive
                self._metrics.idle()
                await self._profiler.rest()
            await asyncio.sleep(0.5)
        raise Fatal("faust ended by itself; its log says why")


class _Consumer(AiokafkaConsumer):
    """faust's consumer, but positions come from the profiles' store."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every assigned partition behind what is folded and noticed; waits while the store is away."""
        async with asyncio.timeout(SEEK_S):
            return await self._seek_to_cursors()

    async def _seek_to_cursors(self) -> Mapping[TP, int]:
        generation = self.app.consumer_generation_id
        await super().seek_to_committed()
        assigned: Iterable[TP] = self.assignment()
        topics = {tp.partition: tp for tp in assigned if tp.topic == LISTENS.name}
        try:
            starts = await self.app.segue_profiler.assign(topics)
        except Fatal as error:
            self.app.segue_broken(error)  # faust would log it and end by itself
            raise
        if generation == self.app.consumer_generation_id:  # else a newer one asks for itself
            self.app.segue_placed = generation  # what is handed over from now on, counts
        offsets = {topics[partition]: start for partition, start in starts.items()}
        await self.seek_wait(offsets)
        return offsets

    async def wait_first(self, *waited: Any, **how: Any) -> WaitResults:
        """Hand a message over, or hear that the flow is to stop, whichever is first.

        faust starts four tasks for it, more than half of what a message costs it. Where the flow is on and there is
        room for the message, handing it over waits for nothing.
        """
        arrived = getattr(self.app, "segue_arrived", None)
        if len(waited) != 2 or arrived is None or arrived.full() or not self._flows():
            return await super().wait_first(*waited, **how)
        delivery, stopping = waited
        stopping.close()
        return WaitResults([delivery], [await delivery], False)

    def _flows(self) -> bool:
        return bool(self.flow_active and self.app.flow_control.is_active())


class _Transport(AiokafkaTransport):
    Consumer = _Consumer


class _ByPartition(DefaultSchedulingStrategy):
    """Partition after partition, so that a batch is of one or two: each costs a commit, and each listener a head."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """All of them, those of a partition in their order."""
        return ((tp, record) for tp, messages in records.items() for record in messages)


def _app(settings: ProfilerSettings, transport: type[AiokafkaTransport], profiler: Profiler) -> Any:
    kafka = settings.kafka
    credentials = None
    if kafka.security == "SASL_SSL":
        credentials = faust.SASLCredentials(
            username=kafka.user, password=kafka.password, ssl_context=ssl_context(kafka), mechanism=MECHANISM
        )
    app = faust.App(
        settings.profiler.group,
        broker=[f"aiokafka://{server}" for server in servers(kafka)],
        broker_credentials=credentials,
        broker_client_id="segue-profiler",
        broker_session_timeout=kafka.session_timeout_ms / 1000,
        broker_heartbeat_interval=kafka.heartbeat_ms / 1000,
        broker_request_timeout=max(90.0, kafka.session_timeout_ms / 1000),
        broker_max_poll_interval=86_400,  # a long outage of Redis is waited out, not a reason to be thrown out
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_MS,
        ConsumerScheduler=_ByPartition,
        # Waiting for what is taken and not acknowledged hangs a rebalance: meanwhile faust hands over no events, and a
        # batch that is still being gathered waits for one. Measured: 65 s, until the group's session ran out. Nothing
        # needs it, since positions come from the profiles' store.
        stream_wait_empty=False,
        store="memory://",
        table_standby_replicas=0,  # else faust's own assignor is used, which wants a leader topic
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.segue_profiler = profiler
    app.segue_placed = -1  # the generation whose partitions have been taken over
    # For tables, of which there are none; faust has no setting for it and would litter the working folder.
    app._create_directories = lambda: None  # noqa: SLF001  # see above
    app.transport = transport(app.conf.broker_consumer, app, loop=asyncio.get_running_loop())
    return app
