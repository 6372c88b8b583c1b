"""Messages to a topic over one idempotent producer: what is sent stands once `send`, or `settle`, has returned.

A producer that the broker does not answer for `ANSWER_S`, or that has met an error, is thrown away with all that it
still holds and another made: what was not acknowledged is sent again by whoever called, and must not also be sent by
the old one later, when newer messages stand behind it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from services.runtime.errors import BrokerAway, Stopped
from services.runtime.librdkafka import producer, rdkafka_trouble
from services.runtime.settings import KafkaSettings

PATIENCE = 0.5  # seconds between signs of life while the broker does not answer
PURGE_S = 0.5  # for a producer that is given up to let go of its messages; it takes milliseconds
PARTING = 1.5  # seconds that a broker still has once the service is to end
ANSWER_S = 30.0  # after which the producer is given up
NOTHING_MORE: Mapping[str, Any] = {}
BY_KEY = -1  # a partition's number for librdkafka


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
        more: Mapping[str, Any] = NOTHING_MORE,
    ) -> None:
        """Connects; `more` goes to the producer (services.runtime.librdkafka). Raises BrokerAway, BadSetting, Fatal."""
        self._make: Callable[[], Producer] = lambda: producer(settings, client, more)
        self._alive, self._stop, self._answer_s = alive, stop, answer_s
        self._producer: Producer | None = self._make()
        self._topic, self._under_way = "", list[Message]()  # what is not settled
        self._sending: _Sending | None = None  # of it, what this producer was given
        self._stood_at = monotonic()  # since when all that was settled stands

    def send(self, topic: str, messages: Iterable[Message]) -> None:
        """Send and wait for the broker's word on every one; those of a partition stay in order.

        Raises BrokerAway when it does not come; some may have arrived all the same. Raises Stopped, Fatal.
        """
        self._take(topic, messages)
        try:
            self.settle()
        except BaseException:
            self._under_way = []  # whoever called has them, and sends them again
            raise

    def begin(self, topic: str, messages: Iterable[Message]) -> None:
        """Send, without waiting for the broker's word, which `settle` does.

        A broker that is away is nothing to this, but to `settle`. Raises Stopped, Fatal, and ValueError before all that
        was begun is settled.
        """
        self._take(topic, messages)
        with suppress(BrokerAway):
            self._hand_over()

    def settle(self) -> float:
        """Wait for the broker's word on every message that was begun; those of a partition stay in order.

        Returns how many seconds ago the last word was heard, here or by `look`. Raises BrokerAway when one does not
        come; some may have arrived all the same, and the next call sends all again. Raises Stopped, Fatal.
        """
        if self._under_way:
            sending = self._sending or self._hand_over()
            with self._given_up_on_trouble():
                self._stood_at = sending.end()
            self._under_way, self._sending = [], None
        return max(0.0, monotonic() - self._stood_at)

    def look(self) -> None:
        """Hear what the broker has said; nobody hears it of itself."""
        if self._sending is not None:
            self._sending.look()

    def _take(self, topic: str, messages: Iterable[Message]) -> None:
        if self._under_way:
            raise ValueError(f"{len(self._under_way)} messages to {self._topic} are not settled")
        self._topic, self._under_way, self._sending = topic, list(messages), None

    def _hand_over(self) -> "_Sending":
        with self._given_up_on_trouble():
            if self._producer is None:
                self._producer = self._make()
            self._sending = _Sending(self._producer, self._alive, self._stop, self._answer_s)
            for message in self._under_way:
                self._sending.add(self._topic, message)
        return self._sending

    @contextmanager
    def _given_up_on_trouble(self) -> Iterator[None]:
        try:
            with rdkafka_trouble(f"send to {self._topic}"):
                yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect; everything sent is acknowledged, or will be sent again by whoever comes next."""
        left, self._producer, self._sending = self._producer, None, None
        if left is None:
            return
        left.purge(blocking=False)
        until = monotonic() + PURGE_S
        while len(left) and monotonic() < until:  # each message holds on to its producer until it is told of
            left.poll(0.05)


class _Sending:
    """Messages on their way to a broker that may be silent."""

    def __init__(self, to: Producer, alive: Callable[[], None], stop: threading.Event, answer_s: float) -> None:
        self._to, self._alive, self._stop, self._answer_s = to, alive, stop, answer_s
        self._left = 0  # that the broker has not acknowledged
        self._refused: KafkaError | None = None  # why it did not take one of them
        self._heard_at = self._told_at = monotonic()
        self._parting: float | None = None  # when it is given up, once told to stop

    def add(self, topic: str, message: Message) -> None:
        """Hand a message over, once there is room for it."""
        partition = BY_KEY if message.partition is None else message.partition
        while True:
            try:
                self._to.produce(topic, message.value, message.key, partition, on_delivery=self._told)
            except BufferError:  # the producer holds as much as it may
                self._hear()
            else:
                self._left += 1
                return

    def look(self) -> None:
        """Hear what the broker has said."""
        self._to.poll(0)

    def end(self) -> float:
        """Wait until the broker has acknowledged all; when that was heard (time.monotonic)."""
        self._heard_at = monotonic()  # nobody listened before
        while self._left:
            self._hear()
        self._raise_if_refused()
        return self._told_at

    def _told(self, error: KafkaError | None, _message: Delivered) -> None:
        self._left -= 1
        self._heard_at = self._told_at = monotonic()
        self._refused = self._refused or error

    def _raise_if_refused(self) -> None:
        if self._refused is not None:
            raise KafkaException(self._refused)

    def _hear(self) -> None:
        """Wait for some acknowledgements. Raises BrokerAway, Stopped, KafkaException."""
        left = PATIENCE if self._parting is None else self._parting - monotonic()
        before = self._left
        self._to.poll(min(PATIENCE, max(0.0, left)))  # it also returns for a line to log
        self._raise_if_refused()
        if self._left != before:
            return
        self._alive()
        now = monotonic()
        if self._stop.is_set():
            self._parting = self._parting or now + PARTING
            if now >= self._parting:
                raise Stopped("told to stop while the broker acknowledged nothing")
        if now - self._heard_at >= self._answer_s:
            raise BrokerAway(f"the broker acknowledged nothing for {self._answer_s:g} s")
