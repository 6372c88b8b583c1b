"""Outcomes to the `outcomes` topic."""

import threading
from collections.abc import Callable, Sequence

from schemas.codec import encode
from schemas.outcome import Outcome
from schemas.topics import OUTCOMES
from services.runtime.kafka_sender import KafkaSender, Message
from services.runtime.settings import KafkaSettings


class KafkaOutcomes:
    """The `Sink` port. `alive` is called now and then while waiting for the broker."""

    def __init__(self, settings: KafkaSettings, alive: Callable[[], None], stop: threading.Event) -> None:
        """Connects. Raises BrokerAway, BadSetting."""
        self._sender = KafkaSender(settings, "segue-outcomes", alive, stop, more={"request.timeout.ms": 5_000})

    def send(self, outcomes: Sequence[Outcome]) -> None:
        """See Sink. All of a listener's go to one partition, in order. Raises Stopped."""
        self._sender.send(OUTCOMES.name, (Message(encode(outcome), outcome.user_id.encode()) for outcome in outcomes))

    def close(self) -> None:
        """Disconnect; everything sent is acknowledged, or will be made again."""
        self._sender.close()
