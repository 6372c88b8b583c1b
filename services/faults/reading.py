"""Reading whole topics from their beginning, as they grow, through outages of the broker."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import Topic
from services.runtime.kafka_clients import aio_connection
from services.runtime.settings import KafkaSettings

AGAIN_S = 0.2

Take = Callable[[TopicPartition, ConsumerRecord], Any]


async def read_on(
    kafka: KafkaSettings, topics: Iterable[Topic], take: Take, begun: Callable[[AIOKafkaConsumer], Any] = lambda _: None
) -> None:
    """Hand over every record, until cancelled. `begun` is given the consumer once it stands at the beginning."""
    consumer = AIOKafkaConsumer(**aio_connection(kafka, "segue-faults"), enable_auto_commit=False)
    try:
        await consumer.start()
        wanted = [TopicPartition(topic.name, p) for topic in topics for p in range(topic.partitions)]
        consumer.assign(wanted)
        await consumer.seek_to_beginning(*wanted)
        begun(consumer)
        while True:
            try:
                batches = await consumer.getmany(timeout_ms=500)
            except KafkaError:
                await asyncio.sleep(AGAIN_S)
                continue
            for tp, records in batches.items():
                for record in records:
                    take(tp, record)
    finally:
        await consumer.stop()
