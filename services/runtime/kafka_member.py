"""One member of a consumer group: it commits what its service says is done, behind the next poll."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.runtime.errors import Transient
from services.runtime.group import Record
from services.runtime.librdkafka import LASTING, member, rdkafka_trouble
from services.runtime.settings import KafkaSettings

CLOSE_S = 1.0  # for the last commit, and for leaving; a broker that answers takes milliseconds
LEAVE_S = 0.1  # for the leaving, of a broker that has just not answered

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
        self.leaving: Callable[[], None] = _nothing  # called within poll and hold, before partitions go to others
        # Nothing is done when partitions go: what is not committed yet comes again, at the next owner. So what is made
        # of a record must be recognisable as made before: a list of the same id, an outcome of the same event.
        self._consumer = member(settings, group, client, {"on_commit": self._on_commit})
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

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
            if record.partition in self._mine:  # else it comes again, at the next owner
                self._done[record.partition] = self._next[record.partition] = record.offset + 1

    def hold(self, seconds: float) -> None:
        """See Member."""
        paused = [TopicPartition(self._topic, partition) for partition in self._mine]
        with rdkafka_trouble(f"hold {self._topic}"):
            self._consumer.pause(paused)
            try:
                self._early += self._take(seconds)  # of a partition assigned just now, which is not paused
            finally:
                self._consumer.resume(paused)  # also those that went meanwhile: they would come back paused

    def lags(self) -> dict[int, int]:
        """See Member; as of the last fetch, costs no request."""
        lags = {}
        for partition, start in self._next.items():
            with suppress(KafkaException):  # of a partition that is no more
                found = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
                if found is not None and found[1] >= 0:
                    lags[partition] = max(0, found[1] - start)
        return lags

    def close(self) -> None:
        """Commit what is done, leave the group. A broker that is away is not waited for: the records come again."""
        until, self.leaving = self._clock() + CLOSE_S, _nothing
        try:
            self._commit()
            while self._committing and self._clock() < until:
                self._consumer.poll(0.05)  # nothing that it gives is done, so it comes again
        except (Transient, KafkaException) as error:
            log.warning("the last offsets are not committed, their records come again: %s", error)
        # It asks the broker, and waits for what was asked before: of one that is silent for half a minute and more.
        leaving = threading.Thread(target=self._consumer.close, name="leaving", daemon=True)
        leaving.start()
        leaving.join(LEAVE_S if self._committing else CLOSE_S)

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

    def _commit_when_due(self) -> None:
        if self._done and self._clock() - self._committed_at >= self._commit_s:
            self._committed_at = self._clock()
            self._commit()

    def _commit(self) -> None:
        offsets = [TopicPartition(self._topic, at, offset) for at, offset in self._done.items()]
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

    def _on_revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self.leaving()
        self._on_lost(consumer, places)

    def _on_lost(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        for at in places:
            self._mine.discard(at.partition)
            self._done.pop(at.partition, None)  # the next owner may be further by the time that it comes back
            self._next.pop(at.partition, None)


def _nothing() -> None:
    """What a member does by default before partitions go."""
