"""Messages to a topic over one idempotent kafka-python producer: each call returns once the broker has them all.

A producer that the broker does not answer for `ANSWER_S` is thrown away and another made. It has to be: once a batch
that was on its way expires, kafka-python 3.0.12 forgets its producer id and never asks for another (`reset_producer_id`
leaves its state at READY, and `init_producer_id` does nothing there), so it takes messages for ever and sends none. So
its batches never expire here, and what was not acknowledged is sent again by whoever called.
"""

import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka import errors as kafka_errors
from kafka.producer.future import FutureRecordMetadata

from services.runtime.errors import Stopped
from services.runtime.kafka_clients import kafka_trouble, producer
from services.runtime.settings import KafkaSettings

PATIENCE = 0.5  # seconds between signs of life while the broker does not answer
PARTING = 1.5  # seconds that a broker still has once the service is to end
ANSWER_S = 30.0  # after which the producer is given up
NEVER_MS = 2**31 - 1


class Message(NamedTuple):
    """One message; no partition: the one that the key's hash says."""

    value: bytes
    key: bytes
    partition: int | None = None


class KafkaSender:
    """One producer, renewed when it is stuck. `alive` is called now and then while waiting for the broker."""

    def __init__(
        self,
        settings: KafkaSettings,
        client: str,
        alive: Callable[[], None],
        stop: threading.Event,
        answer_s: float = ANSWER_S,
        **more: Any,
    ) -> None:
        """Connects; `more` goes to the producer. Raises BrokerAway, BadSetting."""
        self._make: Callable[[], KafkaProducer] = lambda: producer(
            settings, client, **{"delivery_timeout_ms": NEVER_MS, "max_block_ms": 5_000, **more}
        )
        self._alive, self._stop, self._answer_s = alive, stop, answer_s
        self._producer: KafkaProducer | None = self._make()

    def send(self, topic: str, messages: Iterable[Message]) -> None:
        """Send and wait for the broker's word on every one; those of a partition stay in order.

        Raises BrokerAway when it does not come; some may have arrived all the same. Raises Stopped.
        """
        with kafka_trouble(f"send to {topic}"):
            if self._producer is None:
                self._producer = self._make()
            try:
                sent = [self._producer.send(topic, m.value, m.key, partition=m.partition) for m in messages]
                self._wait_for(sent)
            except kafka_errors.KafkaTimeoutError:
                self._give_up()
                raise

    def close(self) -> None:
        """Disconnect; everything sent is acknowledged, or will be sent again by whoever comes next."""
        if self._producer is not None:
            _end(self._producer, 0.5)

    def _wait_for(self, sent: list[FutureRecordMetadata]) -> None:
        begun = monotonic()
        parting: float | None = None
        for each in sent:
            while not each.succeeded():
                try:
                    each.get(timeout=PATIENCE if parting is None else max(0.0, min(PATIENCE, parting - monotonic())))
                    break
                except kafka_errors.KafkaTimeoutError:
                    if each.is_done:  # it was given up, and not our waiting
                        raise
                self._alive()
                now = monotonic()
                if self._stop.is_set():
                    parting = parting or now + PARTING
                    if now >= parting:
                        raise Stopped("told to stop while the broker acknowledged nothing")
                if now - begun >= self._answer_s:
                    raise kafka_errors.KafkaTimeoutError(f"the broker acknowledged nothing for {self._answer_s:g} s")

    def _give_up(self) -> None:
        stuck, self._producer = self._producer, None
        if stuck is not None:
            _end(stuck, 0.0)


def _end(producer: KafkaProducer, timeout: float) -> None:
    try:
        producer.close(timeout)
    except kafka_errors.KafkaTimeoutError:  # raised for what is still on its way, before its thread is ended
        producer._sender.force_close()  # noqa: SLF001  # nothing public ends it then
