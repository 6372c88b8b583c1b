"""Lists to the `recommendations` topic."""

import threading
from collections.abc import Callable, Sequence

from schemas.recommendation import Recommendations
from schemas.topics import RECOMMENDATIONS
from services.runtime.kafka_sender import KafkaSender, Message
from services.runtime.settings import KafkaSettings
from services.scorer.lists import fitting


class KafkaLists:
    """The `Lists` port. `alive` is called now and then while waiting for the broker."""

    def __init__(self, settings: KafkaSettings, alive: Callable[[], None], stop: threading.Event) -> None:
        """Connects. Raises BrokerAway, BadSetting."""
        self._sender = KafkaSender(settings, "segue-scorer", alive, stop)

    def send(self, lists: Sequence[Recommendations]) -> None:
        """See Lists. A list goes to the partition that has the number of its listener's. Raises Stopped."""
        self._sender.begin(
            RECOMMENDATIONS.name, (Message(fitting(made), made.user_id.encode(), made.partition) for made in lists)
        )

    def look(self) -> None:
        """See Lists."""
        self._sender.look()

    def settle(self) -> float:
        """See Lists. Raises Stopped."""
        return self._sender.settle()

    def close(self) -> None:
        """Disconnect; what is not settled is given up."""
        self._sender.close()
