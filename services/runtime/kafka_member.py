"""One member of a consumer group: it commits what its service says is done, behind the next poll."""

import logging
from collections.abc import Callable, Iterator, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.runtime.group import Record
from services.runtime.librdkafka import LASTING, member, rdkafka_trouble
from services.runtime.settings import KafkaSettings

CLOSE_S = 1.0  # for the last commit; a broker that answers takes milliseconds

log = logging.getLogger(__name__)


class KafkaMember:
    """The `Member` port. `clock` gives seconds (time.monotonic)."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        group: str,
        client: str,
        most: int,
        commit_ms: int,
        clock: Callable[[], float],
    ) -> None:
        """Joins the group; at most `most` records a poll. Raises BrokerAway, Fatal, BadSetting."""
        self._topic, self._most = topic, most
        self._commit_s, self._clock = commit_ms / 1000, clock
        self._committed_at = clock()
        self._committing = 0  # commits that the broker has not answered
        self._mine: set[int] = set()
        self._given: set[int] = set()  # since taken_over was asked
        self._done: dict[int, int] = {}  # the next offset of each partition, not committed yet
        self._next: dict[int, int] = {}  # the same, for the lag
        self._early: list[Record] = []  # came during `hold`
        # Nothing is done when partitions go: what is not committed yet comes again, at the next owner. So what is made
        # of a record must be recognisable as made before: a list of the same id, an outcome of the same event.
        self._consumer = member(settings, group, client, {"on_commit": self._on_commit})
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    def poll(self, seconds: float) -> list[Record]:
        """See Member."""
        self._commit_when_due()
        early, self._early = self._early, []
        return early or self._take(seconds)

    def taken_over(self) -> set[int]:
        """See Member."""
        given = self._given.copy()
        self._given.clear()
        return given

    def owned(self) -> set[int]:
        """See Member."""
        return self._mine.copy()

    def done(self, records: Sequence[Record]) -> None:
        """See Member. Committed behind the next poll, at most every `commit_ms`."""
        for record in records:
            self._done[record.partition] = self._next[record.partition] = record.offset + 1

    def hold(self, seconds: float) -> None:
        """See Member."""
        with rdkafka_trouble(f"hold {self._topic}"):
            self._consumer.pause(self._places())
            try:
                self._early += self._take(seconds)  # of a partition assigned just now, which is not paused
            finally:
                self._consumer.resume(self._places())

    def lags(self) -> dict[int, int]:
        """See Member; as of the last fetch, costs no request."""
        lags = {}
        for partition in self._mine:
            if (start := self._next.get(partition)) is None:
                continue
            found = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            if found is not None and found[1] >= 0:
                lags[partition] = max(0, found[1] - start)
        return lags

    def close(self) -> None:
        """Commit what is done, leave the group. A broker that is away is not waited for: the records come again."""
        until = self._clock() + CLOSE_S
        self._commit()
        while self._committing and self._clock() < until:
            self._consumer.poll(0.05)  # nothing that it gives is done, so it comes again
        self._consumer.close()

    def _take(self, seconds: float) -> list[Record]:
        with rdkafka_trouble(f"read {self._topic}"):
            first = self._consumer.poll(seconds)
            if first is None:
                return []
            return list(self._sound([first, *self._consumer.consume(self._most - 1, 0)]))

    def _sound(self, polled: Sequence[Message]) -> Iterator[Record]:
        """The records. What else is told is told again as long as it lasts."""
        for each in polled:
            error, partition, offset = each.error(), each.partition(), each.offset()
            if error is not None and error.code() in LASTING:
                raise KafkaException(error)
            if error is not None or partition is None or offset is None:
                log.warning("reading %s: %s", self._topic, error)
            else:
                yield Record(partition, offset, each.value(), each.key(), each.timestamp()[1])

    def _places(self) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in self._mine]

    def _commit_when_due(self) -> None:
        if self._done and self._clock() - self._committed_at >= self._commit_s:
            self._committed_at = self._clock()
            self._commit()

    def _commit(self) -> None:
        offsets = [TopicPartition(self._topic, at, offset) for at, offset in self._done.items() if at in self._mine]
        self._done = {}
        if offsets:
            with rdkafka_trouble(f"commit of {self._topic}"):
                self._consumer.commit(offsets=offsets, asynchronous=True)
            self._committing += 1

    def _on_commit(self, error: KafkaError | None, _places: list[TopicPartition]) -> None:
        """A commit that fails is made good by the next one; at worst its records come again."""
        self._committing -= 1
        if error is not None:
            log.warning("offsets are not committed yet, later ones will cover them: %s", error)

    def _on_assign(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        """Called within poll, before anything of these partitions is handed out."""
        given = {at.partition for at in places}
        self._mine |= given
        self._given |= given

    def _on_revoke(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        self._mine -= {at.partition for at in places}
