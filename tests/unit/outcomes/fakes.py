"""The service's outside, in memory: what production wires to Kafka."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from models.taste import TasteSettings
from schemas.codec import encode
from schemas.events import Listen
from schemas.outcome import Outcome
from schemas.recommendation import Item, Recommendations
from services.outcomes.app import Outcomes
from services.outcomes.following import Following
from services.outcomes.judging import Judge
from services.outcomes.metrics import Metrics
from services.outcomes.standing import Standing
from services.runtime import kafka_log
from services.runtime.errors import BrokerAway, Transient
from services.runtime.group import Record
from services.runtime.http import Health
from services.runtime.kafka_log import LogMoved, Span

T = TypeVar("T")
T0 = 1_704_200_000_000


def made(user: str, version: int, at: int, *tracks: str, **more: Any) -> Recommendations:
    """A list made at T0 + `at`."""
    items = [Item(track, 1.0, "why", f"source-{track}") for track in tracks]
    fields = {"list_id": f"list-{version}", "partition": 0, "release_id": "r1", "variant": "a", **more}
    return Recommendations(
        user_id=user, profile_version=version, made_at=T0 + at, listened_at=0, produced_at=0, items=items, **fields
    )


def play(user: str, track: str, offset: int, at: int, **more: Any) -> Record:
    """A listen appended at T0 + `at`."""
    event = Listen(**{"event_id": f"e{offset}", "user_id": user, "track_id": track, "listened_at": T0 + at, **more})
    return Record(more.get("partition", 0), offset, encode(event), user.encode(), T0 + at)


class Log:
    """`Log` in lists, one partition each; reads in batches of two."""

    def __init__(self, partitions: int = 2) -> None:
        self.records: list[list[kafka_log.Record]] = [[] for _ in range(partitions)]
        self.first = [0] * partitions
        self.away = 0
        self.reads: list[tuple[int, int, int]] = []

    def put(self, made: Recommendations, partition: int = 0) -> None:
        self.raw(encode(made), made.user_id.encode(), partition)

    def raw(self, value: bytes | None, key: bytes, partition: int = 0) -> None:
        self.records[partition].append(kafka_log.Record(len(self.records[partition]), T0, key, value, []))

    def spans(self, _topic: str) -> dict[int, Span]:
        self._trouble()
        return {at: Span(self.first[at], len(records)) for at, records in enumerate(self.records)}

    def read(self, _topic: str, partition: int, first: int, stop: int) -> Iterator[list[kafka_log.Record]]:
        self._trouble()
        if first < self.first[partition]:
            raise LogMoved("gone")
        self.reads.append((partition, first, stop))
        for at in range(first, stop, 2):
            yield [each for each in self.records[partition][at : min(at + 2, stop)] if each.offset >= 0]

    def _trouble(self) -> None:
        if self.away:
            self.away -= 1
            raise BrokerAway("the broker is away")


class Topic:
    """`Sink` in a list."""

    def __init__(self) -> None:
        self.sent: list[Outcome] = []
        self.away = 0

    def send(self, outcomes: Sequence[Outcome]) -> None:
        if self.away:
            self.away -= 1
            raise BrokerAway("the broker is away")
        self.sent += outcomes


class World:
    """The service with nothing real around it."""

    def __init__(self, remember: int = 100, settle_ms: int = 0, releases: int = 8) -> None:
        self.now, self.waited, self.went_on = T0 + 3_600_000, 0.0, 0
        self.log, self.topic = Log(), Topic()
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, Health("assignment", "kafka", clock=lambda: 0.0), releases)
        self.retries: list[Transient] = []
        self.standing = Standing(remember)
        self.following = Following(self.log, self.standing, self.metrics, self.patiently, self._going_on)
        self.outcomes = Outcomes(
            self.following, Judge(self.standing, TasteSettings(), 60.0), self.topic, self.metrics, self.patiently,
            lambda: self.now, self._wait, settle_ms,
        )  # fmt: skip

    def take(self, *records: Record) -> list[Outcome]:
        """What came of these."""
        before = len(self.topic.sent)
        self.outcomes.take(records)
        return self.topic.sent[before:]

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"segue_outcomes_{name}", labels) or 0.0

    def patiently(self, call: Callable[[], T], /) -> T:
        while True:
            try:
                return call()
            except Transient as error:
                self.retries.append(error)

    def _wait(self, seconds: float) -> None:
        self.waited += seconds

    def _going_on(self) -> None:
        self.went_on += 1
