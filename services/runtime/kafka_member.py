"""One member of a consumer group over kafka-python: it commits what its service says is done, behind the next poll."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from services.runtime.group import Record
from services.runtime.kafka_clients import consumer, kafka_trouble
from services.runtime.settings import KafkaSettings

CLOSE_MS = 1_000  # for the last commit and the leaving together; a broker that answers takes milliseconds
LEAVE_MS = 100  # for the leaving alone, of a broker that has just not answered

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
        """Joins the group; at most `most` records a poll. Raises BrokerAway, BadSetting."""
        self._topic = topic
        self._given: set[int] = set()
        # Nothing is done when partitions go: what is not committed yet comes again, at the next owner. So what is made
        # of a record must be recognisable as made before: a list of the same id, an outcome of the same event.
        self._consumer = consumer(settings, group=group, client=client, max_poll_records=most)
        self._consumer.subscribe([topic], listener=_Listener(self._given))
        self._commit_s, self._clock = commit_ms / 1000, clock
        self._committed_at = clock()
        self._done: dict[TopicPartition, int] = {}  # the next offset of each, not committed yet
        self._next: dict[TopicPartition, int] = {}  # the same, for the lag
        self._early: list[Record] = []  # came during `hold`

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
        return {at.partition for at in self._consumer.assignment()}

    def done(self, records: Sequence[Record]) -> None:
        """See Member. Committed behind the next poll, at most every `commit_ms`."""
        for record in records:
            at = TopicPartition(self._topic, record.partition)
            self._done[at] = self._next[at] = record.offset + 1

    def hold(self, seconds: float) -> None:
        """See Member."""
        mine = self._consumer.assignment()
        self._consumer.pause(*mine)
        try:
            self._early += self._take(seconds)  # of a partition assigned just now, which is not paused
        finally:
            self._consumer.resume(*self._consumer.paused())

    def lags(self) -> dict[int, int]:
        """See Member; as of the last fetch, costs no request."""
        lags = {}
        for at in self._consumer.assignment():
            end, start = self._consumer.highwater(at), self._next.get(at)
            if end is not None and start is not None:
                lags[at.partition] = max(0, end - start)
        return lags

    def close(self) -> None:
        """Commit what is done, leave the group. A broker that is away is not waited for: the records come again."""
        left_ms = CLOSE_MS
        try:
            if offsets := self._offsets():
                self._consumer.commit(offsets, timeout_ms=CLOSE_MS)
        except KafkaError as error:
            log.warning("the last offsets are not committed, their records come again: %s", error)
            left_ms = LEAVE_MS
        self._consumer.close(timeout_ms=left_ms)

    def _take(self, seconds: float) -> list[Record]:
        with kafka_trouble(f"read {self._topic}"):
            polled = self._consumer.poll(timeout_ms=max(1, int(seconds * 1000)))
        return [
            Record(at.partition, each.offset, each.value, each.key, each.timestamp)
            for at, records in polled.items()
            for each in records
        ]

    def _commit_when_due(self) -> None:
        if self._done and self._clock() - self._committed_at >= self._commit_s:
            self._committed_at = self._clock()
            if offsets := self._offsets():
                self._consumer.commit_async(offsets, callback=_on_commit)

    def _offsets(self) -> dict[TopicPartition, OffsetAndMetadata]:
        mine = self._consumer.assignment()
        offsets = {at: OffsetAndMetadata(offset, "", -1) for at, offset in self._done.items() if at in mine}
        self._done = {}
        return offsets


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    def __init__(self, given: set[int]) -> None:
        self._given = given

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Nothing to do."""

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Called within poll, before anything of these partitions is handed out."""
        self._given.update(at.partition for at in assigned)


def _on_commit(_offsets: Any, result: Any) -> None:
    """A commit that fails is made good by the next one; at worst its records come again."""
    if isinstance(result, Exception):
        log.warning("offsets are not committed yet, later ones will cover them: %s", result)
