"""Lists to the `recommendations` topic over one idempotent kafka-python producer."""

from collections.abc import Callable, Sequence

from kafka import errors as kafka_errors
from kafka.producer.future import FutureRecordMetadata

from schemas.recommendation import Recommendations
from schemas.topics import RECOMMENDATIONS
from services.runtime.kafka_clients import kafka_trouble, producer
from services.runtime.settings import KafkaSettings
from services.scorer.lists import fitting

PATIENCE = 1.0  # seconds between signs of life while the broker does not answer


class KafkaLists:
    """The `Lists` port. `alive` is called now and then while waiting for the broker."""

    def __init__(self, settings: KafkaSettings, alive: Callable[[], None]) -> None:
        """Connects. Raises BrokerAway, BadSetting."""
        # A list is about 8 KB, so kafka-python's 16 KB would make a batch of every second one.
        self._producer = producer(
            settings, "segue-scorer", batch_size=512 * 1024, max_request_size=4 * 1024 * 1024,
            max_block_ms=5_000, delivery_timeout_ms=30_000, request_timeout_ms=10_000,
        )  # fmt: skip
        self._alive = alive

    def send(self, lists: Sequence[Recommendations]) -> None:
        """See Lists. A list goes to the partition that has the number of its listener's."""
        with kafka_trouble("send lists"):
            sent = [
                self._producer.send(
                    RECOMMENDATIONS.name, fitting(made), made.user_id.encode(), partition=made.partition
                )
                for made in lists
            ]
            for each in sent:
                self._wait_for(each)

    def close(self) -> None:
        """Disconnect; everything sent is acknowledged already."""
        self._producer.close(timeout=2)

    def _wait_for(self, sent: FutureRecordMetadata) -> None:
        while True:
            try:
                sent.get(timeout=PATIENCE)
                return
            except kafka_errors.KafkaTimeoutError:
                if sent.is_done:  # it was the delivery that timed out, not our waiting
                    raise
                self._alive()
