"""The scorer's outside, in memory: what production wires to Kafka and Redis."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry

from models.profile import Profile
from models.release import Release
from models.sources.settings import ListSettings
from schemas.codec import encode
from schemas.profile import ProfileChanged
from schemas.recommendation import Recommendations
from services.runtime.errors import BrokerAway, RedisAway, Transient
from services.runtime.group import Record
from services.runtime.http import Health
from services.scorer.app import Scorer
from services.scorer.arms import Arms
from services.scorer.made import Made
from services.scorer.metrics import Metrics
from services.scorer.split import Split

T = TypeVar("T")
NOW = 1_704_200_000_000


class Store:
    """`Profiles` in a dict, away as often as told."""

    def __init__(self) -> None:
        self.profiles: dict[tuple[int, str], bytes] = {}
        self.reads: list[int] = []
        self.away = 0

    def put(self, user: str, profile: Profile, partition: int = 0) -> None:
        self.profiles[partition, user] = profile.encode()

    def read(self, wanted: Sequence[tuple[int, str]]) -> list[bytes | None]:
        if self.away:
            self.away -= 1
            raise RedisAway("Redis is away")
        self.reads.append(len(wanted))
        return [self.profiles.get(each) for each in wanted]


class Topic:
    """`Lists` in a list."""

    def __init__(self) -> None:
        self.under_way: list[Recommendations] = []
        self.sent: list[Recommendations] = []
        self.batches: list[int] = []
        self.away = 0
        self.ago = 0.0  # seconds since the last acknowledgement
        self.looked = 0

    def send(self, lists: Sequence[Recommendations]) -> None:
        assert not self.under_way
        self.under_way = list(lists)

    def look(self) -> None:
        self.looked += 1

    def settle(self) -> float:
        if self.away:
            self.away -= 1
            raise BrokerAway("the broker is away")
        self.batches.append(len(self.under_way))
        self.sent += self.under_way
        self.under_way = []
        return self.ago


def alone(release: Release, length: int = 5) -> Arms:
    """A release at work without a second variant."""
    settings = ListSettings(length=length)
    return Arms(release, Split(settings, settings))


class World:
    """A scorer with nothing real around it."""

    def __init__(self, max_batch: int = 64, remember: int = 100) -> None:
        self.now = NOW
        self.store, self.topic = Store(), Topic()
        self.registry = CollectorRegistry()
        self.health = Health("release", "redis", "kafka", clock=lambda: 0.0)
        self.metrics = Metrics(self.registry, self.health)
        self.retries: list[Transient] = []
        self.scorer = Scorer(
            self.store, self.topic, self.metrics, Made(remember), self._patiently, lambda: self.now, max_batch
        )

    def _patiently(self, call: Callable[[], T], /) -> T:
        while True:
            try:
                return call()
            except Transient as error:
                self.retries.append(error)

    def score(self, records: Sequence[Record], arms: Arms) -> None:
        """A batch all the way."""
        self.scorer.score(records, arms)
        self.scorer.settle()

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"segue_scorer_{name}", labels) or 0.0


def notice(user: str, version: int, partition: int = 0, produced_at: int = NOW - 5, listened_at: int = 0) -> Record:
    return Record(partition, version, encode(ProfileChanged(user, partition, version, listened_at, produced_at)))
