"""References: loops that read topics and do nothing. `python -m services.bench.bare NAME FILE TOPIC…`.

`bare_faust` is an agent with the live loop's own settings of faust, `bare_aiokafka` a getmany loop under uvloop. Both
write into FILE, twenty times a second, how many messages they have seen, how many of these came with the first look,
and the seconds from there to the newest: a fast loop is through between two looks of anybody else.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer

from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

TELL_S = 0.05
AT_ONCE = 5_000


class Seen:
    """How many, and when."""

    def __init__(self) -> None:
        self.count = self.looked = self.first = 0
        self.begun = self.newest = 0.0

    def look(self) -> None:
        """Note the time when more have come since the last look."""
        if self.count > self.looked:
            self.looked, self.newest = self.count, perf_counter()
            if not self.first:
                self.first, self.begun = self.count, self.newest


async def tell(seen: Seen, path: Path) -> None:
    """Write it, again and again; whole or not at all."""
    aside = path.with_suffix(".aside")
    while True:
        seen.look()
        aside.write_text(f"{seen.looked} {seen.first} {seen.newest - seen.begun}", encoding="ascii")
        aside.replace(path)
        await asyncio.sleep(TELL_S)


async def bare_aiokafka(kafka: KafkaSettings, seen: Seen, topics: list[str]) -> None:
    """Read, count, never end."""
    consumer = AIOKafkaConsumer(
        *topics, **aio_connection(kafka, "segue-bench"), group_id="bench-bare-aiokafka",
        auto_offset_reset="earliest", enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        while True:
            batches = await consumer.getmany(timeout_ms=200, max_records=AT_ONCE)
            seen.count += sum(map(len, batches.values()))
            seen.look()
    finally:
        await consumer.stop()


async def bare_faust(kafka: KafkaSettings, seen: Seen, topics: list[str]) -> None:
    """An agent that counts, on an app as the profiler's."""
    import faust

    app = faust.App(
        "bench-bare-faust", broker=f"aiokafka://{kafka.bootstrap}", store="memory://", table_standby_replicas=0,
        topic_disable_leader=True, topic_allow_declare=False, web_enabled=False, consumer_auto_offset_reset="earliest",
        broker_session_timeout=6.0, broker_heartbeat_interval=0.2, broker_commit_interval=1.0,
        stream_wait_empty=False, worker_redirect_stdouts=False,
    )  # fmt: skip
    app._create_directories = lambda: None  # noqa: SLF001  # for tables, of which there are none
    topic = app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def agent(stream: Any) -> None:
        async for _ in stream.events():
            seen.count += 1

    app.agent(topic, name="bare", concurrency=1)(agent)
    await app.start()
    try:
        await asyncio.Event().wait()
    finally:
        await app.stop()


async def main(loop: Callable[[KafkaSettings, Seen, list[str]], Any], path: Path, topics: list[str]) -> None:
    """Run a loop and tell how far it is."""
    seen = Seen()
    telling = asyncio.create_task(tell(seen, path))
    try:
        await loop(KafkaSettings(bootstrap=os.environ["SEGUE_KAFKA_BOOTSTRAP"]), seen, topics)
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


if __name__ == "__main__":
    _, loop, file, *names = sys.argv
    uvloop.run(main({"bare_faust": bare_faust, "bare_aiokafka": bare_aiokafka}[loop], Path(file), names))
