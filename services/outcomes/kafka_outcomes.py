"""Outcomes to the `outcomes` topic over one idempotent kafka-python producer."""

import threading
from collections.abc import Callable, Sequence
from time import monotonic

from kafka import errors as kafka_errors
from kafka.producer.future import FutureRecordMetadata

from schemas.codec import encode
from schemas.outcome import Outcome
from schemas.topics import OUTCOMES
from services.runtime.errors import Stopped
from services.runtime.kafka_clients import kafka_trouble, producer
from services.runtime.settings import KafkaSettings

PATIENCE = 0.5  # seconds between signs of life while the broker does not answer
PARTING = 2.0  # seconds that a broker still has once the service is to end


class KafkaOutcomes:
    """The `Sink` port. `alive` is called now and then while waiting for the broker."""

    def __init__(self, settings: KafkaSettings, alive: Callable[[], None], stop: threading.Event) -> None:
        """Connects. Raises BrokerAway, BadSetting."""
        self._producer = producer(
            settings, "segue-outcomes", batch_size=256 * 1024, max_block_ms=2_000, request_timeout_ms=5_000,
            delivery_timeout_ms=15_000,
        )  # fmt: skip
        self._alive, self._stop = alive, stop

    def send(self, outcomes: Sequence[Outcome]) -> None:
        """See Sink. All of a listener's go to one partition, in order. Raises Stopped."""
        with kafka_trouble("send outcomes"):
            sent = [
                self._producer.send(OUTCOMES.name, encode(outcome), outcome.user_id.encode()) for outcome in outcomes
            ]
            for each in sent:
                self._wait_for(each)

    def close(self) -> None:
        """Disconnect; everything sent is acknowledged, or will be made again."""
        self._producer.close(timeout=1)

    def _wait_for(self, sent: FutureRecordMetadata) -> None:
        parting: float | None = None
        while True:
            try:
                sent.get(timeout=PATIENCE)
                return
            except kafka_errors.KafkaTimeoutError:
                if sent.is_done:  # it was the delivery that timed out, not our waiting
                    raise
                self._alive()
            if self._stop.is_set():
                parting = parting or monotonic() + PARTING
                if monotonic() >= parting:
                    raise Stopped("told to stop while the broker acknowledged nothing")
