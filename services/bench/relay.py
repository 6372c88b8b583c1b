"""The reference of freshness: one hop that does nothing. `python -m services.bench.relay FROM TO`, ends with SIGTERM.

A kafka-python poll loop that sends each record on as it is, with the same safe settings as the services' own clients.
"""

import os
import sys

from services.runtime.kafka_clients import consumer, producer
from services.runtime.settings import KafkaSettings
from services.runtime.shutdown import stop_event


def relay(kafka: KafkaSettings, source: str, target: str) -> None:
    """Copy a topic to another until told to stop."""
    stop = stop_event()
    reader, writer = consumer(kafka, source, group=f"relay-{source}", auto_offset_reset="latest"), producer(kafka)
    try:
        while not stop.is_set():
            for records in reader.poll(timeout_ms=250).values():
                for record in records:
                    writer.send(target, value=record.value, key=record.key)
    finally:
        writer.close()
        reader.close()


if __name__ == "__main__":
    relay(KafkaSettings(bootstrap=os.environ["SEGUE_KAFKA_BOOTSTRAP"]), *sys.argv[1:])
